import { createHash } from 'node:crypto';
import type { ManifestDraft } from '../artefact.ts';
import type { LstmTrainer } from '../lstm/trainer.ts';
import type { RowEncoding } from './encoding.ts';
import type { Periods } from './history.ts';
import type { ForecasterParameters, NamedHistory } from './parameters.ts';

/** How a training went. */
export interface TrainingRecord {
  readonly trainRows: number;
  /** The last share of the time that was kept for validation. */
  readonly validationShare: number;
  readonly epochs: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** All of a forecaster's manifest that its ONNX bytes do not say. */
export function draftManifest(
  series: readonly NamedHistory[],
  parameters: ForecasterParameters,
  trainer: LstmTrainer,
  encoding: RowEncoding,
  periods: Periods,
  record: TrainingRecord,
): ManifestDraft {
  const { horizons, levels, hidden, layers, members, batch, learningRate } = parameters;
  const [fromUs, cutUs, toUs] = timeRange(series, record.validationShare);
  return {
    name: parameters.name,
    kind: 'forecaster',
    featureSet: parameters.featureSet,
    windowSeconds: [series[0]!.history.stepSeconds],
    forecaster: {
      horizons: [...horizons],
      quantiles: [...levels],
      inputSteps: encoding.steps,
      channels: [...encoding.channels],
      metric: parameters.metric,
      unit: parameters.unit,
    },
    training: {
      trainer: trainer.name,
      seed: parameters.seed,
      codeVersion: parameters.codeVersion,
      data: series.map(({ name }) => name),
      dataFingerprint: fingerprint(series),
      rows: record.trainRows,
      trainRangeUs: [fromUs, cutUs],
      validationRangeUs: [cutUs, toUs],
      parameters: {
        encoding: encoding.kind,
        ...periods,
        hidden,
        layers,
        members,
        batch,
        learningRate,
        epochs: record.epochs,
      },
    },
    metrics: { ...record.metrics },
  };
}

function timeRange(series: readonly NamedHistory[], validationShare: number): [number, number, number] {
  let fromUs = Number.POSITIVE_INFINITY;
  let toUs = Number.NEGATIVE_INFINITY;
  for (const { history } of series) {
    const stepUs = history.stepSeconds * 1e6;
    toUs = Math.max(toUs, history.lastWindowStartUs + stepUs);
    fromUs = Math.min(fromUs, history.lastWindowStartUs - (history.values.length - 1) * stepUs);
  }
  return [fromUs, Math.round(toUs - (toUs - fromUs) * validationShare), toUs];
}

function fingerprint(series: readonly NamedHistory[]): string {
  const hash = createHash('sha256');
  for (const { history } of series) {
    hash.update(`${history.stepSeconds} ${history.lastWindowStartUs} ${history.values.length}\n`);
    hash.update(new Uint8Array(history.values.buffer, history.values.byteOffset, history.values.byteLength));
  }
  return hash.digest('hex');
}
