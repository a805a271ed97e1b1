/** The tests of a binary tree, one element a node, root 0, children after their parent. */
export interface TreeNodes {
  /** Column a node tests; -1 = leaf. */
  readonly feature: Int32Array;
  /** A row goes left where value <= threshold, otherwise (and where the value is no number) right. */
  readonly threshold: Float32Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
}

/** A trained tree: its tests and how many training rows of each class passed each node. */
export interface DecisionTree extends TreeNodes {
  readonly classes: number;
  /** nodes x classes. */
  readonly counts: Float64Array;
}

/** The leaf that the row at `offset` of row-major `values` falls into. */
export function leafOf(tree: TreeNodes, values: Float32Array, offset: number): number {
  let node = 0;
  for (let feature = tree.feature[0]!; feature >= 0; feature = tree.feature[node]!) {
    node = values[offset + feature]! <= tree.threshold[node]! ? tree.left[node]! : tree.right[node]!;
  }
  return node;
}

export function leafCount(tree: TreeNodes): number {
  return tree.feature.reduce((leaves, feature) => leaves + (feature < 0 ? 1 : 0), 0);
}

/**
 * Probability of each class in each node, nodes x classes: (n_k + m p_k) / (n + m) with the parent's p, so that a node of few rows
 * claims little more than its parent does (m-estimate, Cestnik 1990, along the path). `prior` stands in for the root's parent, `priorRows` is m.
 */
export function nodeProbabilities(tree: DecisionTree, prior: Float64Array, priorRows: number): Float32Array {
  const { classes, counts } = tree;
  const probabilities = new Float64Array(counts.length);
  const settle = (node: number, belief: Float64Array) => {
    const at = node * classes;
    let total = 0;
    for (let k = 0; k < classes; k++) total += counts[at + k]!;
    for (let k = 0; k < classes; k++) {
      probabilities[at + k] = (counts[at + k]! + priorRows * belief[k]!) / (total + priorRows);
    }
  };
  settle(0, prior);
  // Children come after their parent, so its probabilities are there.
  for (let node = 0; node < tree.feature.length; node++) {
    if (tree.feature[node]! < 0) continue;
    const belief = probabilities.subarray(node * classes, (node + 1) * classes);
    settle(tree.left[node]!, belief);
    settle(tree.right[node]!, belief);
  }
  return Float32Array.from(probabilities);
}

/** Counts labelled rows into every node they pass: nodes x classes. */
export function countRows(
  tree: TreeNodes,
  values: Float32Array,
  width: number,
  labels: Int32Array,
  classes: number,
): Float64Array {
  const counts = new Float64Array(tree.feature.length * classes);
  for (let row = 0; row < labels.length; row++) {
    counts[leafOf(tree, values, row * width) * classes + labels[row]!]! += 1;
  }
  // Children come after their parent, so going backwards every node is complete before it is added upwards.
  for (let node = tree.feature.length - 1; node >= 0; node--) {
    if (tree.feature[node]! < 0) continue;
    for (let k = 0; k < classes; k++) {
      counts[node * classes + k] =
        counts[tree.left[node]! * classes + k]! + counts[tree.right[node]! * classes + k]!;
    }
  }
  return counts;
}

/** Grows node by node while training; `build` turns it into arrays. */
export class TreeBuilder {
  readonly #classes: number;
  readonly #feature: number[] = [];
  readonly #threshold: number[] = [];
  readonly #left: number[] = [];
  readonly #right: number[] = [];
  readonly #counts: number[] = [];

  constructor(classes: number) {
    this.#classes = classes;
  }

  /** Adds a leaf and returns its number; parents are added before their children. */
  addLeaf(counts: ArrayLike<number>, at = 0): number {
    this.#feature.push(-1);
    this.#threshold.push(0);
    this.#left.push(-1);
    this.#right.push(-1);
    for (let k = 0; k < this.#classes; k++) this.#counts.push(counts[at + k]!);
    return this.#feature.length - 1;
  }

  /** Turns a leaf into a test; its children are linked with `link`. */
  split(node: number, feature: number, threshold: number): void {
    this.#feature[node] = feature;
    this.#threshold[node] = threshold;
  }

  link(parent: number, child: number, isLeft: boolean): void {
    if (isLeft) this.#left[parent] = child;
    else this.#right[parent] = child;
  }

  build(): DecisionTree {
    return {
      classes: this.#classes,
      feature: Int32Array.from(this.#feature),
      threshold: Float32Array.from(this.#threshold),
      left: Int32Array.from(this.#left),
      right: Int32Array.from(this.#right),
      counts: Float64Array.from(this.#counts),
    };
  }
}
