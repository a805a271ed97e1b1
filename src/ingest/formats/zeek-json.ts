import { parseAddress } from '../../flow/address.ts';
import { PROTOCOL_TCP } from '../../flow/protocol.ts';
import type { Decoder, DecodeSink, FeedSettings, Format } from '../format.ts';
import { FlowReading, Normaliser, type Refusal } from '../normalise.ts';
import { firstLine } from '../text/table.ts';
import { secondsUs } from '../text/values.ts';
import { epochTextToUs, IsoTimeReader } from '../times.ts';
import { type JsonObject, numberAt, objectAt, parseJsonObject, textAt } from './json-values.ts';
import { outcomeOfConnState, setTransport, tcpFlagsOfHistory, zeekLabel } from './zeek-conn.ts';

/** Seconds of the epoch stay below this for three thousand years, milliseconds have been above it since 1973. */
const MILLIS_FROM = 1e11;

/** Members only a connection has: other logs of Zeek share ts, uid and the addresses. */
const CONNECTION_MEMBERS = ['conn_state', 'orig_pkts', 'orig_ip_bytes', 'orig_bytes', 'duration'] as const;

/**
 * Zeek's conn.log as one JSON object a message (SeisoLLC/zeek-kafka, JSON logs, Tenzir): keys with dots or a nested `id`, bare or
 * wrapped with the path as key (`{"conn":{…}}`). `ts` is seconds, milliseconds or ISO 8601, told apart by size and type. Forward is the
 * originator, in IP bytes where Zeek wrote them, else payload bytes.
 */
class ZeekJsonDecoder implements Decoder {
  readonly #reading = new FlowReading();
  readonly #normaliser: Normaliser;
  readonly #times: IsoTimeReader;

  constructor(settings: FeedSettings) {
    this.#normaliser = new Normaliser(settings);
    this.#times = new IsoTimeReader(settings.timeZone);
  }

  decode(message: Uint8Array, receivedUs: number, sink: DecodeSink): void {
    if (message.length === 0) {
      sink.reject('empty_message', 'no bytes');
      return;
    }
    const text = Buffer.from(message.buffer, message.byteOffset, message.byteLength).toString('utf8');
    const json = parseJsonObject(text);
    const refusal: Refusal | null =
      json === null
        ? { reason: 'malformed', detail: 'not one JSON object' }
        : this.#read(json, receivedUs, sink);
    if (refusal !== null) sink.reject(refusal.reason, refusal.detail);
  }

  #read(message: JsonObject, receivedUs: number, sink: DecodeSink): Refusal | null {
    const conn = 'ts' in message ? message : (objectAt(message, 'conn') ?? message);
    if (!isConnection(conn)) {
      return { reason: 'not_a_flow', detail: `no conn record: ${Object.keys(conn).slice(0, 6).join(', ')}` };
    }
    const reading = this.#reading;
    reading.clear();
    const refusal = this.#readTimes(conn) ?? readEnds(conn, reading);
    if (refusal !== null) return refusal;
    reading.bytes = numberAt(conn, 'orig_ip_bytes' in conn ? 'orig_ip_bytes' : 'orig_bytes');
    reading.packets = numberAt(conn, 'orig_pkts');
    reading.reverseBytes = numberAt(conn, 'resp_ip_bytes' in conn ? 'resp_ip_bytes' : 'resp_bytes');
    reading.reversePackets = numberAt(conn, 'resp_pkts');
    reading.bidirectional = true;
    reading.counters = 'unsampled';
    reading.outcome = outcomeOfConnState(textAt(conn, 'conn_state'));
    if (reading.protocol === PROTOCOL_TCP) reading.tcpFlags = tcpFlagsOfHistory(textAt(conn, 'history'));
    reading.label = labelOf(conn);
    return this.#normaliser.emit(reading, '', receivedUs, sink);
  }

  #readTimes(conn: JsonObject): Refusal | null {
    const reading = this.#reading;
    const startUs = this.#timeUs(conn.ts);
    if (Number.isNaN(startUs)) return { reason: 'invalid_time', detail: `ts is ${JSON.stringify(conn.ts)}` };
    const durationUs = typeof conn.duration === 'number' ? secondsUs(conn.duration) : 0;
    if (!(durationUs >= 0)) return { reason: 'invalid_time', detail: `duration is ${conn.duration}` };
    reading.startUs = startUs;
    reading.endUs = startUs + durationUs;
    reading.allowsRelativeTime = true;
    return null;
  }

  #timeUs(ts: unknown): number {
    if (typeof ts === 'number') return ts >= MILLIS_FROM ? Math.round(ts * 1000) : secondsUs(ts);
    if (typeof ts !== 'string') return Number.NaN;
    const us = epochTextToUs(ts);
    return Number.isNaN(us) ? this.#times.readUs(ts) : us;
  }
}

function isConnection(record: JsonObject): boolean {
  const path = textAt(record, '_path');
  if (path !== '' && path !== 'conn') return false;
  return CONNECTION_MEMBERS.some((member) => member in record);
}

function readEnds(conn: JsonObject, reading: FlowReading): Refusal | null {
  const id = objectAt(conn, 'id');
  const ends = id ?? conn;
  const prefix = id === null ? 'id.' : '';
  const source = parseAddress(textAt(ends, `${prefix}orig_h`));
  const destination = parseAddress(textAt(ends, `${prefix}resp_h`));
  if (source === null || destination === null) {
    const [name, value] =
      source === null ? ['orig_h', ends[`${prefix}orig_h`]] : ['resp_h', ends[`${prefix}resp_h`]];
    return value === undefined
      ? { reason: 'missing_field', detail: `id.${name}` }
      : { reason: 'invalid_address', detail: `id.${name} is ${JSON.stringify(value).slice(0, 80)}` };
  }
  reading.sourceAddress = source;
  reading.destinationAddress = destination;
  setTransport(
    reading,
    textAt(conn, 'proto'),
    numberAt(conn, 'ip_proto'),
    numberAt(ends, `${prefix}orig_p`),
    numberAt(ends, `${prefix}resp_p`),
  );
  return null;
}

function labelOf(conn: JsonObject): string | null {
  if (!('label' in conn)) return null;
  const detail =
    textAt(conn, 'detailed-label') || textAt(conn, 'detailed_label') || textAt(conn, 'detailedlabel');
  return zeekLabel(textAt(conn, 'label'), detail);
}

/** Only the first line is looked at, and as text: a sample may end inside it. */
function sniff(sample: Uint8Array): number {
  const line = firstLine(sample).trimStart();
  if (!line.startsWith('{') || !line.includes('"ts"')) return 0;
  const hasEnds = line.includes('"id.orig_h"') || (line.includes('"id"') && line.includes('"orig_h"'));
  return hasEnds && /"conn_state"|"orig_pkts"|"orig_ip_bytes"/.test(line) ? 1 : 0;
}

export const zeekJson: Format = {
  name: 'zeek-json',
  family: 'zeek',
  framing: 'lines',
  sniff,
  createDecoder: (settings) => new ZeekJsonDecoder(settings),
};
