import { describe, expect, it } from 'vitest';
import { AccuracyTracker } from './accuracy.ts';
import { decodePending, encodePending, type PendingForecast, scoreForecast } from './pending-forecast.ts';

const forecast: PendingForecast = {
  baseIndex: 100,
  model: 'm',
  modelVersion: '1',
  role: 'SHADOW',
  horizons: [1, 5],
  levels: [0.1, 0.5, 0.9],
  quantiles: Float64Array.of(90, 100, 110, 80, 100, 130),
  persistence: Float64Array.of(95, 96),
  seasonal: Float64Array.of(Number.NaN, 120),
};

describe('scoreForecast', () => {
  it('scores the horizon whose window has come', () => {
    // Pinball: 0.1 * (120 - 90) = 3, 0.5 * 20 = 10, 0.9 * 10 = 9; mean 22 / 3.
    expect(scoreForecast(forecast, 101, 120)).toEqual({
      steps: 1,
      truth: 120,
      median: 100,
      absoluteError: 20,
      pinball: 22 / 3,
      covered: false,
      persistenceError: 25,
      seasonalError: null,
    });
  });

  it('punishes quantiles above the truth by the rest of their level', () => {
    // 0.9 * (80 - 80) = 0, 0.5 * 20 = 10, (1 - 0.9) * 50 = 5; mean 5.
    const score = scoreForecast(forecast, 105, 80);
    expect(score).toMatchObject({ steps: 5, covered: true, persistenceError: 16, seasonalError: 40 });
    expect(score?.pinball).toBeCloseTo(5, 12);
  });

  it('has nothing to say of other windows', () => {
    expect([100, 102, 104, 106].map((index) => scoreForecast(forecast, index, 1))).toEqual([
      null,
      null,
      null,
      null,
    ]);
  });

  it('has no interval with one level', () => {
    const median = { ...forecast, levels: [0.5], quantiles: Float64Array.of(100, 100) };
    expect(scoreForecast(median, 101, 90)?.covered).toBeNull();
  });
});

describe('the state of a pending forecast', () => {
  it('comes back as it was', () => {
    const { baseIndex, model, modelVersion } = forecast;
    expect(decodePending(encodePending(forecast), { baseIndex, model, modelVersion })).toEqual(forecast);
  });

  it('takes a few hundred bytes', () => {
    expect(encodePending(forecast).length).toBeLessThan(200);
  });
});

describe('AccuracyTracker', () => {
  const scores = [scoreForecast(forecast, 101, 120)!, scoreForecast(forecast, 105, 80)!];

  it('weighs recent scores more', () => {
    const tracker = new AccuracyTracker(1);
    for (const score of scores) tracker.add(score);
    const accuracy = tracker.accuracy();
    // The first score counts half: errors 10 + 20 over truths 60 + 80.
    expect(accuracy.wape).toBeCloseTo(30 / 140, 12);
    expect(accuracy.pinball).toBeCloseTo((22 / 6 + 5) / 1.5, 12);
    expect(accuracy.coverage).toBeCloseTo(1 / 1.5, 12);
    expect(accuracy.skillOverPersistence).toBeCloseTo(1 - 30 / 28.5, 12);
    expect(accuracy.skillOverSeasonal).toBeCloseTo(1 - 20 / 40, 12);
  });

  it('says nothing without scores', () => {
    expect(Object.values(new AccuracyTracker(10).accuracy())).toEqual(Array(5).fill(Number.NaN));
  });
});
