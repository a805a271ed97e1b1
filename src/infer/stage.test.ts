import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Bench, clock, double, minuteOf, triple, until } from '../../test/support/infer-bench.ts';
import {
  fakeForecasterArtefact,
  LINK_FEATURES,
  linkBatch,
  MINUTE_US,
  MONDAY_US,
} from '../../test/support/infer-fixtures.ts';
import type { ModelArtefact } from '../model/manifest.ts';
import { rollbackRelease } from '../release/release.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await Bench.open();
});
afterEach(() => bench.close());

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
