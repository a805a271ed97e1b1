import { HyperLogLogs } from './hyper-log-log.ts';

/** Bounds of the items counted in one window. */
export interface ItemCountLimits {
  /** Distinct items of one counter that are told apart exactly. */
  readonly distinctExactMax: number;
  /** Items of all counters together that are told apart exactly. */
  readonly itemsMax: number;
  /** Counters that may go beyond, each with a HyperLogLog. */
  readonly sketchesMax: number;
}

/** Columns a counter keeps in its owner's statistics, from its first column on. */
export const DISTINCT = 0;
/** Sum over the items of count * ln(count): entropy = ln(n) - sum / n. */
export const COUNT_LOG_COUNT = 1;
/** Occurrences of the most frequent item. */
export const TOP = 2;
/** Number of its HyperLogLog, from 1; 0 = none. */
export const SKETCH = 3;
export const COUNTER_COLUMNS = 4;

const STRIDE = 3;
const FIRST_SLOTS = 256;

/**
 * Occurrences of items (destinations, ports) for many counters in one open-addressing table: distinct items, entropy and
 * the share of the top item are kept up to date with every occurrence, so nothing is walked at the end. Beyond the
 * bounds, items not in the table go to a HyperLogLog of their own; as the two never hold the same item, distinct =
 * exact + estimate. Such items count as seen once in the entropy. Items are 64-bit hashes.
 */
export class ItemCounts {
  readonly #limits: ItemCountLimits;
  readonly #sketches: HyperLogLogs;
  /** (high, low, count) for each slot; count 0 = free. */
  #slots = new Int32Array(FIRST_SLOTS * STRIDE);
  #mask = FIRST_SLOTS - 1;
  #items = 0;

  constructor(limits: ItemCountLimits) {
    this.#limits = limits;
    this.#sketches = new HyperLogLogs(limits.sketchesMax);
  }

  /** One more occurrence of item (high, low) for `counter`, whose columns start at `statistics[at]`. */
  add(statistics: Float64Array, at: number, counter: number, high: number, low: number): void {
    const keyHigh = mix(high ^ Math.imul(counter + 1, 0x9e3779b1));
    const keyLow = mix(low ^ Math.imul(counter + 1, 0x85ebca6b));
    const slots = this.#slots;
    let slot = keyLow & this.#mask;
    for (;;) {
      const i = slot * STRIDE;
      const count = slots[i + 2]!;
      if (count === 0) break;
      if (slots[i] === keyHigh && slots[i + 1] === keyLow) {
        slots[i + 2] = count + 1;
        statistics[at + COUNT_LOG_COUNT]! += timesLog(count + 1) - timesLog(count);
        if (count + 1 > statistics[at + TOP]!) statistics[at + TOP] = count + 1;
        return;
      }
      slot = (slot + 1) & this.#mask;
    }
    if (statistics[at + TOP] === 0) statistics[at + TOP] = 1;
    if (statistics[at]! < this.#limits.distinctExactMax && this.#items < this.#limits.itemsMax) {
      statistics[at]!++;
      this.#insert(slot, keyHigh, keyLow);
    } else {
      if (statistics[at + SKETCH] === 0) statistics[at + SKETCH] = this.#sketches.take();
      this.#sketches.add(statistics[at + SKETCH]!, keyHigh, keyLow);
    }
  }

  /** Distinct items of the counter whose columns start at `at`. */
  distinct(statistics: Float64Array, at: number): number {
    const sketch = statistics[at + SKETCH]!;
    return statistics[at]! + (sketch === 0 ? 0 : Math.round(this.#sketches.estimate(sketch)));
  }

  /** Occurrences that could not even be estimated, because every HyperLogLog was taken. */
  get saturated(): number {
    return this.#sketches.refused;
  }

  #insert(slot: number, high: number, low: number): void {
    const i = slot * STRIDE;
    this.#slots[i] = high;
    this.#slots[i + 1] = low;
    this.#slots[i + 2] = 1;
    if (++this.#items * 2 > this.#mask) this.#grow();
  }

  #grow(): void {
    const old = this.#slots;
    this.#mask = this.#mask * 2 + 1;
    const slots = new Int32Array((this.#mask + 1) * STRIDE);
    for (let i = 0; i < old.length; i += STRIDE) {
      if (old[i + 2] === 0) continue;
      let slot = old[i + 1]! & this.#mask;
      while (slots[slot * STRIDE + 2] !== 0) slot = (slot + 1) & this.#mask;
      slots[slot * STRIDE] = old[i]!;
      slots[slot * STRIDE + 1] = old[i + 1]!;
      slots[slot * STRIDE + 2] = old[i + 2]!;
    }
    this.#slots = slots;
  }
}

/** Entropy of `n` occurrences as a share of its maximum ln(n): 0 = always the same item, 1 = never the same twice. */
export function normalisedEntropy(countLogCount: number, n: number): number {
  if (n < 2) return 0;
  return Math.min(1, Math.max(0, 1 - countLogCount / (n * Math.log(n))));
}

/** Finaliser of MurmurHash3 (Austin Appleby, public domain): every input bit reaches every output bit. */
export function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

const SMALL_TIMES_LOG = Float64Array.from({ length: 1024 }, (_, n) => (n === 0 ? 0 : n * Math.log(n)));

function timesLog(n: number): number {
  return n < SMALL_TIMES_LOG.length ? SMALL_TIMES_LOG[n]! : n * Math.log(n);
}
