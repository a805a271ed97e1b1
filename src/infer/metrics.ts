import type { Metrics } from '../telemetry/metrics.ts';

const RUN_SECONDS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3];

/** What the infer stage says of itself. `version` labels come from published models only. */
export function createInferMetrics(metrics: Metrics) {
  const perHorizon = (name: string, help: string) =>
    metrics.gauge(`flowcast_infer_${name}`, help, ['model', 'version', 'steps']);
  return {
    forecasts: metrics.counter('flowcast_infer_forecasts_total', 'Forecasts published.', [
      'model',
      'version',
      'role',
    ]),
    forecastsWithheld: metrics.counter(
      'flowcast_infer_forecasts_withheld_total',
      'Forecasts not published because a value was not finite.',
      ['model', 'version'],
    ),
    classifications: metrics.counter(
      'flowcast_infer_classifications_total',
      'Rows classified, by kind of entity and answer.',
      ['model', 'version', 'role', 'kind', 'answer'],
    ),
    labelledRows: metrics.counter(
      'flowcast_infer_labelled_rows_total',
      'Rows that came with their true class: what it was, what was answered, and whether the class was right.',
      ['model', 'version', 'truth', 'answer', 'right'],
    ),
    scores: metrics.counter('flowcast_infer_scores_total', 'Forecasts scored against their truth.', [
      'model',
      'version',
    ]),
    pendingDropped: metrics.counter(
      'flowcast_infer_pending_forecasts_dropped_total',
      'Forecasts given up unscored: their window never came, or too many were waiting.',
      ['reason'],
    ),
    batchesSkipped: metrics.counter(
      'flowcast_infer_batches_skipped_total',
      'Feature batches not used: unreadable, of an odd shape, of a window that had closed, or served by no model.',
      ['reason'],
    ),
    linkRowsSkipped: metrics.counter(
      'flowcast_infer_link_rows_skipped_total',
      'Link rows not used: no link by name, or no place left.',
      ['reason'],
    ),
    linksGivenUp: metrics.counter(
      'flowcast_infer_links_given_up_total',
      'Links and exporters whose history was given up: for a newcomer, or silent for the whole of it.',
      ['reason'],
    ),
    links: metrics.gauge('flowcast_infer_links', 'Links with history.', ['partition']),
    runSeconds: metrics.histogram(
      'flowcast_infer_run_duration_seconds',
      'Time of one run of a model.',
      RUN_SECONDS,
      ['model'],
    ),
    runsFailed: metrics.counter(
      'flowcast_infer_runs_failed_total',
      'Runs of a model that failed; their rows have no prediction of this model.',
      ['model', 'version'],
    ),
    modelsRefused: metrics.counter(
      'flowcast_infer_models_refused_total',
      'Published models that were not taken up; the one before stays.',
      ['reason'],
    ),
    modelServed: metrics.gauge('flowcast_infer_model_served', '1 while a model is used, then 0.', [
      'model',
      'version',
      'role',
    ]),
    wape: perHorizon('forecast_wape_ratio', 'Sum of absolute errors over sum of truths, over recent scores.'),
    pinball: perHorizon(
      'forecast_pinball_bits_per_second',
      'Mean pinball loss over the quantiles, over recent scores.',
    ),
    coverage: perHorizon(
      'forecast_coverage_ratio',
      'Share of truths within the outermost quantiles, over recent scores.',
    ),
    skillOverPersistence: perHorizon(
      'forecast_skill_persistence_ratio',
      '1 - error / error of "same as now", over recent scores.',
    ),
    skillOverSeasonal: perHorizon(
      'forecast_skill_seasonal_ratio',
      '1 - error / error of "same as a day or week before", over recent scores.',
    ),
  };
}
export type InferMetrics = ReturnType<typeof createInferMetrics>;
