import { formatAddress } from '../../flow/address.ts';
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, protocolNumber } from '../../flow/protocol.ts';
import { tcpFlagsOfLetters } from '../../flow/tcp-flags.ts';
import type { Decoder, DecodeSink, FeedSettings, Format } from '../format.ts';
import { FlowReading, Normaliser, type Refusal } from '../normalise.ts';
import type { Row } from '../text/row.ts';
import {
  badField,
  createTableDecoder,
  firstLine,
  type Header,
  sniffHeader,
  type TableReader,
} from '../text/table.ts';
import { IsoTimeReader } from '../times.ts';

/** `nfdump -o fast` and `-o csv` of nfdump 1.7. */
const FAST_REQUIRED = [
  'firstSeen',
  'lastSeen',
  'proto',
  'srcAddr',
  'srcPort',
  'dstAddr',
  'dstPort',
  'packets',
  'bytes',
] as const;
/** `nfdump -o csv` before 1.7. */
const LONG_REQUIRED = ['ts', 'te', 'sa', 'da', 'sp', 'dp', 'pr', 'ipkt', 'ibyt'] as const;

interface NfdumpColumns extends Readonly<Record<string, number>> {
  readonly first: number;
  readonly last: number;
  readonly protocol: number;
  readonly sourceAddress: number;
  readonly sourcePort: number;
  readonly destinationAddress: number;
  readonly destinationPort: number;
  readonly flags: number;
  readonly tos: number;
  readonly packets: number;
  readonly bytes: number;
  readonly reversePackets: number;
  readonly reverseBytes: number;
  readonly inInterface: number;
  readonly outInterface: number;
  readonly sourceAs: number;
  readonly destinationAs: number;
  readonly vlan: number;
  readonly direction: number;
  readonly router: number;
}

/**
 * nfdump's CSV: the header of 1.7 (`cnt,af,firstSeen,…`) or the older one (`ts,te,td,sa,…`). Times are local to the host that wrote
 * them, in the feed's zone. Counters are already multiplied by the sampling rate, which is not written. `dp` of ICMP is
 * `type.code`. `dir` is 0 both for ingress and for a source that does not say, so only 1 is believed. The exporter is `ra`.
 */
class NfdumpReader implements TableReader<NfdumpColumns> {
  readonly name = 'nfdump';
  readonly required: readonly string[];
  readonly #reading = new FlowReading();
  readonly #normaliser: Normaliser;
  readonly #time: IsoTimeReader;

  constructor(settings: FeedSettings, required: readonly string[]) {
    this.required = required;
    this.#normaliser = new Normaliser(settings);
    this.#time = new IsoTimeReader(settings.timeZone);
  }

  /** nfdump ends its output with totals under the word Summary, or says that nothing matched. */
  isTrailer(row: Row): boolean {
    const code = row.firstByte();
    if (code >= 0x30 && code <= 0x39) return false;
    const first = row.text(0);
    return (
      first === 'Summary' || (first === 'flows' && row.text(1) === 'bytes') || first.startsWith('No match')
    );
  }

  columnsOf(header: Header): NfdumpColumns {
    return {
      first: header.column('firstSeen', 'ts'),
      last: header.column('lastSeen', 'te'),
      protocol: header.column('proto', 'pr'),
      sourceAddress: header.column('srcAddr', 'sa'),
      sourcePort: header.column('srcPort', 'sp'),
      destinationAddress: header.column('dstAddr', 'da'),
      destinationPort: header.column('dstPort', 'dp'),
      flags: header.column('flags', 'flg'),
      tos: header.column('srcTos', 'stos'),
      packets: header.column('packets', 'ipkt'),
      bytes: header.column('bytes', 'ibyt'),
      reversePackets: header.column('outPackets', 'opkt'),
      reverseBytes: header.column('outBytes', 'obyt'),
      inInterface: header.column('input', 'in'),
      outInterface: header.column('output', 'out'),
      sourceAs: header.column('srcAS', 'sas'),
      destinationAs: header.column('dstAS', 'das'),
      vlan: header.column('srcVlan', 'svln'),
      direction: header.column('dir'),
      router: header.column('ra', 'router'),
    };
  }

  read(row: Row, columns: NfdumpColumns, receivedUs: number, sink: DecodeSink): Refusal | null {
    const reading = this.#reading;
    reading.clear();
    reading.startUs = this.#timeOf(row, columns.first);
    if (Number.isNaN(reading.startUs)) return badField('invalid_time', row, columns.first, 'first seen');
    reading.endUs = this.#timeOf(row, columns.last);
    if (Number.isNaN(reading.endUs)) return badField('invalid_time', row, columns.last, 'last seen');
    const source = row.address(columns.sourceAddress);
    if (source === null) return badField('invalid_address', row, columns.sourceAddress, 'source address');
    const destination = row.address(columns.destinationAddress);
    if (destination === null)
      return badField('invalid_address', row, columns.destinationAddress, 'destination address');
    const protocol = protocolNumber(row.word(columns.protocol));
    if (protocol === null) return badField('invalid_number', row, columns.protocol, 'protocol');
    reading.sourceAddress = source;
    reading.destinationAddress = destination;
    reading.protocol = protocol;
    readPorts(row, columns, reading);
    if (protocol === PROTOCOL_TCP) reading.tcpFlags = tcpFlagsOfLetters(row.word(columns.flags));
    readRest(row, columns, reading);
    return this.#normaliser.emit(reading, exporterOf(row, columns.router), receivedUs, sink);
  }

  #timeOf(row: Row, column: number): number {
    const isDate = row.buffer[row.starts[column]! + 4] === 0x2d;
    return isDate ? this.#time.readUs(row.text(column)) : row.secondsUs(column);
  }
}

function readRest(row: Row, columns: NfdumpColumns, reading: FlowReading): void {
  reading.bytes = row.count(columns.bytes);
  reading.packets = row.count(columns.packets);
  reading.reverseBytes = row.countOrZero(columns.reverseBytes);
  reading.reversePackets = row.countOrZero(columns.reversePackets);
  reading.bidirectional = reading.reversePackets > 0;
  reading.counters = 'scaled';
  reading.tos = row.countOrZero(columns.tos);
  reading.vlan = row.countOrZero(columns.vlan);
  reading.sourceAs = row.countOrZero(columns.sourceAs);
  reading.destinationAs = row.countOrZero(columns.destinationAs);
  reading.inInterface = row.countOrZero(columns.inInterface);
  reading.outInterface = row.countOrZero(columns.outInterface);
  if (row.countOrZero(columns.direction) === 1) reading.direction = 'EGRESS';
}

function readPorts(row: Row, columns: NfdumpColumns, reading: FlowReading): void {
  if (reading.protocol === PROTOCOL_ICMP || reading.protocol === PROTOCOL_ICMPV6) {
    reading.destinationPort = icmpPort(row.word(columns.destinationPort));
    return;
  }
  reading.sourcePort = row.countOrZero(columns.sourcePort);
  reading.destinationPort = row.countOrZero(columns.destinationPort);
}

/** `3.1` is type 3, code 1; a plain number is type * 256 + code already. */
function icmpPort(text: string): number {
  const dot = text.indexOf('.');
  return dot < 0 ? Number(text) : Number(text.slice(0, dot)) * 256 + Number(text.slice(dot + 1));
}

function exporterOf(row: Row, column: number): string {
  if (!row.has(column)) return '';
  const address = row.address(column);
  const text = address === null ? '' : formatAddress(address);
  return text === '0.0.0.0' || text === '::' ? '' : text;
}

export const nfdumpCsv: Format = {
  name: 'nfdump-csv',
  family: 'nfdump',
  framing: 'table',
  sniff: (sample) => Math.max(sniffHeader(sample, FAST_REQUIRED), sniffHeader(sample, LONG_REQUIRED)),
  createDecoder(settings): Decoder {
    const fast = createTableDecoder(new NfdumpReader(settings, FAST_REQUIRED));
    const long = createTableDecoder(new NfdumpReader(settings, LONG_REQUIRED));
    return {
      decode(message, receivedUs, sink) {
        const isLong = /^ts,/i.test(firstLine(message.subarray(0, 8)));
        (isLong ? long : fast).decode(message, receivedUs, sink);
      },
    };
  },
};
