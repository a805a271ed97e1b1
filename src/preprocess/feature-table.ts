import { COUNTER_COLUMNS, type FeatureBatch } from '../codec/records.ts';
import { usageError } from '../kernel/errors.ts';
import type { FeatureSpec } from '../model/manifest.ts';
import { type FeatureSetName, specOf } from './feature-sets/feature-set.ts';
import { FEATURE_SETS } from './feature-sets/registry.ts';

/** Feature rows side by side, for training: column k of row i is `values[i * features + k]`. */
export interface FeatureTable {
  readonly featureSet: { readonly name: string; readonly version: number; readonly features: FeatureSpec[] };
  readonly rows: number;
  /** rows x features. */
  readonly values: Float32Array;
  /** rows x COUNTER_COLUMNS, exact. */
  readonly counters: Float64Array;
  readonly entities: readonly string[];
  readonly exporters: readonly string[];
  readonly windowStartUs: Float64Array;
  readonly windowEndUs: Float64Array;
  /** Class of each row, '' = none; null where no row has one. */
  readonly labels: readonly string[] | null;
}

/**
 * The rows of one feature set out of a stream of batches, in their order; batches of other sets are passed over. Throws
 * a usageError when batches are of another version than this program's.
 */
export async function featureTableOf(
  name: FeatureSetName,
  batches: Iterable<FeatureBatch> | AsyncIterable<FeatureBatch>,
): Promise<FeatureTable> {
  const { version, features } = FEATURE_SETS[name];
  const values = new Rows(Float32Array, features.length);
  const counters = new Rows(Float64Array, COUNTER_COLUMNS.length);
  const times = new Rows(Float64Array, 2);
  const entities: string[] = [];
  const exporters: string[] = [];
  const labels: string[] = [];
  let isLabelled = false;
  for await (const batch of batches) {
    if (batch.featureSet !== name) continue;
    if (batch.version !== version) {
      throw usageError(
        'feature_version',
        `features ${name} v${batch.version} cannot be read, this program computes v${version}: preprocess the flows again`,
      );
    }
    values.append(floats(Float32Array, batch.values));
    counters.append(floats(Float64Array, batch.counters));
    isLabelled ||= batch.labels.length > 0;
    for (const [row, entity] of batch.entities.entries()) {
      entities.push(entity);
      exporters.push(batch.exporter);
      labels.push(batch.labels[row] ?? '');
      times.append([batch.windowStartUs, batch.windowEndUs]);
    }
  }
  const range = times.whole();
  return {
    featureSet: { name, version, features: features.map(specOf) },
    rows: entities.length,
    values: values.whole(),
    counters: counters.whole(),
    entities,
    exporters,
    windowStartUs: range.filter((_, i) => i % 2 === 0),
    windowEndUs: range.filter((_, i) => i % 2 === 1),
    labels: isLabelled ? labels : null,
  };
}

type Floats = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;
type FloatsConstructor<T extends Floats> = {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): T;
  new (buffer: ArrayBuffer): T;
};

/** Numbers of rows as they come, doubling when full. */
class Rows<T extends Floats> {
  readonly #make: FloatsConstructor<T>;
  #numbers: T;
  #length = 0;

  constructor(make: FloatsConstructor<T>, columns: number) {
    this.#make = make;
    this.#numbers = new make(columns * 1024);
  }

  append(numbers: ArrayLike<number>): void {
    while (this.#length + numbers.length > this.#numbers.length) {
      const grown = new this.#make(this.#numbers.length * 2);
      grown.set(this.#numbers);
      this.#numbers = grown;
    }
    this.#numbers.set(numbers, this.#length);
    this.#length += numbers.length;
  }

  whole(): T {
    return this.#numbers.slice(0, this.#length) as T;
  }
}

/** A little-endian block of a batch as numbers; copied, as its bytes need not be aligned. */
function floats<T extends Floats>(make: FloatsConstructor<T>, block: Uint8Array): T {
  return new make(Uint8Array.from(block).buffer);
}
