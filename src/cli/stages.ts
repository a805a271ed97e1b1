import type { CommitLog } from '../commit-log/port.ts';
import type { Config } from '../config/schema.ts';
import { createInfer } from '../infer/stage.ts';
import type { FeedConfig } from '../ingest/config.ts';
import { createIngest } from '../ingest/stage.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Component } from '../kernel/lifecycle.ts';
import { FEATURE_SETS } from '../preprocess/feature-sets/registry.ts';
import { createPreprocess } from '../preprocess/stage.ts';
import type { Health } from '../telemetry/health.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** What every stage is given. */
export interface StageDependencies {
  readonly log: CommitLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  /** Told when a stage cannot go on; the owner then stops the process. */
  readonly onFailure: (error: unknown) => void;
}

/** All stages of the pipeline in one process, in the order of the data; stopping goes the other way round. */
export function createStages(
  dependencies: StageDependencies,
  config: Config,
  feeds: readonly FeedConfig[],
): Component[] {
  const { topicPrefix: prefix, partitions } = config.commitLog;
  const ingest = { ...config.ingest, feeds: [...feeds] };
  return [
    createInfer({ ...dependencies, prefix, config: config.infer, featureSets: Object.values(FEATURE_SETS) }),
    createPreprocess({ ...dependencies, prefix, config: config.preprocess }),
    createIngest({ ...dependencies, prefix, partitions, config: ingest }),
  ];
}

/** The consumer groups of those stages, in the order of the data. */
export function stageGroups(prefix: string): string[] {
  return ['ingest', 'preprocess', 'infer'].map((stage) => `${prefix}${stage}`);
}
