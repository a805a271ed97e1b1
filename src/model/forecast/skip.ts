import { layoutOf, type NetworkShape } from '../lstm/network.ts';
import type { RowEncoding } from './encoding.ts';
import { evaluateLinear, fitLinear, type LinearFit, type LinearRows, linearError } from './linear-skip.ts';
import type { TrainingRows } from './training-rows.ts';

/** The linear skip of one horizon of a row; `penalty` null = it says the baseline. */
export interface Skip {
  readonly fit: LinearFit;
  readonly linear: LinearRows;
  readonly penalty: number | null;
}

const PENALTIES = [1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001] as const;
const BLOCKS = 5;
/** Days are few and alike, so that more of a difference between penalties is chance. */
const TOLERANCE = { recent: 0.01, day: 0.03 } as const;
const NOTHING: LinearFit = { columns: [], coefficients: new Float64Array(0), intercept: 0 };

/** Skips fitted on the training rows, with the penalty that does best on what it was not fitted on; none where the baseline does best. */
export function chooseSkips(rows: TrainingRows, encoding: RowEncoding): Skip[] {
  return Array.from({ length: encoding.horizonsPerRow }, (_, horizon) => {
    const linear = linearRows(rows, encoding, horizon);
    const columns = encoding.skipColumns(horizon);
    const errors =
      encoding.kind === 'day' ? blockErrors(linear, columns, rows) : laterErrors(linear, columns, rows);
    const penalty = simplest(errors, TOLERANCE[encoding.kind]);
    if (penalty === undefined) return { fit: NOTHING, linear, penalty: null };
    return { fit: fitLinear(linear, columns, 0, rows.validationFrom, [penalty])[0]!, linear, penalty };
  });
}

/**
 * The largest penalty whose error is within the tolerance of the best (the idea of the one-standard-error rule, Breiman et al. 1984);
 * undefined where the baseline, the last, is the best.
 */
function simplest(errors: readonly number[], tolerance: number): number | undefined {
  const least = Math.min(...errors);
  return least === errors[PENALTIES.length]
    ? undefined
    : PENALTIES.find((_, i) => errors[i]! <= (1 + tolerance) * least);
}

/** The error of each penalty, and last that of the baseline, on the validation rows. */
function laterErrors(linear: LinearRows, columns: readonly number[], rows: TrainingRows): number[] {
  const fits = fitLinear(linear, columns, 0, rows.validationFrom, PENALTIES);
  return [...fits, NOTHING].map((fit) => linearError(fit, linear, rows.validationFrom, rows.rows));
}

/** The same on each block of the time in turn, fitted on the others: days are few, and the last of them alone decide by chance. */
function blockErrors(linear: LinearRows, columns: readonly number[], rows: TrainingRows): number[] {
  const errors = new Array<number>(PENALTIES.length + 1).fill(0);
  for (let block = 0; block < BLOCKS; block++) {
    const from = Math.round((block * rows.rows) / BLOCKS);
    const to = Math.round(((block + 1) * rows.rows) / BLOCKS);
    const weights = linear.weights.slice().fill(0, from, to);
    const fits = fitLinear({ ...linear, weights }, columns, 0, rows.rows, PENALTIES);
    for (const [i, fit] of [...fits, NOTHING].entries())
      errors[i] = errors[i]! + linearError(fit, linear, from, to);
  }
  return errors;
}

/** The same skips, fitted on all rows. */
export function refitSkips(skips: readonly Skip[], rows: TrainingRows): Skip[] {
  return skips.map(({ fit, linear, penalty }) => {
    if (penalty === null) return { fit, linear, penalty };
    return { fit: fitLinear(linear, fit.columns, 0, rows.rows, [penalty])[0]!, linear, penalty };
  });
}

function linearRows(rows: TrainingRows, encoding: RowEncoding, horizon: number): LinearRows {
  const pick = (data: Float32Array) =>
    Float64Array.from({ length: rows.rows }, (_, row) => data[row * encoding.horizonsPerRow + horizon]!);
  return {
    inputs: rows.contexts,
    width: encoding.contextSize,
    targets: pick(rows.targets),
    weights: pick(rows.weights),
  };
}

/** Every quantile starts as the linear fit, moved by that quantile of what the fit leaves. */
export function placeSkip(
  values: Float32Array,
  shape: NetworkShape,
  horizon: number,
  { fit, linear }: Skip,
  rows: number,
): void {
  const layout = layoutOf(shape);
  const width = shape.hidden + shape.contextSize;
  const residuals: number[] = [];
  for (let row = 0; row < rows; row++) {
    if (linear.weights[row]! > 0) residuals.push(linear.targets[row]! - evaluateLinear(fit, linear, row));
  }
  const sorted = Float64Array.from(residuals).sort();
  shape.levels.forEach((level, q) => {
    const output = horizon * shape.levels.length + q;
    const head = layout.headWeights + output * width + shape.hidden;
    fit.columns.forEach((column, i) => {
      values[head + column] = fit.coefficients[i]!;
    });
    const quantile = level === 0.5 ? 0 : sorted[Math.floor(level * (sorted.length - 1))]!;
    values[layout.headBias + output] = fit.intercept + quantile;
  });
}
