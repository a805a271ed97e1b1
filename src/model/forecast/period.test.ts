import { describe, expect, it } from 'vitest';
import { syntheticHistory } from '../../../test/support/forecast-series.ts';
import { Random } from '../../kernel/random.ts';
import { detectPeriods } from './period.ts';

describe('detectPeriods', () => {
  it('keeps the clock where it fits', () => {
    expect(detectPeriods(syntheticHistory(40, 1).values, 3600)).toEqual({ dailySteps: 24, weeklySteps: 168 });
  });

  it('finds the week of a series that lost samples', () => {
    const random = new Random(1);
    const values = Float64Array.from({ length: 165 * 8 }, (_, i) => {
      const phase = (i % 165) / 165;
      const day = Math.sin(2 * Math.PI * 7 * phase);
      return Math.exp(day - (phase > 5 / 7 ? 0.5 : 0) + 0.03 * random.normal());
    });
    const found = detectPeriods(values, 3600);
    expect(found.weeklySteps).toBe(165);
    expect(found.dailySteps).toBeCloseTo(165 / 7, 9);
  });

  it('does not see a season in noise', () => {
    const random = new Random(2);
    const values = Float64Array.from({ length: 2000 }, () => Math.exp(random.normal()));
    expect(detectPeriods(values, 3600)).toEqual({ dailySteps: 24, weeklySteps: 168 });
  });

  it('is content with a short series', () => {
    expect(detectPeriods(new Float64Array(10).fill(1), 300)).toEqual({ dailySteps: 288, weeklySteps: 2016 });
  });
});
