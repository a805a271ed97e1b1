/** A linear function of some of a row's columns. */
export interface LinearFit {
  readonly columns: readonly number[];
  /** One a column. */
  readonly coefficients: Float64Array;
  readonly intercept: number;
}

/** Rows to fit on: [rows][width] inputs of about unit spread, a target and a weight each (0 = leave out). */
export interface LinearRows {
  readonly inputs: Float32Array;
  readonly width: number;
  readonly targets: Float64Array;
  readonly weights: Float64Array;
}

const ITERATIONS_FIRST = 6;
const ITERATIONS_NEXT = 3;

/**
 * Least absolute deviations with an L2 penalty on the coefficients, by iteratively reweighted least squares (residuals below a
 * third of their median count as equal), for each penalty in turn, each started from the one before. Penalties are relative to the rows' weight.
 */
export function fitLinear(
  rows: LinearRows,
  columns: readonly number[],
  from: number,
  to: number,
  penalties: readonly number[],
): LinearFit[] {
  const size = columns.length + 1;
  let solution = new Float64Array(size);
  return penalties.map((penalty, index) => {
    const iterations = index === 0 ? ITERATIONS_FIRST : ITERATIONS_NEXT;
    for (let i = 0; i < iterations; i++)
      solution = reweightedStep(rows, columns, from, to, solution, penalty);
    return { columns, coefficients: solution.slice(0, size - 1), intercept: solution[size - 1]! };
  });
}

export function evaluateLinear(fit: LinearFit, rows: LinearRows, row: number): number {
  let sum = fit.intercept;
  for (let i = 0; i < fit.columns.length; i++) {
    sum += fit.coefficients[i]! * rows.inputs[row * rows.width + fit.columns[i]!]!;
  }
  return sum;
}

/** Weighted mean absolute error over rows [from, to). */
export function linearError(fit: LinearFit, rows: LinearRows, from: number, to: number): number {
  let sum = 0;
  let weight = 0;
  for (let row = from; row < to; row++) {
    const w = rows.weights[row]!;
    if (w === 0) continue;
    sum += w * Math.abs(rows.targets[row]! - evaluateLinear(fit, rows, row));
    weight += w;
  }
  return weight > 0 ? sum / weight : Number.POSITIVE_INFINITY;
}

function reweightedStep(
  rows: LinearRows,
  columns: readonly number[],
  from: number,
  to: number,
  current: Float64Array,
  penalty: number,
): Float64Array<ArrayBuffer> {
  const size = columns.length + 1;
  const fit = { columns, coefficients: current.subarray(0, size - 1), intercept: current[size - 1]! };
  const residuals = new Float64Array(to - from);
  for (let row = from; row < to; row++)
    residuals[row - from] = rows.targets[row]! - evaluateLinear(fit, rows, row);
  const floor = medianMagnitude(residuals) / 3 + 1e-9;
  const gram = new Float64Array(size * size);
  const moments = new Float64Array(size);
  const x = new Float64Array(size);
  let total = 0;
  for (let row = from; row < to; row++) {
    const weight = rows.weights[row]! / (Math.max(Math.abs(residuals[row - from]!), floor) / floor);
    if (weight === 0) continue;
    total += weight;
    for (let i = 0; i < size - 1; i++) x[i] = rows.inputs[row * rows.width + columns[i]!]!;
    x[size - 1] = 1;
    const y = weight * rows.targets[row]!;
    for (let i = 0; i < size; i++) {
      const xi = weight * x[i]!;
      moments[i] = moments[i]! + y * x[i]!;
      for (let j = 0; j <= i; j++) gram[i * size + j] = gram[i * size + j]! + xi * x[j]!;
    }
  }
  for (let i = 0; i < size; i++)
    gram[i * size + i] = gram[i * size + i]! + (i < size - 1 ? penalty : 1e-9) * total + 1e-9;
  return solveCholesky(gram, moments, size);
}

function medianMagnitude(values: Float64Array): number {
  const sorted = values.map(Math.abs).sort();
  return sorted[sorted.length >> 1] ?? 0;
}

/** Solves a x = b for a symmetric positive definite matrix given by its lower triangle; overwrites it. */
function solveCholesky(a: Float64Array, b: Float64Array, size: number): Float64Array<ArrayBuffer> {
  for (let j = 0; j < size; j++) {
    for (let i = j; i < size; i++) {
      let sum = a[i * size + j]!;
      for (let k = 0; k < j; k++) sum -= a[i * size + k]! * a[j * size + k]!;
      a[i * size + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / a[j * size + j]!;
    }
  }
  const x = Float64Array.from(b);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) x[i] = x[i]! - a[i * size + k]! * x[k]!;
    x[i] = x[i]! / a[i * size + i]!;
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) x[i] = x[i]! - a[k * size + i]! * x[k]!;
    x[i] = x[i]! / a[i * size + i]!;
  }
  return x;
}
