import { Random } from '../kernel/random.ts';
import { seenShare } from './conversation.ts';
import { hash } from './hash.ts';
import type { Link } from './network.ts';
import { SERVICE_MIXES, type Service } from './services.ts';

/** A flow with more than this share of its block's bytes stays within the block, or it would carry them into the one before. */
const HEAVY_SHARE = 0.01;
const FLOW_BYTES_MIN = 40;

/**
 * The background conversations of one link in one block of time: which service, how many bytes each way. Their sums meet the
 * link's levels, however few or many there are. Holds one block at a time, reused.
 */
export class Block {
  readonly #link: Link;
  readonly #seed: number;
  readonly #mix: readonly Service[];
  readonly #cumulativeWeights: Float64Array;
  #index = -1;
  #count = 0;
  #services = new Uint8Array(0);
  #clientBytes = new Float64Array(0);
  #serverBytes = new Float64Array(0);
  #clientBytesSum = 0;
  #serverBytesSum = 0;

  constructor(link: Link, seed: number) {
    this.#link = link;
    this.#seed = seed;
    const mix = SERVICE_MIXES[link.spec.profile];
    this.#mix = mix.map(([service]) => service);
    this.#cumulativeWeights = cumulativeWeights(mix, link.exporter.spec.samplingRate);
  }

  service(i: number): Service {
    return this.#mix[this.#services[i]!]!;
  }

  clientBytes(i: number): number {
    return Math.round(this.#clientBytes[i]!);
  }

  serverBytes(i: number): number {
    return Math.round(this.#serverBytes[i]!);
  }

  /** Whether conversation `i` carries so much that it must not begin before its block. */
  isHeavy(i: number): boolean {
    return this.#weight(i) > HEAVY_SHARE;
  }

  /** Makes this the block number `index`, of `count` >= 1 conversations, in the `lengthUs` around `middleUs`. */
  settle(index: number, count: number, middleUs: number, lengthUs: number): void {
    if (this.#index === index) return;
    this.#index = index;
    this.#count = count;
    if (this.#services.length < count) {
      const room = Math.ceil(count * 1.5);
      this.#services = new Uint8Array(room);
      this.#clientBytes = new Float64Array(room);
      this.#serverBytes = new Float64Array(room);
    }
    const { toHosts, fromHosts, serves } = this.#link;
    const toHostsBytes = (toHosts.bitsPerSecond(middleUs) * lengthUs) / 8e6;
    const fromHostsBytes = (fromHosts.bitsPerSecond(middleUs) * lengthUs) / 8e6;
    this.#clientBytesSum = serves ? toHostsBytes : fromHostsBytes;
    this.#serverBytesSum = serves ? fromHostsBytes : toHostsBytes;
    this.#draw(new Random(hash(this.#seed, index, -2)));
    this.#scale(this.#clientBytes, this.#clientBytesSum);
    this.#scale(this.#serverBytes, this.#serverBytesSum);
    this.#moveHeavyBack();
  }

  #draw(random: Random): void {
    let hasBulk = false;
    for (let i = 0; i < this.#count; i++) {
      let chosen = pick(this.#cumulativeWeights, random.uniform());
      if (i === this.#count - 1 && !hasBulk) chosen = 0;
      const service = this.#mix[chosen]!;
      hasBulk ||= service.bulk;
      const size = Math.exp(service.sigma * random.normal());
      const tilt = Math.exp(0.3 * service.sigma * random.normal());
      this.#services[i] = chosen;
      this.#clientBytes[i] = Math.max(FLOW_BYTES_MIN, service.clientBytes * size * tilt);
      this.#serverBytes[i] = Math.max(FLOW_BYTES_MIN, (service.serverBytes * size) / tilt);
    }
  }

  /** Bulk conversations share what the others leave of the budget. */
  #scale(bytes: Float64Array, budget: number): void {
    let bulk = 0;
    let rest = budget;
    for (let i = 0; i < this.#count; i++) {
      if (this.service(i).bulk) bulk += bytes[i]!;
      else rest -= bytes[i]!;
    }
    const factor = Math.max(rest, 0) / bulk;
    for (let i = 0; i < this.#count; i++) {
      if (this.service(i).bulk) bytes[i] = Math.max(FLOW_BYTES_MIN, bytes[i]! * factor);
    }
  }

  /** The heavier of two conversations is exported in the block's second half: it needs the time before. */
  #moveHeavyBack(): void {
    const half = this.#count >> 1;
    for (let i = 0; i < half; i++) {
      if (this.#weight(i) <= this.#weight(i + half)) continue;
      swap(this.#services, i, i + half);
      swap(this.#clientBytes, i, i + half);
      swap(this.#serverBytes, i, i + half);
    }
  }

  /** What part of the block's bytes conversation `i` carries, in the direction where it is more. */
  #weight(i: number): number {
    return Math.max(
      this.#clientBytes[i]! / this.#clientBytesSum,
      this.#serverBytes[i]! / this.#serverBytesSum,
    );
  }
}

function swap(values: Uint8Array | Float64Array, i: number, j: number): void {
  const value = values[i]!;
  values[i] = values[j]!;
  values[j] = value;
}

/** A sampler sees the services with many packets more often than the others. */
function cumulativeWeights(
  mix: readonly (readonly [Service, weight: number])[],
  samplingRate: number,
): Float64Array {
  const weights = new Float64Array(mix.length);
  let sum = 0;
  mix.forEach(([service, weight], i) => {
    const packets = 1 + Math.round(service.serverBytes / service.serverPacketBytes);
    sum += weight * seenShare(packets, samplingRate);
    weights[i] = sum;
  });
  for (let i = 0; i < weights.length; i++) weights[i]! /= sum;
  return weights;
}

function pick(cumulative: Float64Array, draw: number): number {
  let i = 0;
  while (i < cumulative.length - 1 && draw >= cumulative[i]!) i++;
  return i;
}
