import type { FeatureSpec } from '../manifest.ts';
import type { DecisionTree } from './tree.ts';

export interface FeatureImportance {
  readonly feature: string;
  /** Of the weighted Gini impurity that all tests together remove. */
  readonly share: number;
}

/** How much each feature's tests contribute (Breiman et al. 1984), largest first; features never tested are left out. */
export function featureImportance(
  tree: DecisionTree,
  features: readonly FeatureSpec[],
  classWeights: Float64Array,
): FeatureImportance[] {
  const removed = new Float64Array(features.length);
  let total = 0;
  tree.feature.forEach((feature, node) => {
    if (feature < 0) return;
    const gain =
      impurity(tree, node, classWeights) -
      impurity(tree, tree.left[node]!, classWeights) -
      impurity(tree, tree.right[node]!, classWeights);
    removed[feature]! += gain;
    total += gain;
  });
  return Array.from(removed, (gain, f) => ({
    feature: features[f]!.name,
    share: total === 0 ? 0 : gain / total,
  }))
    .filter(({ share }) => share > 0)
    .sort((a, b) => b.share - a.share);
}

/** Weighted Gini impurity of a node times its weight. */
export function impurity({ counts, classes }: DecisionTree, node: number, weights: Float64Array): number {
  let sum = 0;
  let squares = 0;
  for (let k = 0; k < classes; k++) {
    const weight = counts[node * classes + k]! * weights[k]!;
    sum += weight;
    squares += weight * weight;
  }
  return sum === 0 ? 0 : sum - squares / sum;
}
