import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createFakeClassifier,
  createFakeForecaster,
  fakeClassifierArtefact,
  fakeForecasterArtefact,
  featureRecord,
  HOST_FEATURES,
  hostBatch,
  LINK_FEATURES,
  linkBatch,
  MINUTE_US,
  MONDAY_US,
} from '../../test/support/infer-fixtures.ts';
import { createCodec, type RecordTypes } from '../codec/avro.ts';
import type { FeatureBatch } from '../codec/records.ts';
import { openScratchLog } from '../commit-log/embedded/scratch-log.ts';
import type { CommitLog, StoredRecord } from '../commit-log/port.ts';
import { type TopicName, topicSpecs } from '../commit-log/topics.ts';
import { ManualClock } from '../kernel/clock.ts';
import type { Component } from '../kernel/lifecycle.ts';
import type { ModelArtefact } from '../model/manifest.ts';
import { publishArtefact, rollbackRelease } from '../release/release.ts';
import { Health } from '../telemetry/health.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';
import type { InferConfig } from './config.ts';
import { createInfer } from './stage.ts';

const CONFIG: InferConfig = {
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

const clock = new ManualClock(MONDAY_US);

/** An installation with one infer stage. */
class Bench {
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

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (await isSo()) return;
    await delay(5);
  }
  throw new Error('waited in vain');
}

let bench: Bench;
beforeEach(async () => {
  bench = await Bench.open();
});
afterEach(() => bench.close());

const double = fakeForecasterArtefact(2);
const triple = fakeForecasterArtefact(3);
const minuteOf = ({ windowStartUs }: { windowStartUs: number }) => (windowStartUs - MONDAY_US) / MINUTE_US;

describe('forecasts', () => {
  it('come for every link at every closed window once enough is known', async () => {
    await bench.publish(double);
    await bench.start();
    await bench.append(
      ...[0, 1, 2].map((minute) => linkBatch(minute, { '2/EGRESS': 100 + minute, '1/INGRESS': 200 })),
    );
    await bench.drained();
    const forecasts = await bench.forecasts();
    const version = double.manifest.version;
    expect(forecasts.map(({ id }) => id)).toEqual(
      [1, 2].flatMap((minute) =>
        ['1/INGRESS', '2/EGRESS'].map(
          (link) => `router|${link}|${MONDAY_US + minute * MINUTE_US}|60|lines@${version}`,
        ),
      ),
    );
    expect(forecasts[1]).toEqual({
      id: `router|2/EGRESS|${MONDAY_US + MINUTE_US}|60|lines@${version}`,
      exporter: 'router',
      interface: 2,
      direction: 'EGRESS',
      metric: 'throughput',
      unit: 'bit/s',
      windowStartUs: MONDAY_US + MINUTE_US,
      windowEndUs: MONDAY_US + 2 * MINUTE_US,
      observed: 101,
      horizons: [1, 2].map((steps) => ({
        steps,
        windowStartUs: MONDAY_US + (1 + steps) * MINUTE_US,
        windowEndUs: MONDAY_US + (2 + steps) * MINUTE_US,
        quantiles: [
          { level: 0.1, value: 192 },
          { level: 0.5, value: 202 },
          { level: 0.9, value: 212 },
        ],
        persistence: 101,
        seasonal: null,
      })),
      completeness: 0.5,
      model: 'lines',
      modelVersion: version,
      role: 'CHAMPION',
      featureSet: 'link',
      featureSetVersion: 1,
      emittedUs: MONDAY_US + 2 * MINUTE_US,
    });
    const [record] = await bench.records('forecasts.v1');
    expect([record?.partition, Buffer.from(record?.key ?? []).toString()]).toEqual([1, 'router|1/INGRESS']);
  });

  it('are scored when their window comes, not when it is missing', async () => {
    await bench.publish(double);
    await bench.start();
    // Minute 3 never comes: what minute 1 said of it, and minute 2, stays unscored.
    for (const [minute, value] of [
      [0, 10],
      [1, 20],
      [2, 50],
      [4, 30],
      [5, 55],
    ] as const) {
      await bench.append(linkBatch(minute, { '1/INGRESS': value }));
    }
    await bench.drained();
    const qualities = await bench.qualities();
    expect(
      qualities.map((quality) => [minuteOf(quality), quality.steps, quality.truth, quality.median]),
    ).toEqual([
      [2, 1, 50, 40],
      [4, 2, 30, 100],
      [5, 1, 55, 60],
    ]);
    // Quantiles 30, 40, 50: 0.1 * 20, 0.5 * 10, 0.9 * 0; mean 7 / 3.
    expect(qualities[0]).toMatchObject({
      absoluteError: 10,
      covered: true,
      persistenceError: 30,
      seasonalError: null,
      unit: 'bit/s',
      role: 'CHAMPION',
    });
    expect(qualities[0]!.pinball).toBeCloseTo(7 / 3, 12);
    // Minute 4 knew 5 steps back: the seasonal value was 30 - 5.
    expect(qualities[2]).toMatchObject({ absoluteError: 5, persistenceError: 25, seasonalError: 30 });
    const gauge = (name: string, steps: string) =>
      bench.metrics.value(`flowcast_infer_forecast_${name}`, { steps });
    expect(await gauge('wape_ratio', '1')).toBeCloseTo((10 + 5) / (50 + 55), 9);
    expect(await gauge('skill_persistence_ratio', '1')).toBeCloseTo(1 - 15 / 55, 9);
    expect(await gauge('skill_seasonal_ratio', '1')).toBeCloseTo(1 - 5 / 30, 9);
    expect(await gauge('coverage_ratio', '2')).toBe(0);
    expect(await bench.metrics.value('flowcast_infer_pending_forecasts_dropped_total')).toBe(1);
  });

  it('come from champion and shadow alike, each marked', async () => {
    await bench.publish(double);
    await bench.publish(triple, 'shadow');
    await bench.start();
    await bench.append(
      linkBatch(0, { '1/INGRESS': 1 }),
      linkBatch(1, { '1/INGRESS': 1 }),
      linkBatch(2, { '1/INGRESS': 1 }),
    );
    await bench.drained();
    expect(
      (await bench.forecasts()).map((forecast) => [minuteOf(forecast), forecast.role, forecast.modelVersion]),
    ).toEqual([
      [1, 'CHAMPION', double.manifest.version],
      [1, 'SHADOW', triple.manifest.version],
      [2, 'CHAMPION', double.manifest.version],
      [2, 'SHADOW', triple.manifest.version],
    ]);
    expect((await bench.qualities()).map(({ role, median }) => [role, median])).toEqual([
      ['CHAMPION', 2],
      ['SHADOW', 3],
    ]);
  });

  it('pass over what is no feature batch', async () => {
    await bench.publish(double);
    await bench.start();
    await bench.log.append([
      { topic: 't.features.link.v1', partition: 1, key: null, value: Buffer.from('?'), timestampMs: 0 },
      { topic: 't.features.link.v1', partition: 1, key: null, value: null, timestampMs: 0 },
    ]);
    await bench.append(linkBatch(0, { '1/INGRESS': 1 }), linkBatch(1, { '1/INGRESS': 1 }), {
      ...linkBatch(2, { '1/INGRESS': 1 }),
      counters: Buffer.alloc(3),
    });
    await bench.drained();
    expect((await bench.forecasts()).map(minuteOf)).toEqual([1]);
    expect(await bench.metrics.value('flowcast_infer_batches_skipped_total', { reason: 'unreadable' })).toBe(
      3,
    );
  });
});

describe('a restart', () => {
  const minutes = Array.from({ length: 40 }, (_, i) => i + (i > 20 ? 3 : 0));
  const rows = (minute: number) => ({
    ...(minute % 3 > 0 && { '1/INGRESS': 100 + minute }),
    ...(minute % 7 !== 2 && { '2/EGRESS': 10 * (minute % 5) }),
    ...(minute > 15 && { '11/INGRESS': minute }),
  });
  const batches = minutes.map((minute) => linkBatch(minute, rows(minute)));

  it('changes no record', async () => {
    const undisturbed = await Bench.open();
    for (const one of [undisturbed, bench]) {
      await one.publish(double);
      await one.publish(triple, 'shadow');
      await one.start();
    }
    await undisturbed.append(...batches);
    await undisturbed.drained();
    for (let i = 0; i < batches.length; i += 4) {
      await bench.append(...batches.slice(i, i + 4));
      if (i % 3 === 0) await bench.drained();
      await bench.stop();
      await bench.start();
    }
    await bench.drained();
    const [forecasts, qualities] = [await bench.forecasts(), await bench.qualities()];
    expect(forecasts.length).toBeGreaterThan(150);
    expect(qualities.length).toBeGreaterThan(250);
    expect(forecasts).toEqual(await undisturbed.forecasts());
    expect(qualities).toEqual(await undisturbed.qualities());
    await undisturbed.close();
  });
});

describe('models', () => {
  it('are swapped between batches, and nothing is lost or doubled', async () => {
    await bench.publish(double);
    await bench.start();
    for (let minute = 0; minute < 60; minute++) {
      await bench.append(linkBatch(minute, { '1/INGRESS': 1 }));
      if (minute === 20) await bench.publish(triple);
      if (minute === 40) await bench.served(triple);
    }
    await bench.drained();
    const forecasts = await bench.forecasts();
    expect(forecasts.map(minuteOf)).toEqual(Array.from({ length: 59 }, (_, i) => i + 1));
    const versions = forecasts.map(({ modelVersion }) => modelVersion);
    const swap = versions.indexOf(triple.manifest.version);
    expect(swap).toBeGreaterThan(15);
    expect(new Set(versions.slice(0, swap))).toEqual(new Set([double.manifest.version]));
    expect(new Set(versions.slice(swap))).toEqual(new Set([triple.manifest.version]));
    // Every horizon that could be scored was: what the former model had said as well.
    expect((await bench.qualities()).length).toBe(58 + 57);
  });

  it('can be rolled back', async () => {
    await bench.publish(double);
    await bench.publish(triple);
    await bench.start();
    await rollbackRelease(bench.log, 't.', 'lines', { clock, by: 'test', comment: '' });
    await bench.served(double);
    await bench.append(linkBatch(0, { '1/INGRESS': 1 }), linkBatch(1, { '1/INGRESS': 1 }));
    await bench.drained();
    expect((await bench.forecasts()).map(({ modelVersion }) => modelVersion)).toEqual([
      double.manifest.version,
    ]);
  });

  const bad: [string, string, ModelArtefact][] = [
    [
      'whose bytes are not those of its manifest',
      'model.checksum',
      { ...triple, onnx: new TextEncoder().encode('4') },
    ],
    [
      'made for other features',
      'model.features',
      fakeForecasterArtefact(3, {
        featureSet: {
          ...LINK_FEATURES,
          features: [{ name: 'packets', unit: 'packets', transform: 'log1p' }],
        },
      }),
    ],
    [
      'made for another version of the features',
      'model.features',
      fakeForecasterArtefact(3, { featureSet: { ...LINK_FEATURES, version: 2 } }),
    ],
    ['that does not load', 'model.unusable', fakeForecasterArtefact(Number.NaN)],
    [
      'of another unit',
      'model.manifest',
      fakeForecasterArtefact(3, { forecaster: { ...triple.manifest.forecaster!, unit: 'packets/s' } }),
    ],
  ];
  it.each(bad)(
    '%s are refused, and the one before stays, after a restart too',
    async (_, reason, artefact) => {
      await bench.publish(double);
      await bench.start();
      await bench.publish(artefact);
      await until(
        async () => (await bench.metrics.value('flowcast_infer_models_refused_total', { reason })) === 1,
      );
      expect(bench.errors).toMatchObject([{ model: 'lines', version: artefact.manifest.version }]);
      await bench.append(linkBatch(0, { '1/INGRESS': 1 }), linkBatch(1, { '1/INGRESS': 1 }));
      await bench.drained();
      await bench.stop();
      await bench.start();
      await bench.append(linkBatch(2, { '1/INGRESS': 1 }));
      await bench.drained();
      const forecasts = await bench.forecasts();
      expect(forecasts.map(({ modelVersion }) => modelVersion)).toEqual([
        double.manifest.version,
        double.manifest.version,
      ]);
    },
  );
});

describe('classifications', () => {
  const ports = fakeClassifierArtefact(100);

  it('come for every row, with their path, probabilities and label', async () => {
    await bench.publish(ports);
    await bench.start();
    const labels = ['Normal', 'scan', ''];
    await bench.append(
      hostBatch(0, { '192.0.2.1': 3, '192.0.2.2': 300, '192.0.2.3': -1 }, { labels }),
      hostBatch(1, { '192.0.2.1': 200 }),
    );
    await bench.drained();
    const classifications = await bench.classifications();
    expect(
      classifications.map((row) => [minuteOf(row), row.entity, row.class, row.benign, row.path, row.label]),
    ).toEqual([
      [0, '192.0.2.1', 'benign', true, 'ports <= 100', 'Normal'],
      [0, '192.0.2.2', 'scan', false, 'ports > 100', 'scan'],
      [0, '192.0.2.3', 'unknown', false, 'ports <= 100', null],
      [1, '192.0.2.1', 'scan', false, 'ports > 100', null],
    ]);
    const { version } = ports.manifest;
    expect(classifications[1]).toEqual({
      id: `router|192.0.2.2|${MONDAY_US}|60|ports@${version}`,
      exporter: 'router',
      entityKind: 'HOST',
      entity: '192.0.2.2',
      windowStartUs: MONDAY_US,
      windowEndUs: MONDAY_US + MINUTE_US,
      class: 'scan',
      benign: false,
      probability: 0.75,
      probabilities: { benign: 0.25, scan: 0.75 },
      path: 'ports > 100',
      threshold: 0.7,
      model: 'ports',
      modelVersion: version,
      role: 'CHAMPION',
      featureSet: 'host',
      featureSetVersion: 1,
      emittedUs: MONDAY_US + MINUTE_US,
      label: 'scan',
    });
    const [record] = await bench.records('classifications.v1');
    expect([record?.partition, Buffer.from(record?.key ?? []).toString()]).toEqual([1, 'router|192.0.2.1']);
    const labelled = (truth: string, right: string) =>
      bench.metrics.value('flowcast_infer_labelled_rows_total', { truth, right });
    expect(
      await Promise.all([
        labelled('benign', 'true'),
        labelled('attack', 'true'),
        labelled('attack', 'false'),
      ]),
    ).toEqual([1, 1, 0]);
  });

  it('can be those that are not benign only', async () => {
    await bench.publish(ports);
    await bench.start({ emit: 'nonBenign' });
    await bench.append(hostBatch(0, { '192.0.2.1': 3, '192.0.2.2': 300, '192.0.2.3': -1 }));
    await bench.drained();
    expect((await bench.classifications()).map((row) => row.class)).toEqual(['scan', 'unknown']);
  });

  it('come in the order of the rows whatever the runs', async () => {
    await bench.publish(ports);
    await bench.publish(fakeClassifierArtefact(5), 'shadow');
    const hosts = (minute: number) => Object.fromEntries([0, 1, 2].map((i) => [`192.0.2.${minute}${i}`, i]));
    await bench.append(...Array.from({ length: 20 }, (_, minute) => hostBatch(minute, hosts(minute))));
    await bench.start();
    await bench.drained();
    const rows = (await bench.classifications()).map((row) => `${minuteOf(row)} ${row.role} ${row.entity}`);
    expect(rows).toEqual(
      Array.from({ length: 20 }, (_, minute) =>
        ['CHAMPION', 'SHADOW'].flatMap((role) =>
          Object.keys(hosts(minute)).map((host) => `${minute} ${role} ${host}`),
        ),
      ).flat(),
    );
  });

  it('say so when no model serves a batch', async () => {
    await bench.start();
    await bench.append(hostBatch(0, { '192.0.2.1': 3 }));
    await bench.drained();
    expect(await bench.classifications()).toEqual([]);
    expect(await bench.metrics.value('flowcast_infer_batches_skipped_total', { reason: 'no_model' })).toBe(1);
  });

  it('of flows are of their own kind and have no window length', async () => {
    await bench.publish(fakeClassifierArtefact(100, { name: 'flow-ports', windowSeconds: [] }));
    await bench.start();
    const entity = '192.0.2.1:40000>192.0.2.2:80/6@1699833600000000';
    const flow = hostBatch(0, { [entity]: 300 }, { windowSeconds: 0 });
    await bench.log.append([featureRecord('t.features.flow.v1', 0, flow)]);
    await bench.drained();
    expect(await bench.classifications()).toMatchObject([{ entityKind: 'FLOW', entity, class: 'scan' }]);
  });
});
