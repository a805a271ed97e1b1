import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { syntheticHistory, trainOn } from '../../../test/support/forecast-series.ts';
import { Random } from '../../kernel/random.ts';
import type { ModelArtefact } from '../manifest.ts';
import { BOUND_FACTOR, createForecaster, type Forecaster } from './forecaster.ts';
import type { LinkHistory } from './history.ts';

const HISTORY = syntheticHistory(56, 1);
const DAY = Array.from({ length: 24 }, (_, i) => i + 1);

function withValues(values: Float64Array): LinkHistory {
  return { ...HISTORY, values };
}

describe.each([
  ['recent', [1, 3]],
  ['day', DAY],
] as const)('a forecaster of the %s encoding', (encoding, horizons) => {
  let artefact: ModelArtefact;
  let forecaster: Forecaster;

  beforeAll(async () => {
    artefact = await trainOn(HISTORY, { encoding, horizons });
    forecaster = await createForecaster(artefact);
  });
  afterAll(() => forecaster.close());

  it('is the same bytes for the same seed and others for another', async () => {
    const again = await trainOn(HISTORY, { encoding, horizons });
    const other = await trainOn(HISTORY, { encoding, horizons, seed: 8, epochsMax: 3 });
    expect(again.manifest).toEqual(artefact.manifest);
    expect(Buffer.from(again.onnx).equals(Buffer.from(artefact.onnx))).toBe(true);
    expect(other.manifest.version).not.toBe(artefact.manifest.version);
  });

  it('is far nearer to the truth than the last value and near to what noise allows', async () => {
    const future = syntheticHistory(70, 1).values;
    const prepared = forecaster.prepare({ ...syntheticHistory(70, 1) });
    const median = artefact.manifest.forecaster!.quantiles.indexOf(0.5);
    const levels = artefact.manifest.forecaster!.quantiles.length;
    let model = 0;
    let persistence = 0;
    let count = 0;
    let covered = 0;
    const origins = Array.from({ length: 200 }, (_, i) => 56 * 24 + i);
    const forecasts = await forecaster.forecastFrom(prepared, origins);
    forecasts.forEach(({ quantiles, persistence: last }, i) => {
      horizons.forEach((horizon, h) => {
        const truth = future[origins[i]! + horizon]!;
        model += Math.abs(Math.log(quantiles[h * levels + median]! / truth));
        persistence += Math.abs(Math.log(last[h]! / truth));
        if (truth >= quantiles[h * levels]! && truth <= quantiles[h * levels + levels - 1]!) covered++;
        count++;
      });
    });
    expect(model / count).toBeLessThan(0.06);
    expect(model).toBeLessThan(0.4 * persistence);
    expect(covered / count).toBeGreaterThan(0.65);
    expect(covered / count).toBeLessThan(0.95);
  });

  it('scores many histories as it scores each', async () => {
    const histories = Array.from({ length: 5 }, (_, i) => syntheticHistory(30 + i, i));
    const together = await forecaster.forecast(histories);
    for (const [i, history] of histories.entries()) {
      const [alone] = await forecaster.forecast([history]);
      together[i]!.quantiles.forEach((value, q) => {
        expect(value / alone!.quantiles[q]!).toBeCloseTo(1, 5);
      });
    }
  });

  it('knows no more at an origin than a history that ends there', async () => {
    const origin = HISTORY.values.length - 100;
    const cut = {
      ...withValues(HISTORY.values.subarray(0, origin + 1)),
      lastWindowStartUs: HISTORY.lastWindowStartUs - 99 * 3600e6,
    };
    const offset = 1000;
    const [whole] = await forecaster.forecastFrom(forecaster.prepare(HISTORY, offset), [origin]);
    const [ended] = await forecaster.forecastFrom(forecaster.prepare(cut, offset), [origin]);
    expect([...ended!.quantiles]).toEqual([...whole!.quantiles]);
    expect([...ended!.seasonal]).toEqual([...whole!.seasonal]);
  });

  it('answers a history of nothing with zero', async () => {
    for (const values of [new Float64Array(0), new Float64Array(50).fill(Number.NaN)]) {
      const [forecast] = await forecaster.forecast([withValues(values)]);
      expect(forecast!.completeness).toBe(0);
      expect([...forecast!.quantiles].every((value) => value === 0)).toBe(true);
      expect(forecast!.persistence[0]).toBeNaN();
    }
  });

  it('stays finite, ordered and bounded whatever the history holds', async () => {
    const hole = fc.record({
      at: fc.nat(),
      length: fc.nat(200),
      value: fc.constantFrom(Number.NaN, 0, 1e-9, 5e6, 4e8, 1e15, -5),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 900 }),
        fc.array(hole, { maxLength: 6 }),
        fc.nat(),
        async (length, holes, seed) => {
          const random = new Random(seed);
          const values = HISTORY.values.slice(0, length).map((value) => value * (0.5 + random.uniform()));
          for (const { at, length: size, value } of holes)
            values.fill(value, at % length, (at % length) + size);
          const [forecast] = await forecaster.forecast([withValues(values)]);
          const highest = values.reduce((max, value) => Math.max(max, value || 0), 0);
          const levels = artefact.manifest.forecaster!.quantiles.length;
          forecast!.quantiles.forEach((value, i) => {
            expect(Number.isFinite(value)).toBe(true);
            expect(value).toBeGreaterThanOrEqual(0);
            expect(value).toBeLessThanOrEqual(BOUND_FACTOR * highest * (1 + 1e-9));
            if (i % levels > 0) expect(value).toBeGreaterThanOrEqual(forecast!.quantiles[i - 1]!);
          });
          expect(forecast!.completeness).toBeGreaterThanOrEqual(0);
          expect(forecast!.completeness).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is not thrown off by one absurd value', async () => {
    const [calm] = await forecaster.forecast([HISTORY]);
    const values = HISTORY.values.slice();
    values[values.length - 30] = 1e14;
    values[values.length - 1] = 1e14;
    const [struck] = await forecaster.forecast([withValues(values)]);
    struck!.quantiles.forEach((value, i) => {
      expect(value / calm!.quantiles[i]!).toBeLessThan(6);
    });
  });
});

it('refuses what is no forecaster of ours', async () => {
  const artefact = await trainOn(HISTORY);
  const training = { ...artefact.manifest.training, parameters: {} };
  await expect(
    createForecaster({ ...artefact, manifest: { ...artefact.manifest, training } }),
  ).rejects.toThrow(/no forecaster of ours/);
});

it('says that a short history is short', async () => {
  await expect(trainOn(syntheticHistory(2, 1))).rejects.toThrow(/too little history/);
});
