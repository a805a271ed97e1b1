import type { Role } from '../codec/records.ts';
import { decodeNumbers, encodeNumbers } from './link-state.ts';

/** A forecast that waits for its truth. Values in bit/s. */
export interface PendingForecast {
  /** Its base window, numbered from the epoch. */
  readonly baseIndex: number;
  readonly model: string;
  readonly modelVersion: string;
  readonly role: Role;
  /** Steps ahead, ascending. */
  readonly horizons: readonly number[];
  /** Quantile levels, ascending. */
  readonly levels: readonly number[];
  /** horizons x levels. */
  readonly quantiles: Float64Array;
  /** One a horizon. */
  readonly persistence: Float64Array;
  /** One a horizon; NaN = unknown. */
  readonly seasonal: Float64Array;
}

/** How a forecast fared at one horizon. Errors in bit/s. */
export interface Score {
  readonly steps: number;
  readonly truth: number;
  readonly median: number;
  readonly absoluteError: number;
  /** Mean pinball loss over the levels (Koenker & Bassett 1978). */
  readonly pinball: number;
  /** Truth within the outermost quantiles; null with a single level. */
  readonly covered: boolean | null;
  readonly persistenceError: number;
  /** null = no seasonal value was known. */
  readonly seasonalError: number | null;
}

/** The last window this forecast speaks of. */
export function lastTargetOf(forecast: PendingForecast): number {
  return forecast.baseIndex + (forecast.horizons.at(-1) ?? 0);
}

/** Scores what a forecast said of a window; null where it said nothing of it. */
export function scoreForecast(forecast: PendingForecast, windowIndex: number, truth: number): Score | null {
  const steps = windowIndex - forecast.baseIndex;
  const horizon = forecast.horizons.indexOf(steps);
  if (horizon < 0) return null;
  const { levels } = forecast;
  const quantiles = forecast.quantiles.subarray(horizon * levels.length, (horizon + 1) * levels.length);
  const median = quantiles[levels.indexOf(0.5)]!;
  const seasonal = forecast.seasonal[horizon]!;
  let pinball = 0;
  for (let i = 0; i < levels.length; i++) pinball += pinballLoss(levels[i]!, quantiles[i]!, truth);
  return {
    steps,
    truth,
    median,
    absoluteError: Math.abs(truth - median),
    pinball: pinball / levels.length,
    covered: levels.length > 1 ? quantiles[0]! <= truth && truth <= quantiles[levels.length - 1]! : null,
    persistenceError: Math.abs(truth - forecast.persistence[horizon]!),
    seasonalError: Number.isNaN(seasonal) ? null : Math.abs(truth - seasonal),
  };
}

function pinballLoss(level: number, quantile: number, truth: number): number {
  return truth >= quantile ? level * (truth - quantile) : (1 - level) * (quantile - truth);
}

/** State record of a pending forecast but for what its key says: role, counts, then little-endian float64 throughout. */
export function encodePending(forecast: PendingForecast): Uint8Array {
  const { horizons, levels, quantiles, persistence, seasonal } = forecast;
  const doubles = Float64Array.of(
    forecast.role === 'SHADOW' ? 1 : 0,
    horizons.length,
    levels.length,
    ...horizons,
    ...levels,
    ...quantiles,
    ...persistence,
    ...seasonal,
  );
  return encodeNumbers(doubles);
}

/** The inverse of `encodePending`. */
export function decodePending(
  value: Uint8Array,
  key: Pick<PendingForecast, 'baseIndex' | 'model' | 'modelVersion'>,
): PendingForecast {
  const doubles = decodeNumbers(value);
  let at = 3;
  const take = (count: number) => {
    at += count;
    return doubles.slice(at - count, at);
  };
  const [shadow, horizons, levels] = doubles as unknown as [number, number, number];
  return {
    ...key,
    role: shadow === 1 ? 'SHADOW' : 'CHAMPION',
    horizons: Array.from(take(horizons)),
    levels: Array.from(take(levels)),
    quantiles: take(horizons * levels),
    persistence: take(horizons),
    seasonal: take(horizons),
  };
}
