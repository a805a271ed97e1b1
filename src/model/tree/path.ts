import type { FeatureSpec } from '../manifest.ts';
import type { TreeNodes } from './tree.ts';

interface Range {
  above: number;
  upTo: number;
}

/** The tests on the way to the leaf of the row at `offset`, in words: `distinct_dst_ports > 118 and syn_share > 0.92`; '' for a tree of one leaf. */
export function pathInWords(
  tree: TreeNodes,
  features: readonly FeatureSpec[],
  values: Float32Array,
  offset: number,
): string {
  const ranges = new Map<number, Range>();
  let node = 0;
  for (let feature = tree.feature[0]!; feature >= 0; feature = tree.feature[node]!) {
    const threshold = tree.threshold[node]!;
    const range = ranges.get(feature) ?? { above: -Infinity, upTo: Infinity };
    ranges.set(feature, range);
    if (values[offset + feature]! <= threshold) {
      range.upTo = Math.min(range.upTo, threshold);
      node = tree.left[node]!;
    } else {
      range.above = Math.max(range.above, threshold);
      node = tree.right[node]!;
    }
  }
  return Array.from(ranges, ([feature, range]) => rangeInWords(features[feature]!, range)).join(' and ');
}

function rangeInWords(feature: FeatureSpec, { above, upTo }: Range): string {
  const { name } = feature;
  const category = name.indexOf('=');
  if (category > 0) {
    // A column that is 1 for one value of a text column and 0 for all others.
    const sign = above >= 0 ? '=' : '!=';
    return `${name.slice(0, category)} ${sign} ${name.slice(category + 1)}`;
  }
  // Unit 1 without a transform is a yes or no.
  if (feature.unit === '1' && feature.transform === 'none') return above >= 0 ? name : `not ${name}`;
  if (upTo === Infinity) return `${name} > ${inUnits(feature, above)}`;
  if (above === -Infinity) return `${name} <= ${inUnits(feature, upTo)}`;
  return `${inUnits(feature, above)} < ${name} <= ${inUnits(feature, upTo)}`;
}

/** A threshold as people would say it: out of the logarithm, whole from 100 on (counts are whole, and 118.5 then means 118), else three digits. */
function inUnits({ transform }: FeatureSpec, threshold: number): string {
  const value = transform === 'log1p' ? Math.expm1(threshold) : threshold;
  return Math.abs(value) >= 100 ? String(Math.floor(value)) : String(Number(value.toPrecision(3)));
}
