import type { Periods } from './history.ts';

const DAY_SECONDS = 86_400;
const DAYS_PER_WEEK = 7;
/** How far from the clock's a series' own period is looked for. */
const SEARCH_SHARE = 0.05;
/** Its own period must fit clearly better than the clock's. */
const GAIN_MIN = 0.1;
/** Seasons needed before one is looked for. */
const SEASONS_MIN = 2.5;

/** The clock's day and week. */
export function clockPeriods(stepSeconds: number): Periods {
  const dailySteps = DAY_SECONDS / stepSeconds;
  return { dailySteps, weeklySteps: DAYS_PER_WEEK * dailySteps };
}

/**
 * The seasons that a series shows. Series that lost samples have shorter days and weeks than the clock (165 "hours" instead of 168);
 * the week is looked for where there is enough of it, otherwise the day. The clock's stay unless another fits clearly better.
 */
export function detectPeriods(values: Float64Array, stepSeconds: number): Periods {
  const clock = clockPeriods(stepSeconds);
  const logs = values.map((value) => (value > 0 ? Math.log(value) : Number.NaN));
  for (const [steps, days] of [
    [clock.weeklySteps, DAYS_PER_WEEK],
    [clock.dailySteps, 1],
  ] as const) {
    if (values.length < SEASONS_MIN * steps || steps < 2) continue;
    const found = bestLag(logs, Math.round(steps));
    return { dailySteps: found / days, weeklySteps: (found * DAYS_PER_WEEK) / days };
  }
  return clock;
}

function bestLag(logs: Float64Array, clockLag: number): number {
  const reach = Math.floor(clockLag * SEARCH_SHARE);
  const clockError = meanChange(logs, clockLag);
  let best = clockLag;
  let bestError = clockError;
  for (let lag = clockLag - reach; lag <= clockLag + reach; lag++) {
    const error = meanChange(logs, lag);
    if (error < bestError) {
      best = lag;
      bestError = error;
    }
  }
  return bestError < (1 - GAIN_MIN) * clockError ? best : clockLag;
}

function meanChange(logs: Float64Array, lag: number): number {
  let sum = 0;
  let count = 0;
  for (let i = lag; i < logs.length; i++) {
    const change = Math.abs(logs[i]! - logs[i - lag]!);
    if (Number.isNaN(change)) continue;
    sum += change;
    count++;
  }
  return count > 0 ? sum / count : Number.POSITIVE_INFINITY;
}
