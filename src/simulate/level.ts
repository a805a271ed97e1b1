import { hash, hashNormal, hashUnit } from './hash.ts';
import type { LinkProfile } from './scenario.ts';

const HOUR_US = 3_600_000_000;
const WEEK_US = 168 * HOUR_US;
/** The epoch was a Thursday; weeks here begin on Monday. */
const MONDAY_OFFSET_US = 96 * HOUR_US;
/** Background never takes more than this share of a link: the rest is headroom for bulk episodes. */
export const BACKGROUND_SHARE_MAX = 0.75;

/** Relative level at each full hour, local time: one row for working days, one for the weekend. */
const DAY_SHAPES: Record<LinkProfile, readonly [weekday: readonly number[], weekend: readonly number[]]> = {
  office: [
    [9, 8, 8, 8, 9, 12, 25, 55, 90, 105, 110, 104, 84, 92, 108, 106, 96, 72, 45, 30, 22, 17, 13, 10],
    [9, 8, 8, 8, 8, 9, 11, 14, 18, 22, 24, 25, 24, 23, 23, 22, 21, 20, 18, 16, 14, 12, 11, 10],
  ],
  residential: [
    [48, 32, 22, 18, 17, 19, 28, 42, 46, 44, 46, 50, 56, 57, 58, 62, 70, 82, 95, 108, 118, 120, 104, 74],
    [62, 45, 30, 22, 19, 18, 20, 28, 42, 58, 70, 78, 82, 84, 85, 87, 90, 96, 105, 114, 120, 118, 106, 82],
  ],
  campus: [
    [34, 26, 20, 17, 16, 17, 22, 40, 70, 92, 104, 106, 98, 102, 108, 106, 100, 92, 86, 84, 82, 74, 60, 45],
    [36, 28, 21, 17, 15, 15, 16, 20, 28, 38, 46, 52, 55, 58, 60, 62, 64, 66, 68, 70, 70, 64, 54, 44],
  ],
  datacentre: [
    [62, 58, 88, 96, 90, 60, 58, 64, 78, 90, 96, 98, 94, 96, 98, 97, 94, 90, 88, 90, 92, 90, 82, 70],
    [60, 56, 86, 94, 88, 58, 54, 56, 60, 66, 70, 73, 74, 75, 76, 77, 78, 80, 82, 85, 86, 84, 78, 68],
  ],
  wholesale: [
    [66, 56, 50, 46, 46, 48, 54, 64, 76, 86, 92, 95, 95, 96, 97, 98, 100, 103, 107, 112, 114, 110, 98, 80],
    [72, 62, 54, 49, 47, 47, 50, 56, 66, 76, 84, 89, 92, 93, 95, 96, 98, 102, 107, 111, 112, 109, 99, 84],
  ],
};

/** Independent smooth noises; together their spectrum falls with frequency like measured link noise does. */
const OCTAVES: readonly (readonly [spacingSeconds: number, sigma: number])[] = [
  [20, 0.09],
  [150, 0.05],
  [480, 0.05],
  [1500, 0.07],
  [7200, 0.07],
  [28_800, 0.06],
  [100_000, 0.06],
];

const BURST_SLOT_US = 40 * 60_000_000;
const BURST_PROBABILITY = 0.22;

/** Normal noise on a lattice in time, interpolated: any moment is computed alone, near moments are alike. */
class Noise {
  readonly #seed: number;
  readonly #spacingUs: number;
  readonly #sigma: number;
  #index = Number.NaN;
  #left = 0;
  #right = 0;

  constructor(seed: number, spacingUs: number, sigma: number) {
    this.#seed = seed;
    this.#spacingUs = spacingUs;
    this.#sigma = sigma;
  }

  at(timeUs: number): number {
    const position = timeUs / this.#spacingUs;
    const index = Math.floor(position);
    if (index !== this.#index) {
      this.#index = index;
      this.#left = hashNormal(this.#seed, index);
      this.#right = hashNormal(this.#seed, index + 1);
    }
    return this.#sigma * (this.#left + (this.#right - this.#left) * smoothstep(position - index));
  }
}

/** One direction of one link: its level in bit/s at any moment, from (seed, spec, time) alone. */
export class LinkLevel {
  readonly meanBitsPerSecond: number;
  readonly #maxBitsPerSecond: number;
  readonly #seed: number;
  readonly #weekly: Float64Array;
  readonly #phaseUs: number;
  readonly #startUs: number;
  readonly #growthPerWeek: number;
  readonly #noises: readonly Noise[];

  constructor(
    spec: { profile: LinkProfile; phaseHours: number; growthPerWeek: number },
    seed: number,
    startUs: number,
    meanBitsPerSecond: number,
    capacityBitsPerSecond: number,
  ) {
    this.#seed = seed;
    this.#weekly = weeklyShape(spec.profile, seed);
    this.#phaseUs = spec.phaseHours * HOUR_US;
    this.#startUs = startUs;
    this.#growthPerWeek = spec.growthPerWeek;
    this.meanBitsPerSecond = meanBitsPerSecond;
    this.#maxBitsPerSecond = capacityBitsPerSecond * BACKGROUND_SHARE_MAX;
    this.#noises = OCTAVES.map(
      ([seconds, sigma], octave) =>
        new Noise(hash(seed, 1, octave), seconds * 1e6 * (0.85 + 0.3 * hashUnit(seed, 2, octave)), sigma),
    );
  }

  /** Seasonal curve x growth x noise x bursts, below the share of the capacity that background may take. */
  bitsPerSecond(timeUs: number): number {
    let noise = 0;
    for (const octave of this.#noises) noise += octave.at(timeUs);
    const weeks = (timeUs - this.#startUs) / WEEK_US;
    const level =
      this.meanBitsPerSecond *
      this.seasonal(timeUs) *
      (1 + this.#growthPerWeek) ** weeks *
      Math.exp(noise) *
      this.#burst(timeUs);
    return Math.min(level, this.#maxBitsPerSecond);
  }

  /** The daily and weekly cycle alone; its mean over a week is 1. */
  seasonal(timeUs: number): number {
    const hours = (((timeUs - MONDAY_OFFSET_US - this.#phaseUs) % WEEK_US) + WEEK_US) / HOUR_US;
    const hour = Math.floor(hours);
    const left = this.#weekly[hour % 168]!;
    const right = this.#weekly[(hour + 1) % 168]!;
    return left + (right - left) * smoothstep(hours - hour);
  }

  /** At most one burst a slot, rising within its first tenth and fading out. */
  #burst(timeUs: number): number {
    const slot = Math.floor(timeUs / BURST_SLOT_US);
    if (hashUnit(this.#seed, 3, slot) >= BURST_PROBABILITY) return 1;
    const lengthUs = BURST_SLOT_US * (0.08 + 0.35 * hashUnit(this.#seed, 4, slot));
    const startUs = slot * BURST_SLOT_US + (BURST_SLOT_US - lengthUs) * hashUnit(this.#seed, 5, slot);
    const part = (timeUs - startUs) / lengthUs;
    if (part < 0 || part >= 1) return 1;
    const height = 0.25 + 0.8 * hashUnit(this.#seed, 6, slot) ** 2;
    return 1 + height * (part < 0.1 ? part * 10 : 1 - smoothstep((part - 0.1) / 0.9));
  }
}

/** 168 hourly values with mean 1; each link bends its profile a little, so that no two links have the same shape. */
function weeklyShape(profile: LinkProfile, seed: number): Float64Array {
  const [weekday, weekend] = DAY_SHAPES[profile];
  const contrast = 0.85 + 0.3 * hashUnit(seed, 7);
  const weekly = new Float64Array(168);
  let sum = 0;
  for (let hour = 0; hour < 168; hour++) {
    const day = Math.floor(hour / 24);
    const base = (day < 5 ? weekday : weekend)[hour % 24]!;
    weekly[hour] =
      base ** contrast * (1 + 0.05 * hashNormal(seed, 8, hour) + 0.04 * hashNormal(seed, 9, day));
    sum += weekly[hour]!;
  }
  for (let hour = 0; hour < 168; hour++) weekly[hour]! *= 168 / sum;
  return weekly;
}

function smoothstep(x: number): number {
  return x * x * (3 - 2 * x);
}
