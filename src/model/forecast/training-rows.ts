import type { LstmDataset } from '../lstm/trainer.ts';
import { allocateRows, type RowBuffers, type RowEncoding } from './encoding.ts';
import type { PreparedHistory } from './history.ts';

/** A row of the training table: forecasts of one part of the horizons from one step of one series. */
interface RowSource {
  readonly history: PreparedHistory;
  readonly origin: number;
  readonly part: number;
}

/** The rows of a training run, in order: first those that are trained on, then those, later in time, that decide when to stop. */
export interface TrainingRows extends RowBuffers {
  readonly rows: number;
  readonly validationFrom: number;
  /** [rows][horizonsPerRow]: how far the level was from the baseline, in the row's scale; 0 where the weight is 0. */
  readonly targets: Float32Array;
  /** [rows][horizonsPerRow] */
  readonly weights: Float32Array;
}

export interface RowLimits {
  /** The last share of each series' time that is kept for validation. */
  readonly validationShare: number;
  readonly trainRowsMax: number;
  readonly validationRowsMax: number;
}

/** At least this share of a series must remain when rows without all of their seasons are left out; otherwise they are used. */
const FULL_HISTORY_SHARE = 0.4;
const TARGET_LIMIT = 50;

/**
 * Rows from every series, split by time: a training row's truth lies before the cut, a validation row's origin at or after it.
 * Where there are more than the limits allow, evenly spaced ones are taken.
 */
export function buildTrainingRows(
  series: readonly PreparedHistory[],
  encoding: RowEncoding,
  limits: RowLimits,
): TrainingRows {
  const train: RowSource[] = [];
  const validation: RowSource[] = [];
  const reach = encoding.horizons[encoding.horizons.length - 1]!;
  const spans = series.map((history) => originSpan(history, encoding));
  const usable = spans.map(([from, to], i) => {
    const cut = Math.round(to - (to - from) * limits.validationShare);
    return { history: series[i]!, from, cut, to: to - reach };
  });
  const parts = encoding.rowsPerOrigin;
  const pick = (from: (u: (typeof usable)[number]) => [number, number], max: number, into: RowSource[]) => {
    const counts = usable.map((u) => Math.max(0, from(u)[1] - from(u)[0]) * parts);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const taken = Math.min(max, total);
    let seriesIndex = 0;
    let before = 0;
    for (let k = 0; k < taken; k++) {
      const flat = Math.floor(((k + 0.5) * total) / taken);
      while (flat - before >= counts[seriesIndex]!) before += counts[seriesIndex++]!;
      const { history } = usable[seriesIndex]!;
      const origin = from(usable[seriesIndex]!)[0] + Math.floor((flat - before) / parts);
      if (usableOrigin(history, origin)) into.push({ history, origin, part: (flat - before) % parts });
    }
  };
  pick((u) => [u.from, u.cut - reach], limits.trainRowsMax, train);
  pick((u) => [u.cut, u.to], limits.validationRowsMax, validation);
  return encodeRows([...train, ...validation], train.length, encoding);
}

/** The origins [from, to) of a series: with all of their seasons known where that leaves enough of them. */
function originSpan(history: PreparedHistory, encoding: RowEncoding): [number, number] {
  const { length } = history;
  let first = 0;
  while (first < length && Number.isNaN(history.level[first]!)) first++;
  const full = first + encoding.historySteps;
  if (length - full >= FULL_HISTORY_SHARE * (length - first)) return [full, length];
  const some = first + Math.min(encoding.historySteps, Math.round(0.3 * (length - first)));
  return [some, length];
}

/** An origin amid a gap teaches how gaps are filled, not how traffic goes on. */
function usableOrigin(history: PreparedHistory, origin: number): boolean {
  return history.regular[origin] === 1 || (origin > 0 && history.regular[origin - 1] === 1);
}

function encodeRows(
  sources: readonly RowSource[],
  validationFrom: number,
  encoding: RowEncoding,
): TrainingRows {
  const buffers = allocateRows(encoding, sources.length);
  const width = encoding.horizonsPerRow;
  const targets = new Float32Array(sources.length * width);
  const weights = new Float32Array(sources.length * width);
  sources.forEach(({ history, origin, part }, row) => {
    encoding.encode(history, origin, part, buffers, row);
    for (let j = 0; j < width; j++) {
      const step = origin + encoding.horizons[part * width + j]!;
      if (step >= history.length || !history.regular[step]) continue;
      const target = (history.level[step]! - buffers.baselines[row * width + j]!) / buffers.scales[row]!;
      targets[row * width + j] = Math.max(-TARGET_LIMIT, Math.min(TARGET_LIMIT, target));
      weights[row * width + j] = 1;
    }
  });
  return { ...buffers, rows: sources.length, validationFrom, targets, weights };
}

/** The same rows as the trainers take them. */
export function datasetOf(rows: TrainingRows): LstmDataset {
  const { sequences, contexts, targets, weights, validationFrom } = rows;
  return { rows: rows.rows, sequences, contexts, targets, weights, validationFrom };
}
