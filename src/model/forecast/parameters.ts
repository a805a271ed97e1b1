import type { Manifest } from '../manifest.ts';
import type { LinkHistory } from './history.ts';

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
