import { PROTOCOL_NOT_IP } from '../../flow/protocol.ts';
import type { DecodeSink, FeedSettings } from '../format.ts';
import { FlowReading, Normaliser, type Refusal, refusal } from '../normalise.ts';
import { epochTextToUs, IsoTimeReader } from '../times.ts';
import { isIcmp, readAddresses, tcpFlagsOfNames } from './json-records.ts';
import { type JsonObject, numberAt, protocolAt, textAt } from './json-values.ts';

/**
 * Reads a record of pmacct (src/plugin_cmn_json.c, plugin_cmn_avro.c), which has the same fields in JSON and Avro. Only the primitives
 * of `aggregate` are there, addresses too. Times are local (the feed's zone) or "seconds.micros" of the epoch as text. Without times
 * of the flow, the time bin stands in. Counters are raw; rate 1 is what pmacct writes after it has renormalised.
 */
export class PmacctReader {
  readonly #normaliser: Normaliser;
  readonly #times: IsoTimeReader;
  readonly #reading = new FlowReading();

  constructor(settings: FeedSettings) {
    this.#normaliser = new Normaliser(settings);
    this.#times = new IsoTimeReader(settings.timeZone);
  }

  read(json: JsonObject, receivedUs: number, sink: DecodeSink): Refusal | null {
    const type = textAt(json, 'event_type');
    if (type !== '' && type !== 'purge') return refusal('not_a_flow', `event_type ${type.slice(0, 40)}`);
    if (!('bytes' in json || 'packets' in json)) return refusal('missing_field', 'neither bytes nor packets');
    const reading = this.#reading;
    reading.clear();
    const refused = readAddresses(reading, json.ip_src ?? json.net_src, json.ip_dst ?? json.net_dst, false);
    if (refused !== null) return refused;
    readNumbers(json, reading);
    reading.startUs = this.#firstTimeUs(json, 'timestamp_start', 'timestamp_min', 'stamp_inserted');
    reading.endUs = this.#firstTimeUs(json, 'timestamp_end', 'timestamp_max', 'stamp_updated');
    reading.receivedUs = this.#firstTimeUs(json, 'timestamp_arrival');
    if (Number.isNaN(reading.startUs + reading.endUs + reading.receivedUs)) {
      return refusal('invalid_time', `timestamp_start ${textAt(json, 'timestamp_start').slice(0, 60)}`);
    }
    return this.#normaliser.emit(reading, textAt(json, 'peer_ip_src'), receivedUs, sink);
  }

  /** 0 where none is given; pmacct writes an unknown one as the epoch's beginning. */
  #firstTimeUs(json: JsonObject, ...keys: string[]): number {
    for (const key of keys) {
      const text = textAt(json, key);
      if (text === '' || text.startsWith('0000-') || text.startsWith('1970-01-01')) continue;
      const us = epochTextToUs(text);
      const known = Number.isNaN(us) ? this.#times.readUs(text) : us;
      if (known !== 0) return known;
    }
    return 0;
  }
}

function readNumbers(json: JsonObject, reading: FlowReading): void {
  reading.protocol = protocolAt(json, 'ip_proto');
  const etype = textAt(json, 'etype');
  if (etype !== '' && etype !== '0' && etype !== '800' && etype !== '86dd')
    reading.protocol = PROTOCOL_NOT_IP;
  if (isIcmp(reading.protocol)) {
    reading.destinationPort =
      'icmp_type' in json
        ? numberAt(json, 'icmp_type') * 256 + numberAt(json, 'icmp_code')
        : numberAt(json, 'port_dst');
  } else {
    reading.sourcePort = numberAt(json, 'port_src');
    reading.destinationPort = numberAt(json, 'port_dst');
  }
  reading.tcpFlags = Array.isArray(json.tcp_flags)
    ? tcpFlagsOfNames(json.tcp_flags)
    : numberAt(json, 'tcp_flags');
  reading.tos = numberAt(json, 'tos');
  reading.vlan = numberAt(json, 'vlan');
  reading.sourceAs = numberAt(json, 'as_src');
  reading.destinationAs = numberAt(json, 'as_dst');
  reading.inInterface = numberAt(json, 'iface_in');
  reading.outInterface = numberAt(json, 'iface_out');
  reading.bytes = numberAt(json, 'bytes');
  reading.packets = numberAt(json, 'packets');
  reading.samplingRate = numberAt(json, 'sampling_rate');
  const direction = textAt(json, 'sampling_direction');
  if (direction === 'i') reading.direction = 'INGRESS';
  if (direction === 'e') reading.direction = 'EGRESS';
}
