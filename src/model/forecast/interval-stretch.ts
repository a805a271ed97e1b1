import type { PreparedHistory } from './history.ts';

/** How many earlier forecasts, each as long as this one, tell how wide the interval should have been. */
export const LOOK_BACK_FORECASTS = 7;
/** As much belief, in forecasts, that the width found in training is right; chosen on later parts of the training time of five series. */
const PRIOR_FORECASTS = 0.5;
const STRETCH_MIN = 0.5;
const STRETCH_MAX = 2.5;

/** Origins whose truths are all known at `origin`, newest first, each with at least `stepsMin` of history. */
export function earlierOrigins(origin: number, reach: number, stepsMin: number): number[] {
  const origins: number[] = [];
  for (let n = 1; n <= LOOK_BACK_FORECASTS; n++) {
    const earlier = origin - n * reach;
    if (earlier + 1 >= stepsMin) origins.push(earlier);
  }
  return origins;
}

/**
 * By how much the distance of the outer quantiles from the median is to be multiplied so that earlier forecasts of the same series
 * would have covered their share of what came (online conformal scaling: the quantile of |truth - median| over the interval's
 * half-width on that side), drawn to 1 where earlier forecasts are few.
 */
export function intervalStretch(
  history: PreparedHistory,
  earlier: readonly { readonly origin: number; readonly quantiles: Float64Array }[],
  horizons: readonly number[],
  levels: readonly number[],
): number {
  const median = levels.indexOf(0.5);
  const top = levels.length - 1;
  const ratios = new Float64Array(earlier.length * horizons.length);
  let count = 0;
  for (const { origin, quantiles } of earlier) {
    for (let h = 0; h < horizons.length; h++) {
      const step = origin + horizons[h]!;
      if (!history.regular[step]) continue;
      const truth = Math.exp(history.level[step]!) - history.offset;
      const at = h * levels.length;
      const centre = quantiles[at + median]!;
      const halfWidth = Math.abs(quantiles[at + (truth > centre ? top : 0)]! - centre);
      if (halfWidth > 0) ratios[count++] = Math.abs(truth - centre) / halfWidth;
    }
  }
  if (count === 0) return 1;
  const share = levels[top]! - levels[0]!;
  const sorted = ratios.subarray(0, count).sort();
  const wanted = Math.min(STRETCH_MAX, Math.max(STRETCH_MIN, sorted[Math.floor(share * (count - 1))]!));
  const forecasts = count / horizons.length;
  return wanted ** (forecasts / (forecasts + PRIOR_FORECASTS));
}

/** Moves all quantiles but the median away from it or towards it; none below zero or above `limit`. */
export function stretchInterval(
  quantiles: Float64Array,
  stretch: number,
  limit: number,
  levels: readonly number[],
): void {
  const median = levels.indexOf(0.5);
  for (let at = 0; at < quantiles.length; at += levels.length) {
    const centre = quantiles[at + median]!;
    for (let q = 0; q < levels.length; q++) {
      const stretched = centre + stretch * (quantiles[at + q]! - centre);
      quantiles[at + q] = Math.min(limit, Math.max(0, stretched));
    }
  }
}
