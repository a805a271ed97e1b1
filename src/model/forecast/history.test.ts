import { describe, expect, it } from 'vitest';
import { syntheticHistory } from '../../../test/support/forecast-series.ts';
import { meanLevel, prepareHistory } from './history.ts';
import { clockPeriods } from './period.ts';

const PERIODS = clockPeriods(3600);

function prepared(change: (values: Float64Array) => void) {
  const history = syntheticHistory(28, 3, 0.02);
  const values = history.values.slice();
  change(values);
  return prepareHistory({ ...history, values }, PERIODS, 1000);
}

describe('prepareHistory', () => {
  const whole = prepared(() => {});

  it('carries a gap along the season', () => {
    const gap = prepared((values) => values.fill(Number.NaN, 500, 520));
    for (let i = 500; i < 520; i++) {
      expect(gap.regular[i]).toBe(0);
      expect(Math.abs(gap.level[i]! - whole.level[i]!)).toBeLessThan(0.15);
      expect(gap.latest[i]).toBe(whole.latest[499]);
    }
    expect(gap.level[520]).toBe(whole.level[520]);
  });

  it('pulls in a spike and a hole, and takes a lasting new level for what it is', () => {
    const odd = prepared((values) => {
      values[400] = values[400]! * 100;
      values[450] = 0;
      for (let i = 500; i < values.length; i++) values[i] = values[i]! * 20;
    });
    expect([odd.regular[400], odd.regular[450], odd.regular[500]]).toEqual([0, 0, 0]);
    expect(odd.level[400]! - whole.level[400]!).toBeLessThan(2.2);
    expect(odd.level[450]! - whole.level[450]!).toBeGreaterThan(-2.2);
    expect(odd.regular[501]).toBe(1);
    expect(odd.level[510]! - whole.level[510]!).toBeCloseTo(Math.log(20), 2);
  });

  it('tells the noise of a step', () => {
    // A step's change is the season's slope and the difference of two draws of 0.02: a mean of 0.17.
    expect(whole.stepNoise.at(-1)).toBeGreaterThan(0.1);
    expect(whole.stepNoise.at(-1)).toBeLessThan(0.25);
    expect(whole.seasonNoise.at(-1)).toBeLessThan(0.06);
  });

  it('means levels over what is regular', () => {
    const gap = prepared((values) => values.fill(Number.NaN, 100, 110));
    const expected = [...whole.level.slice(90, 100), ...whole.level.slice(110, 120)];
    expect(meanLevel(gap, 90, 120)).toBeCloseTo(expected.reduce((a, b) => a + b) / 20, 9);
    expect(meanLevel(gap, 98, 111)).toBeNaN();
    expect(meanLevel(gap, -1, 5)).toBeNaN();
  });
});
