import { usageError } from '../../kernel/errors.ts';
import { CONTEXT_INPUT, QUANTILES_OUTPUT, SEQUENCE_INPUT } from '../lstm/to-onnx.ts';
import type { Manifest, ModelArtefact } from '../manifest.ts';
import { type ModelSession, openSession } from '../runtime.ts';
import { createDayEncoding } from './day-encoding.ts';
import { allocateRows, type RowBuffers, type RowEncoding } from './encoding.ts';
import { type LinkHistory, type Periods, type PreparedHistory, prepareHistory } from './history.ts';
import { earlierOrigins, intervalStretch, stretchInterval } from './interval-stretch.ts';
import { createRecentEncoding } from './recent-encoding.ts';

/** A forecast never leaves [0, this many times the highest regular value of the history]. */
export const BOUND_FACTOR = 4;
const ROWS_PER_RUN_MAX = 4096;

/** What is forecast for one link, in the metric's unit. */
export interface ForecastValues {
  /** [horizons][levels], finite, never negative, never decreasing over the levels. */
  readonly quantiles: Float64Array;
  /** [horizons]: the last measured value; NaN = none known. */
  readonly persistence: Float64Array;
  /** [horizons]: the value a week (or else a day) before the forecast step; NaN = not known. */
  readonly seasonal: Float64Array;
  /** Share of the input's steps that were measured and plausible, 0..1. */
  readonly completeness: number;
}

/** A loaded forecasting model. */
export interface Forecaster {
  readonly manifest: Manifest;
  /** Steps of history that the model can make use of; more is not looked at. */
  readonly historySteps: number;
  /** One forecast a history, from the end of its newest step, in order; scored together. A history without a single value is forecast as 0 with completeness 0. */
  forecast(histories: readonly LinkHistory[]): Promise<ForecastValues[]>;
  /** Makes a long series ready for `forecastFrom`; see `prepareHistory`. */
  prepare(history: LinkHistory, offset?: number): PreparedHistory;
  /** Forecasts from the end of each of these steps, knowing nothing of later ones. */
  forecastFrom(history: PreparedHistory, origins: readonly number[]): Promise<ForecastValues[]>;
  /** Frees the native memory; idempotent. */
  close(): Promise<void>;
}

/** The encoding a manifest names; usage error `model.encoding` where it names none of ours. */
export function encodingOf(manifest: Manifest): { encoding: RowEncoding; periods: Periods } {
  const { encoding, dailySteps, weeklySteps } = manifest.training.parameters;
  const spec = manifest.forecaster;
  if (!spec || typeof dailySteps !== 'number' || typeof weeklySteps !== 'number') {
    throw usageError(
      'model.encoding',
      `model ${manifest.name} is no forecaster of ours; give one made by train lstm`,
    );
  }
  const periods = { dailySteps, weeklySteps };
  if (encoding === 'recent') return { encoding: createRecentEncoding(spec.horizons, periods), periods };
  if (encoding === 'day') return { encoding: createDayEncoding(spec.horizons, periods), periods };
  throw usageError(
    'model.encoding',
    `model ${manifest.name} wants its history as ${encoding}; known are recent and day`,
  );
}

/** Loads a forecaster onto ONNX Runtime. Usage errors where the artefact is no forecaster or its graph does not run. */
export async function createForecaster(artefact: ModelArtefact): Promise<Forecaster> {
  const { encoding, periods } = encodingOf(artefact.manifest);
  return new OnnxForecaster(artefact.manifest, encoding, periods, await openSession(artefact.onnx));
}

class OnnxForecaster implements Forecaster {
  readonly manifest: Manifest;
  readonly historySteps: number;
  readonly #encoding: RowEncoding;
  readonly #periods: Periods;
  readonly #session: ModelSession;
  readonly #levels: readonly number[];

  constructor(manifest: Manifest, encoding: RowEncoding, periods: Periods, session: ModelSession) {
    this.manifest = manifest;
    // Twice: the noise and the first gaps need some way to settle.
    this.historySteps = 2 * encoding.historySteps;
    this.#encoding = encoding;
    this.#periods = periods;
    this.#session = session;
    this.#levels = manifest.forecaster!.quantiles;
  }

  prepare(history: LinkHistory, offset?: number): PreparedHistory {
    return prepareHistory(history, this.#periods, offset);
  }

  forecast(histories: readonly LinkHistory[]): Promise<ForecastValues[]> {
    const prepared = histories.map((history) => {
      const surplus = history.values.length - this.historySteps;
      return this.prepare(surplus > 0 ? { ...history, values: history.values.subarray(surplus) } : history);
    });
    return this.#score(prepared.map((history) => ({ history, origin: history.length - 1 })));
  }

  forecastFrom(history: PreparedHistory, origins: readonly number[]): Promise<ForecastValues[]> {
    return this.#score(origins.map((origin) => ({ history, origin })));
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  /** A day's interval is as wide as the days before it, forecast the same way, tell; the next step's is as training found it. */
  async #score(tasks: readonly ForecastTask[]): Promise<ForecastValues[]> {
    if (this.#encoding.kind !== 'day') return this.#scoreAll(tasks);
    const earlier = this.#earlierTasks(tasks);
    const scored = await this.#scoreAll([...tasks, ...earlier]);
    const known = new Map<PreparedHistory, Map<number, ForecastValues>>();
    earlier.forEach(({ history, origin }, i) => {
      const ofHistory = known.get(history) ?? new Map<number, ForecastValues>();
      known.set(history, ofHistory.set(origin, scored[tasks.length + i]!));
    });
    const forecasts = scored.slice(0, tasks.length);
    tasks.forEach(({ history, origin }, i) => {
      const before = this.#earlierOrigins(origin).map((at) => ({
        origin: at,
        quantiles: known.get(history)!.get(at)!.quantiles,
      }));
      const stretch = intervalStretch(history, before, this.#encoding.horizons, this.#levels);
      stretchInterval(forecasts[i]!.quantiles, stretch, boundOf(history, origin), this.#levels);
    });
    return forecasts;
  }

  #earlierOrigins(origin: number): number[] {
    const { horizons, historySteps } = this.#encoding;
    return earlierOrigins(origin, horizons[horizons.length - 1]!, historySteps);
  }

  /** What has to be forecast again for these, each once. */
  #earlierTasks(tasks: readonly ForecastTask[]): ForecastTask[] {
    const origins = new Map<PreparedHistory, Set<number>>();
    for (const { history, origin } of tasks) {
      const ofHistory = origins.get(history) ?? new Set<number>();
      for (const earlier of this.#earlierOrigins(origin)) ofHistory.add(earlier);
      origins.set(history, ofHistory);
    }
    return [...origins].flatMap(([history, set]) => [...set].map((origin) => ({ history, origin })));
  }

  async #scoreAll(tasks: readonly ForecastTask[]): Promise<ForecastValues[]> {
    const perRun = Math.max(1, Math.floor(ROWS_PER_RUN_MAX / this.#encoding.rowsPerOrigin));
    const results: ForecastValues[] = [];
    for (let first = 0; first < tasks.length; first += perRun) {
      results.push(...(await this.#run(tasks.slice(first, first + perRun))));
    }
    return results;
  }

  async #run(tasks: readonly ForecastTask[]): Promise<ForecastValues[]> {
    const encoding = this.#encoding;
    const known = tasks.filter(hasLevel);
    const rows = known.length * encoding.rowsPerOrigin;
    const buffers = allocateRows(encoding, rows);
    known.forEach(({ history, origin }, index) => {
      for (let part = 0; part < encoding.rowsPerOrigin; part++) {
        encoding.encode(history, origin, part, buffers, index * encoding.rowsPerOrigin + part);
      }
    });
    const outputs = rows > 0 ? await this.#runSession(buffers, rows) : new Float32Array(0);
    let index = 0;
    return tasks.map((task) => this.#values(task, hasLevel(task) ? index++ : -1, buffers, outputs));
  }

  async #runSession(buffers: RowBuffers, rows: number): Promise<Float32Array> {
    const { steps, channels, contextSize } = this.#encoding;
    const outputs = await this.#session.run({
      [SEQUENCE_INPUT]: { data: buffers.sequences, dims: [rows, steps, channels.length] },
      [CONTEXT_INPUT]: { data: buffers.contexts, dims: [rows, contextSize] },
    });
    return outputs[QUANTILES_OUTPUT]!.data as Float32Array;
  }

  #values(task: ForecastTask, index: number, buffers: RowBuffers, outputs: Float32Array): ForecastValues {
    const { horizons, rowsPerOrigin, horizonsPerRow, steps } = this.#encoding;
    const { history, origin } = task;
    const width = this.#levels.length;
    const quantiles = new Float64Array(horizons.length * width);
    if (index >= 0) {
      const first = index * rowsPerOrigin;
      const limit = boundOf(history, origin);
      for (let h = 0; h < horizons.length; h++) {
        const row = first + Math.floor(h / horizonsPerRow);
        const slot = quantiles.subarray(h * width, (h + 1) * width);
        const at = (first * horizonsPerRow + h) * width;
        for (let q = 0; q < slot.length; q++) {
          const level =
            buffers.baselines[first * horizonsPerRow + h]! + buffers.scales[row]! * outputs[at + q]!;
          slot[q] = Math.min(limit, Math.max(0, Math.exp(level) - history.offset));
        }
        // Quantiles that cross are put in order (Chernozhukov et al. 2010: it only brings them nearer to the true ones).
        slot.sort();
      }
    }
    return {
      quantiles,
      persistence: new Float64Array(horizons.length).fill(origin >= 0 ? history.latest[origin]! : Number.NaN),
      seasonal: this.#seasonal(task),
      completeness: completenessOf(task, steps),
    };
  }

  #seasonal({ history, origin }: ForecastTask): Float64Array {
    const week = Math.round(this.#periods.weeklySteps);
    const day = Math.round(this.#periods.dailySteps);
    return Float64Array.from(this.#encoding.horizons, (horizon) => {
      for (const lag of [week, day]) {
        let step = origin + horizon - lag;
        while (step > origin) step -= lag;
        if (step >= 0 && history.regular[step]) return Math.exp(history.level[step]!) - history.offset;
      }
      return Number.NaN;
    });
  }
}

interface ForecastTask {
  readonly history: PreparedHistory;
  readonly origin: number;
}

function hasLevel({ history, origin }: ForecastTask): boolean {
  return origin >= 0 && Number.isFinite(history.level[origin]!) && Number.isFinite(history.peak[origin]!);
}

/** What no forecast from this step may exceed. */
function boundOf(history: PreparedHistory, origin: number): number {
  return origin < 0 ? 0 : BOUND_FACTOR * Math.max(0, Math.exp(history.peak[origin]!) - history.offset);
}

function completenessOf({ history, origin }: ForecastTask, steps: number): number {
  const from = Math.max(0, origin + 1 - steps);
  return (history.regularCounts[origin + 1]! - history.regularCounts[from]!) / steps;
}
