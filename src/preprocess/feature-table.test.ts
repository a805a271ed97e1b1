import { describe, expect, it } from 'vitest';
import { addressOf, MINUTE_US, T0_US, testConfig, testFlow } from '../../test/support/preprocess-fixtures.ts';
import type { FeatureBatch } from '../codec/records.ts';
import { FLOW_FEATURES } from './feature-sets/flow.ts';
import { featureTableOf } from './feature-table.ts';
import { type FeatureOutput, featuresOf } from './offline.ts';

const flows = Array.from({ length: 3000 }, (_, i) => ({
  exporter: i % 3 === 0 ? 'a' : 'b',
  flow: testFlow({
    startUs: T0_US + i * 100_000,
    sourceAddress: addressOf(i % 50),
    bytes: i,
    label: i % 50 === 7 ? 'scan' : 'benign',
  }),
}));

async function outputsOf(
  config = testConfig({ featureSets: ['link', 'host', 'flow'] }),
): Promise<FeatureOutput[]> {
  return Array.fromAsync(featuresOf(flows, config));
}

async function batchesOf(): Promise<FeatureBatch[]> {
  return (await outputsOf()).flatMap((output) => (output.kind === 'features' ? [output.batch] : []));
}

describe('featuresOf and featureTableOf', () => {
  it('give every row of a set with its window, counters and class', async () => {
    const table = await featureTableOf('host', await batchesOf());
    expect(table.rows).toBe(table.entities.length);
    expect(table.values.length).toBe(table.rows * table.featureSet.features.length);
    expect(Object.keys(table.featureSet.features[0]!)).toEqual(['name', 'unit', 'transform']);
    const bytes = table.counters.filter((_, i) => i % 5 === 1).reduce((sum, n) => sum + n, 0);
    expect(bytes).toBe((2999 * 3000) / 2);
    for (let row = 0; row < table.rows; row++) {
      expect(table.windowEndUs[row]! - table.windowStartUs[row]!).toBe(MINUTE_US);
      expect(table.labels![row]).toBe(table.entities[row] === '10.0.0.7' ? 'scan' : 'benign');
    }
    expect(new Set(table.exporters)).toEqual(new Set(['a', 'b']));
  });

  it('give one row a flow for the flow set, whatever runs it came in', async () => {
    const table = await featureTableOf('flow', await batchesOf());
    expect(table.rows).toBe(flows.length);
    expect(table.featureSet.features).toEqual(FLOW_FEATURES.features);
    expect(table.counters.filter((_, i) => i % 5 === 0).every((count) => count === 1)).toBe(true);
    expect(table.entities[1]).toBe(`10.0.0.1:40000>192.0.2.1:443/6@${T0_US + 100_000}`);
  });

  it('report late flows', async () => {
    const outputs = await Array.fromAsync(
      featuresOf(
        [testFlow({ startUs: T0_US + 10 * MINUTE_US }), testFlow()].map((flow) => ({ exporter: 'a', flow })),
        testConfig({ featureSets: ['host'] }),
      ),
    );
    expect(outputs.map((output) => output.kind)).toEqual(['late', 'features']);
  });

  it('refuse batches of another version', async () => {
    const [batch] = await batchesOf();
    await expect(featureTableOf('flow', [{ ...batch!, version: 99 }])).rejects.toThrow(
      /features flow v99 cannot be read/,
    );
  });
});
