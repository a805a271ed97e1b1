import type { Random } from '../../kernel/random.ts';
import type { Conversation } from '../conversation.ts';
import type { Episode, Plan } from '../episode.ts';
import { BACKGROUND_SHARE_MAX } from '../level.ts';
import type { Host, Link, Network } from '../network.ts';

/** What most plans have in common. */
export const PLAIN = { jitter: 0.9, bitsPerSecond: 0, continuous: false, replyShare: 1 } as const;

/** One item, each as likely. */
export function oneOf<T>(items: readonly T[], random: Random): T {
  return items[random.below(items.length)]!;
}

/** `count` items, repeats possible, at least one. */
export function someOf<T>(items: readonly T[], count: number, random: Random): T[] {
  return Array.from({ length: Math.max(1, Math.floor(count)) }, () => oneOf(items, random));
}

/** A host behind the link. */
export function insider(link: Link, random: Random): Host {
  return oneOf(link.hosts, random);
}

/** The remote hosts of the same address family. */
export function remotesFor(host: Host, network: Network): readonly Host[] {
  return isV4(host) ? network.remoteV4 : network.remoteV6;
}

/** Those of the hosts that speak the other's family; the remote ones where none does. */
export function reachable(hosts: readonly Host[], from: Host, network: Network): readonly Host[] {
  const found = hosts.filter((host) => host !== from && isV4(host) === isV4(from));
  return found.length > 0 ? found : remotesFor(from, network);
}

function isV4(host: Host): boolean {
  return host.address[10] === 0xff;
}

/** Uniform between the bounds. */
export function between(min: number, max: number, random: Random): number {
  return min + (max - min) * random.uniform();
}

/** exp(normal): a factor around 1 with the given spread. */
export function factor(sigma: number, random: Random): number {
  return Math.exp(sigma * random.normal());
}

/** An ephemeral port (IANA's range is 49152 and up; Linux uses this one). */
export function ephemeral(random: Random): number {
  return 32_768 + random.below(28_232);
}

/** Sets counters; packets follow from the mean packet size and are at least one. */
export function setClient(c: Conversation, bytes: number, packetBytes: number, flags: number): void {
  c.clientPackets = Math.max(1, Math.round(bytes / packetBytes));
  c.clientBytes = Math.max(c.clientPackets * 28, Math.round(bytes));
  c.clientFlags = flags;
}

/** As `setClient`, for the answer. */
export function setServer(c: Conversation, bytes: number, packetBytes: number, flags: number): void {
  c.serverPackets = Math.max(1, Math.round(bytes / packetBytes));
  c.serverBytes = Math.max(c.serverPackets * 28, Math.round(bytes));
  c.serverFlags = flags;
}

/** Bytes of one report of a bulk episode: its level for the time a report stands for, no more than the link has room for. */
export function bulkBytes(episode: Episode, timeUs: number, towardsHosts: boolean): number {
  const { link, bitsPerSecond } = episode.plan;
  const level = (towardsHosts ? link.toHosts : link.fromHosts).bitsPerSecond(timeUs);
  const room = (link.spec.capacityBitsPerSecond - level) / 2;
  return (Math.min(bitsPerSecond, room) * episode.intervalUs) / 8e6;
}

/** A bulk level for a link: some share of what background always leaves free. */
export function bulkLevel(link: Link, min: number, max: number, random: Random): number {
  return link.spec.capacityBitsPerSecond * (1 - BACKGROUND_SHARE_MAX) * min * (max / min) ** random.uniform();
}

/** Plans with the same link, source and targets in their remaining fields. */
export function planOf(fields: Omit<Plan, keyof typeof PLAIN> & Partial<Plan>): Plan {
  return { ...PLAIN, ...fields };
}
