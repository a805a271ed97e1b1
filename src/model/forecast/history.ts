/** What is known of one link: a value each step, gaps included, so that neighbours in the array are neighbours in time. */
export interface LinkHistory {
  readonly stepSeconds: number;
  /** Start of the newest step, in microseconds since the epoch. */
  readonly lastWindowStartUs: number;
  /** Oldest first; NaN = missing. Not written to. */
  readonly values: Float64Array;
}

/** The seasons of a series in steps; a clock's, or its own where samples were lost. */
export interface Periods {
  /** May be a fraction: multiples are rounded, so that seven days are a week. */
  readonly dailySteps: number;
  readonly weeklySteps: number;
}

/**
 * A history made ready for forecasts from any of its steps. Everything at step i depends on steps up to i only
 * (but for the offset, a constant of the series), so that training sees what serving sees.
 */
export interface PreparedHistory {
  readonly length: number;
  readonly periods: Periods;
  /** Number of the first step counted from the epoch: where in its day and week a step lies. */
  readonly firstStep: number;
  /** Keeps the logarithm finite at zero traffic; in the metric's unit. */
  readonly offset: number;
  /** log(value + offset), outliers pulled in, gaps carried forward along the season; NaN only before the first value. */
  readonly level: Float64Array;
  /** 1 = measured and no outlier. */
  readonly regular: Uint8Array;
  /** Newest measured value up to i, as it was measured; NaN before the first. */
  readonly latest: Float64Array;
  /** Slowly moving mean of |level[i] - level[i-1]|: the noise of one step. */
  readonly stepNoise: Float64Array;
  /** The same of level[i] - level[i - week], or of a day where a week is not known. */
  readonly seasonNoise: Float64Array;
  /** Highest level seen up to i. */
  readonly peak: Float64Array;
  /** sums[i] = sum of level[0..i), and how many of them are regular. */
  readonly levelSums: Float64Array;
  readonly regularCounts: Float64Array;
}

/** The offset relative to the series' median. */
const OFFSET_SHARE = 1e-3;
const OFFSET_SAMPLES_MAX = 512;
/** A value this far (in logs) from its predecessors and from its own season is an outlier: a factor of four, or many times the usual noise. */
const OUTLIER_LOG_MIN = Math.log(4);
const OUTLIER_NOISES = 15;
const PREDECESSORS = 5;
const NOISE_MEMORY_STEPS = 128;
/** The seasonal noise forgets over a week, so that it does not follow the hour. */
const SEASON_MEMORY_WEEKS = 1;
const NOISE_MIN = 1e-3;

/** The offset for `prepareHistory` from the part of a series that may be known; of a long one evenly spaced values stand for all. */
export function offsetOf(values: Float64Array): number {
  const stride = Math.max(1, Math.floor(values.length / OFFSET_SAMPLES_MAX));
  const sample = new Float64Array(Math.ceil(values.length / stride));
  let count = 0;
  for (let i = 0; i < values.length; i += stride) if (values[i]! > 0) sample[count++] = values[i]!;
  // A link that is mostly silent may show nothing at the sampled steps.
  if (count === 0) for (const value of values) if (value > 0) return value * OFFSET_SHARE;
  const median = sample.subarray(0, count).sort()[count >> 1];
  return median === undefined ? 1 : median * OFFSET_SHARE;
}

export function prepareHistory(
  history: LinkHistory,
  periods: Periods,
  offset: number = offsetOf(history.values),
): PreparedHistory {
  const { values } = history;
  const length = values.length;
  const lastStep = Math.round(history.lastWindowStartUs / (history.stepSeconds * 1e6));
  const prepared: PreparedHistory = {
    length,
    periods,
    firstStep: lastStep - length + 1,
    offset,
    level: new Float64Array(length).fill(Number.NaN),
    regular: new Uint8Array(length),
    latest: new Float64Array(length).fill(Number.NaN),
    stepNoise: new Float64Array(length),
    seasonNoise: new Float64Array(length),
    peak: new Float64Array(length),
    levelSums: new Float64Array(length + 1),
    regularCounts: new Float64Array(length + 1),
  };
  const raw = new Float64Array(length);
  for (let i = 0; i < length; i++) raw[i] = values[i]! >= 0 ? Math.log(values[i]! + offset) : Number.NaN;
  fillLevels(prepared, raw, values);
  return prepared;
}

function fillLevels(prepared: PreparedHistory, raw: Float64Array, values: Float64Array): void {
  const { level, regular, periods } = prepared;
  const day = Math.round(periods.dailySteps);
  const week = Math.round(periods.weeklySteps);
  const recent = new RecentMedian();
  for (let i = 0; i < level.length; i++) {
    const noise = i > 0 ? prepared.stepNoise[i - 1]! : 0;
    const measured = raw[i]!;
    if (Number.isNaN(measured)) {
      level[i] = i > 0 ? carried(level, i, day, week) : Number.NaN;
    } else {
      const limit = Math.max(OUTLIER_LOG_MIN, OUTLIER_NOISES * noise);
      // The value before counts, outlier or not: what comes twice is a new level, not a spike. Mostly it is near, and spares the rest.
      let distance = measured - recent.last();
      if (Math.abs(distance) > limit) {
        let reference = nearer(measured, recent.value(), recent.last());
        reference = nearer(measured, reference, seasonal(level, i - day));
        reference = nearer(measured, reference, seasonal(level, i - week));
        distance = measured - reference;
      }
      const isOutlier = Math.abs(distance) > limit;
      level[i] = isOutlier ? measured - distance + Math.sign(distance) * OUTLIER_LOG_MIN : measured;
      regular[i] = isOutlier ? 0 : 1;
      recent.push(measured);
    }
    prepared.latest[i] = Number.isNaN(measured) ? (prepared.latest[i - 1] ?? Number.NaN) : values[i]!;
    track(prepared, i, day, week);
  }
}

/** Over a gap the level moves as it did a week (or a day) before. */
function carried(level: Float64Array, i: number, day: number, week: number): number {
  const before = level[i - 1]!;
  for (const lag of [week, day]) {
    const change = i - lag - 1 >= 0 ? level[i - lag]! - level[i - lag - 1]! : Number.NaN;
    if (!Number.isNaN(change)) return before + change;
  }
  return before;
}

function seasonal(level: Float64Array, i: number): number {
  return i >= 0 ? level[i]! : Number.NaN;
}

function nearer(value: number, a: number, b: number): number {
  return Number.isNaN(a) || Math.abs(b - value) < Math.abs(a - value) ? b : a;
}

function track(prepared: PreparedHistory, i: number, day: number, week: number): void {
  const { level, regular, stepNoise, seasonNoise, peak, levelSums, regularCounts } = prepared;
  const current = level[i]!;
  const lag = i >= week && !Number.isNaN(level[i - week]!) ? week : day;
  const stepChange = i > 0 && regular[i] && regular[i - 1] ? Math.abs(current - level[i - 1]!) : Number.NaN;
  const seasonChange =
    i >= lag && regular[i] && regular[i - lag] ? Math.abs(current - level[i - lag]!) : Number.NaN;
  stepNoise[i] = follow(i > 0 ? stepNoise[i - 1]! : 0, stepChange, Math.min(i, NOISE_MEMORY_STEPS));
  seasonNoise[i] = follow(
    i > 0 ? seasonNoise[i - 1]! : 0,
    seasonChange,
    Math.min(i - day, week * SEASON_MEMORY_WEEKS),
  );
  const before = i > 0 ? peak[i - 1]! : Number.NEGATIVE_INFINITY;
  peak[i] = regular[i] && current > before ? current : before;
  levelSums[i + 1] = levelSums[i]! + (regular[i] ? current : 0);
  regularCounts[i + 1] = regularCounts[i]! + regular[i]!;
}

/** A mean that forgets, each news limited to five times the mean, so that one jump does not swell it. */
function follow(mean: number, change: number, memory: number): number {
  if (Number.isNaN(change)) return mean;
  if (mean === 0) return change;
  const share = 1 / Math.max(2, memory);
  return mean + share * (Math.min(change, 5 * mean) - mean);
}

/** Noise as a divisor: never zero. */
export function noiseFloor(noise: number): number {
  return Math.max(NOISE_MIN, noise);
}

/** Mean level of the regular steps in [from, to); NaN where fewer than half are. */
export function meanLevel(prepared: PreparedHistory, from: number, to: number): number {
  if (from < 0 || to > prepared.length || to <= from) return Number.NaN;
  const count = prepared.regularCounts[to]! - prepared.regularCounts[from]!;
  return 2 * count >= to - from ? (prepared.levelSums[to]! - prepared.levelSums[from]!) / count : Number.NaN;
}

/** Median of the last few measured values. */
class RecentMedian {
  readonly #values = new Float64Array(PREDECESSORS);
  readonly #sorted = new Float64Array(PREDECESSORS);
  #count = 0;

  push(value: number): void {
    this.#values[this.#count++ % PREDECESSORS] = value;
  }

  last(): number {
    return this.#count === 0 ? Number.NaN : this.#values[(this.#count - 1) % PREDECESSORS]!;
  }

  value(): number {
    if (this.#count === 0) return Number.NaN;
    const size = Math.min(this.#count, PREDECESSORS);
    const sorted = this.#sorted;
    for (let i = 0; i < size; i++) {
      const value = this.#values[i]!;
      let j = i;
      for (; j > 0 && sorted[j - 1]! > value; j--) sorted[j] = sorted[j - 1]!;
      sorted[j] = value;
    }
    return sorted[size >> 1]!;
  }
}
