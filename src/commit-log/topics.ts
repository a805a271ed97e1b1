import type { TopicSpec } from './port.ts';

/** Every topic flowcast writes, without prefix. Raw topics belong to the probes and are named in the feeds. */
export type TopicName =
  | 'flows.v1'
  | 'rejects.v1'
  | 'late.v1'
  | 'features.link.v1'
  | 'features.host.v1'
  | 'features.flow.v1'
  | 'forecasts.v1'
  | 'classifications.v1'
  | 'quality.v1'
  | 'labels.v1'
  | 'models.v1';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How long each topic is kept, in milliseconds; null = compacted, kept for ever. */
const RETENTION: Readonly<Record<TopicName, number | null>> = {
  'flows.v1': DAY_MS,
  'rejects.v1': 7 * DAY_MS,
  'late.v1': 7 * DAY_MS,
  'features.link.v1': 90 * DAY_MS,
  'features.host.v1': 30 * DAY_MS,
  'features.flow.v1': DAY_MS,
  'forecasts.v1': 30 * DAY_MS,
  'classifications.v1': 30 * DAY_MS,
  'quality.v1': 90 * DAY_MS,
  'labels.v1': null,
  'models.v1': null,
};

export const TOPIC_NAMES = Object.keys(RETENTION) as TopicName[];

/** Topics that carry a handful of records and are read whole by everyone: always one partition. */
const SINGLE_PARTITION: readonly TopicName[] = ['labels.v1', 'models.v1'];

/** The full name of a topic: prefix and name, for example `flowcast.flows.v1`. */
export function topicName(prefix: string, name: TopicName): string {
  return `${prefix}${name}`;
}

/** Stages whose state a driver may keep in a compacted topic; see `Subscription.stateTopic`. */
const STAGES_WITH_STATE = ['preprocess', 'infer'] as const;

/** The topics of an installation. All partitioned ones have equal counts: an exporter keeps its partition number from topic to topic. */
export function topicSpecs(prefix: string, partitions: number): TopicSpec[] {
  const outputs = TOPIC_NAMES.map((name): TopicSpec => {
    const retentionMs = RETENTION[name];
    return {
      name: topicName(prefix, name),
      partitions: SINGLE_PARTITION.includes(name) ? 1 : partitions,
      ...(retentionMs === null ? { cleanup: 'compact' } : { cleanup: 'delete', retentionMs }),
    };
  });
  const states = STAGES_WITH_STATE.map((stage): TopicSpec => {
    return { name: `${prefix}${stage}.state`, partitions, cleanup: 'compact' };
  });
  return [...outputs, ...states];
}
