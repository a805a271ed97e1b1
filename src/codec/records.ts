import type { Direction, FlowRecord } from '../flow/flow-record.ts';

// The TypeScript view of `schemas/*.avsc`: one interface a record, same names, same order. Times are microseconds since the epoch.

export interface LateFlow {
  id: string;
  exporter: string;
  feed: string;
  watermarkUs: number;
  windowSeconds: number;
  whole: boolean;
  bytes: number;
  packets: number;
  reverseBytes: number;
  reversePackets: number;
  flow: FlowRecord;
}

export interface FeatureBatch {
  featureSet: string;
  version: number;
  exporter: string;
  windowStartUs: number;
  windowEndUs: number;
  windowSeconds: number;
  chunk: number;
  chunks: number;
  entities: string[];
  /** rows x features, float32 little-endian, row-major. */
  values: Buffer;
  /** rows x COUNTER_COLUMNS, float64 little-endian, row-major. */
  counters: Buffer;
  labels: string[];
}

/** Columns of `FeatureBatch.counters`. */
export const COUNTER_COLUMNS = ['flows', 'bytes', 'packets', 'reverseBytes', 'reversePackets'] as const;

export type Role = 'CHAMPION' | 'SHADOW';

export interface Quantile {
  level: number;
  value: number;
}

export interface Horizon {
  steps: number;
  windowStartUs: number;
  windowEndUs: number;
  quantiles: Quantile[];
  persistence: number;
  seasonal: number | null;
}

export interface Forecast {
  id: string;
  exporter: string;
  interface: number;
  direction: Direction;
  metric: string;
  unit: string;
  windowStartUs: number;
  windowEndUs: number;
  observed: number;
  horizons: Horizon[];
  completeness: number;
  model: string;
  modelVersion: string;
  role: Role;
  featureSet: string;
  featureSetVersion: number;
  emittedUs: number;
}

export type EntityKind = 'HOST' | 'FLOW';

export interface Classification {
  id: string;
  exporter: string;
  entityKind: EntityKind;
  entity: string;
  windowStartUs: number;
  windowEndUs: number;
  class: string;
  benign: boolean;
  probability: number;
  probabilities: Record<string, number>;
  path: string;
  threshold: number;
  model: string;
  modelVersion: string;
  role: Role;
  featureSet: string;
  featureSetVersion: number;
  emittedUs: number;
  label: string | null;
}

export interface Quality {
  id: string;
  exporter: string;
  entity: string;
  model: string;
  modelVersion: string;
  role: Role;
  steps: number;
  windowStartUs: number;
  windowEndUs: number;
  truth: number;
  median: number;
  absoluteError: number;
  pinball: number;
  covered: boolean | null;
  persistenceError: number;
  seasonalError: number | null;
  unit: string;
}

export interface Label {
  id: string;
  exporter: string;
  entityKind: EntityKind;
  entity: string;
  fromUs: number;
  toUs: number;
  class: string;
  author: string;
  createdUs: number;
  comment: string;
}

export interface ModelRelease {
  name: string;
  version: string;
  alias: string | null;
  manifest: string;
  onnx: Buffer;
  publishedUs: number;
  publishedBy: string;
  comment: string;
  formerVersions: string[];
}
