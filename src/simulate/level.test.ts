import { describe, expect, it } from 'vitest';
import { LinkLevel } from './level.ts';
import type { LinkProfile } from './scenario.ts';

const MINUTE_US = 60_000_000;
const DAY = 1440;
/** A Monday. */
const START_US = Date.UTC(2026, 0, 5) * 1000;

function levelOf(profile: LinkProfile, seed = 5, growthPerWeek = 0): LinkLevel {
  return new LinkLevel({ profile, phaseHours: 0, growthPerWeek }, seed, START_US, 2e8, 1e9);
}

/** The level at the middle of each minute. */
function minutes(level: LinkLevel, days: number): Float64Array {
  return Float64Array.from({ length: days * DAY }, (_, i) =>
    level.bitsPerSecond(START_US + (i + 0.5) * MINUTE_US),
  );
}

const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('LinkLevel', () => {
  it.each(['office', 'residential', 'campus', 'datacentre', 'wholesale'] as const)(
    '%s: keeps its mean over a week, below its bound',
    (profile) => {
      const week = minutes(levelOf(profile), 7);
      expect(mean(week) / 2e8).toBeGreaterThan(0.85);
      expect(mean(week) / 2e8).toBeLessThan(1.25);
      expect(Math.max(...week)).toBeLessThanOrEqual(7.5e8);
      expect(Math.min(...week)).toBeGreaterThan(0);
    },
  );

  it('an office is quiet at the weekend, homes are not', () => {
    const weekendShare = (profile: LinkProfile) => {
      const week = minutes(levelOf(profile), 7);
      return mean(week.subarray(5 * DAY)) / mean(week.subarray(0, 5 * DAY));
    };
    expect(weekendShare('office')).toBeLessThan(0.5);
    expect(weekendShare('residential')).toBeGreaterThan(0.9);
  });

  it('grows by the week', () => {
    const inAYear = START_US + 364 * DAY * MINUTE_US;
    const ratio =
      levelOf('campus', 5, 0.01).bitsPerSecond(inAYear) / levelOf('campus').bitsPerSecond(inAYear);
    expect(ratio).toBeCloseTo(1.01 ** 52, 5);
  });

  it('can be forecast better than by persistence and by the day before', () => {
    const series = minutes(levelOf('residential'), 8);
    const horizon = 60;
    const error = { persistence: 0, daily: 0, blend: 0, nextPersistence: 0, nextSmooth: 0 };
    let smooth = series[0]!;
    const level = levelOf('residential');
    const seasonal = (i: number) => level.seasonal(START_US + i * MINUTE_US);
    for (let i = 1; i < series.length - horizon; i++) {
      smooth += 0.35 * (series[i]! - smooth);
      if (i < DAY) continue;
      const truth = series[i + horizon]!;
      error.persistence += Math.abs(truth - series[i]!);
      error.daily += Math.abs(truth - series[i + horizon - DAY]!);
      error.blend += Math.abs(truth - (smooth * seasonal(i + horizon)) / seasonal(i));
      error.nextPersistence += Math.abs(series[i + 1]! - series[i]!);
      error.nextSmooth += Math.abs(series[i + 1]! - smooth);
    }
    expect(error.blend / error.persistence).toBeLessThan(0.9);
    expect(error.blend / error.daily).toBeLessThan(0.9);
    expect(error.nextSmooth / error.nextPersistence).toBeLessThan(0.95);
  });
});
