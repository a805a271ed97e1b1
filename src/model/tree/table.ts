import { createHash } from 'node:crypto';
import { usageError } from '../../kernel/errors.ts';
import type { FeatureSpec } from '../manifest.ts';
import type { TrainingRows } from './trainer.ts';

/** Labelled rows of one feature set, in order of event time. */
export interface LabelledTable {
  readonly featureSet: {
    readonly name: string;
    readonly version: number;
    readonly features: readonly FeatureSpec[];
  };
  /** Window lengths the rows came from; empty = not windowed. */
  readonly windowSeconds: readonly number[];
  readonly classes: readonly string[];
  /** rows x features, row-major, finite. */
  readonly values: Float32Array;
  /** Index into `classes`. */
  readonly labels: Int32Array;
  /** Event time of each row, ascending; all equal where the table has none. */
  readonly timesUs: Float64Array;
}

/** Collects rows in any order; `build` sorts them by time (rows of equal time keep their order) and refuses values that are not finite. */
export class TableBuilder {
  readonly #featureSet: LabelledTable['featureSet'];
  readonly #windowSeconds: readonly number[];
  readonly #classOf = new Map<string, number>();
  readonly #classes: string[] = [];
  readonly #labels: number[] = [];
  readonly #timesUs: number[] = [];
  #values: Float32Array;

  constructor(featureSet: LabelledTable['featureSet'], windowSeconds: readonly number[]) {
    this.#featureSet = featureSet;
    this.#windowSeconds = windowSeconds;
    this.#values = new Float32Array(featureSet.features.length * 1024);
  }

  get rows(): number {
    return this.#labels.length;
  }

  /** Makes room for one row: write its features at `offset` of `values`, which holds until the next call. Labels differing in case only are one class. */
  add(label: string, timeUs: number): { values: Float32Array; offset: number } {
    const offset = this.#labels.length * this.#featureSet.features.length;
    if (offset + this.#featureSet.features.length > this.#values.length) {
      const grown = new Float32Array(this.#values.length * 2);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#labels.push(this.#classIndex(label));
    this.#timesUs.push(timeUs);
    return { values: this.#values, offset };
  }

  #classIndex(label: string): number {
    const key = label.toLowerCase();
    let index = this.#classOf.get(key);
    if (index === undefined) {
      index = this.#classes.length;
      this.#classOf.set(key, index);
      this.#classes.push(label);
    }
    return index;
  }

  /** Usage error `train.values` for a value that is no finite number. Classes come out in alphabetical order. */
  build(): LabelledTable {
    const width = this.#featureSet.features.length;
    const order = Array.from(this.#labels, (_, row) => row);
    order.sort((a, b) => this.#timesUs[a]! - this.#timesUs[b]! || a - b);
    const classes = [...this.#classes].sort();
    const renumbered = this.#classes.map((name) => classes.indexOf(name));
    const values = new Float32Array(order.length * width);
    for (let to = 0; to < order.length; to++) {
      const from = order[to]! * width;
      for (let f = 0; f < width; f++) {
        const value = this.#values[from + f]!;
        if (!Number.isFinite(value)) {
          const { name } = this.#featureSet.features[f]!;
          throw usageError('train.values', `row ${order[to]! + 1}: ${name} is ${value}, not a finite number`);
        }
        values[to * width + f] = value;
      }
    }
    return {
      featureSet: this.#featureSet,
      windowSeconds: this.#windowSeconds,
      classes,
      values,
      labels: Int32Array.from(order, (row) => renumbered[this.#labels[row]!]!),
      timesUs: Float64Array.from(order, (row) => this.#timesUs[row]!),
    };
  }
}

/** SHA-256 over all that a trainer learns from. */
export function tableFingerprint(table: LabelledTable): string {
  const hash = createHash('sha256').update(JSON.stringify([table.featureSet, table.classes]));
  for (const array of [table.values, table.labels, table.timesUs]) {
    hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  }
  return hash.digest('hex');
}

export interface TimeSplit {
  readonly training: TrainingRows;
  readonly trainRangeUs: [number, number];
  readonly validation: TrainingRows;
  readonly validationRangeUs: [number, number];
}

/**
 * Sets the latest `share` of each class's rows aside for validation. Each class has its own cut, because a capture's attacks often
 * stop before its end, and a validation part without attacks could choose nothing.
 */
export function splitByTime(table: LabelledTable, share: number): TimeSplit {
  const perClass: number[][] = table.classes.map(() => []);
  table.labels.forEach((label, row) => {
    perClass[label]!.push(row);
  });
  const isLate = new Uint8Array(table.labels.length);
  for (const rows of perClass) {
    for (const row of rows.slice(rows.length - Math.floor(rows.length * share))) isLate[row] = 1;
  }
  const early = part(table, isLate, 0);
  const late = part(table, isLate, 1);
  return {
    training: early.rows,
    trainRangeUs: early.rangeUs,
    validation: late.rows,
    validationRangeUs: late.rangeUs,
  };
}

function part(table: LabelledTable, isLate: Uint8Array, which: 0 | 1) {
  const width = table.featureSet.features.length;
  const chosen = Array.from(isLate.keys()).filter((row) => isLate[row] === which);
  const values = new Float32Array(chosen.length * width);
  chosen.forEach((row, to) => {
    values.set(table.values.subarray(row * width, (row + 1) * width), to * width);
  });
  const labels = Int32Array.from(chosen, (row) => table.labels[row]!);
  const first = table.timesUs[chosen[0] ?? 0] ?? 0;
  const last = table.timesUs[chosen.at(-1) ?? 0] ?? 0;
  const rangeUs: [number, number] = [first, last + 1];
  return { rows: { values, width, labels, classes: table.classes.length } satisfies TrainingRows, rangeUs };
}
