import { type LstmWeights, layoutOf } from '../lstm/network.ts';
import { CONTEXT_INPUT, QUANTILES_OUTPUT, SEQUENCE_INPUT } from '../lstm/to-onnx.ts';
import { openSession } from '../runtime.ts';
import type { RowEncoding } from './encoding.ts';
import type { TrainingRows } from './training-rows.ts';

/** What is added to each output, and how the model did on the validation rows. */
export interface Calibration {
  /** [horizonsPerRow * levels] */
  readonly shifts: Float64Array;
  readonly metrics: Readonly<Record<string, number>>;
}

const ROWS_PER_RUN = 2048;

/** The network's outputs for the validation rows: [rows - validationFrom][horizonsPerRow * levels]. */
export async function scoreRows(
  onnx: Uint8Array,
  rows: TrainingRows,
  encoding: RowEncoding,
): Promise<Float32Array> {
  const session = await openSession(onnx);
  const parts: Float32Array[] = [];
  const sequenceSize = encoding.steps * encoding.channels.length;
  for (let from = rows.validationFrom; from < rows.rows; from += ROWS_PER_RUN) {
    const to = Math.min(rows.rows, from + ROWS_PER_RUN);
    const outputs = await session.run({
      [SEQUENCE_INPUT]: {
        data: rows.sequences.slice(from * sequenceSize, to * sequenceSize),
        dims: [to - from, encoding.steps, encoding.channels.length],
      },
      [CONTEXT_INPUT]: {
        data: rows.contexts.slice(from * encoding.contextSize, to * encoding.contextSize),
        dims: [to - from, encoding.contextSize],
      },
    });
    parts.push(outputs[QUANTILES_OUTPUT]!.data as Float32Array);
  }
  await session.close();
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/**
 * Moves every quantile but the median so that it covers its share of the validation rows (split-conformal, Romano et al. 2019),
 * which training has not seen.
 */
export function calibrate(
  outputs: Float32Array,
  rows: TrainingRows,
  encoding: RowEncoding,
  levels: readonly number[],
): Calibration {
  const width = encoding.horizonsPerRow * levels.length;
  const shifts = new Float64Array(width);
  let loss = 0;
  let baselineLoss = 0;
  let covered = 0;
  let count = 0;
  for (let horizon = 0; horizon < encoding.horizonsPerRow; horizon++) {
    levels.forEach((level, q) => {
      const output = horizon * levels.length + q;
      const errors: number[] = [];
      for (let row = rows.validationFrom; row < rows.rows; row++) {
        const at = row * encoding.horizonsPerRow + horizon;
        if (rows.weights[at] === 0) continue;
        errors.push(rows.targets[at]! - outputs[(row - rows.validationFrom) * width + output]!);
      }
      const sorted = Float64Array.from(errors).sort();
      if (level !== 0.5 && sorted.length > 0)
        shifts[output] = sorted[Math.round(level * (sorted.length - 1))]!;
      if (level === 0.5) for (const error of errors) loss += Math.abs(error);
    });
    const low = horizon * levels.length;
    const high = low + levels.length - 1;
    for (let row = rows.validationFrom; row < rows.rows; row++) {
      const at = row * encoding.horizonsPerRow + horizon;
      if (rows.weights[at] === 0) continue;
      const base = (row - rows.validationFrom) * width;
      const target = rows.targets[at]!;
      baselineLoss += Math.abs(target);
      if (target >= outputs[base + low]! && target <= outputs[base + high]!) covered++;
      count++;
    }
  }
  return {
    shifts,
    metrics: {
      // Mean absolute error in units of the step's noise, and relative to saying the baseline.
      validationError: loss / count,
      validationSkillOverBaseline: 1 - loss / baselineLoss,
      validationCoverageBeforeCalibration: covered / count,
      validationRows: rows.rows - rows.validationFrom,
    },
  };
}

export function applyCalibration(weights: LstmWeights, calibration: Calibration): LstmWeights {
  const values = weights.values.slice();
  const { headBias } = layoutOf(weights.shape);
  calibration.shifts.forEach((shift, output) => {
    values[headBias + output] = values[headBias + output]! + shift;
  });
  return { shape: weights.shape, values };
}
