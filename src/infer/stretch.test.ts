import { describe, expect, it } from 'vitest';
import { fakeForecasterArtefact, MINUTE_US } from '../../test/support/infer-fixtures.ts';
import { Random } from '../kernel/random.ts';
import { sealManifest } from '../model/artefact.ts';
import { createForecaster, encodingOf, type ForecastValues } from '../model/forecast/forecaster.ts';
import { initialWeights } from '../model/lstm/network.ts';
import { networksToOnnx } from '../model/lstm/to-onnx.ts';
import type { ModelArtefact } from '../model/manifest.ts';
import { ExporterLinks } from './exporter-links.ts';
import type { ClosedWindow } from './link-store.ts';
import type { LinkForecaster } from './served-models.ts';
import { forecastStretch, stretchesOf } from './stretch.ts';
import { BLOCK_WINDOWS, ThroughputHistory } from './throughput-history.ts';

/** A network of ours with random weights: what it says is nonsense, how it says it is not. */
function randomForecaster(): ModelArtefact {
  const { manifest } = fakeForecasterArtefact(1);
  const parameters = { encoding: 'recent', dailySteps: 1440, weeklySteps: 10_080 };
  const draft = { ...manifest, training: { ...manifest.training, parameters } };
  const { encoding } = encodingOf(draft);
  const shape = {
    steps: encoding.steps,
    channels: encoding.channels.length,
    hidden: 32,
    layers: 1 as const,
    contextSize: encoding.contextSize,
    horizons: 2,
    levels: [0.1, 0.5, 0.9],
  };
  const random = new Random(5);
  const values = initialWeights(shape, 1).values.map(() => (random.uniform() - 0.5) / 4);
  const plain = (size: number) => ({
    mean: new Float32Array(size),
    inverseSpread: new Float32Array(size).fill(1),
  });
  const onnx = networksToOnnx([{ shape, values }], plain(shape.channels), plain(shape.contextSize));
  return { manifest: sealManifest(draft, onnx), onnx };
}

/** Minutes of one link with a daily cycle, noise and gaps, each with all that was known when it closed. */
function windowsOf(minutes: number, windowsMax: number): ClosedWindow[] {
  const exporter = new ExporterLinks('router', 60, { historyWindowsMax: windowsMax, linksPerExporterMax: 1 });
  const link = exporter.restoreLink('1/INGRESS')!;
  const history = new ThroughputHistory(windowsMax);
  const random = new Random(3);
  const windows: ClosedWindow[] = [];
  for (let windowIndex = 100; windowIndex < 100 + minutes; windowIndex++) {
    if (random.uniform() < 0.02) continue;
    const daily = 1.5 + Math.sin((windowIndex / 1440) * 2 * Math.PI);
    history.push(windowIndex, 1e6 * daily * random.exponential(1));
    const { firstIndex, observed } = history;
    windows.push({
      exporter,
      windowIndex,
      windowStartUs: windowIndex * MINUTE_US,
      windowEndUs: (windowIndex + 1) * MINUTE_US,
      featureSet: 'link',
      featureSetVersion: 1,
      links: [{ link, values: history.values(), firstIndex, observed }],
    });
  }
  return windows;
}

async function forecastsOf(
  model: LinkForecaster,
  batches: readonly ClosedWindow[][],
): Promise<ForecastValues[]> {
  const forecasts: ForecastValues[] = [];
  for (const batch of batches) {
    for (const stretch of stretchesOf(batch, 10)) forecasts.push(...(await forecastStretch(model, stretch)));
  }
  return forecasts;
}

describe('stretches', () => {
  it('end with their block, and stand alone before a link has one behind it', () => {
    const windows = windowsOf(3 * BLOCK_WINDOWS, 10_000);
    const stretches = stretchesOf(windows, 10);
    const first = stretches.filter(({ settled }) => settled === 0);
    expect(first.every(({ links }) => links.length === 1)).toBe(true);
    expect(stretches.length - first.length).toBe(3);
    expect(stretches.reduce((sum, { links }) => sum + links.length, 0)).toBe(windows.length - 9);
  });

  it('change no bit of a forecast, however the windows are cut into batches', async () => {
    const model = await createForecaster(randomForecaster());
    const windows = windowsOf(1000, 400);
    const together = await forecastsOf(model, [windows]);
    const alone = await forecastsOf(
      model,
      windows.map((window) => [window]),
    );
    const cut = 431;
    const twice = await forecastsOf(model, [windows.slice(0, cut), windows.slice(cut)]);
    expect(together.length).toBe(windows.length - 9);
    expect(alone).toEqual(together);
    expect(twice).toEqual(together);
    expect(new Set(together.map(({ quantiles }) => quantiles[1])).size).toBeGreaterThan(900);
    await model.close();
  });
});
