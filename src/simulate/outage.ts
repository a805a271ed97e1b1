import { hashUnit } from './hash.ts';

const SLOT_US = 6 * 3_600_000_000;
const SLOTS_PER_WEEK = 28;
const LENGTH_MIN_US = 3 * 60_000_000;
const LENGTH_MAX_US = 45 * 60_000_000;

/** When one thing (an interface, an exporter) is silent: at most one outage in six hours, looked up by time. */
export class Outages {
  readonly #seed: number;
  readonly #probability: number;

  constructor(seed: number, perWeek: number) {
    this.#seed = seed;
    this.#probability = perWeek / SLOTS_PER_WEEK;
  }

  /** Whether it is silent at this moment. */
  silentAt(timeUs: number): boolean {
    const slot = Math.floor(timeUs / SLOT_US);
    if (hashUnit(this.#seed, slot, 1) >= this.#probability) return false;
    return timeUs >= this.#startUs(slot) && timeUs < this.#endUs(slot);
  }

  /** The end of the last outage in the slot that holds `timeUs`, when it lies before `timeUs`; otherwise -Infinity. No flow that ends at `timeUs` began earlier. */
  lastEndUs(timeUs: number): number {
    const slot = Math.floor(timeUs / SLOT_US);
    if (hashUnit(this.#seed, slot, 1) >= this.#probability) return Number.NEGATIVE_INFINITY;
    const endUs = this.#endUs(slot);
    return endUs <= timeUs ? endUs : Number.NEGATIVE_INFINITY;
  }

  #startUs(slot: number): number {
    return slot * SLOT_US + hashUnit(this.#seed, slot, 2) * (SLOT_US - LENGTH_MAX_US);
  }

  #endUs(slot: number): number {
    const length = LENGTH_MIN_US + (LENGTH_MAX_US - LENGTH_MIN_US) * hashUnit(this.#seed, slot, 3) ** 3;
    return this.#startUs(slot) + length;
  }
}
