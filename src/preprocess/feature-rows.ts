import { COUNTER_COLUMNS, type FeatureBatch } from '../codec/records.ts';
import type { FeatureSet } from './feature-sets/feature-set.ts';

/** Rows of one feature set, ready to be written out. */
export interface FeatureRows {
  readonly set: FeatureSet;
  readonly rows: number;
  /** Canonical text of the row's entity. */
  entity(row: number): string;
  /** Class of the row, '' = none. */
  label(row: number): string;
  readonly isLabelled: boolean;
  /** Writes the row's features from `into[at]` on. */
  writeValues(row: number, into: Float32Array, at: number): void;
  /** Writes the row's COUNTER_COLUMNS from `into[at]` on. */
  writeCounters(row: number, into: Float64Array, at: number): void;
}

/** Where and when the rows are from. `windowSeconds` 0 = not windowed. */
export interface RowsOrigin {
  readonly exporter: string;
  readonly windowStartUs: number;
  readonly windowEndUs: number;
  readonly windowSeconds: number;
}

/** Avro's overhead of a record and the length of each string, rounded up. */
const BATCH_OVERHEAD_BYTES = 256;
const STRING_OVERHEAD_BYTES = 4;

/**
 * Cuts rows into batches of at most `chunkBytesMax` encoded bytes each (a single larger row stands alone); none where
 * there are no rows. Row order is kept. Numbers are little-endian, as every platform Node runs on for us is.
 */
export function featureBatches(rows: FeatureRows, origin: RowsOrigin, chunkBytesMax: number): FeatureBatch[] {
  const features = rows.set.features.length;
  const entities = Array.from({ length: rows.rows }, (_, row) => rows.entity(row));
  const labels = rows.isLabelled ? entities.map((_, row) => rows.label(row)) : [];
  const starts = chunkStarts(entities, labels, features, chunkBytesMax);
  return starts.map((start, chunk) => {
    const end = starts[chunk + 1] ?? rows.rows;
    const values = new Float32Array((end - start) * features);
    const counters = new Float64Array((end - start) * COUNTER_COLUMNS.length);
    for (let row = start; row < end; row++) {
      rows.writeValues(row, values, (row - start) * features);
      rows.writeCounters(row, counters, (row - start) * COUNTER_COLUMNS.length);
    }
    return {
      featureSet: rows.set.name,
      version: rows.set.version,
      ...origin,
      chunk,
      chunks: starts.length,
      entities: entities.slice(start, end),
      values: Buffer.from(values.buffer),
      counters: Buffer.from(counters.buffer),
      labels: labels.slice(start, end),
    };
  });
}

/** First row of each chunk. */
function chunkStarts(
  entities: readonly string[],
  labels: readonly string[],
  features: number,
  chunkBytesMax: number,
): number[] {
  const fixedBytes =
    features * Float32Array.BYTES_PER_ELEMENT + COUNTER_COLUMNS.length * Float64Array.BYTES_PER_ELEMENT;
  const starts: number[] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const [row, entity] of entities.entries()) {
    const label = labels[row];
    const rowBytes =
      fixedBytes +
      entity.length +
      STRING_OVERHEAD_BYTES +
      (label === undefined ? 0 : Buffer.byteLength(label) + STRING_OVERHEAD_BYTES);
    if (bytes + rowBytes > chunkBytesMax) {
      starts.push(row);
      bytes = BATCH_OVERHEAD_BYTES;
    }
    bytes += rowBytes;
  }
  return starts;
}
