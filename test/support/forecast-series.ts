import { Random } from '../../src/kernel/random.ts';
import type { LinkHistory } from '../../src/model/forecast/history.ts';
import { defaultParameters, type ForecasterParameters } from '../../src/model/forecast/parameters.ts';
import { trainForecaster } from '../../src/model/forecast/train.ts';
import type { LstmTrainer } from '../../src/model/lstm/trainer.ts';
import { createWasmTrainer } from '../../src/model/lstm/wasm-trainer.ts';
import type { ModelArtefact } from '../../src/model/manifest.ts';

const HOUR_SECONDS = 3600;

/** Hourly traffic with a day, a weekend and noise, starting on a Monday. */
export function syntheticHistory(days: number, seed: number, noise = 0.05): LinkHistory {
  const random = new Random(seed);
  const values = Float64Array.from({ length: days * 24 }, (_, i) => {
    const weekend = Math.floor(i / 24) % 7 >= 5 ? -0.4 : 0;
    return 1e6 * Math.exp(Math.sin((2 * Math.PI * i) / 24) + weekend + noise * random.normal());
  });
  const mondayUs = Date.UTC(2024, 0, 1) * 1000;
  return {
    stepSeconds: HOUR_SECONDS,
    lastWindowStartUs: mondayUs + (values.length - 1) * HOUR_SECONDS * 1e6,
    values,
  };
}

export function testParameters(change: Partial<ForecasterParameters> = {}): ForecasterParameters {
  return {
    ...defaultParameters(change.encoding ?? 'recent'),
    name: 'test',
    horizons: [1, 3],
    metric: 'throughput',
    unit: 'bit/s',
    featureSet: { name: 'link', version: 1, features: [] },
    codeVersion: '0.0.0',
    seed: 7,
    detectPeriods: false,
    hidden: 8,
    trainRowsMax: 4000,
    epochsMax: 2,
    ...change,
  };
}

export function trainOn(
  history: LinkHistory,
  change: Partial<ForecasterParameters> = {},
  trainer: LstmTrainer = createWasmTrainer(),
): Promise<ModelArtefact> {
  return trainForecaster([{ name: 'synthetic', history }], testParameters(change), trainer);
}
