import type { PreparedHistory } from './history.ts';

/** Where one row of network input is written. */
export interface RowBuffers {
  /** [rows][steps][channels] */
  readonly sequences: Float32Array;
  /** [rows][contextSize] */
  readonly contexts: Float32Array;
  /** [rows][horizonsPerRow]: the baseline, a level. */
  readonly baselines: Float64Array;
  /** [rows]: a network output of 1 moves the level by this much. */
  readonly scales: Float64Array;
}

/** How history becomes network input: in training and in serving the same code. Pure. */
export interface RowEncoding {
  readonly kind: 'recent' | 'day';
  /** Steps ahead, ascending. */
  readonly horizons: readonly number[];
  readonly steps: number;
  readonly channels: readonly string[];
  readonly contextSize: number;
  /** Rows that one origin takes, and the horizons each of them forecasts: their product is the number of horizons. */
  readonly rowsPerOrigin: number;
  readonly horizonsPerRow: number;
  /** Which context columns the linear skip of horizon j of a row may read. */
  skipColumns(horizon: number): readonly number[];
  /** Steps of history before an origin from which all of the input is known. */
  readonly historySteps: number;
  /** Writes row `row` for forecasts made at the end of step `origin`; `part` in [0, rowsPerOrigin). */
  encode(history: PreparedHistory, origin: number, part: number, buffers: RowBuffers, row: number): void;
}

const INPUT_LIMIT = 25;

/** A level difference in units of noise, bounded; what is unknown says nothing (0). */
export function bounded(value: number): number {
  if (Number.isNaN(value)) return 0;
  return Math.min(INPUT_LIMIT, Math.max(-INPUT_LIMIT, value));
}

export function allocateRows(encoding: RowEncoding, rows: number): RowBuffers {
  return {
    sequences: new Float32Array(rows * encoding.steps * encoding.channels.length),
    contexts: new Float32Array(rows * encoding.contextSize),
    baselines: new Float64Array(rows * encoding.horizonsPerRow),
    scales: new Float64Array(rows),
  };
}

/** Level at a step, NaN where it is before the history. */
export function levelAt(history: PreparedHistory, step: number): number {
  return step >= 0 ? history.level[step]! : Number.NaN;
}
