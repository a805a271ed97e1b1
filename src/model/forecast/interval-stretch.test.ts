import { describe, expect, it } from 'vitest';
import { Random } from '../../kernel/random.ts';
import { prepareHistory } from './history.ts';
import { earlierOrigins, intervalStretch, stretchInterval } from './interval-stretch.ts';
import { clockPeriods } from './period.ts';

const LEVELS = [0.1, 0.5, 0.9];
const HORIZONS = Array.from({ length: 24 }, (_, i) => i + 1);

/** Truths uniform in [900, 1100], so that 80 % of them lie within 80 of the middle. */
const random = new Random(3);
const values = Float64Array.from({ length: 24 * 10 }, () => 900 + 200 * random.uniform());
const history = prepareHistory({ stepSeconds: 3600, lastWindowStartUs: 0, values }, clockPeriods(3600));
const origin = values.length - 1;

function forecastsOfHalfWidth(halfWidth: number, steps = origin) {
  const quantiles = Float64Array.from(HORIZONS.flatMap(() => [1000 - halfWidth, 1000, 1000 + halfWidth]));
  return earlierOrigins(steps, 24, 0).map((at) => ({ origin: at, quantiles }));
}

describe('the stretch of an interval', () => {
  it('looks at forecasts only whose truths are all known', () => {
    expect(earlierOrigins(100, 24, 30)).toEqual([76, 52]);
    expect(earlierOrigins(20, 24, 1)).toEqual([]);
    expect(Math.max(...earlierOrigins(500, 24, 0)) + 24).toBeLessThanOrEqual(500);
  });

  it('leaves alone what covered its share, widens what was narrow and narrows what was wide', () => {
    const stretch = (halfWidth: number) =>
      intervalStretch(history, forecastsOfHalfWidth(halfWidth), HORIZONS, LEVELS);
    expect(Math.abs(stretch(80) - 1)).toBeLessThan(0.1);
    expect(stretch(50)).toBeGreaterThan(1.25);
    expect(stretch(120)).toBeLessThan(0.85);
  });

  it('stays within bounds and says nothing where nothing is known', () => {
    expect(intervalStretch(history, [], HORIZONS, LEVELS)).toBe(1);
    expect(intervalStretch(history, forecastsOfHalfWidth(0), HORIZONS, LEVELS)).toBe(1);
    expect(intervalStretch(history, forecastsOfHalfWidth(0.01), HORIZONS, LEVELS)).toBeLessThanOrEqual(2.5);
  });

  it('moves the outer quantiles about the median, not below zero nor above the limit', () => {
    const quantiles = Float64Array.of(40, 50, 70, 90, 100, 120);
    stretchInterval(quantiles, 10, 130, LEVELS);
    expect([...quantiles]).toEqual([0, 50, 130, 0, 100, 130]);
  });
});
