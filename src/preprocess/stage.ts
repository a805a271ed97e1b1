import { type Codec, createCodec } from '../codec/avro.ts';
import type { FeatureBatch, LateFlow } from '../codec/records.ts';
import type {
  Assignment,
  CommitLog,
  Consumer,
  OutputRecord,
  Processor,
  Step,
  StoredRecord,
} from '../commit-log/port.ts';
import { topicName } from '../commit-log/topics.ts';
import type { FlowBatch } from '../flow/flow-record.ts';
import { type Clock, publishedMs } from '../kernel/clock.ts';
import { fatalError } from '../kernel/errors.ts';
import type { Component } from '../kernel/lifecycle.ts';
import type { Health } from '../telemetry/health.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { PreprocessConfig } from './config.ts';
import type { FeatureSetName } from './feature-sets/feature-set.ts';
import { createPreprocessMetrics, type PreprocessMetrics } from './metrics.ts';
import { type FeatureSink, Preprocessor } from './preprocessor.ts';
import type { ExporterWindow } from './windows.ts';

export interface PreprocessDependencies {
  readonly log: CommitLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly config: PreprocessConfig;
  readonly prefix: string;
  /** The stage cannot go on; its owner stops the process. */
  readonly onFailure: (error: unknown) => void;
}

/** flows.v1 -> features.{link,host,flow}.v1 and late.v1. */
export function createPreprocess(dependencies: PreprocessDependencies): Component {
  const { log, clock, config, prefix, health, onFailure } = dependencies;
  const logger = dependencies.logger.child({ stage: 'preprocess' });
  const metrics = createPreprocessMetrics(dependencies.metrics);
  const codecs = createPreprocessCodecs();
  let consumer: Consumer | undefined;
  return {
    name: 'preprocess',
    async start() {
      const probe = health.probe('preprocess');
      const beat = () => probe.beat();
      consumer = await log.consume(
        {
          group: `${prefix}preprocess`,
          topics: [topicName(prefix, 'flows.v1')],
          stateTopic: `${prefix}preprocess.state`,
          batchRecordsMax: config.batchRecordsMax,
          batchBytesMax: config.batchBytesMax,
          commitIntervalMs: config.commitIntervalMs,
          tickIntervalMs: config.tickIntervalMs,
        },
        (assignment) =>
          new PreprocessProcessor({ assignment, clock, logger, metrics, codecs, config, prefix, beat }),
      );
      consumer.done.catch((error: unknown) => {
        probe.ready(false, 'stopped by an error');
        onFailure(error);
      });
      probe.ready(true);
    },
    async stop() {
      await consumer?.stop();
    },
  };
}

/** The records of this stage on the wire; made once, as making one costs milliseconds. */
export interface PreprocessCodecs {
  readonly flowBatches: Codec<FlowBatch>;
  readonly featureBatches: Codec<FeatureBatch>;
  readonly lateFlows: Codec<LateFlow>;
}

export function createPreprocessCodecs(): PreprocessCodecs {
  return {
    flowBatches: createCodec('flow-batch.v1'),
    featureBatches: createCodec('feature-batch.v1'),
    lateFlows: createCodec('late-flow.v1'),
  };
}

interface ProcessorDependencies {
  readonly assignment: Assignment;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: PreprocessMetrics;
  readonly codecs: PreprocessCodecs;
  readonly config: PreprocessConfig;
  readonly prefix: string;
  /** Called at every step. */
  readonly beat: () => void;
}

/**
 * One partition of flows.v1. State: the watermark of each exporter, so that closed windows stay closed. Open windows are
 * not state: the resume offset is the first record that contributed to one, and replaying from there rebuilds them.
 */
export class PreprocessProcessor implements Processor {
  readonly #dependencies: ProcessorDependencies;
  readonly #outputs: PreprocessOutputs;
  readonly #preprocessor: Preprocessor;
  #nextOffset: number;
  #lookedForIdleUs: number;

  constructor(dependencies: ProcessorDependencies) {
    this.#dependencies = dependencies;
    const { assignment, clock, config } = dependencies;
    this.#outputs = new PreprocessOutputs(dependencies);
    this.#preprocessor = new Preprocessor(config, this.#outputs);
    this.#nextOffset = assignment.resumeOffset;
    this.#lookedForIdleUs = clock.nowUs();
    for (const [exporter, value] of assignment.state) {
      this.#preprocessor.restore(exporter, decodeWatermark(exporter, value), this.#lookedForIdleUs);
    }
  }

  process(batch: readonly StoredRecord[]): Step {
    const nowUs = this.#dependencies.clock.nowUs();
    for (const record of batch) this.#take(record, nowUs);
    this.#closeIdle(batch, nowUs);
    const progress = this.#preprocessor.progress();
    this.#report(progress);
    return {
      outputs: this.#outputs.take(),
      state: this.#preprocessor
        .takeChangedWatermarks()
        .map(({ exporter, watermarkUs }) => ({ key: exporter, value: Buffer.from(String(watermarkUs)) })),
      resumeOffset: Math.min(progress.firstOffset, this.#nextOffset),
    };
  }

  #take(record: StoredRecord, nowUs: number): void {
    const { assignment, metrics, logger, codecs } = this.#dependencies;
    this.#nextOffset = record.offset + 1;
    const batch = record.value && codecs.flowBatches.decode(record.value);
    if (record.offset < assignment.processedOffset) {
      if (batch) this.#preprocessor.rebuild(batch.exporter, batch.flows, record.offset);
      return;
    }
    if (!batch) {
      metrics.undecodable.add(1);
      logger.warn(
        { partition: record.partition, offset: record.offset },
        'record is no flow batch; passed over',
      );
      return;
    }
    metrics.flows.add(batch.flows.length);
    this.#preprocessor.add(batch.exporter, batch.feed, batch.flows, record.offset, nowUs);
  }

  /**
   * Silence means something only at the end of the log: while a backlog is read (or windows are rebuilt), an exporter's
   * next flows may lie further on.
   */
  #closeIdle(batch: readonly StoredRecord[], nowUs: number): void {
    const { assignment, config } = this.#dependencies;
    if (this.#nextOffset < assignment.processedOffset) return;
    const newest = batch.at(-1);
    if (newest) {
      const isBacklog = nowUs - newest.timestampMs * 1000 >= config.idleAfterMs * 1000;
      const isSoon = nowUs - this.#lookedForIdleUs < config.tickIntervalMs * 1000;
      if (isBacklog || isSoon) return;
    }
    this.#lookedForIdleUs = nowUs;
    this.#preprocessor.closeIdle(nowUs);
  }

  #report(progress: ReturnType<Preprocessor['progress']>): void {
    const { assignment, metrics, beat } = this.#dependencies;
    const labels = { partition: String(assignment.partition) };
    metrics.openWindows.set(progress.openWindows, labels);
    metrics.exporters.set(progress.exporters, labels);
    if (progress.exporters > 0) metrics.watermark.set(progress.watermarkUs / 1e6, labels);
    beat();
  }
}

const FEATURE_TOPICS = {
  link: 'features.link.v1',
  host: 'features.host.v1',
  flow: 'features.flow.v1',
} as const;

/** Turns what the preprocessor gives into records of the input's partition, and counts it. */
class PreprocessOutputs implements FeatureSink {
  readonly #dependencies: ProcessorDependencies;
  #records: OutputRecord[] = [];

  constructor(dependencies: ProcessorDependencies) {
    this.#dependencies = dependencies;
  }

  features(batch: FeatureBatch): void {
    const { prefix, metrics, codecs } = this.#dependencies;
    metrics.rows.add(batch.entities.length, { feature_set: batch.featureSet });
    const topic = topicName(prefix, FEATURE_TOPICS[batch.featureSet as FeatureSetName]);
    this.#push(topic, batch.exporter, codecs.featureBatches.encode(batch), batch.windowEndUs);
  }

  late(late: LateFlow): void {
    const { prefix, metrics, codecs } = this.#dependencies;
    metrics.lateFlows.add(1);
    metrics.lateBytes.add(late.bytes);
    this.#push(topicName(prefix, 'late.v1'), late.exporter, codecs.lateFlows.encode(late), late.flow.endUs);
  }

  closed(window: ExporterWindow): void {
    const { metrics } = this.#dependencies;
    metrics.windows.add(1);
    metrics.evicted.add(window.links?.evicted ?? 0, { kind: 'link' });
    metrics.evicted.add(window.hosts?.evicted ?? 0, { kind: 'host' });
    metrics.saturated.add(window.hosts?.saturated ?? 0);
  }

  /** The records since the last call. */
  take(): OutputRecord[] {
    const records = this.#records;
    this.#records = [];
    return records;
  }

  #push(topic: string, exporter: string, value: Buffer, timeUs: number): void {
    this.#records.push({
      topic,
      partition: this.#dependencies.assignment.partition,
      key: Buffer.from(exporter),
      value,
      timestampMs: publishedMs(this.#dependencies.clock, timeUs),
    });
  }
}

function decodeWatermark(exporter: string, value: Uint8Array): number {
  const watermarkUs = Number(Buffer.from(value).toString('utf8'));
  if (!Number.isSafeInteger(watermarkUs)) {
    throw fatalError(
      'state_corrupt',
      `preprocess: the stored watermark of exporter ${exporter} is not a time`,
    );
  }
  return watermarkUs;
}
