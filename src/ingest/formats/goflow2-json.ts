import { NO_ADDRESS, parseAddress } from '../../flow/address.ts';
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_NOT_IP } from '../../flow/protocol.ts';
import { integerDigits } from '../exact-json.ts';
import type { Decoder, DecodeSink, FeedSettings, Format } from '../format.ts';
import { FlowReading, Normaliser, type Refusal, refusal } from '../normalise.ts';
import { IsoTimeReader } from '../times.ts';
import {
  firstJsonObject,
  type JsonObject,
  numberAt,
  parseJsonObject,
  protocolAt,
  textAt,
} from './json-values.ts';

/**
 * goflow2 `-format=json`: one object a message, keys of flow.proto. Times are integers of nanoseconds, beyond what `JSON.parse` keeps
 * exactly, or RFC 3339 where the mapping renders them. Counters are raw.
 */
export const goflow2Json: Format = {
  name: 'goflow2-json',
  family: 'goflow2',
  framing: 'lines',
  sniff: sniffGoflow2Json,
  createDecoder: (settings) => new Goflow2JsonDecoder(settings),
};

class Goflow2JsonDecoder implements Decoder {
  readonly #normaliser: Normaliser;
  readonly #times: IsoTimeReader;
  readonly #reading = new FlowReading();

  constructor(settings: FeedSettings) {
    this.#normaliser = new Normaliser(settings);
    this.#times = new IsoTimeReader(settings.timeZone);
  }

  decode(message: Uint8Array, receivedUs: number, sink: DecodeSink): void {
    const refused = this.#decode(message, receivedUs, sink);
    if (refused) sink.reject(refused.reason, refused.detail);
  }

  #decode(message: Uint8Array, receivedUs: number, sink: DecodeSink): Refusal | null {
    if (message.length === 0) return refusal('empty_message', 'no bytes');
    const text = Buffer.from(message.buffer, message.byteOffset, message.byteLength).toString('utf8');
    const json = parseJsonObject(text);
    if (json === null) return refusal('malformed', 'not one JSON object');
    if (!isGoflow2(json)) return refusal('not_a_flow', 'none of the keys of a goflow2 flow');
    const badAddress = readAddresses(json, this.#reading);
    if (badAddress !== null) return refusal('invalid_address', badAddress);
    readNumbers(json, this.#reading);
    this.#readTimes(json, text);
    return this.#normaliser.emit(this.#reading, textAt(json, 'sampler_address'), receivedUs, sink);
  }

  #readTimes(json: JsonObject, text: string): void {
    const reading = this.#reading;
    reading.guessTimeUnit = true;
    reading.receivedUs = this.#timeUs(json, text, 'time_received_ns');
    reading.startUs = this.#timeUs(json, text, 'time_flow_start_ns');
    reading.endUs = this.#timeUs(json, text, 'time_flow_end_ns');
    if (json.time_received_ns === undefined && json.time_received !== undefined) this.#readSeconds(json);
  }

  #timeUs(json: JsonObject, text: string, key: string): number {
    const value = json[key];
    if (value === undefined || value === null) return 0;
    if (typeof value === 'string' && value.includes('-', 1)) return this.#times.readUs(value);
    const digits = integerDigits(text, key);
    if (digits === '') return Number.NaN;
    // All but the last three digits of nanoseconds are microseconds.
    return digits.length > 3 ? Number(digits.slice(0, -3)) : 0;
  }

  /** v1 wrote seconds, and later milliseconds beside them. */
  #readSeconds(json: JsonObject): void {
    const reading = this.#reading;
    const startMs = numberAt(json, 'time_flow_start_ms');
    const endMs = numberAt(json, 'time_flow_end_ms');
    reading.receivedUs = numberAt(json, 'time_received') * 1e6;
    reading.startUs = startMs > 0 ? startMs * 1000 : numberAt(json, 'time_flow_start') * 1e6;
    reading.endUs = endMs > 0 ? endMs * 1000 : numberAt(json, 'time_flow_end') * 1e6;
  }
}

function isGoflow2(json: JsonObject): boolean {
  return (
    'time_received_ns' in json ||
    'time_flow_start_ns' in json ||
    'time_received' in json ||
    'sampler_address' in json
  );
}

/** Null, or what is wrong with them. Empty text is how goflow2 writes "none". */
function readAddresses(json: JsonObject, reading: FlowReading): string | null {
  reading.clear();
  const source = textAt(json, 'src_addr');
  const destination = textAt(json, 'dst_addr');
  const sourceAddress = source === '' ? NO_ADDRESS : parseAddress(source);
  if (sourceAddress === null) return `src_addr ${source.slice(0, 60)}`;
  const destinationAddress = destination === '' ? NO_ADDRESS : parseAddress(destination);
  if (destinationAddress === null) return `dst_addr ${destination.slice(0, 60)}`;
  reading.sourceAddress = sourceAddress;
  reading.destinationAddress = destinationAddress;
  return null;
}

function readNumbers(json: JsonObject, reading: FlowReading): void {
  reading.sourcePort = numberAt(json, 'src_port');
  reading.destinationPort = numberAt(json, 'dst_port');
  reading.protocol = protocolAt(json, 'proto');
  reading.tcpFlags = numberAt(json, 'tcp_flags');
  reading.tos = numberAt(json, 'ip_tos');
  reading.vlan = numberAt(json, 'vlan_id') || numberAt(json, 'src_vlan');
  reading.sourceAs = numberAt(json, 'src_as');
  reading.destinationAs = numberAt(json, 'dst_as');
  reading.inInterface = numberAt(json, 'in_if');
  reading.outInterface = numberAt(json, 'out_if');
  reading.bytes = numberAt(json, 'bytes');
  reading.packets = numberAt(json, 'packets');
  reading.samplingRate = numberAt(json, 'sampling_rate');
  const { flow_direction: direction } = json;
  if (direction !== undefined) reading.direction = Number(direction) === 1 ? 'EGRESS' : 'INGRESS';
  if (isOtherThanIp(json.etype)) reading.protocol = PROTOCOL_NOT_IP;
  const isIcmp = reading.protocol === PROTOCOL_ICMP || reading.protocol === PROTOCOL_ICMPV6;
  if (isIcmp && reading.destinationPort === 0) {
    reading.destinationPort = numberAt(json, 'icmp_type') * 256 + numberAt(json, 'icmp_code');
  }
}

/** Ether types are names ("IPv4", "ARP", "" where goflow2 knows none) or, unrendered, numbers. */
function isOtherThanIp(etype: unknown): boolean {
  return (
    etype === 'ARP' || (typeof etype === 'number' && etype !== 0 && etype !== 0x0800 && etype !== 0x86dd)
  );
}

function sniffGoflow2Json(sample: Uint8Array): number {
  const json = firstJsonObject(sample);
  if (json === null) return 0;
  if ('time_received_ns' in json || 'time_flow_start_ns' in json) return 1;
  return 'sampler_address' in json && 'src_addr' in json ? 0.9 : 0;
}
