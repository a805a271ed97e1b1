import type { FlowRecord } from '../flow/flow-record.ts';
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from '../flow/protocol.ts';
import * as service from './services.ts';
import * as column from './statistics.ts';

/** Counts a flow in the columns that links and hosts share. */
export function countFlow(flow: FlowRecord, s: Float64Array, at: number): void {
  const { protocol } = flow;
  s[at + column.FLOWS]!++;
  s[at + column.DURATION_SECONDS]! += (flow.endUs - flow.startUs) / 1e6;
  if (protocol === PROTOCOL_TCP) s[at + column.TCP_FLOWS]!++;
  else if (protocol === PROTOCOL_UDP) s[at + column.UDP_FLOWS]!++;
  else if (protocol === PROTOCOL_ICMP || protocol === PROTOCOL_ICMPV6) s[at + column.ICMP_FLOWS]!++;
  if (service.isSynOnly(flow)) s[at + column.SYN_ONLY_FLOWS]!++;
  if (service.isFailed(flow)) s[at + column.FAILED_FLOWS]!++;
  if (flow.packets <= service.SMALL_FLOW_PACKETS_MAX) s[at + column.SMALL_FLOWS]!++;
}

/** Counts a flow in the further columns of its host. */
export function countShape(flow: FlowRecord, s: Float64Array, at: number): void {
  s[at + column.FLOW_BYTES]! += flow.bytes;
  s[at + column.FLOW_PACKETS]! += flow.packets;
  if (service.isReset(flow)) s[at + column.RESET_FLOWS]!++;
  if (service.isUnanswered(flow)) s[at + column.UNANSWERED_FLOWS]!++;
  if (!service.hasPorts(flow.protocol)) return;
  if (flow.destinationPort < service.SYSTEM_PORT_END) s[at + column.LOW_PORT_FLOWS]!++;
  else if (flow.destinationPort >= service.DYNAMIC_PORT) s[at + column.DYNAMIC_PORT_FLOWS]!++;
  const group = service.serviceOf(flow);
  if (group === service.WEB) s[at + column.WEB_FLOWS]!++;
  else if (group === service.DNS) s[at + column.DNS_FLOWS]!++;
  else if (group === service.LOGIN) s[at + column.LOGIN_FLOWS]!++;
}

/** Gaps between the starts of a host's flows as they come, and whether its own port stayed the same. Before `countFlow`. */
export function countTiming(flow: FlowRecord, s: Float64Array, at: number): void {
  if (s[at + column.FLOWS]! > 0) {
    const gap = Math.abs(flow.startUs - s[at + column.LAST_START_US]!) / 1e6;
    s[at + column.GAPS]!++;
    s[at + column.GAP_SECONDS]! += gap;
    s[at + column.GAP_SECONDS_SQUARED]! += gap * gap;
    if (service.hasPorts(flow.protocol) && flow.sourcePort === s[at + column.LAST_SOURCE_PORT]) {
      s[at + column.SAME_SOURCE_PORT_FLOWS]!++;
    }
  }
  s[at + column.LAST_START_US] = flow.startUs;
  s[at + column.LAST_SOURCE_PORT] = flow.sourcePort;
}
