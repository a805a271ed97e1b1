import type { FlowRecord } from '../flow/flow-record.ts';
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../flow/protocol.ts';
import { TCP_ACK, TCP_RST, TCP_SYN } from '../flow/tcp-flags.ts';

const PROTOCOL_SCTP = 132;

/** Ports below are system ports, ports from DYNAMIC_PORT on are handed out by operating systems (RFC 6335, section 6). */
export const SYSTEM_PORT_END = 1024;
export const DYNAMIC_PORT = 49_152;

/** A flow of so few packets carried no conversation: a probe, a refused or a half-open connection. */
export const SMALL_FLOW_PACKETS_MAX = 3;

/** What usually listens on a port, in groups (IANA service names and port numbers). */
export const SERVICES = {
  web: [80, 443, 8080, 8443],
  dns: [53, 853, 5353],
  login: [22, 23, 3389, 5900, 5985, 5986],
  mail: [25, 110, 143, 465, 587, 993, 995],
  file: [20, 21, 69, 137, 138, 139, 445, 873, 2049],
  database: [1433, 1521, 3306, 5432, 6379, 9200, 11211, 27017],
  infrastructure: [67, 68, 123, 161, 162, 389, 514, 636, 1900],
} as const;
export type ServiceName = keyof typeof SERVICES;
export const SERVICE_NAMES = Object.keys(SERVICES) as ServiceName[];

/** Position in SERVICE_NAMES + 1 for each port; 0 = none of them. */
const SERVICE_OF_PORT = new Uint8Array(65_536);
for (const [index, name] of SERVICE_NAMES.entries()) {
  for (const port of SERVICES[name]) SERVICE_OF_PORT[port] = index + 1;
}

export const WEB = SERVICE_NAMES.indexOf('web') + 1;
export const DNS = SERVICE_NAMES.indexOf('dns') + 1;
export const LOGIN = SERVICE_NAMES.indexOf('login') + 1;

/** Whether the protocol has ports at all. */
export function hasPorts(protocol: number): boolean {
  return protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP || protocol === PROTOCOL_SCTP;
}

/** Position in SERVICE_NAMES + 1 of the flow's destination port; 0 = none of them. */
export function serviceOf(flow: FlowRecord): number {
  return hasPorts(flow.protocol) ? SERVICE_OF_PORT[flow.destinationPort]! : 0;
}

/** TCP that opened and shows no acknowledgement. */
export function isSynOnly(flow: FlowRecord): boolean {
  return flow.protocol === PROTOCOL_TCP && (flow.tcpFlags & (TCP_SYN | TCP_ACK)) === TCP_SYN;
}

/** Refused, reset, without reply, or opened and never acknowledged. */
export function isFailed(flow: FlowRecord): boolean {
  const { outcome } = flow;
  return outcome === 'NO_REPLY' || outcome === 'REJECTED' || outcome === 'RESET' || isSynOnly(flow);
}

/** Reset by either side. */
export function isReset(flow: FlowRecord): boolean {
  return flow.outcome === 'RESET' || (flow.protocol === PROTOCOL_TCP && (flow.tcpFlags & TCP_RST) !== 0);
}

/** The source counts both directions and saw nothing come back. */
export function isUnanswered(flow: FlowRecord): boolean {
  return flow.bidirectional && flow.reversePackets === 0;
}
