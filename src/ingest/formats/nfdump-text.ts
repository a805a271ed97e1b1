import { parseAddress } from '../../flow/address.ts';
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, protocolNumber } from '../../flow/protocol.ts';
import { tcpFlagsOfLetters } from '../../flow/tcp-flags.ts';
import type { Decoder, DecodeSink, FeedSettings, Format } from '../format.ts';
import { FlowReading, Normaliser, type Refusal } from '../normalise.ts';
import { Row } from '../text/row.ts';
import { firstLine } from '../text/table.ts';
import { epochTextToUs, IsoTimeReader } from '../times.ts';

const HEADER = /^Date (?:flow start|first seen)\s/;

/** date time, duration, protocol, ends, [flags, tos], packets, bytes, flows, [label]. Counters may read `1.2 M`. */
const ROW = new RegExp(
  [
    String.raw`^(\d{4}-\d\d-\d\d)\s+(\d\d:\d\d:\d\d(?:\.\d+)?)`,
    String.raw`(\d+(?:\.\d+)?)\s+(\S+)`,
    String.raw`(\S+)\s+<?->\s+(\S+)`,
    String.raw`(?:([A-Z.]{6,8}|0x[0-9a-f]+)\s+(\d+)\s+)?(\d+(?:\.\d+)?(?:\s[KMGT])?)`,
    String.raw`(\d+(?:\.\d+)?(?:\s[KMGT])?)`,
    String.raw`\d+(?:\s+(\S.*?))?\s*$`,
  ].join(String.raw`\s+`),
);

const UNITS: Readonly<Record<string, number>> = { K: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/**
 * nfdump's table for people (`-o line`, `-o long`), also with a label at the end (netflowlabeler): columns parted by blanks or TABs, any
 * number. Times are local, in the feed's zone; counters above a million are rounded by nfdump itself.
 */
class NfdumpTextDecoder implements Decoder {
  readonly #row = new Row();
  readonly #reading = new FlowReading();
  readonly #normaliser: Normaliser;
  readonly #times: IsoTimeReader;

  constructor(settings: FeedSettings) {
    this.#normaliser = new Normaliser(settings);
    this.#times = new IsoTimeReader(settings.timeZone);
  }

  decode(message: Uint8Array, receivedUs: number, sink: DecodeSink): void {
    const row = this.#row;
    row.open(message, 0x20);
    for (let position = 0; row.nextLine(); ) {
      const line = row.buffer.toString('utf8', row.start, row.end);
      if (HEADER.test(line)) continue;
      if (/^(?:Summary|Time window|Total flows|Sys:|No match)/.test(line)) continue;
      const refusal = this.#read(line, receivedUs, sink);
      if (refusal !== null) sink.reject(refusal.reason, refusal.detail, position, row.bytes());
      position++;
    }
  }

  #read(line: string, receivedUs: number, sink: DecodeSink): Refusal | null {
    const fields = ROW.exec(line);
    if (fields === null)
      return { reason: 'malformed', detail: 'no row of nfdump: date time duration proto …' };
    const reading = this.#reading;
    reading.clear();
    reading.startUs = this.#times.readUs(`${fields[1]} ${fields[2]}`);
    if (Number.isNaN(reading.startUs)) return { reason: 'invalid_time', detail: `${fields[1]} ${fields[2]}` };
    reading.endUs = reading.startUs + epochTextToUs(fields[3]!);
    const protocol = protocolNumber(fields[4]!);
    if (protocol === null) return { reason: 'invalid_number', detail: `protocol is ${fields[4]}` };
    reading.protocol = protocol;
    const [sourceAddress, sourcePort] = endOf(fields[5]!);
    const [destinationAddress, destinationPort] = endOf(fields[6]!);
    if (sourceAddress === null || destinationAddress === null)
      return { reason: 'invalid_address', detail: `${fields[5]} -> ${fields[6]}`.slice(0, 160) };
    reading.sourceAddress = sourceAddress;
    reading.destinationAddress = destinationAddress;
    if (protocol === PROTOCOL_ICMP || protocol === PROTOCOL_ICMPV6) {
      const [type, code] = destinationPort.split('.');
      reading.destinationPort = code === undefined ? Number(type) : Number(type) * 256 + Number(code);
    } else {
      reading.sourcePort = Number(sourcePort);
      reading.destinationPort = Number(destinationPort);
    }
    if (protocol === PROTOCOL_TCP) reading.tcpFlags = tcpFlagsOfLetters(fields[7] ?? '');
    reading.tos = Number(fields[8] ?? 0);
    reading.packets = countOf(fields[9]!);
    reading.bytes = countOf(fields[10]!);
    reading.counters = 'scaled';
    reading.label = fields[11] ?? null;
    return this.#normaliser.emit(reading, '', receivedUs, sink);
  }
}

/** `10.0.0.1:53`, `10.0.0.1:8.0` (ICMP type and code), `2001:db8::1.53`, or netflowlabeler's `10.0.0.1:0:0` without ports. */
function endOf(text: string): [address: Uint8Array | null, port: string] {
  const match =
    /^(\d+\.\d+\.\d+\.\d+):(\d+(?:\.\d+)?)(?::0)?$/.exec(text) ?? /^([0-9a-f:]+)\.(\d+)$/i.exec(text);
  return match ? [parseAddress(match[1]!), match[2]!] : [parseAddress(text), '0'];
}

function countOf(text: string): number {
  const [digits, unit] = text.split(/\s/);
  return unit === undefined ? Number(digits) : Math.round(Number(digits) * UNITS[unit]!);
}

export const nfdumpText: Format = {
  name: 'nfdump-text',
  family: 'nfdump',
  framing: 'table',
  sniff: (sample) => (HEADER.test(firstLine(sample)) ? 1 : 0),
  createDecoder: (settings) => new NfdumpTextDecoder(settings),
};
