import { parseAddress } from '../../flow/address.ts';
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6 } from '../../flow/protocol.ts';
import type { Decoder, DecodeSink, FeedSettings } from '../format.ts';
import { FlowReading, Normaliser, type Refusal, refusal } from '../normalise.ts';
import { IsoTimeReader } from '../times.ts';
import { type JsonObject, numberAt, objectAt, parseJsonObject, protocolAt, textAt } from './json-values.ts';

/** The two event types that describe flows. */
export type EveType = 'flow' | 'netflow';

/** Reads what the event types differ in: `details` is the object named like the type. */
export type ReadDetails = (event: JsonObject, details: JsonObject, reading: FlowReading) => void;

/**
 * Decoder of one type of Suricata EVE event (OISF/suricata output-json-flow.c, output-json-netflow.c). Takes the event itself or
 * the envelope of a shipper (Filebeat, Vector, Fluent Bit) with the event in it, as text or parsed. The event's `timestamp` is not used: it is the time of
 * writing, which in a replayed capture lies before the flow's end.
 */
export function createEveDecoder(settings: FeedSettings, type: EveType, readDetails: ReadDetails): Decoder {
  return new EveDecoder(settings, type, readDetails);
}

class EveDecoder implements Decoder {
  readonly #type: EveType;
  readonly #readDetails: ReadDetails;
  readonly #normaliser: Normaliser;
  readonly #times: IsoTimeReader;
  readonly #reading = new FlowReading();

  constructor(settings: FeedSettings, type: EveType, readDetails: ReadDetails) {
    this.#type = type;
    this.#readDetails = readDetails;
    this.#normaliser = new Normaliser(settings);
    this.#times = new IsoTimeReader(settings.timeZone);
  }

  decode(message: Uint8Array, receivedUs: number, sink: DecodeSink): void {
    const refused = this.#decode(message, receivedUs, sink);
    if (refused) sink.reject(refused.reason, refused.detail);
  }

  #decode(message: Uint8Array, receivedUs: number, sink: DecodeSink): Refusal | null {
    if (message.length === 0) return refusal('empty_message', 'no bytes');
    const event = unwrap(parseJsonObject(toText(message)));
    if (event === null) return refusal('malformed', 'not one JSON object');
    const type = textAt(event, 'event_type');
    if (type !== this.#type) {
      if (type === 'flow' || type === 'netflow') {
        return refusal('excluded_by_setting', `this feed takes ${this.#type} events, not ${type}`);
      }
      return refusal('not_a_flow', `event_type ${type.slice(0, 60)}`);
    }
    const details = objectAt(event, type);
    if (details === null) return refusal('missing_field', type);
    const reading = this.#reading;
    reading.clear();
    if (!readAddresses(event, reading)) {
      return refusal(
        'invalid_address',
        `${textAt(event, 'src_ip')} -> ${textAt(event, 'dest_ip')}`.slice(0, 120),
      );
    }
    readCommon(event, reading);
    reading.startUs = this.#timeUs(details, 'start');
    reading.endUs = this.#timeUs(details, 'end');
    this.#readDetails(event, details, reading);
    return this.#normaliser.emit(reading, textAt(event, 'host'), receivedUs, sink);
  }

  #timeUs(details: JsonObject, key: string): number {
    const text = textAt(details, key);
    return text === '' ? 0 : this.#times.readUs(text);
  }
}

/** Union of TCP flags as Suricata writes it: hexadecimal without prefix; 0 where it is missing or no such number. */
export function hexFlagsAt(json: JsonObject, key: string): number {
  const text = textAt(json, key);
  return /^[0-9a-fA-F]{1,4}$/.test(text) ? Number.parseInt(text, 16) : 0;
}

/**
 * Confidence that a sample is EVE and that this is the type to take from it. One `netflow` event does not tell that no `flow` events
 * tell the same traffic, so that `netflow` is only taken of a sample with several events and no other flows.
 */
export function sniffEve(sample: Uint8Array, type: EveType): number {
  let events = 0;
  let flows = 0;
  let netflows = 0;
  for (const line of toText(sample).split('\n')) {
    const event = line === '' ? null : unwrap(parseJsonObject(line));
    if (event === null || !('event_type' in event)) {
      if (events === 0 && line.trim() !== '') return 0;
      continue;
    }
    events++;
    if (event.event_type === 'flow') flows++;
    else if (event.event_type === 'netflow') netflows++;
  }
  if (events === 0) return 0;
  const isNetflow = flows === 0 && netflows > 1;
  if (type === 'netflow') return isNetflow ? 1 : 0.2;
  return isNetflow ? 0.2 : 0.9;
}

/** Both must be there and be addresses. */
function readAddresses(event: JsonObject, reading: FlowReading): boolean {
  const source = parseAddress(textAt(event, 'src_ip'));
  const destination = parseAddress(textAt(event, 'dest_ip'));
  if (source === null || destination === null) return false;
  reading.sourceAddress = source;
  reading.destinationAddress = destination;
  return true;
}

function readCommon(event: JsonObject, reading: FlowReading): void {
  reading.counters = 'unsampled';
  reading.protocol = protocolAt(event, 'proto');
  reading.sourcePort = numberAt(event, 'src_port');
  reading.destinationPort = numberAt(event, 'dest_port');
  // Older versions write one VLAN as a number, newer ones a list from the outside in.
  const { vlan } = event;
  reading.vlan = Array.isArray(vlan) ? Number(vlan[0] ?? 0) : numberAt(event, 'vlan');
  if (reading.protocol === PROTOCOL_ICMP || reading.protocol === PROTOCOL_ICMPV6) {
    reading.sourcePort = 0;
    reading.destinationPort = numberAt(event, 'icmp_type') * 256 + numberAt(event, 'icmp_code');
  }
}

/** Where shippers put the event as text: Filebeat and Vector, Fluent Bit's tail; and as an object, once they have parsed it. */
const ENVELOPE_KEYS = ['message', 'log', 'json', 'eve'] as const;

/** The event in a shipper's envelope; the object itself where it is none. Text that is no JSON object gives null. */
function unwrap(json: JsonObject | null): JsonObject | null {
  if (json === null || 'event_type' in json) return json;
  for (const key of ENVELOPE_KEYS) {
    const nested = objectAt(json, key);
    if (nested !== null && 'event_type' in nested) return nested;
    if (typeof json[key] === 'string') return parseJsonObject(json[key]);
  }
  // Filebeat's own Suricata module, and the original it can keep.
  const eve = objectAt(objectAt(json, 'suricata') ?? {}, 'eve');
  if (eve !== null) return eve;
  const original = textAt(objectAt(json, 'event') ?? {}, 'original');
  return original === '' ? json : parseJsonObject(original);
}

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
