import { createHash } from 'node:crypto';
import { usageError } from '../../kernel/errors.ts';
import { sealManifest } from '../artefact.ts';
import { initialWeights, type LstmWeights, layoutOf, type NetworkShape } from '../lstm/network.ts';
import { networksToOnnx, type Standardisation } from '../lstm/to-onnx.ts';
import type { LstmProgress, LstmTrainer } from '../lstm/trainer.ts';
import type { Manifest, ModelArtefact } from '../manifest.ts';
import { applyCalibration, calibrate, scoreRows } from './calibration.ts';
import { createDayEncoding } from './day-encoding.ts';
import type { RowEncoding } from './encoding.ts';
import { type LinkHistory, type Periods, prepareHistory } from './history.ts';
import { evaluateLinear, fitLinear, type LinearFit, type LinearRows, linearError } from './linear-skip.ts';
import { clockPeriods, detectPeriods } from './period.ts';
import { createRecentEncoding } from './recent-encoding.ts';
import { buildTrainingRows, datasetOf, type TrainingRows } from './training-rows.ts';

/** One link's history with a name for the model card. */
export interface NamedHistory {
  readonly name: string;
  readonly history: LinkHistory;
}

export interface ForecasterParameters {
  readonly name: string;
  /** `recent` for the next steps, `day` for a whole day at once. */
  readonly encoding: 'recent' | 'day';
  readonly horizons: readonly number[];
  readonly levels: readonly number[];
  readonly metric: string;
  readonly unit: string;
  readonly featureSet: Manifest['featureSet'];
  readonly codeVersion: string;
  readonly seed: number;
  /** Seeds averaged in one graph. */
  readonly members: number;
  readonly hidden: number;
  readonly layers: 1 | 2;
  readonly epochsMax: number;
  readonly patience: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly trainRowsMax: number;
  /** Take a series' own day and week where they fit clearly better than the clock's (one series); otherwise the clock's. */
  readonly detectPeriods: boolean;
}

/** What suits most links; a day ahead takes a smaller network, its rows being many but alike. */
export function defaultParameters(
  encoding: 'recent' | 'day',
): Pick<
  ForecasterParameters,
  | 'encoding'
  | 'levels'
  | 'members'
  | 'hidden'
  | 'layers'
  | 'epochsMax'
  | 'patience'
  | 'batch'
  | 'learningRate'
  | 'trainRowsMax'
> {
  const recent = encoding === 'recent';
  return {
    encoding,
    levels: [0.1, 0.25, 0.5, 0.75, 0.9],
    members: 1,
    hidden: recent ? 24 : 12,
    layers: 1,
    epochsMax: recent ? 8 : 6,
    patience: 2,
    batch: 64,
    learningRate: recent ? 0.003 : 0.002,
    trainRowsMax: 20_000,
  };
}

/** `share` of the whole training that is done. */
export type TrainingProgress = (share: number, detail: string) => void;

const VALIDATION_SHARE = 0.2;
const VALIDATION_ROWS_MAX = 8_000;
const PENALTIES = [1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001] as const;
const CLIP_NORM = 1;

/**
 * Trains one network over all series and wraps it as a model. The head's linear skip is fitted first (a penalised median regression,
 * penalty chosen on the later part of the time), the LSTM then learns what is left, quantile by quantile, and stops where the later part
 * stops improving; an LSTM that does not help there is left out. Same series, parameters and trainer: same bytes. Usage error where
 * the series are too short.
 */
export async function trainForecaster(
  series: readonly NamedHistory[],
  parameters: ForecasterParameters,
  trainer: LstmTrainer,
  onProgress: TrainingProgress = () => {},
  signal?: AbortSignal,
): Promise<ModelArtefact> {
  const stepSeconds = commonStep(series);
  const periods = periodsOf(series, stepSeconds, parameters);
  const create = parameters.encoding === 'day' ? createDayEncoding : createRecentEncoding;
  const encoding = create(parameters.horizons, periods);
  const prepared = series.map(({ history }) => prepareHistory(history, periods));
  const rows = buildTrainingRows(prepared, encoding, {
    validationShare: VALIDATION_SHARE,
    trainRowsMax: parameters.trainRowsMax,
    validationRowsMax: VALIDATION_ROWS_MAX,
  });
  if (rows.validationFrom < 100 || rows.rows - rows.validationFrom < 20) {
    const longest = Math.max(...series.map(({ history }) => history.values.length));
    throw usageError(
      'train_short',
      `too little history to train on: the longest series has ${longest} steps; give at least a few days, or a shorter horizon`,
    );
  }
  const sequence = standardise(
    rows.sequences,
    encoding.channels.length,
    rows.validationFrom * encoding.steps,
  );
  const context = standardise(rows.contexts, encoding.contextSize, rows.validationFrom);
  const shape = shapeOf(encoding, parameters);
  const fits = fitSkips(rows, encoding);
  const members: LstmWeights[] = [];
  for (let member = 0; member < parameters.members; member++) {
    members.push(await trainMember(rows, shape, fits, member, parameters, trainer, onProgress, signal));
  }
  const scored = await scoreRows(
    networksToOnnx(members, identity(sequence), identity(context)),
    rows,
    encoding,
  );
  const calibration = calibrate(scored, rows, encoding, parameters.levels);
  const onnx = networksToOnnx(
    members.map((member) => applyCalibration(member, calibration)),
    sequence,
    context,
  );
  const draft = draftManifest(series, parameters, trainer, periods, stepSeconds, rows, calibration.metrics);
  return { manifest: sealManifest(draft, onnx), onnx };
}

function commonStep(series: readonly NamedHistory[]): number {
  const first = series[0];
  if (!first) throw usageError('train_empty', 'no series to train on; give at least one');
  const other = series.find(({ history }) => history.stepSeconds !== first.history.stepSeconds);
  if (other) {
    throw usageError(
      'train_interval',
      `${first.name} has a value each ${first.history.stepSeconds} s and ${other.name} each ${other.history.stepSeconds} s; train a model for each interval`,
    );
  }
  return first.history.stepSeconds;
}

function periodsOf(
  series: readonly NamedHistory[],
  stepSeconds: number,
  parameters: ForecasterParameters,
): Periods {
  return parameters.detectPeriods && series.length === 1
    ? detectPeriods(series[0]!.history.values, stepSeconds)
    : clockPeriods(stepSeconds);
}

function shapeOf(encoding: RowEncoding, parameters: ForecasterParameters): NetworkShape {
  return {
    steps: encoding.steps,
    channels: encoding.channels.length,
    hidden: parameters.hidden,
    layers: parameters.layers,
    contextSize: encoding.contextSize,
    horizons: encoding.horizonsPerRow,
    levels: parameters.levels,
  };
}

/** Brings the columns to mean 0 and spread 1 in place, as the training rows have them, and says how. */
function standardise(data: Float32Array, width: number, rows: number): Standardisation {
  const mean = new Float32Array(width);
  const inverseSpread = new Float32Array(width);
  for (let column = 0; column < width; column++) {
    let sum = 0;
    let squares = 0;
    for (let row = 0; row < rows; row++) {
      const value = data[row * width + column]!;
      sum += value;
      squares += value * value;
    }
    const centre = sum / rows;
    const spread = Math.sqrt(Math.max(0, squares / rows - centre * centre));
    mean[column] = centre;
    // A column that never changes says nothing; it must not blow up when it does.
    inverseSpread[column] = spread > 1e-6 ? 1 / spread : 0;
  }
  for (let i = 0; i < data.length; i++) data[i] = (data[i]! - mean[i % width]!) * inverseSpread[i % width]!;
  return { mean, inverseSpread };
}

/** For rows that are standardised already. */
function identity(of: Standardisation): Standardisation {
  return { mean: new Float32Array(of.mean.length), inverseSpread: new Float32Array(of.mean.length).fill(1) };
}

/** The linear skip of each horizon of a row: penalty by the later rows, coefficients then from all. */
function fitSkips(rows: TrainingRows, encoding: RowEncoding): { fit: LinearFit; linear: LinearRows }[] {
  return Array.from({ length: encoding.horizonsPerRow }, (_, horizon) => {
    const pick = (data: Float32Array) =>
      Float64Array.from({ length: rows.rows }, (__, row) => data[row * encoding.horizonsPerRow + horizon]!);
    const linear: LinearRows = {
      inputs: rows.contexts,
      width: encoding.contextSize,
      targets: pick(rows.targets),
      weights: pick(rows.weights),
    };
    const columns = encoding.skipColumns(horizon);
    const nothing: LinearFit = { columns: [], coefficients: new Float64Array(0), intercept: 0 };
    let best = {
      fit: nothing,
      error: linearError(nothing, linear, rows.validationFrom, rows.rows),
      penalty: -1,
    };
    for (const [i, fit] of fitLinear(linear, columns, 0, rows.validationFrom, PENALTIES).entries()) {
      const error = linearError(fit, linear, rows.validationFrom, rows.rows);
      if (error < best.error) best = { fit, error, penalty: PENALTIES[i]! };
    }
    return { fit: best.fit, linear };
  });
}

async function trainMember(
  rows: TrainingRows,
  shape: NetworkShape,
  fits: readonly { fit: LinearFit; linear: LinearRows }[],
  member: number,
  parameters: ForecasterParameters,
  trainer: LstmTrainer,
  onProgress: TrainingProgress,
  signal: AbortSignal | undefined,
): Promise<LstmWeights> {
  const seed = (parameters.seed + Math.imul(member, 0x9e3779b1)) >>> 0;
  const initial = initialWeights(shape, seed).values;
  for (const [horizon, { fit, linear }] of fits.entries()) {
    placeSkip(initial, shape, horizon, fit, linear, rows.validationFrom);
  }
  const report = (progress: LstmProgress) =>
    onProgress(
      (member + progress.epoch / progress.epochsMax) / parameters.members,
      `epoch ${progress.epoch}, loss ${progress.loss.toFixed(4)}, later ${progress.validationLoss.toFixed(4)}`,
    );
  return trainer.train(
    datasetOf(rows),
    {
      shape,
      initial,
      epochsMax: parameters.epochsMax,
      patience: parameters.patience,
      batch: parameters.batch,
      learningRate: parameters.learningRate,
      skipRate: 0,
      clipNorm: CLIP_NORM,
      seed,
    },
    report,
    signal,
  );
}

/** Every quantile starts as the linear fit, moved by that quantile of what the fit leaves. */
function placeSkip(
  values: Float32Array,
  shape: NetworkShape,
  horizon: number,
  fit: LinearFit,
  linear: LinearRows,
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

function draftManifest(
  series: readonly NamedHistory[],
  parameters: ForecasterParameters,
  trainer: LstmTrainer,
  periods: Periods,
  stepSeconds: number,
  rows: TrainingRows,
  metrics: Readonly<Record<string, number>>,
): Parameters<typeof sealManifest>[0] {
  const { encoding, horizons, levels, hidden, layers, members, epochsMax, batch, learningRate } = parameters;
  const create = encoding === 'day' ? createDayEncoding : createRecentEncoding;
  const { steps, channels } = create(horizons, periods);
  const [fromUs, cutUs, toUs] = timeRange(series);
  return {
    name: parameters.name,
    kind: 'forecaster',
    featureSet: parameters.featureSet,
    windowSeconds: [stepSeconds],
    forecaster: {
      horizons: [...horizons],
      quantiles: [...levels],
      inputSteps: steps,
      channels: [...channels],
      metric: parameters.metric,
      unit: parameters.unit,
    },
    training: {
      trainer: trainer.name,
      seed: parameters.seed,
      codeVersion: parameters.codeVersion,
      data: series.map(({ name }) => name),
      dataFingerprint: fingerprint(series),
      rows: rows.validationFrom,
      trainRangeUs: [fromUs, cutUs],
      validationRangeUs: [cutUs, toUs],
      parameters: { encoding, ...periods, hidden, layers, members, epochsMax, batch, learningRate },
    },
    metrics: { ...metrics },
  };
}

function timeRange(series: readonly NamedHistory[]): [number, number, number] {
  let fromUs = Number.POSITIVE_INFINITY;
  let toUs = Number.NEGATIVE_INFINITY;
  for (const { history } of series) {
    const stepUs = history.stepSeconds * 1e6;
    toUs = Math.max(toUs, history.lastWindowStartUs + stepUs);
    fromUs = Math.min(fromUs, history.lastWindowStartUs - (history.values.length - 1) * stepUs);
  }
  return [fromUs, Math.round(toUs - (toUs - fromUs) * VALIDATION_SHARE), toUs];
}

function fingerprint(series: readonly NamedHistory[]): string {
  const hash = createHash('sha256');
  for (const { history } of series) {
    hash.update(`${history.stepSeconds} ${history.lastWindowStartUs} ${history.values.length}\n`);
    hash.update(new Uint8Array(history.values.buffer, history.values.byteOffset, history.values.byteLength));
  }
  return hash.digest('hex');
}
