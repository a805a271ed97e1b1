import type { DecodeSink, FeedSettings, Format } from '../format.ts';
import { FlowReading, Normaliser, type Refusal, refusal } from '../normalise.ts';
import { createJsonDecoder, isIcmp, type ReadJsonRecord, readAddresses } from './json-records.ts';
import { firstJsonObject, type JsonObject, numberAt, objectAt, textAt } from './json-values.ts';
import { readVflowSample } from './vflow-sflow.ts';

const UPTIME_MODULUS = 2 ** 32;

/**
 * EdgeCast's vFlow: the JSON of one packet of IPFIX, NetFlow v9, v5 or sFlow a message, so 0 to some dozen flows. IPFIX and v9 records
 * are lists of elements by IANA number; numbers of unusual width are hexadecimal text. Counters are raw, the rate mostly unknown.
 */
export const vflow: Format = {
  name: 'vflow',
  family: 'vflow',
  framing: 'lines',
  sniff: sniffVflow,
  createDecoder: (settings) => createJsonDecoder(createReader(settings)),
};

type ReadRecord = (record: unknown, packet: JsonObject, reading: FlowReading) => Refusal | null;

function createReader(settings: FeedSettings): ReadJsonRecord {
  const normaliser = new Normaliser(settings);
  const reading = new FlowReading();
  return (packet, receivedUs, sink) => {
    const exporter = textAt(packet, 'AgentID') || textAt(packet, 'IPAddress');
    const emit = (records: readonly unknown[], read: ReadRecord): null => {
      records.forEach((record, position) => {
        reading.clear();
        const refused = read(record, packet, reading) ?? normaliser.emit(reading, exporter, receivedUs, sink);
        if (refused !== null) rejectRecord(refused, record, position, sink);
      });
      return null;
    };
    if (Array.isArray(packet.DataSets)) return emit(packet.DataSets, readDataSet);
    if (Array.isArray(packet.Flows)) return emit(packet.Flows, readV5);
    if (Array.isArray(packet.Samples)) return emit(packet.Samples, readVflowSample);
    return refusal(
      'not_a_flow',
      `no DataSets, Flows or Samples: ${Object.keys(packet).slice(0, 6).join(', ')}`,
    );
  };
}

function rejectRecord(refused: Refusal, record: unknown, position: number, sink: DecodeSink): void {
  sink.reject(refused.reason, refused.detail, position, Buffer.from(JSON.stringify(record) ?? ''));
}

/** The elements of one record by IANA number; those of an enterprise are left out. null where it is no list of elements. */
function elementsOf(record: unknown): Map<number, unknown> | null {
  if (!Array.isArray(record)) return null;
  const elements = new Map<number, unknown>();
  for (const element of record) {
    if (typeof element !== 'object' || element === null) return null;
    const { I: id, V: value, E: enterprise } = element as JsonObject;
    if (typeof id === 'number' && !enterprise) elements.set(id, value);
  }
  return elements;
}

/** 0 where the element is missing; NaN where it is no number. */
function numberOf(elements: ReadonlyMap<number, unknown>, id: number): number {
  const value = elements.get(id);
  if (typeof value === 'number') return value;
  if (value === undefined || value === null) return 0;
  return typeof value === 'string' && /^(?:0x[0-9a-fA-F]+|\d+)$/.test(value) ? Number(value) : Number.NaN;
}

function readDataSet(record: unknown, packet: JsonObject, reading: FlowReading): Refusal | null {
  const elements = elementsOf(record);
  if (elements === null) return refusal('malformed', 'a data set that is no list of elements');
  const source = elements.get(8) ?? elements.get(27);
  const destination = elements.get(12) ?? elements.get(28);
  if (source === undefined && destination === undefined) {
    return refusal('not_a_flow', 'a record without addresses, such as options data');
  }
  const refused = readAddresses(reading, source, destination);
  if (refused !== null) return refused;
  readElements(elements, reading);
  readTimes(elements, objectAt(packet, 'Header') ?? {}, reading);
  return null;
}

/** Numbers of IANA's IPFIX information elements. */
function readElements(elements: ReadonlyMap<number, unknown>, reading: FlowReading): void {
  reading.bytes = numberOf(elements, 1);
  reading.packets = numberOf(elements, 2);
  reading.protocol = numberOf(elements, 4);
  reading.tos = numberOf(elements, 5);
  reading.tcpFlags = numberOf(elements, 6);
  if (isIcmp(reading.protocol)) {
    reading.destinationPort = numberOf(elements, 32) || numberOf(elements, 139) || numberOf(elements, 11);
  } else {
    reading.sourcePort = numberOf(elements, 7);
    reading.destinationPort = numberOf(elements, 11);
  }
  reading.inInterface = numberOf(elements, 10);
  reading.outInterface = numberOf(elements, 14);
  reading.sourceAs = numberOf(elements, 16);
  reading.destinationAs = numberOf(elements, 17);
  reading.vlan = numberOf(elements, 58);
  reading.samplingRate = numberOf(elements, 34) || numberOf(elements, 50) || numberOf(elements, 305);
  if (elements.has(61)) reading.direction = numberOf(elements, 61) === 1 ? 'EGRESS' : 'INGRESS';
}

function readTimes(elements: ReadonlyMap<number, unknown>, header: JsonObject, reading: FlowReading): void {
  const exportS = numberAt(header, 'ExportTime') || numberAt(header, 'UNIXSecs');
  reading.guessTimeUnit = true;
  if (elements.has(152) || elements.has(153)) {
    reading.startUs = numberOf(elements, 152) * 1e3;
    reading.endUs = numberOf(elements, 153) * 1e3;
  } else if (elements.has(150) || elements.has(151)) {
    reading.startUs = numberOf(elements, 150) * 1e6;
    reading.endUs = numberOf(elements, 151) * 1e6;
  } else if (elements.has(22) && elements.has(21) && 'SysUpTime' in header) {
    const upMs = numberAt(header, 'SysUpTime');
    reading.startUs = uptimeToUs(exportS, upMs, numberOf(elements, 22));
    reading.endUs = uptimeToUs(exportS, upMs, numberOf(elements, 21));
  } else {
    reading.startUs = exportS * 1e6;
    reading.endUs = exportS * 1e6;
  }
}

/** Time of `atMs` on a clock of 32 bits of milliseconds that showed `upMs` at `exportS`; the one nearer to that instant of the two a wrap leaves. */
function uptimeToUs(exportS: number, upMs: number, atMs: number): number {
  let agoMs = upMs - atMs;
  if (agoMs < -UPTIME_MODULUS / 2) agoMs += UPTIME_MODULUS;
  else if (agoMs > UPTIME_MODULUS / 2) agoMs -= UPTIME_MODULUS;
  return (exportS * 1000 - agoMs) * 1000;
}

function readV5(record: unknown, packet: JsonObject, reading: FlowReading): Refusal | null {
  const header = objectAt(packet, 'Header') ?? {};
  if (typeof record !== 'object' || record === null) return refusal('malformed', 'a flow that is no object');
  const flow = record as JsonObject;
  const refused = readAddresses(reading, flow.SrcAddr, flow.DstAddr);
  if (refused !== null) return refused;
  const exportS = numberAt(header, 'UNIXSecs');
  const upMs = numberAt(header, 'SysUpTimeMSecs');
  reading.startUs = uptimeToUs(exportS, upMs, numberAt(flow, 'StartTime'));
  reading.endUs = uptimeToUs(exportS, upMs, numberAt(flow, 'EndTime'));
  reading.protocol = numberAt(flow, 'ProtType');
  if (!isIcmp(reading.protocol)) reading.sourcePort = numberAt(flow, 'SrcPort');
  reading.destinationPort = numberAt(flow, 'DstPort');
  reading.tcpFlags = numberAt(flow, 'TCPFlags');
  reading.tos = numberAt(flow, 'Tos');
  reading.sourceAs = numberAt(flow, 'SrcAsNum');
  reading.destinationAs = numberAt(flow, 'DstAsNum');
  reading.inInterface = numberAt(flow, 'Input');
  reading.outInterface = numberAt(flow, 'Output');
  reading.bytes = numberAt(flow, 'L3Octets');
  reading.packets = numberAt(flow, 'PktCount');
  // The upper two bits tell the sampling mode.
  reading.samplingRate = numberAt(header, 'SmpInt') & 0x3fff;
  return null;
}

function sniffVflow(sample: Uint8Array): number {
  const json = firstJsonObject(sample);
  if (json === null) return 0;
  if ('AgentID' in json && ('DataSets' in json || 'Flows' in json)) return 1;
  return 'Samples' in json && 'IPAddress' in json ? 1 : 0;
}
