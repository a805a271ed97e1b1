import type { FeedSettings, Format } from '../format.ts';
import { FlowReading, Normaliser, type Refusal, refusal } from '../normalise.ts';
import { createJsonDecoder, isIcmp, type ReadJsonRecord, readAddresses } from './json-records.ts';
import { firstJsonObject, type JsonObject, numberAt, textAt } from './json-values.ts';

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;

/**
 * NetObserv's enriched flows as JSON (flowlogs-pipeline, "Network Flows format reference"). Times are milliseconds. What it marks as
 * the duplicate of a flow seen on another interface is refused; conversation events are no flows. Interfaces are names there, not numbers.
 */
export const netobservJson: Format = {
  name: 'netobserv-json',
  family: 'netobserv',
  framing: 'lines',
  sniff(sample) {
    const json = firstJsonObject(sample);
    return json !== null && 'TimeFlowEndMs' in json && 'SrcAddr' in json ? 1 : 0;
  },
  createDecoder: (settings) => createJsonDecoder(createReader(settings)),
};

function createReader(settings: FeedSettings): ReadJsonRecord {
  const normaliser = new Normaliser(settings);
  const reading = new FlowReading();
  return (json, receivedUs, sink) => {
    const type = textAt(json, '_RecordType');
    if (type !== '' && type !== 'flowLog') return refusal('not_a_flow', `_RecordType ${type.slice(0, 40)}`);
    if (!('TimeFlowEndMs' in json)) return refusal('not_a_flow', 'no TimeFlowEndMs');
    if (json.Duplicate === true)
      return refusal('excluded_by_setting', 'the duplicate of a flow on another interface');
    const refused = readRecord(json, reading);
    return refused ?? normaliser.emit(reading, textAt(json, 'AgentIP'), receivedUs, sink);
  };
}

function readRecord(json: JsonObject, reading: FlowReading): Refusal | null {
  reading.clear();
  const etype = numberAt(json, 'Etype');
  const isIp = etype === 0 || etype === ETHERTYPE_IPV4 || etype === ETHERTYPE_IPV6;
  const refused = readAddresses(reading, json.SrcAddr, json.DstAddr, isIp);
  if (refused !== null) return refused;
  reading.startUs = numberAt(json, 'TimeFlowStartMs') * 1e3;
  reading.endUs = numberAt(json, 'TimeFlowEndMs') * 1e3;
  reading.receivedUs = numberAt(json, 'TimeReceived') * 1e6;
  reading.guessTimeUnit = true;
  reading.protocol = isIp ? numberAt(json, 'Proto') : 255;
  if (isIcmp(reading.protocol)) {
    reading.destinationPort = numberAt(json, 'IcmpType') * 256 + numberAt(json, 'IcmpCode');
  } else {
    reading.sourcePort = numberAt(json, 'SrcPort');
    reading.destinationPort = numberAt(json, 'DstPort');
  }
  reading.tos = numberAt(json, 'Dscp') * 4;
  reading.tcpFlags = typeof json.Flags === 'number' ? json.Flags : 0;
  reading.direction = directionOf(json.FlowDirection);
  reading.bytes = numberAt(json, 'Bytes');
  reading.packets = numberAt(json, 'Packets');
  reading.samplingRate = numberAt(json, 'Sampling');
  return null;
}

/** 2 is a flow between two pods of one node. Older versions wrote the number as text. */
function directionOf(value: unknown): 'INGRESS' | 'EGRESS' | 'UNKNOWN' {
  if (value === 0 || value === '0') return 'INGRESS';
  return value === 1 || value === '1' ? 'EGRESS' : 'UNKNOWN';
}
