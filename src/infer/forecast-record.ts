import type { Forecast, Quality, Role } from '../codec/records.ts';
import type { ForecastValues } from '../model/forecast/forecaster.ts';
import type { ForecasterSpec, Manifest } from '../model/manifest.ts';
import type { ClosedLink } from './exporter-links.ts';
import type { ClosedWindow } from './link-store.ts';
import type { PendingForecast, Score } from './pending-forecast.ts';

/** What is forecast: 8 * bytes of a link's window / its seconds. */
export const METRIC = 'throughput';
export const UNIT = 'bit/s';

/** What a forecast record says beside its values. */
export interface ForecastOrigin {
  readonly manifest: Manifest;
  readonly spec: ForecasterSpec;
  readonly role: Role;
}

/** The record of one link's forecast from a window that has just closed. */
export function forecastRecord(
  { manifest, spec, role }: ForecastOrigin,
  window: ClosedWindow,
  { link, values }: ClosedLink,
  forecast: ForecastValues,
  emittedUs: number,
): Forecast {
  const { exporter, windowSeconds } = window.exporter;
  const lengthUs = window.windowEndUs - window.windowStartUs;
  return {
    id: `${exporter}|${link.entity}|${window.windowStartUs}|${windowSeconds}|${manifest.name}@${manifest.version}`,
    exporter,
    interface: link.interface,
    direction: link.direction,
    metric: METRIC,
    unit: UNIT,
    windowStartUs: window.windowStartUs,
    windowEndUs: window.windowEndUs,
    observed: values[values.length - 1]!,
    horizons: spec.horizons.map((steps, horizon) => ({
      steps,
      windowStartUs: window.windowStartUs + steps * lengthUs,
      windowEndUs: window.windowEndUs + steps * lengthUs,
      quantiles: spec.quantiles.map((level, i) => ({
        level,
        value: forecast.quantiles[horizon * spec.quantiles.length + i]!,
      })),
      persistence: forecast.persistence[horizon]!,
      seasonal: finiteOrNull(forecast.seasonal[horizon]!),
    })),
    completeness: forecast.completeness,
    model: manifest.name,
    modelVersion: manifest.version,
    role,
    featureSet: window.featureSet,
    featureSetVersion: window.featureSetVersion,
    emittedUs,
  };
}

/** The record of one scored horizon; the window is the one that was forecast. */
export function qualityRecord(
  forecast: PendingForecast,
  score: Score,
  window: ClosedWindow,
  entity: string,
): Quality {
  const { exporter, windowSeconds } = window.exporter;
  const { model, modelVersion, role } = forecast;
  return {
    id: `${exporter}|${entity}|${window.windowStartUs}|${windowSeconds}|${model}@${modelVersion}|${score.steps}`,
    exporter,
    entity,
    model,
    modelVersion,
    role,
    steps: score.steps,
    windowStartUs: window.windowStartUs,
    windowEndUs: window.windowEndUs,
    truth: score.truth,
    median: score.median,
    absoluteError: score.absoluteError,
    pinball: score.pinball,
    covered: score.covered,
    persistenceError: score.persistenceError,
    seasonalError: score.seasonalError,
    unit: UNIT,
  };
}

/** Whether every value that is published as a number is one. */
export function isFiniteForecast(forecast: ForecastValues): boolean {
  return (
    forecast.quantiles.every(Number.isFinite) &&
    forecast.persistence.every(Number.isFinite) &&
    Number.isFinite(forecast.completeness)
  );
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
