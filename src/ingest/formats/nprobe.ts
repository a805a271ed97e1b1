import type { FeedSettings, Format } from '../format.ts';
import { FlowReading, Normaliser, type Refusal, refusal } from '../normalise.ts';
import { createJsonDecoder, isIcmp, type ReadJsonRecord, readAddresses } from './json-records.ts';
import { firstJsonObject, type JsonObject, numberAt } from './json-values.ts';

/** Names of the elements we read, by the number nProbe writes where it is told to write no names (ntop user guide, IANA IPFIX). */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['1', 'IN_BYTES'],
  ['2', 'IN_PKTS'],
  ['4', 'PROTOCOL'],
  ['5', 'SRC_TOS'],
  ['6', 'TCP_FLAGS'],
  ['7', 'L4_SRC_PORT'],
  ['8', 'IPV4_SRC_ADDR'],
  ['10', 'INPUT_SNMP'],
  ['11', 'L4_DST_PORT'],
  ['12', 'IPV4_DST_ADDR'],
  ['14', 'OUTPUT_SNMP'],
  ['16', 'SRC_AS'],
  ['17', 'DST_AS'],
  ['21', 'LAST_SWITCHED'],
  ['22', 'FIRST_SWITCHED'],
  ['23', 'OUT_BYTES'],
  ['24', 'OUT_PKTS'],
  ['27', 'IPV6_SRC_ADDR'],
  ['28', 'IPV6_DST_ADDR'],
  ['32', 'ICMP_TYPE'],
  ['34', 'SAMPLING_INTERVAL'],
  ['58', 'SRC_VLAN'],
  ['61', 'DIRECTION'],
  ['130', 'EXPORTER_IPV4_ADDRESS'],
  ['131', 'EXPORTER_IPV6_ADDRESS'],
  ['152', 'FLOW_START_MILLISECONDS'],
  ['153', 'FLOW_END_MILLISECONDS'],
]);

/**
 * nProbe's JSON export: one flow a message, keys are the names of the template's elements or their numbers. Both directions
 * where the template has OUT_BYTES. Times are seconds of the epoch; the exporter is named only where the template does.
 */
export const nprobe: Format = {
  name: 'nprobe',
  family: 'nprobe',
  framing: 'lines',
  sniff: sniffNprobe,
  createDecoder: (settings) => createJsonDecoder(createReader(settings)),
};

function createReader(settings: FeedSettings): ReadJsonRecord {
  const normaliser = new Normaliser(settings);
  const reading = new FlowReading();
  return (message, receivedUs, sink) => {
    const json = named(message);
    if (!('IN_BYTES' in json || 'IN_PKTS' in json))
      return refusal('not_a_flow', 'neither IN_BYTES nor IN_PKTS');
    const refused = readRecord(json, reading);
    if (refused !== null) return refused;
    const exporter = addressText(json.EXPORTER_IPV4_ADDRESS) ?? addressText(json.EXPORTER_IPV6_ADDRESS) ?? '';
    return normaliser.emit(reading, exporter, receivedUs, sink);
  };
}

function readRecord(json: JsonObject, reading: FlowReading): Refusal | null {
  reading.clear();
  const isV6 = numberAt(json, 'IP_PROTOCOL_VERSION') === 6 || addressText(json.IPV4_SRC_ADDR) === null;
  const refused = isV6
    ? readAddresses(
        reading,
        json.IPV6_SRC_ADDR ?? json.IPV4_SRC_ADDR,
        json.IPV6_DST_ADDR ?? json.IPV4_DST_ADDR,
      )
    : readAddresses(reading, json.IPV4_SRC_ADDR, json.IPV4_DST_ADDR);
  if (refused !== null) return refused;
  const hasMillis = 'FLOW_START_MILLISECONDS' in json;
  reading.startUs = hasMillis
    ? numberAt(json, 'FLOW_START_MILLISECONDS') * 1e3
    : numberAt(json, 'FIRST_SWITCHED') * 1e6;
  reading.endUs = hasMillis
    ? numberAt(json, 'FLOW_END_MILLISECONDS') * 1e3
    : numberAt(json, 'LAST_SWITCHED') * 1e6;
  reading.guessTimeUnit = true;
  reading.protocol = numberAt(json, 'PROTOCOL');
  if (isIcmp(reading.protocol)) reading.destinationPort = numberAt(json, 'ICMP_TYPE');
  else {
    reading.sourcePort = numberAt(json, 'L4_SRC_PORT');
    reading.destinationPort = numberAt(json, 'L4_DST_PORT');
  }
  reading.tcpFlags = numberAt(json, 'TCP_FLAGS');
  reading.tos = numberAt(json, 'SRC_TOS');
  reading.vlan = numberAt(json, 'SRC_VLAN');
  reading.sourceAs = numberAt(json, 'SRC_AS');
  reading.destinationAs = numberAt(json, 'DST_AS');
  reading.inInterface = numberAt(json, 'INPUT_SNMP');
  reading.outInterface = numberAt(json, 'OUTPUT_SNMP');
  if ('DIRECTION' in json) reading.direction = numberAt(json, 'DIRECTION') === 1 ? 'EGRESS' : 'INGRESS';
  reading.bytes = numberAt(json, 'IN_BYTES');
  reading.packets = numberAt(json, 'IN_PKTS');
  reading.bidirectional = 'OUT_BYTES' in json || 'OUT_PKTS' in json;
  reading.reverseBytes = numberAt(json, 'OUT_BYTES');
  reading.reversePackets = numberAt(json, 'OUT_PKTS');
  reading.samplingRate = numberAt(json, 'SAMPLING_INTERVAL');
  return null;
}

/** null where the address is missing or the all-zero one that fills the other family's place. */
function addressText(value: unknown): string | null {
  return typeof value === 'string' && value !== '' && value !== '0.0.0.0' && value !== '::' ? value : null;
}

function named(json: JsonObject): JsonObject {
  if (!('1' in json || '2' in json)) return json;
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [NAMES.get(key) ?? key, value]));
}

function sniffNprobe(sample: Uint8Array): number {
  const message = firstJsonObject(sample);
  if (message === null) return 0;
  const json = named(message);
  const hasEnds = 'IPV4_SRC_ADDR' in json || 'IPV6_SRC_ADDR' in json;
  return hasEnds && ('IN_BYTES' in json || 'IN_PKTS' in json) ? 1 : 0;
}
