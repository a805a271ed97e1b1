import type { Assignment, CommitLog, Consumer, Processor, StoredRecord } from '../commit-log/port.ts';
import { type TopicName, topicName } from '../commit-log/topics.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Component } from '../kernel/lifecycle.ts';
import type { FeatureSetIdentity } from '../model/artefact.ts';
import { createForecaster } from '../model/forecast/forecaster.ts';
import { createClassifier } from '../model/tree/classifier.ts';
import type { Health, Probe } from '../telemetry/health.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { AccuracyBoard } from './accuracy-board.ts';
import { ClassificationProcessor } from './classification-processor.ts';
import type { InferConfig } from './config.ts';
import { ForecastProcessor } from './forecast-processor.ts';
import { createInferMetrics } from './metrics.ts';
import { type ModelLoaders, ServedModels } from './served-models.ts';

export interface InferDependencies {
  readonly log: CommitLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly config: InferConfig;
  readonly prefix: string;
  /** The feature sets that preprocess makes: a model that fits none of them is refused. */
  readonly featureSets: readonly FeatureSetIdentity[];
  /** Called when the stage cannot go on. */
  readonly onFailure: (error: unknown) => void;
  /** How artefacts are made to run; tests bring their own. */
  readonly loaders?: ModelLoaders;
}

const LINKS: TopicName = 'features.link.v1';
const HOSTS: TopicName = 'features.host.v1';
const FLOWS: TopicName = 'features.flow.v1';

/** Feature batches in; forecasts, their quality, and classifications out. Inert until started; `stop` commits the running steps. */
export function createInfer(dependencies: InferDependencies): Component {
  const { log, clock, config, prefix, health, onFailure } = dependencies;
  const logger = dependencies.logger.child({ stage: 'infer' });
  const metrics = createInferMetrics(dependencies.metrics);
  const board = new AccuracyBoard(metrics, config.qualityHalfLifeScores);
  const loaders = dependencies.loaders ?? { createForecaster, createClassifier };
  const { featureSets } = dependencies;
  const models = new ServedModels({ log, prefix, logger, metrics, featureSets, loaders });
  const shared = { models, clock, logger, metrics, board, config, prefix };
  let probe: Probe | undefined;
  let consumer: Consumer | undefined;

  const createProcessor = (assignment: Assignment): Processor => {
    const processor =
      assignment.topic === topicName(prefix, LINKS)
        ? new ForecastProcessor(assignment, shared)
        : new ClassificationProcessor(
            assignment,
            assignment.topic === topicName(prefix, HOSTS) ? 'HOST' : 'FLOW',
            shared,
          );
    return {
      process: (records: readonly StoredRecord[]) => {
        probe?.beat();
        return processor.process(records);
      },
    };
  };

  return {
    name: 'infer',
    async start() {
      probe = health.probe('infer');
      await models.start(config.modelsWaitMsMax);
      consumer = await log.consume(
        {
          group: `${prefix}infer`,
          topics: [LINKS, HOSTS, FLOWS].map((name) => topicName(prefix, name)),
          stateTopic: `${prefix}infer.state`,
          batchRecordsMax: config.batchRecordsMax,
          batchBytesMax: config.batchBytesMax,
          commitIntervalMs: config.commitIntervalMs,
          tickIntervalMs: config.tickIntervalMs,
        },
        createProcessor,
      );
      consumer.done.catch(onFailure);
      probe.ready(true);
    },
    async stop() {
      probe?.ready(false, 'stopping');
      await consumer?.stop();
      await models.stop();
    },
  };
}
