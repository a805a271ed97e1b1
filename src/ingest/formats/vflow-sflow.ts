import { type FlowReading, type Refusal, refusal } from '../normalise.ts';
import { isIcmp, readAddresses } from './json-records.ts';
import { type JsonObject, numberAt, objectAt } from './json-values.ts';

const IPV6_HEADER_BYTES = 40;

/** One sample of vFlow's sFlow JSON: one packet. Counter samples, and frames that are not IP, are no flows. */
export function readVflowSample(record: unknown, packet: JsonObject, reading: FlowReading): Refusal | null {
  if (typeof record !== 'object' || record === null)
    return refusal('malformed', 'a sample that is no object');
  const sample = record as JsonObject;
  const header = objectAt(objectAt(sample, 'Records') ?? {}, 'RawHeader');
  if (header === null) return refusal('not_a_flow', 'a sample without a packet');
  const network = objectAt(header, 'L3');
  if (network === null) return refusal('not_a_flow', 'a sampled frame that is not IP');
  const refused = readAddresses(reading, network.Src, network.Dst);
  if (refused !== null) return refused;
  reading.startUs = numberAt(packet, 'ColTime') * 1e6;
  reading.endUs = reading.startUs;
  reading.guessTimeUnit = true;
  reading.protocol = numberAt(network, 'Protocol' in network ? 'Protocol' : 'NextHeader');
  reading.bytes =
    'TotalLen' in network
      ? numberAt(network, 'TotalLen')
      : numberAt(network, 'PayloadLen') + IPV6_HEADER_BYTES;
  reading.packets = 1;
  reading.samplingRate = numberAt(sample, 'SamplingRate');
  reading.inInterface = numberAt(sample, 'Input');
  reading.outInterface = numberAt(sample, 'Output');
  reading.vlan = numberAt(objectAt(header, 'L2') ?? {}, 'Vlan');
  const transport = objectAt(header, 'L4') ?? {};
  if (isIcmp(reading.protocol)) {
    reading.destinationPort = numberAt(transport, 'Type') * 256 + numberAt(transport, 'Code');
  } else {
    reading.sourcePort = numberAt(transport, 'SrcPort');
    reading.destinationPort = numberAt(transport, 'DstPort');
    reading.tcpFlags = numberAt(transport, 'Flags');
  }
  return null;
}
