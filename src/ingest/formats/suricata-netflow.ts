import { PROTOCOL_TCP } from '../../flow/protocol.ts';
import type { Format } from '../format.ts';
import type { FlowReading } from '../normalise.ts';
import { type JsonObject, numberAt, objectAt } from './json-values.ts';
import { createEveDecoder, hexFlagsAt, sniffEve } from './suricata-eve.ts';

/**
 * Suricata EVE events of type `netflow`: one direction each, the reply is a second event. They tell the same traffic as
 * `flow` events, so that a feed takes one or the other and refuses the rest.
 */
export const suricataNetflow: Format = {
  name: 'suricata-netflow',
  family: 'suricata',
  framing: 'lines',
  sniff: (sample) => sniffEve(sample, 'netflow'),
  createDecoder: (settings) => createEveDecoder(settings, 'netflow', readNetflow),
};

function readNetflow(event: JsonObject, netflow: JsonObject, reading: FlowReading): void {
  reading.bytes = numberAt(netflow, 'bytes');
  reading.packets = numberAt(netflow, 'pkts');
  const tcp = objectAt(event, 'tcp');
  if (reading.protocol === PROTOCOL_TCP && tcp !== null) reading.tcpFlags = hexFlagsAt(tcp, 'tcp_flags');
}
