import { PROTOCOL_TCP } from '../flow/protocol.ts';
import { TCP_ACK, TCP_FIN, TCP_PSH, TCP_RST, TCP_SYN } from '../flow/tcp-flags.ts';
import type { Random } from '../kernel/random.ts';
import { Block } from './block.ts';
import { type Conversation, report, type SimulatedFlow } from './conversation.ts';
import { hash, hashUnit } from './hash.ts';
import type { Host, Link, Network } from './network.ts';
import type { Scenario } from './scenario.ts';

/** Volumes are settled over blocks of this length where ticks are shorter, so that few flows still add up to the link's level. */
const BLOCK_SECONDS_MAX = 60;
/** With more than this many in a block, chance evens out: shorter blocks do. */
const BLOCK_CONVERSATIONS_MAX = 4000;
/** Hosts are active in sessions: who is busy changes with this period. */
const SESSION_US = 600_000_000;

/**
 * Ordinary traffic of one link. The sum of its sizes follows the link's level exactly; how many flows carry it is only
 * granularity. Stateless but for a cache of the newest block: any tick can be asked for alone.
 */
export class Background {
  readonly #link: Link;
  readonly #network: Network;
  readonly #recordsPerConversation: number;
  readonly #bidirectional: boolean;
  readonly #blockUs: number;
  readonly #conversationsPerBlock: number;
  readonly #startUs: number;
  readonly #seed: number;
  readonly #block: Block;

  constructor(link: Link, network: Network, scenario: Scenario) {
    this.#link = link;
    this.#network = network;
    this.#bidirectional = scenario.bidirectional;
    this.#recordsPerConversation = scenario.bidirectional ? 1 : 2;
    this.#startUs = scenario.startUs;
    this.#seed = hash(link.seed, 21);
    const perSecond =
      Math.min(scenario.flowsPerSecond * link.recordShare, recordsPerSecondMax(link)) /
      this.#recordsPerConversation;
    const perTick = perSecond * scenario.tickSeconds;
    const ticksMax = Math.max(1, Math.floor(BLOCK_SECONDS_MAX / scenario.tickSeconds));
    const ticks = Math.min(ticksMax, Math.ceil(BLOCK_CONVERSATIONS_MAX / perTick));
    this.#blockUs = ticks * scenario.tickSeconds * 1e6;
    this.#conversationsPerBlock = perTick * ticks;
    this.#block = new Block(link, this.#seed);
  }

  /** Conversations exported in [fromUs, toUs): the half-open range of their numbers within their block. `fromUs` and `toUs` lie in one block. */
  #range(fromUs: number, toUs: number): [from: number, to: number, block: number, count: number] {
    const block = Math.floor((fromUs - this.#startUs) / this.#blockUs);
    const blockStartUs = this.#startUs + block * this.#blockUs;
    const count = this.#count(block);
    const from = exportedBefore(this.#seed, block, count, (fromUs - blockStartUs) / this.#blockUs);
    const to = exportedBefore(this.#seed, block, count, (toUs - blockStartUs) / this.#blockUs);
    return [from, to, block, count];
  }

  /** How many records [fromUs, toUs) has, without making them. */
  records(fromUs: number, toUs: number): number {
    if (this.#silent(fromUs, toUs)) return 0;
    const [from, to] = this.#range(fromUs, toUs);
    return (to - from) * this.#recordsPerConversation;
  }

  /** Appends the records of [fromUs, toUs). `random` decides details only. */
  generate(
    fromUs: number,
    toUs: number,
    random: Random,
    conversation: Conversation,
    out: SimulatedFlow[],
  ): void {
    if (this.#silent(fromUs, toUs)) return;
    const [from, to, index, count] = this.#range(fromUs, toUs);
    if (from === to) return;
    const blockStartUs = this.#startUs + index * this.#blockUs;
    this.#block.settle(index, count, blockStartUs + this.#blockUs / 2, this.#blockUs);
    const link = this.#link;
    const earliestUs = Math.max(link.outages.lastEndUs(toUs), link.exporter.outages.lastEndUs(toUs));
    for (let i = from; i < to; i++) {
      const position = (i + hashUnit(this.#seed, index, i)) / count;
      const exportedUs = Math.min(Math.max(blockStartUs + position * this.#blockUs, fromUs), toUs - 1);
      this.#fill(conversation, i, exportedUs, blockStartUs, earliestUs, random);
      report(conversation, link.exporter, this.#bidirectional, random, out);
    }
  }

  #silent(fromUs: number, toUs: number): boolean {
    const middleUs = (fromUs + toUs) / 2;
    return this.#link.outages.silentAt(middleUs) || this.#link.exporter.outages.silentAt(middleUs);
  }

  #count(block: number): number {
    const link = this.#link;
    const level = link.serves ? link.fromHosts : link.toHosts;
    const activity = level.seasonal(this.#startUs + (block + 0.5) * this.#blockUs);
    // One at least, to carry the volume.
    const mean = Math.max(1, this.#conversationsPerBlock * activity);
    return Math.floor(mean + hashUnit(this.#seed, block, -1));
  }

  #fill(
    c: Conversation,
    number: number,
    exportedUs: number,
    blockStartUs: number,
    earliestUs: number,
    random: Random,
  ): void {
    const link = this.#link;
    const { spec } = link.exporter;
    const service = this.#block.service(number);
    const tcp = service.protocol === PROTOCOL_TCP;
    c.clientBytes = this.#block.clientBytes(number);
    c.serverBytes = this.#block.serverBytes(number);
    c.clientPackets = packetsOf(c.clientBytes, service.clientPacketBytes, random);
    c.serverPackets = packetsOf(c.serverBytes, service.serverPacketBytes, random);
    // A transfer cannot be faster than half the link.
    const fastest = ((c.clientBytes + c.serverBytes) * 16) / link.spec.capacityBitsPerSecond;
    const drawn = service.durationSeconds * Math.exp(1.1 * random.normal());
    const duration = Math.min(Math.max(drawn, fastest), spec.activeTimeoutSeconds);
    c.exportedUs = exportedUs;
    c.endUs = exportedUs - random.uniform() * 1e6 * Math.min(spec.inactiveTimeoutSeconds, tcp ? 1 : 60);
    c.endUs = Math.max(c.endUs, Math.min(earliestUs, exportedUs));
    const boundUs = this.#block.isHeavy(number) ? Math.max(earliestUs, blockStartUs) : earliestUs;
    c.startUs = Math.max(c.endUs - duration * 1e6, Math.min(boundUs, c.endUs));
    c.protocol = service.protocol;
    c.tos = service.tos;
    c.clientPort = 32_768 + random.below(28_232);
    c.serverPort = service.port === 0 ? 10_000 + random.below(20_000) : service.port;
    c.clientFlags = tcp ? TCP_SYN | TCP_ACK | TCP_PSH | (random.uniform() < 0.06 ? TCP_RST : TCP_FIN) : 0;
    c.serverFlags = tcp ? TCP_SYN | TCP_ACK | TCP_PSH | TCP_FIN : 0;
    c.label = 'benign';
    this.#choosePeers(c, exportedUs, random);
  }

  /** Who is busy changes from session to session; whom they talk to is a handful of favourites. */
  #choosePeers(c: Conversation, timeUs: number, random: Random): void {
    const link = this.#link;
    const session = Math.floor(timeUs / SESSION_US);
    const rank = random.uniform();
    const hosts = link.hosts;
    const shift = link.serves ? 0 : hash(this.#seed, session, -3);
    const local = hosts[(Math.floor(hosts.length * rank * rank) + shift) % hosts.length]!;
    const remotes = local.address[10] === 0xff ? this.#network.remoteV4 : this.#network.remoteV6;
    const favourite = random.uniform();
    const remote = link.serves
      ? remotes[random.below(remotes.length)]!
      : favouriteOf(
          remotes,
          hash(this.#seed, local.address[14]! * 256 + local.address[15]!, session),
          favourite,
        );
    c.client = link.serves ? remote : local;
    c.server = link.serves ? local : remote;
  }
}

/** A 1:N sampler has no more to report than the packets it looks at. */
function recordsPerSecondMax(link: Link): number {
  const { samplingRate } = link.exporter.spec;
  const bits = link.toHosts.meanBitsPerSecond + link.fromHosts.meanBitsPerSecond;
  return samplingRate === 1 ? Number.POSITIVE_INFINITY : bits / (8 * 1000 * samplingRate * 4);
}

function favouriteOf(remotes: readonly Host[], key: number, draw: number): Host {
  return remotes[hash(key, Math.floor(draw * draw * 14)) % remotes.length]!;
}

function packetsOf(bytes: number, packetBytes: number, random: Random): number {
  return Math.max(
    1,
    Math.round((bytes / packetBytes) * (0.9 + 0.2 * random.uniform())),
    Math.ceil(bytes / 1500),
  );
}

/** How many of a block's `count` conversations, each within its own 1/count of the block, are exported before `position` (0..1). */
function exportedBefore(seed: number, block: number, count: number, position: number): number {
  const at = position * count;
  const whole = Math.floor(at);
  if (whole >= count) return count;
  return whole + (whole + hashUnit(seed, block, whole) < at ? 1 : 0);
}
