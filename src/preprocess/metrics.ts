import type { Metrics } from '../telemetry/metrics.ts';

/** Metrics of the preprocess stage. */
export function createPreprocessMetrics(metrics: Metrics) {
  return {
    flows: metrics.counter('flowcast_preprocess_flows_total', 'Flows taken in.'),
    lateFlows: metrics.counter(
      'flowcast_preprocess_late_flows_total',
      'Flows or parts of flows whose windows had closed, once for each window length.',
    ),
    lateBytes: metrics.counter('flowcast_preprocess_late_bytes_total', 'Bytes that came too late.'),
    windows: metrics.counter('flowcast_preprocess_windows_total', 'Windows closed.'),
    rows: metrics.counter('flowcast_preprocess_rows_total', 'Feature rows written.', ['feature_set']),
    evicted: metrics.counter(
      'flowcast_preprocess_evicted_entities_total',
      'Entities folded into an overflow row because a window had too many.',
      ['kind'],
    ),
    saturated: metrics.counter(
      'flowcast_preprocess_saturated_items_total',
      'Destinations and ports left out of distinct counts because every sketch was taken.',
    ),
    undecodable: metrics.counter(
      'flowcast_preprocess_undecodable_records_total',
      'Records of flows.v1 that are no flow batch.',
    ),
    openWindows: metrics.gauge('flowcast_preprocess_open_windows', 'Windows open now.', ['partition']),
    exporters: metrics.gauge('flowcast_preprocess_exporters', 'Exporters known.', ['partition']),
    watermark: metrics.gauge(
      'flowcast_preprocess_watermark_seconds',
      'Newest watermark of a partition, seconds since the epoch.',
      ['partition'],
    ),
  };
}
export type PreprocessMetrics = ReturnType<typeof createPreprocessMetrics>;
