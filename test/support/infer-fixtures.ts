import { createHash } from 'node:crypto';
import { createCodec } from '../../src/codec/avro.ts';
import { COUNTER_COLUMNS, type FeatureBatch } from '../../src/codec/records.ts';
import type { OutputRecord } from '../../src/commit-log/port.ts';
import type { LinkForecaster } from '../../src/infer/served-models.ts';
import { versionOf } from '../../src/model/artefact.ts';
import type { ForecastValues } from '../../src/model/forecast/forecaster.ts';
import type { PreparedHistory } from '../../src/model/forecast/history.ts';
import type { Manifest, ModelArtefact } from '../../src/model/manifest.ts';
import type { Classifier } from '../../src/model/tree/classifier.ts';

/** Monday 2023-11-13 00:00 UTC. */
export const MONDAY_US = 1_699_833_600_000_000;
export const MINUTE_US = 60_000_000;

const featureCodec = createCodec('feature-batch.v1');

/** The link features of one minute: throughput in bit/s for each link. */
export function linkBatch(
  minute: number,
  links: Readonly<Record<string, number>>,
  overrides: Partial<FeatureBatch> = {},
): FeatureBatch {
  const entities = Object.keys(links);
  const counters = new Float64Array(entities.length * COUNTER_COLUMNS.length);
  entities.forEach((entity, row) => {
    counters[row * COUNTER_COLUMNS.length] = 1;
    counters[row * COUNTER_COLUMNS.length + 1] = (links[entity]! * 60) / 8;
  });
  return {
    featureSet: 'link',
    version: 1,
    exporter: 'router',
    windowStartUs: MONDAY_US + minute * MINUTE_US,
    windowEndUs: MONDAY_US + (minute + 1) * MINUTE_US,
    windowSeconds: 60,
    chunk: 0,
    chunks: 1,
    entities,
    values: Buffer.alloc(entities.length * 4),
    counters: Buffer.from(counters.buffer),
    labels: [],
    ...overrides,
  };
}

/** The features of hosts in one minute: one feature a row. */
export function hostBatch(
  minute: number,
  hosts: Readonly<Record<string, number>>,
  overrides: Partial<FeatureBatch> = {},
): FeatureBatch {
  const entities = Object.keys(hosts);
  return {
    ...linkBatch(minute, {}),
    featureSet: 'host',
    entities,
    values: Buffer.from(Float32Array.from(Object.values(hosts)).buffer),
    counters: Buffer.alloc(entities.length * COUNTER_COLUMNS.length * 8),
    ...overrides,
  };
}

export function featureRecord(topic: string, partition: number, batch: FeatureBatch): OutputRecord {
  return {
    topic,
    partition,
    key: Buffer.from(batch.exporter),
    value: featureCodec.encode(batch),
    timestampMs: batch.windowEndUs / 1000,
  };
}

export const LINK_FEATURES: Manifest['featureSet'] = {
  name: 'link',
  version: 1,
  features: [{ name: 'bytes', unit: 'bytes', transform: 'log1p' }],
};
export const HOST_FEATURES: Manifest['featureSet'] = {
  name: 'host',
  version: 1,
  features: [{ name: 'ports', unit: 'ports', transform: 'none' }],
};

/** An artefact that passes every check but that of ONNX Runtime; its "weights" are `weights`. */
export function fakeArtefact(
  name: string,
  weights: string,
  parts: Pick<Manifest, 'kind' | 'featureSet'> & Partial<Manifest>,
): ModelArtefact {
  const onnx = new TextEncoder().encode(weights);
  const unversioned: Omit<Manifest, 'version'> = {
    manifestVersion: 1,
    name,
    windowSeconds: [60],
    training: {
      trainer: 'by hand',
      seed: 1,
      codeVersion: '0',
      data: [],
      dataFingerprint: '',
      rows: 0,
      trainRangeUs: [0, 0],
      validationRangeUs: [0, 0],
      parameters: {},
    },
    metrics: {},
    onnx: {
      sha256: createHash('sha256').update(onnx).digest('hex'),
      bytes: onnx.length,
      opset: 17,
      inputs: [],
      outputs: [],
    },
    ...parts,
  };
  return { manifest: { ...unversioned, version: versionOf(unversioned, onnx) }, onnx };
}

/** Forecasts `factor` times the last value, 80 % interval of ±10 bit/s, 1 and 2 minutes ahead; seasonal 5 less than the last value once 4 are known. */
export function fakeForecasterArtefact(factor: number, overrides: Partial<Manifest> = {}): ModelArtefact {
  return fakeArtefact('lines', String(factor), {
    kind: 'forecaster',
    featureSet: LINK_FEATURES,
    forecaster: {
      horizons: [1, 2],
      quantiles: [0.1, 0.5, 0.9],
      inputSteps: 4,
      channels: ['throughput'],
      metric: 'throughput',
      unit: 'bit/s',
    },
    ...overrides,
  });
}

export async function createFakeForecaster({ manifest, onnx }: ModelArtefact): Promise<LinkForecaster> {
  const factor = Number(new TextDecoder().decode(onnx));
  if (Number.isNaN(factor)) throw new Error('these weights are no number');
  return {
    manifest,
    historySteps: 1000,
    // All that the fake looks at of a prepared history is `latest`.
    prepare: ({ values }) => ({ latest: values }) as unknown as PreparedHistory,
    forecastFrom: async ({ latest }, origins) =>
      origins.map((origin) => fakeForecast(factor, latest, origin)),
    close: async () => {},
  };
}

function fakeForecast(factor: number, values: Float64Array, origin: number): ForecastValues {
  const last = values[origin]!;
  const median = factor * last;
  const seasonal = origin >= 3 ? last - 5 : Number.NaN;
  return {
    quantiles: Float64Array.of(median - 10, median, median + 10, median - 10, median, median + 10),
    persistence: Float64Array.of(last, last),
    seasonal: Float64Array.of(seasonal, seasonal),
    completeness:
      values.slice(Math.max(0, origin - 3), origin + 1).filter((value) => !Number.isNaN(value)).length / 4,
  };
}

/** Calls a row an attack ("scan") when its one feature is above the bound, unknown when it is negative. */
export function fakeClassifierArtefact(bound: number, overrides: Partial<Manifest> = {}): ModelArtefact {
  return fakeArtefact('ports', String(bound), {
    kind: 'classifier',
    featureSet: HOST_FEATURES,
    classifier: {
      classes: ['benign', 'scan'],
      benign: ['benign'],
      thresholds: [0.5, 0.7],
      unknownBelow: 0.4,
    },
    ...overrides,
  });
}

export async function createFakeClassifier({ manifest, onnx }: ModelArtefact): Promise<Classifier> {
  const bound = Number(new TextDecoder().decode(onnx));
  return {
    manifest,
    classify: async (values, rows) => {
      const classIndex = Int32Array.from({ length: rows }, (_, i) => {
        if (values[i]! < 0) return -1;
        return values[i]! > bound ? 1 : 0;
      });
      const probabilities = Float32Array.from({ length: 2 * rows }, (_, i) =>
        (i & 1) === Math.max(0, classIndex[i >> 1]!) ? 0.75 : 0.25,
      );
      const pathOf = (row: number) => (values[row]! > bound ? `ports > ${bound}` : `ports <= ${bound}`);
      return { rows, classIndex, probabilities, pathOf };
    },
    close: async () => {},
  };
}
