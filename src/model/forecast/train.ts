import { usageError } from '../../kernel/errors.ts';
import { sealManifest } from '../artefact.ts';
import { initialWeights, type NetworkShape } from '../lstm/network.ts';
import { networksToOnnx, type Standardisation } from '../lstm/to-onnx.ts';
import type { LstmTrainer, LstmTraining } from '../lstm/trainer.ts';
import type { ModelArtefact } from '../manifest.ts';
import { applyCalibration, calibrate, scoreRows } from './calibration.ts';
import { createDayEncoding } from './day-encoding.ts';
import type { RowEncoding } from './encoding.ts';
import { type Periods, prepareHistory } from './history.ts';
import { draftManifest } from './manifest-draft.ts';
import type { ForecasterParameters, NamedHistory } from './parameters.ts';
import { clockPeriods, detectPeriods } from './period.ts';
import { createRecentEncoding } from './recent-encoding.ts';
import { chooseSkips, placeSkip, refitSkips, type Skip } from './skip.ts';
import { buildTrainingRows, datasetOf, type TrainingRows } from './training-rows.ts';

/** `share` of the whole training that is done. */
export type TrainingProgress = (share: number, detail: string) => void;

/** The last share of the time that decides on penalties, epochs and the width of the interval; days are few, so that they need more of it. */
const VALIDATION_SHARE = { recent: 0.2, day: 0.35 } as const;
const VALIDATION_ROWS_MAX = 8_000;
const TRAIN_ROWS_MIN = 100;
const VALIDATION_ROWS_MIN = 20;
const CLIP_NORM = 1;

/**
 * Trains one network over all series and wraps it as a model, in two passes. The first, on the earlier part of the time, fits the head's
 * linear skip (a penalised median regression), lets the LSTM learn what is left, quantile by quantile, and finds on the later part the
 * penalty, the number of epochs (none, where the LSTM does not help) and how wide the interval must be. The second fits the same on all of the
 * time. Same series, parameters and trainer: same bytes. Usage error where the series are too short.
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
  const validationShare = VALIDATION_SHARE[parameters.encoding];
  const rows = buildTrainingRows(
    series.map(({ history }) => prepareHistory(history, periods)),
    encoding,
    { validationShare, trainRowsMax: parameters.trainRowsMax, validationRowsMax: VALIDATION_ROWS_MAX },
  );
  refuseFewRows(rows, series);
  const sequence = standardise(
    rows.sequences,
    encoding.channels.length,
    rows.validationFrom * encoding.steps,
  );
  const context = standardise(rows.contexts, encoding.contextSize, rows.validationFrom);
  const training: MemberTraining = {
    shape: shapeOf(encoding, parameters),
    parameters,
    trainer,
    onProgress,
    signal,
  };
  const skips = chooseSkips(rows, encoding);
  const first = await trainMembers(training, rows, skips, 0, () => parameters.epochsMax);
  const scored = await scoreRows(
    networksToOnnx(first, identity(sequence), identity(context)),
    rows,
    encoding,
  );
  const calibration = calibrate(scored, rows, encoding, parameters.levels);
  const whole: TrainingRows = { ...rows, validationFrom: rows.rows };
  const second = await trainMembers(
    training,
    whole,
    refitSkips(skips, rows),
    1,
    (member) => first[member]!.epoch,
  );
  const onnx = networksToOnnx(
    second.map((member) => applyCalibration(member, calibration)),
    sequence,
    context,
  );
  const record = {
    trainRows: rows.rows,
    validationShare,
    epochs: first[0]!.epoch,
    metrics: calibration.metrics,
  };
  return {
    manifest: sealManifest(draftManifest(series, parameters, trainer, encoding, periods, record), onnx),
    onnx,
  };
}

function refuseFewRows(rows: TrainingRows, series: readonly NamedHistory[]): void {
  if (rows.validationFrom >= TRAIN_ROWS_MIN && rows.rows - rows.validationFrom >= VALIDATION_ROWS_MIN) return;
  const longest = Math.max(...series.map(({ history }) => history.values.length));
  throw usageError(
    'train_short',
    `too little history to train on: the longest series has ${longest} steps; give at least a few days (for whole days some weeks), or a shorter horizon`,
  );
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

/** What does not change from member to member and pass to pass. */
interface MemberTraining {
  readonly shape: NetworkShape;
  readonly parameters: ForecasterParameters;
  readonly trainer: LstmTrainer;
  readonly onProgress: TrainingProgress;
  readonly signal: AbortSignal | undefined;
}

const PASSES = 2;

async function trainMembers(
  { shape, parameters, trainer, onProgress, signal }: MemberTraining,
  rows: TrainingRows,
  skips: readonly Skip[],
  pass: number,
  epochsOf: (member: number) => number,
): Promise<LstmTraining[]> {
  const { members, patience, batch, learningRate } = parameters;
  const trained: LstmTraining[] = [];
  for (let member = 0; member < members; member++) {
    const seed = (parameters.seed + Math.imul(member, 0x9e3779b1)) >>> 0;
    const initial = initialWeights(shape, seed).values;
    for (const [horizon, skip] of skips.entries())
      placeSkip(initial, shape, horizon, skip, rows.validationFrom);
    const fixed = { shape, initial, patience, batch, learningRate, skipRate: 0, clipNorm: CLIP_NORM, seed };
    const result = await trainer.train(
      datasetOf(rows),
      { ...fixed, epochsMax: epochsOf(member) },
      ({ epoch, epochsMax, loss, validationLoss }) =>
        onProgress(
          (pass * members + member + epoch / epochsMax) / (PASSES * members),
          `epoch ${epoch}, loss ${loss.toFixed(4)}${pass === 0 ? `, later ${validationLoss.toFixed(4)}` : ''}`,
        ),
      signal,
    );
    trained.push(result);
  }
  return trained;
}
