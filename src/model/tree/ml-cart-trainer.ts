import { createRequire } from 'node:module';
import type { TrainingRows, TreeTrainer } from './trainer.ts';
import { countRows, type DecisionTree, TreeBuilder } from './tree.ts';

/** What of ml-cart is used; the package carries no types. */
interface MlCartNode {
  splitColumn?: number;
  splitValue?: number;
  left?: MlCartNode;
  right?: MlCartNode;
}
interface MlCart {
  DecisionTreeClassifier: new (
    options: Record<string, unknown>,
  ) => {
    root: MlCartNode;
    train(rows: number[][], labels: number[]): void;
  };
}

/**
 * The independent second trainer: package ml-cart. Quadratic in the rows of a node (20,000 rows take minutes) and without
 * class weights, which it therefore ignores; `leafRowsMin` is its least number of rows to split.
 */
export const mlCartTrainer: TreeTrainer = {
  name: 'ml-cart',
  train(rows, { depthMax, leafRowsMin }, onProgress) {
    const { DecisionTreeClassifier } = createRequire(import.meta.url)('ml-cart') as MlCart;
    const classifier = new DecisionTreeClassifier({
      maxDepth: depthMax,
      minNumSamples: leafRowsMin,
      // Its default of 0.01 stops before rare classes are found.
      gainThreshold: 0,
    });
    const matrix = Array.from(rows.labels, (_, row) =>
      Array.from(rows.values.subarray(row * rows.width, (row + 1) * rows.width)),
    );
    classifier.train(matrix, Array.from(rows.labels));
    onProgress(1);
    return withCounts(classifier.root, rows);
  },
};

function withCounts(root: MlCartNode, rows: TrainingRows): DecisionTree {
  const builder = new TreeBuilder(rows.classes);
  const none = new Float64Array(rows.classes);
  const add = (node: MlCartNode): number => {
    const index = builder.addLeaf(none);
    if (node.left && node.right) {
      builder.split(index, node.splitColumn!, largestBelow(node.splitValue!));
      builder.link(index, add(node.left), true);
      builder.link(index, add(node.right), false);
    }
    return index;
  };
  add(root);
  const tree = builder.build();
  return { ...tree, counts: countRows(tree, rows.values, rows.width, rows.labels, rows.classes) };
}

/** ml-cart goes left where value < split, we where value <= threshold: the largest float32 below the split. */
function largestBelow(split: number): number {
  const value = Math.fround(split);
  if (value < split) return value;
  const bits = new Int32Array(Float32Array.of(value).buffer);
  if (value === 0) return -1.401298464324817e-45;
  bits[0]! += value > 0 ? -1 : 1;
  return new Float32Array(bits.buffer)[0]!;
}
