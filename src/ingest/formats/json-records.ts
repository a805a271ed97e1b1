import { NO_ADDRESS, parseAddress } from '../../flow/address.ts';
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6 } from '../../flow/protocol.ts';
import {
  TCP_ACK,
  TCP_CWR,
  TCP_ECE,
  TCP_FIN,
  TCP_PSH,
  TCP_RST,
  TCP_SYN,
  TCP_URG,
} from '../../flow/tcp-flags.ts';
import type { Decoder, DecodeSink } from '../format.ts';
import { type FlowReading, type Refusal, refusal } from '../normalise.ts';
import { type JsonObject, parseJsonObject } from './json-values.ts';

/** Reads one JSON object: hands its flow, or flows, to the sink and returns null, or says why the object is none. */
export type ReadJsonRecord = (record: JsonObject, receivedUs: number, sink: DecodeSink) => Refusal | null;

/** Decoder of messages that hold one JSON object, several lines of them, or an array of them; each record is refused by itself. */
export function createJsonDecoder(read: ReadJsonRecord): Decoder {
  return {
    decode(message, receivedUs, sink) {
      const text = Buffer.from(message.buffer, message.byteOffset, message.byteLength)
        .toString('utf8')
        .trim();
      if (text === '') return sink.reject('empty_message', 'nothing but blanks');
      const whole = parseJsonObject(text);
      if (whole !== null) {
        const refused = read(whole, receivedUs, sink);
        if (refused !== null) sink.reject(refused.reason, refused.detail);
        return;
      }
      if (text.startsWith('[')) return decodeArray(text, read, receivedUs, sink);
      if (!text.includes('\n')) return sink.reject('malformed', 'not one JSON object');
      text.split('\n').forEach((line, position) => {
        if (line.trim() === '') return;
        const refused = readOne(parseJsonObject(line), read, receivedUs, sink);
        if (refused !== null) sink.reject(refused.reason, refused.detail, position, Buffer.from(line));
      });
    },
  };
}

function decodeArray(text: string, read: ReadJsonRecord, receivedUs: number, sink: DecodeSink): void {
  const values = parseArray(text);
  if (values === null) {
    sink.reject('truncated', 'a JSON array that is damaged or has no end');
    return;
  }
  values.forEach((value, position) => {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    const refused = readOne(isObject ? (value as JsonObject) : null, read, receivedUs, sink);
    if (refused !== null)
      sink.reject(refused.reason, refused.detail, position, Buffer.from(JSON.stringify(value)));
  });
}

function parseArray(text: string): readonly unknown[] | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function readOne(
  record: JsonObject | null,
  read: ReadJsonRecord,
  receivedUs: number,
  sink: DecodeSink,
): Refusal | null {
  return record === null ? refusal('malformed', 'not a JSON object') : read(record, receivedUs, sink);
}

/** Source and destination as text; undefined, null and '' are "none" where the source need not name them. */
export function readAddresses(
  reading: FlowReading,
  source: unknown,
  destination: unknown,
  isRequired = true,
): Refusal | null {
  const from = toAddress(source);
  const to = toAddress(destination);
  if (from === null) return refusal('invalid_address', `source ${JSON.stringify(source).slice(0, 60)}`);
  if (to === null)
    return refusal('invalid_address', `destination ${JSON.stringify(destination).slice(0, 60)}`);
  if (isRequired && (from === NO_ADDRESS || to === NO_ADDRESS)) {
    return refusal('missing_field', from === NO_ADDRESS ? 'source address' : 'destination address');
  }
  reading.sourceAddress = from;
  reading.destinationAddress = to;
  return null;
}

function toAddress(value: unknown): Uint8Array | null {
  if (value === undefined || value === null || value === '') return NO_ADDRESS;
  return typeof value === 'string' ? parseAddress(value) : null;
}

/** Whether the protocol is ICMP, whose type and code stand in the place of a destination port. */
export function isIcmp(protocol: number): boolean {
  return protocol === PROTOCOL_ICMP || protocol === PROTOCOL_ICMPV6;
}

const FLAGS: ReadonlyMap<string, number> = new Map([
  ['fin', TCP_FIN],
  ['syn', TCP_SYN],
  ['rst', TCP_RST],
  ['psh', TCP_PSH],
  ['ack', TCP_ACK],
  ['urg', TCP_URG],
  ['ece', TCP_ECE],
  ['cwr', TCP_CWR],
]);

/** Union of TCP flags given by their three-letter names in any case; other words count for nothing. */
export function tcpFlagsOfNames(names: readonly unknown[]): number {
  let flags = 0;
  for (const name of names) if (typeof name === 'string') flags |= FLAGS.get(name.trim().toLowerCase()) ?? 0;
  return flags;
}
