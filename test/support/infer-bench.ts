import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { createCodec, type RecordTypes } from '../../src/codec/avro.ts';
import type { FeatureBatch } from '../../src/codec/records.ts';
import { openScratchLog } from '../../src/commit-log/embedded/scratch-log.ts';
import type { CommitLog, StoredRecord } from '../../src/commit-log/port.ts';
import { type TopicName, topicSpecs } from '../../src/commit-log/topics.ts';
import type { InferConfig } from '../../src/infer/config.ts';
import { createInfer } from '../../src/infer/stage.ts';
import { ManualClock } from '../../src/kernel/clock.ts';
import type { Component } from '../../src/kernel/lifecycle.ts';
import type { ModelArtefact } from '../../src/model/manifest.ts';
import { publishArtefact } from '../../src/release/release.ts';
import { Health } from '../../src/telemetry/health.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts';
import {
  createFakeClassifier,
  createFakeForecaster,
  fakeForecasterArtefact,
  featureRecord,
  HOST_FEATURES,
  LINK_FEATURES,
  MINUTE_US,
  MONDAY_US,
} from './infer-fixtures.ts';

export const CONFIG: InferConfig = {
  batchRecordsMax: 7,
  batchBytesMax: 1_000_000,
  commitIntervalMs: 1,
  tickIntervalMs: 50,
  historyWindowsMax: 100,
  linksPerExporterMax: 10,
  exportersMax: 10,
  observedWindowsMin: 2,
  pendingPerLinkMax: 10,
  rowsPerRunMax: 4,
  emit: 'all',
  modelsWaitMsMax: 5000,
  qualityHalfLifeScores: 1e9,
};

export const clock = new ManualClock(MONDAY_US);

/** An installation with one infer stage. */
export class Bench {
  readonly log: CommitLog;
  readonly errors: object[] = [];
  readonly failures: unknown[] = [];
  metrics: Metrics = createMetrics();
  #stage: Component | undefined;

  private constructor(log: CommitLog) {
    this.log = log;
  }

  static async open(): Promise<Bench> {
    const log = await openScratchLog({ clock });
    await log.ensureTopics([
      ...topicSpecs('t.', 2),
      { name: 't.infer.state', partitions: 2, cleanup: 'compact' },
    ]);
    return new Bench(log);
  }

  async start(overrides: Partial<InferConfig> = {}): Promise<void> {
    this.metrics = createMetrics();
    const nothing = () => {};
    const logger: Logger = {
      debug: nothing,
      info: nothing,
      warn: nothing,
      error: (fields) => this.errors.push(fields),
      child: () => logger,
    };
    this.#stage = createInfer({
      log: this.log,
      clock,
      logger,
      metrics: this.metrics,
      health: new Health(clock, 1000),
      config: { ...CONFIG, ...overrides },
      prefix: 't.',
      featureSets: [LINK_FEATURES, HOST_FEATURES],
      onFailure: (error) => this.failures.push(error),
      loaders: { createForecaster: createFakeForecaster, createClassifier: createFakeClassifier },
    });
    await this.#stage.start();
  }

  async stop(): Promise<void> {
    await this.#stage?.stop();
  }

  async close(): Promise<void> {
    await this.stop();
    await this.log.close();
    expect(this.failures).toEqual([]);
  }

  publish(artefact: ModelArtefact, alias: 'champion' | 'shadow' = 'champion'): Promise<void> {
    return publishArtefact(this.log, 't.', artefact, { alias, clock, by: 'test', comment: '' });
  }

  append(...batches: FeatureBatch[]): Promise<void> {
    return this.log.append(
      batches.map((batch) => featureRecord(`t.features.${batch.featureSet}.v1`, 1, batch)),
    );
  }

  async drained(): Promise<void> {
    await until(async () => (await this.log.lag('t.infer')).every(({ records }) => records === 0));
  }

  served({ manifest: { name, version } }: ModelArtefact): Promise<void> {
    return until(
      async () => (await this.metrics.value('flowcast_infer_model_served', { model: name, version })) > 0,
    );
  }

  async records(topic: TopicName): Promise<StoredRecord[]> {
    const records: StoredRecord[] = [];
    for await (const batch of this.log.read({ topic: `t.${topic}`, from: 'earliest', until: 'end' }))
      records.push(...batch);
    return records;
  }

  async read<N extends keyof RecordTypes>(topic: TopicName, name: N): Promise<RecordTypes[N][]> {
    const codec = createCodec(name);
    return (await this.records(topic)).map(({ value }) => codec.decode(value!)!);
  }

  forecasts = () => this.read('forecasts.v1', 'forecast.v1');
  qualities = () => this.read('quality.v1', 'quality.v1');
  classifications = () => this.read('classifications.v1', 'classification.v1');
}

export async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (await isSo()) return;
    await delay(5);
  }
  throw new Error('waited in vain');
}

export const double = fakeForecasterArtefact(2);
export const triple = fakeForecasterArtefact(3);
export const minuteOf = ({ windowStartUs }: { windowStartUs: number }) =>
  (windowStartUs - MONDAY_US) / MINUTE_US;
