import type { FeatureSpec } from '../../model/manifest.ts';

export type FeatureSetName = 'link' | 'host' | 'flow';

/** A named, versioned list of features. The order is that of the columns; a changed meaning or order is a new version. */
export interface FeatureSet {
  readonly name: FeatureSetName;
  readonly version: number;
  readonly features: readonly FeatureSpec[];
}

/** A feature of a windowed set: its declaration, and how it is computed from the row's columns before the transform. */
export interface WindowFeature extends FeatureSpec {
  /** `statistics[at + COLUMN]` are the row's sums, `seconds` is the window's length. Finite, never negative. */
  readonly of: (statistics: Float64Array, at: number, seconds: number) => number;
}

/** A feature set whose rows are entities of one window. */
export interface WindowFeatureSet extends FeatureSet {
  readonly features: readonly WindowFeature[];
}

/** Writes the features of one row to `into` from `into[to]` on. */
export function writeWindowFeatures(
  set: WindowFeatureSet,
  statistics: Float64Array,
  at: number,
  seconds: number,
  into: Float32Array,
  to: number,
): void {
  for (const feature of set.features) {
    const value = feature.of(statistics, at, seconds);
    into[to++] = feature.transform === 'log1p' ? Math.log1p(value) : value;
  }
}

/** a / b, or 0 where there is nothing to divide by. */
export function ratio(a: number, b: number): number {
  return b === 0 ? 0 : a / b;
}

/** The declaration alone, without the code: what a manifest carries. */
export function specOf({ name, unit, transform }: FeatureSpec): FeatureSpec {
  return { name, unit, transform };
}
