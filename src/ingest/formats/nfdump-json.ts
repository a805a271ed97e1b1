import { parseAddress } from '../../flow/address.ts';
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP } from '../../flow/protocol.ts';
import { tcpFlagsOfLetters } from '../../flow/tcp-flags.ts';
import type { Decoder, DecodeSink, FeedSettings, Format } from '../format.ts';
import { FlowReading, Normaliser, type Refusal } from '../normalise.ts';
import { IsoTimeReader } from '../times.ts';
import { type JsonObject, numberAt, parseJsonObject, protocolAt, textAt } from './json-values.ts';

/**
 * nfdump's JSON (phaag/nfdump, output_json and output_ndjson): one object, several lines of them, or one array in a message. Times are
 * local to the host that wrote them, in the feed's zone. Counters are already multiplied by the sampling rate; `sampled` 0 says that there
 * was none. The exporter is `ip4_router` or `ip6_router`. Records of type EVENT (firewall events) are no flows.
 */
class NfdumpJsonDecoder implements Decoder {
  readonly #reading = new FlowReading();
  readonly #normaliser: Normaliser;
  readonly #times: IsoTimeReader;

  constructor(settings: FeedSettings) {
    this.#normaliser = new Normaliser(settings);
    this.#times = new IsoTimeReader(settings.timeZone);
  }

  decode(message: Uint8Array, receivedUs: number, sink: DecodeSink): void {
    const text = Buffer.from(message.buffer, message.byteOffset, message.byteLength).toString('utf8').trim();
    if (text === '') {
      sink.reject('empty_message', 'nothing but blanks');
      return;
    }
    const whole = parse(text);
    if (Array.isArray(whole)) {
      whole.forEach((record, position) => {
        this.#decodeOne(record, () => JSON.stringify(record), position, receivedUs, sink);
      });
    } else if (whole !== undefined) {
      const refusal = this.#read(whole, receivedUs, sink);
      if (refusal !== null) sink.reject(refusal.reason, refusal.detail);
    } else if (text.startsWith('[')) {
      sink.reject('truncated', 'a JSON array without its end');
    } else {
      text.split('\n').forEach((line, position) => {
        this.#decodeOne(parseJsonObject(line), () => line, position, receivedUs, sink);
      });
    }
  }

  #decodeOne(
    record: unknown,
    source: () => string,
    position: number,
    receivedUs: number,
    sink: DecodeSink,
  ): void {
    const refusal = this.#read(record, receivedUs, sink);
    if (refusal !== null) sink.reject(refusal.reason, refusal.detail, position, Buffer.from(source()));
  }

  #read(value: unknown, receivedUs: number, sink: DecodeSink): Refusal | null {
    if (typeof value !== 'object' || value === null)
      return { reason: 'malformed', detail: 'not a JSON object' };
    const record = value as JsonObject;
    const type = textAt(record, 'type');
    if (type !== '' && type !== 'FLOW') return { reason: 'not_a_flow', detail: `type ${type.slice(0, 40)}` };
    const reading = this.#reading;
    reading.clear();
    const refusal = this.#readTimes(record) ?? readAddresses(record, reading);
    if (refusal !== null) return refusal;
    readTransport(record, reading);
    readCounters(record, reading);
    return this.#normaliser.emit(reading, routerOf(record), receivedUs, sink);
  }

  #readTimes(record: JsonObject): Refusal | null {
    const reading = this.#reading;
    reading.startUs = this.#timeUs(record, 'first');
    reading.endUs = this.#timeUs(record, 'last');
    reading.receivedUs = this.#timeUs(record, 'received');
    if (Number.isNaN(reading.startUs + reading.endUs + reading.receivedUs)) {
      const { first, last, received } = record;
      return { reason: 'invalid_time', detail: JSON.stringify({ first, last, received }).slice(0, 160) };
    }
    return null;
  }

  /** Versions before 1.7 write `t_first`. 0 where there is none. */
  #timeUs(record: JsonObject, key: string): number {
    const text = textAt(record, key) || textAt(record, `t_${key}`);
    return text === '' ? 0 : this.#times.readUs(text);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readAddresses(record: JsonObject, reading: FlowReading): Refusal | null {
  for (const side of ['src', 'dst'] as const) {
    const text = textAt(record, `${side}4_addr`) || textAt(record, `${side}6_addr`);
    if (text === '') return { reason: 'missing_field', detail: `${side}4_addr, ${side}6_addr` };
    const address = parseAddress(text);
    if (address === null) return { reason: 'invalid_address', detail: text.slice(0, 80) };
    if (side === 'src') reading.sourceAddress = address;
    else reading.destinationAddress = address;
  }
  return null;
}

function readTransport(record: JsonObject, reading: FlowReading): void {
  reading.protocol = protocolAt(record, 'proto');
  if (reading.protocol === PROTOCOL_ICMP || reading.protocol === PROTOCOL_ICMPV6) {
    reading.destinationPort =
      'icmp_type' in record
        ? numberAt(record, 'icmp_type') * 256 + numberAt(record, 'icmp_code')
        : numberAt(record, 'dst_port');
  } else {
    reading.sourcePort = numberAt(record, 'src_port');
    reading.destinationPort = numberAt(record, 'dst_port');
  }
  if (reading.protocol === PROTOCOL_TCP) reading.tcpFlags = tcpFlagsOfLetters(textAt(record, 'tcp_flags'));
  reading.tos = numberAt(record, 'src_tos');
  reading.vlan = numberAt(record, 'src_vlan');
  reading.sourceAs = numberAt(record, 'src_as');
  reading.destinationAs = numberAt(record, 'dst_as');
  reading.inInterface = numberAt(record, 'input_snmp');
  reading.outInterface = numberAt(record, 'output_snmp');
  if (record.direction === 0) reading.direction = 'INGRESS';
  if (record.direction === 1) reading.direction = 'EGRESS';
}

function readCounters(record: JsonObject, reading: FlowReading): void {
  reading.bytes = numberAt(record, 'in_bytes');
  reading.packets = numberAt(record, 'in_packets');
  reading.reverseBytes = numberAt(record, 'out_bytes');
  reading.reversePackets = numberAt(record, 'out_packets');
  reading.bidirectional = reading.reversePackets > 0;
  reading.counters = record.sampled === 0 ? 'unsampled' : 'scaled';
}

function routerOf(record: JsonObject): string {
  const text = textAt(record, 'ip4_router') || textAt(record, 'ip6_router');
  return text === '0.0.0.0' || text === '::' ? '' : text;
}

function sniff(sample: Uint8Array, opening: '{' | '['): number {
  const head = Buffer.from(sample.buffer, sample.byteOffset, Math.min(sample.length, 4096))
    .toString('latin1')
    .trimStart();
  if (!head.startsWith(opening)) return 0;
  return /"(?:t_)?first"\s*:/.test(head) && /"(?:src4_addr|src6_addr|in_packets)"\s*:/.test(head) ? 1 : 0;
}

/** `nfdump -o ndjson`: an object a line. */
export const nfdumpNdjson: Format = {
  name: 'nfdump-ndjson',
  family: 'nfdump',
  framing: 'lines',
  sniff: (sample) => sniff(sample, '{'),
  createDecoder: (settings) => new NfdumpJsonDecoder(settings),
};

/** `nfdump -o json`: one array over many lines. */
export const nfdumpJson: Format = {
  name: 'nfdump-json',
  family: 'nfdump',
  framing: 'whole',
  sniff: (sample) => sniff(sample, '['),
  createDecoder: (settings) => new NfdumpJsonDecoder(settings),
};
