import type { FlowRecord, Outcome } from '../flow/flow-record.ts';
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP } from '../flow/protocol.ts';
import { outcomeOfTcpFlags } from '../flow/tcp-flags.ts';
import type { Random } from '../kernel/random.ts';
import type { Exporter, Host } from './network.ts';
import type { ClassName } from './scenario.ts';

/** One flow as its exporter reports it. */
export interface SimulatedFlow {
  readonly exporter: string;
  readonly flow: FlowRecord;
}

/**
 * One conversation as it truly was, before any exporter looked at it. Reused for every flow of a tick: behaviours fill
 * it in, `report` turns it into records. Times are true times, counters true counters.
 */
export class Conversation {
  startUs = 0;
  endUs = 0;
  /** When the exporter sends the record; decides the tick and the order. */
  exportedUs = 0;
  client: Host;
  server: Host;
  /** 0 for ICMP. */
  clientPort = 0;
  /** For ICMP the request's type * 256 + code. */
  serverPort = 0;
  protocol = PROTOCOL_TCP;
  tos = 0;
  clientBytes = 0;
  clientPackets = 0;
  clientFlags = 0;
  serverBytes = 0;
  /** 0 = it never answered: there is no reply record. */
  serverPackets = 0;
  serverFlags = 0;
  label: ClassName = 'benign';

  constructor(nobody: Host) {
    this.client = nobody;
    this.server = nobody;
  }
}

/**
 * Writes what `exporter` reports of the conversation: one record with both directions, or one a direction. A reply to
 * an attack is the victim's own, benign, behaviour where it is a record of its own.
 */
export function report(
  conversation: Conversation,
  exporter: Exporter,
  bidirectional: boolean,
  random: Random,
  out: SimulatedFlow[],
): void {
  const c = conversation;
  const name = exporter.spec.address;
  if (bidirectional) {
    const flags = c.clientFlags | c.serverFlags;
    out.push({
      exporter: name,
      flow: record(c, exporter, false, true, flags, outcomeOf(c), c.label, random),
    });
    return;
  }
  // One direction does not tell what became of a connection.
  const outcome = 'UNKNOWN';
  out.push({
    exporter: name,
    flow: record(c, exporter, false, false, c.clientFlags, outcome, c.label, random),
  });
  if (c.serverPackets === 0) return;
  out.push({
    exporter: name,
    flow: record(c, exporter, true, false, c.serverFlags, outcome, 'benign', random),
  });
}

function record(
  c: Conversation,
  exporter: Exporter,
  reply: boolean,
  bidirectional: boolean,
  tcpFlags: number,
  outcome: Outcome,
  label: ClassName,
  random: Random,
): FlowRecord {
  const { samplingRate, clockSkewMs, uplinkIfIndex } = exporter.spec;
  const skewUs = clockSkewMs * 1000;
  const source = reply ? c.server : c.client;
  const destination = reply ? c.client : c.server;
  const packets = reply ? c.serverPackets : c.clientPackets;
  const bytes = reply ? c.serverBytes : c.clientBytes;
  const rawPackets = samplingRate === 1 ? packets : sampledPackets(packets, samplingRate, random);
  const rawBytes = samplingRate === 1 ? bytes : Math.round((rawPackets * bytes) / packets);
  const icmp = c.protocol === PROTOCOL_ICMP || c.protocol === PROTOCOL_ICMPV6;
  const withReverse = bidirectional && c.serverPackets > 0;
  const reversePackets = !withReverse
    ? 0
    : samplingRate === 1
      ? c.serverPackets
      : samplingRate * sampledPackets(c.serverPackets, samplingRate, random);
  return {
    startUs: Math.floor(c.startUs + skewUs),
    endUs: Math.floor(c.endUs + skewUs),
    receivedUs: Math.floor(c.exportedUs),
    timeQuality: 'OK',
    sourceAddress: source.address,
    destinationAddress: destination.address,
    sourcePort: reply ? (icmp ? 0 : c.serverPort) : c.clientPort,
    destinationPort: reply ? (icmp ? echoReply(c.protocol) : c.clientPort) : c.serverPort,
    protocol: c.protocol,
    tcpFlags,
    tos: c.tos,
    vlan: (source.link ?? destination.link)?.spec.vlan ?? 0,
    sourceAs: source.autonomousSystem,
    destinationAs: destination.autonomousSystem,
    inInterface: source.link?.spec.ifIndex ?? uplinkIfIndex,
    outInterface: destination.link?.spec.ifIndex ?? uplinkIfIndex,
    direction: 'INGRESS',
    bytes: rawBytes * samplingRate,
    packets: rawPackets * samplingRate,
    rawBytes,
    rawPackets,
    samplingRate,
    samplingApplied: samplingRate === 1 ? 'NONE' : 'FLOWCAST',
    bidirectional,
    reverseBytes: withReverse ? Math.round((reversePackets * c.serverBytes) / c.serverPackets) : 0,
    reversePackets,
    outcome,
    label,
  };
}

/** ICMP type 0, ICMPv6 type 129; code 0: where other protocols have the port. */
function echoReply(protocol: number): number {
  return protocol === PROTOCOL_ICMP ? 0 : 129 * 256;
}

/** Packets a 1:N sampler saw of a flow it saw at all: at least one, otherwise there would be no record. */
function sampledPackets(packets: number, samplingRate: number, random: Random): number {
  const mean = packets / samplingRate;
  if (mean < 30) {
    // Knuth's Poisson generator, without the zero.
    const limit = Math.exp(-mean);
    let product = random.uniform();
    let count = 0;
    while (product > limit) {
      count++;
      product *= random.uniform();
    }
    return Math.max(1, count);
  }
  return Math.max(1, Math.round(mean + Math.sqrt(mean) * random.normal()));
}

/** Chance that a 1:N sampler sees at least one of `packets` packets. */
export function seenShare(packets: number, samplingRate: number): number {
  return samplingRate === 1 ? 1 : 1 - (1 - 1 / samplingRate) ** packets;
}

/** What both directions together tell, as a connection tracker sees it. */
function outcomeOf(c: Conversation): Outcome {
  if (c.protocol === PROTOCOL_TCP) return outcomeOfTcpFlags(c.clientFlags, c.serverFlags);
  return c.serverPackets === 0 ? 'NO_REPLY' : 'ESTABLISHED';
}
