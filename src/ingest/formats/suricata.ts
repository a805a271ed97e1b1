import type { Outcome } from '../../flow/flow-record.ts';
import { PROTOCOL_TCP } from '../../flow/protocol.ts';
import { outcomeOfTcpFlags } from '../../flow/tcp-flags.ts';
import type { Format } from '../format.ts';
import type { FlowReading } from '../normalise.ts';
import { type JsonObject, numberAt, objectAt } from './json-values.ts';
import { createEveDecoder, hexFlagsAt, sniffEve } from './suricata-eve.ts';

/** Suricata EVE events of type `flow`: both directions in one record, every packet counted. Other event types are refused. */
export const suricata: Format = {
  name: 'suricata',
  family: 'suricata',
  framing: 'lines',
  sniff: (sample) => sniffEve(sample, 'flow'),
  createDecoder: (settings) => createEveDecoder(settings, 'flow', readFlow),
};

function readFlow(event: JsonObject, flow: JsonObject, reading: FlowReading): void {
  reading.bidirectional = true;
  reading.bytes = numberAt(flow, 'bytes_toserver');
  reading.packets = numberAt(flow, 'pkts_toserver');
  reading.reverseBytes = numberAt(flow, 'bytes_toclient');
  reading.reversePackets = numberAt(flow, 'pkts_toclient');
  const tcp = objectAt(event, 'tcp');
  if (reading.protocol === PROTOCOL_TCP && tcp !== null) {
    reading.tcpFlags = hexFlagsAt(tcp, 'tcp_flags');
    reading.outcome = outcomeOfTcpFlags(hexFlagsAt(tcp, 'tcp_flags_ts'), hexFlagsAt(tcp, 'tcp_flags_tc'));
  }
  if (reading.outcome === 'UNKNOWN') reading.outcome = outcomeOfPackets(reading);
}

/** Where there are no flags: an answer, or none. */
function outcomeOfPackets(reading: FlowReading): Outcome {
  if (reading.packets === 0) return 'UNKNOWN';
  return reading.reversePackets > 0 ? 'ESTABLISHED' : 'NO_REPLY';
}
