import { usageError } from '../kernel/errors.ts';
import { defaultParameters, type ForecasterParameters } from '../model/forecast/parameters.ts';
import { createTfjsTrainer } from '../model/lstm/tfjs-trainer.ts';
import type { LstmTrainer } from '../model/lstm/trainer.ts';
import { createWasmTrainer } from '../model/lstm/wasm-trainer.ts';
import { specOf } from '../preprocess/feature-sets/feature-set.ts';
import { LINK_FEATURES } from '../preprocess/feature-sets/link.ts';
import { codeVersion } from './code-version.ts';

/** Flags that `train lstm` and `backtest` share. */
export const LSTM_OPTIONS = {
  interval: { type: 'string' },
  trainer: { type: 'string', default: 'wasm' },
  seed: { type: 'string', default: '1' },
} as const;

/** Their `--help`. */
export const LSTM_USAGE = `  --interval 5m        time between two values; found from the time column where there is one
  --trainer NAME       wasm (own kernel) or tfjs (TensorFlow.js, its native binding where installed) (default: wasm)
  --seed N             same data, trainer and seed: same bytes (default: 1)`;

const TRAINERS: Readonly<Record<string, () => LstmTrainer>> = {
  wasm: createWasmTrainer,
  tfjs: createTfjsTrainer,
};

export function lstmTrainerNamed(name: string): LstmTrainer {
  const create = TRAINERS[name];
  if (create) return create();
  throw usageError('flag_trainer', `--trainer is ${Object.keys(TRAINERS).join(' or ')}, not ${name}`);
}

export function lstmSeedOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw usageError('flag_seed', `--seed takes a whole number, not ${text}`);
}

/** The parameters of a forecaster of link throughput. */
export function linkForecasterParameters(
  encoding: 'recent' | 'day',
  choice: Pick<ForecasterParameters, 'name' | 'horizons' | 'seed' | 'detectPeriods'>,
): ForecasterParameters {
  return {
    ...defaultParameters(encoding),
    ...choice,
    metric: 'throughput',
    unit: 'bit/s',
    featureSet: {
      name: LINK_FEATURES.name,
      version: LINK_FEATURES.version,
      features: LINK_FEATURES.features.map(specOf),
    },
    codeVersion: codeVersion(),
  };
}
