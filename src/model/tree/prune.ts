import { impurity } from './importance.ts';
import { type DecisionTree, TreeBuilder } from './tree.ts';

export interface PruningOptions {
  /** Weight of one row of each class, as in training. */
  readonly classWeights: Float64Array;
  /** nodes x classes: validation rows that pass each node. */
  readonly validationCounts: Float64Array;
  readonly isBenign: readonly boolean[];
  readonly leavesMax: number;
}

/** One tree of the nested sequence: cutting at `alpha` leaves so many leaves and this loss on the validation rows. */
export interface PruningStep {
  readonly alpha: number;
  readonly leaves: number;
  readonly validationLoss: number;
}

export interface Pruned {
  readonly tree: DecisionTree;
  readonly chosen: PruningStep;
  readonly steps: readonly PruningStep[];
}

/**
 * Minimal cost-complexity pruning (Breiman et al. 1984, chapter 3): collapses the weakest link again and again and keeps, of the
 * nested trees with at most `leavesMax` leaves, the one with the least loss on rows the tree was not grown on; of equals the smallest.
 * The loss is the geometric mean of two squared probability errors (Brier), that of the class and that of benign against attack: where two
 * attack classes cannot be told apart, the first alone would cut away what tells attacks from benign rows.
 */
export function pruneTree(tree: DecisionTree, options: PruningOptions): Pruned {
  const cost = Float64Array.from(tree.feature, (_, node) => impurity(tree, node, options.classWeights));
  const loss = nodeLosses(tree, options);
  const isLeaf = Uint8Array.from(tree.feature, (feature) => (feature < 0 ? 1 : 0));
  const steps: PruningStep[] = [];
  /** Step at which a node became a leaf; a node never collapsed keeps Infinity. */
  const collapsedAt = new Float64Array(tree.feature.length).fill(Number.POSITIVE_INFINITY);
  let chosen = -1;
  for (let alpha = 0; ; ) {
    const below = subtreeSums(tree, isLeaf, cost, loss);
    const step = {
      alpha,
      leaves: below.leaves[0]!,
      validationLoss: Math.sqrt(below.classLoss[0]! * below.attackLoss[0]!),
    };
    const fits = step.leaves <= options.leavesMax;
    if (fits && (chosen < 0 || step.validationLoss <= steps[chosen]!.validationLoss)) chosen = steps.length;
    steps.push(step);
    if (isLeaf[0]) break;
    const weakest = weakestLink(isLeaf, cost, below);
    alpha = Math.max(alpha, weakest);
    for (let node = 0; node < isLeaf.length; node++) {
      if (isLeaf[node]) continue;
      const link = (cost[node]! - below.cost[node]!) / (below.leaves[node]! - 1);
      if (link <= weakest) {
        isLeaf[node] = 1;
        collapsedAt[node] = steps.length;
      }
    }
    dropBelowLeaves(tree, isLeaf);
  }
  return { tree: copyCollapsed(tree, collapsedAt, chosen), chosen: steps[chosen]!, steps };
}

/** What lies below a collapsed node is no link any more. */
function dropBelowLeaves(tree: DecisionTree, isLeaf: Uint8Array): void {
  for (let node = 0; node < isLeaf.length; node++) {
    if (!isLeaf[node] || tree.feature[node]! < 0) continue;
    isLeaf[tree.left[node]!] = 1;
    isLeaf[tree.right[node]!] = 1;
  }
}

interface SubtreeSums {
  readonly cost: Float64Array;
  readonly classLoss: Float64Array;
  readonly attackLoss: Float64Array;
  readonly leaves: Int32Array;
}

function subtreeSums(
  tree: DecisionTree,
  isLeaf: Uint8Array,
  cost: Float64Array,
  loss: NodeLosses,
): SubtreeSums {
  const nodes = isLeaf.length;
  const sums = {
    cost: Float64Array.from(cost),
    classLoss: Float64Array.from(loss.ofClass),
    attackLoss: Float64Array.from(loss.ofAttack),
    leaves: new Int32Array(nodes).fill(1),
  };
  for (let node = nodes - 1; node >= 0; node--) {
    if (isLeaf[node]) continue;
    const left = tree.left[node]!;
    const right = tree.right[node]!;
    sums.cost[node] = sums.cost[left]! + sums.cost[right]!;
    sums.classLoss[node] = sums.classLoss[left]! + sums.classLoss[right]!;
    sums.attackLoss[node] = sums.attackLoss[left]! + sums.attackLoss[right]!;
    sums.leaves[node] = sums.leaves[left]! + sums.leaves[right]!;
  }
  return sums;
}

function weakestLink(isLeaf: Uint8Array, cost: Float64Array, below: SubtreeSums): number {
  let weakest = Number.POSITIVE_INFINITY;
  for (let node = 0; node < isLeaf.length; node++) {
    if (isLeaf[node]) continue;
    weakest = Math.min(weakest, (cost[node]! - below.cost[node]!) / (below.leaves[node]! - 1));
  }
  return weakest;
}

interface NodeLosses {
  readonly ofClass: Float64Array;
  readonly ofAttack: Float64Array;
}

/** Weighted Brier losses of the validation rows in each node, if the node answered with its training shares. */
function nodeLosses(
  tree: DecisionTree,
  { classWeights, validationCounts, isBenign }: PruningOptions,
): NodeLosses {
  const { counts, classes, feature } = tree;
  const ofClass = new Float64Array(feature.length);
  const ofAttack = new Float64Array(feature.length);
  const shares = new Float64Array(classes);
  for (let node = 0, at = 0; node < feature.length; node++, at += classes) {
    let sum = classes;
    for (let k = 0; k < classes; k++) sum += counts[at + k]! * classWeights[k]!;
    let squares = 0;
    let attackShare = 0;
    for (let k = 0; k < classes; k++) {
      shares[k] = (counts[at + k]! * classWeights[k]! + 1) / sum;
      squares += shares[k]! * shares[k]!;
      if (!isBenign[k]) attackShare += shares[k]!;
    }
    for (let k = 0; k < classes; k++) {
      const weight = validationCounts[at + k]! * classWeights[k]!;
      ofClass[node]! += weight * (1 - 2 * shares[k]! + squares);
      ofAttack[node]! += weight * (isBenign[k] ? attackShare : 1 - attackShare) ** 2;
    }
  }
  return { ofClass, ofAttack };
}

function copyCollapsed(tree: DecisionTree, collapsedAt: Float64Array, step: number): DecisionTree {
  const builder = new TreeBuilder(tree.classes);
  const pending = [{ from: 0, parent: -1, isLeft: false }];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { from, parent, isLeft } = next;
    const node = builder.addLeaf(tree.counts, from * tree.classes);
    if (parent >= 0) builder.link(parent, node, isLeft);
    if (tree.feature[from]! < 0 || collapsedAt[from]! <= step) continue;
    builder.split(node, tree.feature[from]!, tree.threshold[from]!);
    pending.push({ from: tree.right[from]!, parent: node, isLeft: false });
    pending.push({ from: tree.left[from]!, parent: node, isLeft: true });
  }
  return builder.build();
}
