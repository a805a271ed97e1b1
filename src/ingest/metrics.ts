import type { Metrics } from '../telemetry/metrics.ts';

/** What ingest counts. Feeds are bounded by configuration, reasons by `REJECT_REASONS`. */
export function createIngestMetrics(metrics: Metrics) {
  return {
    messages: metrics.counter('flowcast_ingest_messages_total', 'Raw messages read.', ['feed']),
    bytes: metrics.counter('flowcast_ingest_message_bytes_total', 'Bytes of raw messages read.', ['feed']),
    flows: metrics.counter('flowcast_ingest_flows_total', 'Flows decoded.', ['feed']),
    rejects: metrics.counter('flowcast_ingest_rejects_total', 'Messages or records refused.', [
      'feed',
      'reason',
    ]),
    doubtfulTimes: metrics.counter(
      'flowcast_ingest_doubtful_times_total',
      'Flows whose times were corrected or replaced.',
      ['feed', 'quality'],
    ),
    unknownSampling: metrics.counter(
      'flowcast_ingest_unknown_sampling_flows_total',
      'Flows of sampled exporters whose rate is not known; their volumes are as sent.',
      ['feed'],
    ),
  };
}
export type IngestMetrics = ReturnType<typeof createIngestMetrics>;
