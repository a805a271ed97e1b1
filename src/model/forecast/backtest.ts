import type { LstmTrainer } from '../lstm/trainer.ts';
import { historyOfSeries, type Series } from '../series.ts';
import { createForecaster, type ForecastValues } from './forecaster.ts';
import { offsetOf } from './history.ts';
import type { ForecasterParameters } from './parameters.ts';
import { clockPeriods, detectPeriods } from './period.ts';
import { type TrainingProgress, trainForecaster } from './train.ts';

/** Percentages as numbers (5.8 = 5.8 %), MASE as a ratio. */
export interface Accuracy {
  readonly mape: number;
  readonly wape: number;
  readonly mase: number;
}

/** One document of `flowcast backtest`. */
export interface BacktestResult {
  readonly series: string;
  readonly intervalSeconds: number;
  /** Steps of each part, gaps included. */
  readonly train: number;
  readonly test: number;
  readonly horizon: '1' | 'day';
  readonly methods: Readonly<Record<'model' | 'persistence' | 'daily' | 'weekly', Accuracy>>;
  /** Share in percent of the truths between the 10 % and the 90 % quantile. */
  readonly coverage80: number;
  /** Forecasts that were compared with a measured truth. */
  readonly forecasts: number;
  /** The day and week used by the naive methods and the model, in steps. */
  readonly periods: { readonly daily: number; readonly weekly: number };
}

/** A series and how much of its beginning may be known while fitting. */
export interface BacktestTask {
  readonly name: string;
  readonly series: Series;
  /** What is fitted on; null = the first `trainSteps` of the series itself. */
  readonly training: Series | null;
  /** Forecasts begin after this many steps. */
  readonly trainSteps: number;
  readonly horizon: '1' | 'day';
}

const ORIGINS_PER_RUN = 64;

/** Trains on the first part only, then forecasts through the second, each forecast knowing the truth up to its own origin. */
export async function backtest(
  task: BacktestTask,
  parameters: ForecasterParameters,
  trainer: LstmTrainer,
  onProgress: TrainingProgress,
  signal?: AbortSignal,
): Promise<BacktestResult> {
  const { series } = task;
  const known = fittedPart(task);
  const training = [{ name: known.name, history: historyOfSeries(known) }];
  const artefact = await trainForecaster(
    training,
    parameters,
    trainer,
    (share, detail) => onProgress(0.9 * share, detail),
    signal,
  );
  const forecaster = await createForecaster(artefact);
  const history = forecaster.prepare(historyOfSeries(series), offsetOf(known.values));
  const scores = new Scores(task);
  const origins = originsOf(task);
  for (let first = 0; first < origins.length; first += ORIGINS_PER_RUN) {
    const part = origins.slice(first, first + ORIGINS_PER_RUN);
    const values = await forecaster.forecastFrom(history, part);
    part.forEach((origin, i) => {
      scores.add(origin, values[i]!, parameters);
    });
    onProgress(0.9 + (0.1 * first) / origins.length, 'testing');
  }
  await forecaster.close();
  return scores.result();
}

function fittedPart({ series, training, trainSteps }: BacktestTask): Series {
  return training ?? { ...series, values: series.values.slice(0, trainSteps) };
}

/** Steps a day by the clock. */
export function stepsPerDay(stepSeconds: number): number {
  return Math.round(clockPeriods(stepSeconds).dailySteps);
}

/** One step: every step of the test part. A day: midnights (UTC), or every day's worth of steps where the series has no times. */
function originsOf({ series, trainSteps, horizon }: BacktestTask): number[] {
  const { values, stepSeconds } = series;
  const origins: number[] = [];
  if (horizon === '1') {
    for (let origin = trainSteps - 1; origin < values.length - 1; origin++) origins.push(origin);
    return origins;
  }
  const day = stepsPerDay(stepSeconds);
  const firstStep = Math.round(series.startUs / (stepSeconds * 1e6));
  let origin = trainSteps - 1;
  if (series.timed) while ((firstStep + origin + 1) % day !== 0) origin++;
  for (; origin + day < values.length; origin += day) origins.push(origin);
  return origins;
}

/** Sums the errors of the model and of the methods it must beat over the same truths. */
class Scores {
  readonly #task: BacktestTask;
  readonly #daily: number;
  readonly #weekly: number;
  readonly #sums = {
    model: new ErrorSums(),
    persistence: new ErrorSums(),
    daily: new ErrorSums(),
    weekly: new ErrorSums(),
  };
  #covered = 0;
  #count = 0;

  constructor(task: BacktestTask) {
    this.#task = task;
    const periods = detectPeriods(fittedPart(task).values, task.series.stepSeconds);
    this.#daily = Math.round(periods.dailySteps);
    this.#weekly = Math.round(periods.weeklySteps);
  }

  add(origin: number, forecast: ForecastValues, { horizons, levels }: ForecasterParameters): void {
    const { values } = this.#task.series;
    const median = levels.indexOf(0.5);
    horizons.forEach((horizon, h) => {
      const truth = values[origin + horizon]!;
      // A share of nothing is undefined: zeros are left out of every figure, for every method.
      if (!(truth > 0)) return;
      const last = forecast.persistence[h]!;
      const quantiles = forecast.quantiles.subarray(h * levels.length, (h + 1) * levels.length);
      this.#sums.model.add(quantiles[median]!, truth);
      this.#sums.persistence.add(last, truth);
      this.#sums.daily.add(this.#seasonal(origin, horizon, this.#daily, last), truth);
      this.#sums.weekly.add(this.#seasonal(origin, horizon, this.#weekly, last), truth);
      if (truth >= quantiles[0]! && truth <= quantiles[quantiles.length - 1]!) this.#covered++;
      this.#count++;
    });
  }

  /** The value of the season before; where it was not measured, the last one. */
  #seasonal(origin: number, horizon: number, lag: number, last: number): number {
    let step = origin + horizon - lag;
    while (step > origin) step -= lag;
    const value = this.#task.series.values[step] ?? Number.NaN;
    return Number.isNaN(value) ? last : value;
  }

  result(): BacktestResult {
    const { name, series, trainSteps, horizon } = this.#task;
    const lag = horizon === '1' ? 1 : stepsPerDay(series.stepSeconds);
    const fitted = fittedPart(this.#task).values;
    const scale = meanChange(fitted, lag);
    return {
      series: name,
      intervalSeconds: series.stepSeconds,
      train: fitted.length,
      test: series.values.length - trainSteps,
      horizon,
      methods: {
        model: this.#sums.model.accuracy(scale),
        persistence: this.#sums.persistence.accuracy(scale),
        daily: this.#sums.daily.accuracy(scale),
        weekly: this.#sums.weekly.accuracy(scale),
      },
      coverage80: round((100 * this.#covered) / this.#count),
      forecasts: this.#count,
      periods: { daily: this.#daily, weekly: this.#weekly },
    };
  }
}

function meanChange(values: Float64Array, lag: number): number {
  let sum = 0;
  let count = 0;
  for (let i = lag; i < values.length; i++) {
    const change = Math.abs(values[i]! - values[i - lag]!);
    if (Number.isNaN(change)) continue;
    sum += change;
    count++;
  }
  return sum / count;
}

class ErrorSums {
  #relative = 0;
  #absolute = 0;
  #truth = 0;
  #count = 0;

  add(forecast: number, truth: number): void {
    const error = Math.abs(forecast - truth);
    this.#relative += error / truth;
    this.#absolute += error;
    this.#truth += truth;
    this.#count++;
  }

  accuracy(scale: number): Accuracy {
    return {
      mape: round((100 * this.#relative) / this.#count),
      wape: round((100 * this.#absolute) / this.#truth),
      mase: round(this.#absolute / this.#count / scale),
    };
  }
}

function round(value: number): number {
  return Number(value.toPrecision(6));
}
