import type { FlowRecord, Outcome } from '../../flow/flow-record.ts';
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from '../../flow/protocol.ts';
import { TCP_ACK, TCP_FIN, TCP_PSH, TCP_RST, TCP_SYN, TCP_URG } from '../../flow/tcp-flags.ts';
import type { FeatureSpec } from '../../model/manifest.ts';
import * as service from '../services.ts';
import { type FeatureSet, ratio } from './feature-set.ts';

const OUTCOMES: readonly Outcome[] = ['UNKNOWN', 'ESTABLISHED', 'NO_REPLY', 'REJECTED', 'RESET'];
const FLAGS = [
  ['fin', TCP_FIN],
  ['syn', TCP_SYN],
  ['rst', TCP_RST],
  ['psh', TCP_PSH],
  ['ack', TCP_ACK],
  ['urg', TCP_URG],
] as const;

/** One flow. `flowFeatures` computes the columns in this order. */
export const FLOW_FEATURES: FeatureSet = {
  name: 'flow',
  version: 1,
  features: [
    log('duration', 's'),
    log('bytes', 'bytes'),
    log('packets', 'packets'),
    log('reverse_bytes', 'bytes'),
    log('reverse_packets', 'packets'),
    log('byte_rate', 'bytes/s'),
    log('packet_rate', 'packets/s'),
    log('mean_packet_bytes', 'bytes'),
    log('mean_reverse_packet_bytes', 'bytes'),
    { name: 'forward_byte_share', unit: '1', transform: 'share' },
    { name: 'forward_packet_share', unit: '1', transform: 'share' },
    flag('is_tcp'),
    flag('is_udp'),
    flag('is_icmp'),
    flag('is_other_protocol'),
    log('dst_port', 'port'),
    flag('is_system_port'),
    flag('is_dynamic_port'),
    ...service.SERVICE_NAMES.map((name) => flag(`is_${name}`)),
    ...FLAGS.map(([name]) => flag(`has_${name}`)),
    flag('is_syn_only'),
    flag('is_unanswered'),
    ...OUTCOMES.map((outcome) => flag(`outcome_${outcome.toLowerCase()}`)),
  ],
};

/** A flow shorter than this counts as this long in rates: single-packet flows have no duration. */
const RATE_SECONDS_MIN = 0.001;

/**
 * Writes the `flow` features of one flow to `into` from `into[at]` on. Pure and without allocation; training and serving
 * both come through here.
 */
export function flowFeatures(flow: FlowRecord, into: Float32Array, at: number): void {
  const seconds = (flow.endUs - flow.startUs) / 1e6;
  const rateSeconds = Math.max(seconds, RATE_SECONDS_MIN);
  into[at++] = Math.log1p(seconds);
  into[at++] = Math.log1p(flow.bytes);
  into[at++] = Math.log1p(flow.packets);
  into[at++] = Math.log1p(flow.reverseBytes);
  into[at++] = Math.log1p(flow.reversePackets);
  into[at++] = Math.log1p((flow.bytes + flow.reverseBytes) / rateSeconds);
  into[at++] = Math.log1p((flow.packets + flow.reversePackets) / rateSeconds);
  into[at++] = Math.log1p(ratio(flow.bytes, flow.packets));
  into[at++] = Math.log1p(ratio(flow.reverseBytes, flow.reversePackets));
  into[at++] = ratio(flow.bytes, flow.bytes + flow.reverseBytes);
  into[at++] = ratio(flow.packets, flow.packets + flow.reversePackets);
  at = writeProtocol(flow, into, at);
  at = writePort(flow, into, at);
  const flags = flow.protocol === PROTOCOL_TCP ? flow.tcpFlags : 0;
  for (let i = 0; i < FLAGS.length; i++) into[at++] = (flags & FLAGS[i]![1]) === 0 ? 0 : 1;
  into[at++] = service.isSynOnly(flow) ? 1 : 0;
  into[at++] = service.isUnanswered(flow) ? 1 : 0;
  for (let i = 0; i < OUTCOMES.length; i++) into[at++] = flow.outcome === OUTCOMES[i] ? 1 : 0;
}

function writeProtocol({ protocol }: FlowRecord, into: Float32Array, at: number): number {
  const isIcmp = protocol === PROTOCOL_ICMP || protocol === PROTOCOL_ICMPV6;
  const isTcp = protocol === PROTOCOL_TCP;
  const isUdp = protocol === PROTOCOL_UDP;
  into[at++] = isTcp ? 1 : 0;
  into[at++] = isUdp ? 1 : 0;
  into[at++] = isIcmp ? 1 : 0;
  into[at++] = isTcp || isUdp || isIcmp ? 0 : 1;
  return at;
}

function writePort(flow: FlowRecord, into: Float32Array, at: number): number {
  const hasPorts = service.hasPorts(flow.protocol);
  const port = flow.destinationPort;
  into[at++] = hasPorts ? Math.log1p(port) : 0;
  into[at++] = hasPorts && port < service.SYSTEM_PORT_END ? 1 : 0;
  into[at++] = hasPorts && port >= service.DYNAMIC_PORT ? 1 : 0;
  const group = service.serviceOf(flow);
  for (let i = 1; i <= service.SERVICE_NAMES.length; i++) into[at++] = i === group ? 1 : 0;
  return at;
}

function log(name: string, unit: string): FeatureSpec {
  return { name, unit, transform: 'log1p' };
}

function flag(name: string): FeatureSpec {
  return { name, unit: '1', transform: 'none' };
}
