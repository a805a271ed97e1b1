import { bounded, type RowBuffers, type RowEncoding } from './encoding.ts';
import { meanLevel, noiseFloor, type Periods, type PreparedHistory } from './history.ts';

const DAYS_BACK = 14;
const CHANNELS = [
  'level_from_baseline',
  'week_change',
  'day_mean_from_baseline',
  'missing',
  'week_sine',
  'week_cosine',
] as const;
const WEEKS_BACK = 4;
/** The baseline is the mean of this many weeks back, moved by this share of what the last day differs from its own weeks back. */
const BASELINE_WEEKS = 3;
const BASELINE_FOLLOW = 0.5;
const DAYS_PER_WEEK = 7;
/** Each smoothed value is the mean of the steps within this share of a day. */
const SMOOTH_SHARE = 1 / 96;

/**
 * For a whole day at once: one row a step ahead, residual over the mean of the same hour of the weeks before. The LSTM reads the
 * same hour of the last fourteen days, day by day; the linear skip reads weeks and days back and how today's level differs.
 */
export function createDayEncoding(horizons: readonly number[], periods: Periods): RowEncoding {
  const contextSize = WEEKS_BACK + DAYS_PER_WEEK + 1 + 3 + 3 + 2 + 1;
  return {
    kind: 'day',
    horizons,
    steps: DAYS_BACK,
    channels: CHANNELS,
    contextSize,
    rowsPerOrigin: horizons.length,
    horizonsPerRow: 1,
    historySteps: Math.round(1.3 * periods.weeklySteps),
    skipColumns: () => Array.from({ length: contextSize }, (_, i) => i),
    encode(history, origin, part, buffers, row) {
      const target = new DayTarget(history, origin, horizons[part]!);
      buffers.scales[row] = target.scale;
      buffers.baselines[row] = target.baseline;
      target.writeContext(buffers, row * contextSize);
      target.writeSequence(buffers, row * DAYS_BACK * CHANNELS.length);
    },
  };
}

/** One step ahead of one origin, and what earlier seasons say of it. Levels that are not known are NaN. */
class DayTarget {
  readonly scale: number;
  readonly baseline: number;
  readonly #history: PreparedHistory;
  readonly #origin: number;
  readonly #horizon: number;
  readonly #reach: number;
  /** Weeks back that the baseline uses. */
  readonly #weeks: number[] = [];
  readonly #weekLevels: number[] = [];
  readonly #seasonMean: number;

  constructor(history: PreparedHistory, origin: number, horizon: number) {
    this.#history = history;
    this.#origin = origin;
    this.#horizon = horizon;
    this.#reach = Math.floor(history.periods.dailySteps * SMOOTH_SHARE);
    this.scale = noiseFloor(history.seasonNoise[origin]!);
    const { weeklySteps, dailySteps } = history.periods;
    for (let n = 1; n <= WEEKS_BACK; n++) {
      const level = this.#levelBack(n * weeklySteps);
      this.#weekLevels.push(level);
      if (!Number.isNaN(level) && this.#weeks.length < BASELINE_WEEKS) this.#weeks.push(n);
    }
    this.#seasonMean = mean(this.#weeks.map((n) => this.#weekLevels[n - 1]!));
    if (Number.isNaN(this.#seasonMean)) {
      const yesterday = this.#levelBack(dailySteps);
      this.baseline = Number.isNaN(yesterday) ? history.level[origin]! : yesterday;
    } else {
      const follow = this.#levelShift(Math.round(dailySteps));
      this.baseline = this.#seasonMean + BASELINE_FOLLOW * (Number.isNaN(follow) ? 0 : follow);
    }
  }

  writeContext(buffers: RowBuffers, offset: number): void {
    const { weeklySteps, dailySteps } = this.#history.periods;
    let at = offset;
    const write = (difference: number) => {
      buffers.contexts[at++] = bounded(difference / this.scale);
    };
    for (const level of this.#weekLevels) write(level - this.#seasonMean);
    const days: number[] = [];
    for (let n = 1; n <= DAYS_PER_WEEK; n++) {
      const lag = n * dailySteps;
      const level = this.#levelBack(lag);
      days.push(level);
      write(level - mean(this.#weeks.map((week) => this.#levelBack(lag + week * weeklySteps))));
    }
    write(mean(days) - this.#seasonMean);
    // How far the recent level is from its own weeks back, over an hour, six hours, a day and a week; what is recent fades with the horizon.
    const fastFade = Math.exp((-12 * this.#horizon) / dailySteps);
    const slowFade = Math.exp((-3 * this.#horizon) / dailySteps);
    for (const share of [1 / 24, 1 / 4]) {
      const shift = this.#levelShift(Math.max(1, Math.round(dailySteps * share)));
      write(shift);
      write(shift * fastFade);
      write(shift * slowFade);
    }
    const dayShift = this.#levelShift(Math.round(dailySteps));
    write(dayShift);
    write(dayShift * slowFade);
    write(this.#levelShift(Math.round(weeklySteps)));
  }

  writeSequence(buffers: RowBuffers, offset: number): void {
    const { periods, firstStep } = this.#history;
    const halfDay = Math.round(periods.dailySteps / 2);
    let at = offset;
    for (let n = DAYS_BACK; n >= 1; n--) {
      const step = this.#stepBack(n * periods.dailySteps);
      const level = this.#smooth(step);
      const weekAngle = (2 * Math.PI * (firstStep + step)) / periods.weeklySteps;
      const dayMean = meanLevel(this.#history, step - halfDay, Math.min(step + halfDay, this.#origin + 1));
      buffers.sequences[at++] = bounded((level - this.baseline) / this.scale);
      buffers.sequences[at++] = bounded(
        (level - this.#smooth(step - Math.round(periods.weeklySteps))) / this.scale,
      );
      buffers.sequences[at++] = bounded((dayMean - this.baseline) / this.scale);
      buffers.sequences[at++] = Number.isNaN(level) ? 1 : 0;
      buffers.sequences[at++] = Math.sin(weekAngle);
      buffers.sequences[at++] = Math.cos(weekAngle);
    }
  }

  /** The step a lag before the target; where that is still to come, a week earlier. */
  #stepBack(lag: number): number {
    let step = this.#origin + this.#horizon - Math.round(lag);
    while (step > this.#origin) step -= Math.round(this.#history.periods.weeklySteps);
    return step;
  }

  #levelBack(lag: number): number {
    return this.#smooth(this.#stepBack(lag));
  }

  #smooth(step: number): number {
    const from = Math.max(0, step - this.#reach);
    const to = Math.min(this.#origin + 1, step + this.#reach + 1);
    return step < 0 ? Number.NaN : meanLevel(this.#history, from, to);
  }

  /** Mean level of the newest `steps`, less that of the same steps in the baseline's weeks. */
  #levelShift(steps: number): number {
    const end = this.#origin + 1;
    const earlier = this.#weeks.map((n) => {
      const back = Math.round(n * this.#history.periods.weeklySteps);
      return meanLevel(this.#history, end - steps - back, end - back);
    });
    return meanLevel(this.#history, end - steps, end) - mean(earlier);
  }
}

/** Mean of those that are known; NaN where none is. */
function mean(values: readonly number[]): number {
  let sum = 0;
  let count = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    sum += value;
    count++;
  }
  return sum / count;
}
