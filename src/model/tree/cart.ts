import { usageError } from '../../kernel/errors.ts';
import { type BinnedRows, binRows } from './bins.ts';
import type { TrainingRows, TreeParameters, TreeTrainer } from './trainer.ts';
import { type DecisionTree, TreeBuilder } from './tree.ts';

const CLASSES_MAX = 256;

/**
 * Classification tree by the Gini index (Breiman et al., Classification and Regression Trees, 1984) over histograms of 256 bins
 * a column; a child's histogram is its parent's less its sibling's (as in LightGBM, Ke et al. 2017). Counts are integers, so the
 * result does not depend on the order of additions; ties go to the lower column, then the lower threshold.
 */
export const cartTrainer: TreeTrainer = {
  name: 'cart',
  train(rows, parameters, onProgress) {
    if (rows.classes > CLASSES_MAX) {
      throw usageError('train.classes', `${rows.classes} classes; at most ${CLASSES_MAX} can be told apart`);
    }
    return new Growth(rows, parameters, onProgress).grow();
  },
};

interface Split {
  feature: number;
  bin: number;
  /** Rows that go left. */
  leftRows: number;
}

interface Pending {
  node: number;
  depth: number;
  start: number;
  end: number;
  histogram: Int32Array;
}

class Growth {
  readonly #rows: TrainingRows;
  readonly #parameters: TreeParameters;
  readonly #onProgress: (done: number) => void;
  readonly #binned: BinnedRows;
  /** Where each column's bins begin in a histogram. */
  readonly #base: Int32Array;
  readonly #histogramLength: number;
  readonly #spare: Int32Array[] = [];
  /** Row numbers, those of one node side by side. */
  readonly #order: Int32Array;
  readonly #scratch: Int32Array;
  readonly #builder: TreeBuilder;
  readonly #leftCounts: Float64Array;
  readonly #rightCounts: Float64Array;

  constructor(rows: TrainingRows, parameters: TreeParameters, onProgress: (done: number) => void) {
    this.#rows = rows;
    this.#parameters = parameters;
    this.#onProgress = onProgress;
    this.#binned = binRows(rows);
    this.#base = new Int32Array(rows.width);
    let length = 0;
    for (let f = 0; f < rows.width; f++) {
      this.#base[f] = length;
      length += (this.#binned.edges[f]!.length + 1) * rows.classes;
    }
    this.#histogramLength = length;
    this.#order = Int32Array.from({ length: rows.labels.length }, (_, i) => i);
    this.#scratch = new Int32Array(rows.labels.length);
    this.#builder = new TreeBuilder(rows.classes);
    this.#leftCounts = new Float64Array(rows.classes);
    this.#rightCounts = new Float64Array(rows.classes);
  }

  grow(): DecisionTree {
    const total = this.#order.length;
    const root = this.#histogramOf(0, total);
    const pending: Pending[] = [
      { node: this.#addNode(0, total), depth: 0, start: 0, end: total, histogram: root },
    ];
    let settled = 0;
    for (let next = pending.pop(); next; next = pending.pop()) {
      const split = this.#bestSplit(next);
      if (split) {
        settled += this.#branch(next, split, pending);
      } else {
        this.#spare.push(next.histogram);
        settled += next.end - next.start;
      }
      this.#onProgress(settled / total);
    }
    return this.#builder.build();
  }

  /** Splits a node and queues those children that may be split again; returns the rows of those that may not. */
  #branch(parent: Pending, split: Split, pending: Pending[]): number {
    const middle = this.#partition(parent, split);
    const edges = this.#binned.edges[split.feature]!;
    this.#builder.split(parent.node, split.feature, edges[split.bin]!);
    const left = this.#addNode(parent.start, middle);
    const right = this.#addNode(middle, parent.end);
    this.#builder.link(parent.node, left, true);
    this.#builder.link(parent.node, right, false);

    const depth = parent.depth + 1;
    const leftOpen = this.#maySplit(parent.start, middle, depth);
    const rightOpen = this.#maySplit(middle, parent.end, depth);
    if (!leftOpen && !rightOpen) {
      this.#spare.push(parent.histogram);
      return parent.end - parent.start;
    }
    const leftIsSmaller = middle - parent.start <= parent.end - middle;
    const smaller = leftIsSmaller
      ? this.#histogramOf(parent.start, middle)
      : this.#histogramOf(middle, parent.end);
    const larger = parent.histogram;
    for (let i = 0; i < larger.length; i++) larger[i]! -= smaller[i]!;
    const leftHistogram = leftIsSmaller ? smaller : larger;
    const rightHistogram = leftIsSmaller ? larger : smaller;
    if (rightOpen) {
      pending.push({ node: right, depth, start: middle, end: parent.end, histogram: rightHistogram });
    } else this.#spare.push(rightHistogram);
    if (leftOpen) {
      pending.push({ node: left, depth, start: parent.start, end: middle, histogram: leftHistogram });
    } else this.#spare.push(leftHistogram);
    return (leftOpen ? 0 : middle - parent.start) + (rightOpen ? 0 : parent.end - middle);
  }

  #addNode(start: number, end: number): number {
    const counts = new Float64Array(this.#rows.classes);
    for (let i = start; i < end; i++) counts[this.#rows.labels[this.#order[i]!]!]! += 1;
    return this.#builder.addLeaf(counts);
  }

  #maySplit(start: number, end: number, depth: number): boolean {
    if (depth >= this.#parameters.depthMax || end - start < 2 * this.#parameters.leafRowsMin) return false;
    const first = this.#rows.labels[this.#order[start]!]!;
    for (let i = start + 1; i < end; i++) {
      if (this.#rows.labels[this.#order[i]!]! !== first) return true;
    }
    return false;
  }

  #histogramOf(start: number, end: number): Int32Array {
    const histogram = this.#spare.pop()?.fill(0) ?? new Int32Array(this.#histogramLength);
    const codes = this.#binned.codes;
    const order = this.#order;
    const bases = this.#base;
    const width = bases.length;
    for (let i = start; i < end; i++) {
      const row = order[i]! * width;
      for (let f = 0; f < width; f++) histogram[bases[f]! + codes[row + f]!]! += 1;
    }
    return histogram;
  }

  /** Moves the rows of a node so that those going left come first, both in their old order; returns where the right ones begin. */
  #partition({ start, end }: Pending, { feature, bin }: Split): number {
    const codes = this.#binned.codes;
    const order = this.#order;
    const width = this.#rows.width;
    const limit = (bin + 1) * this.#rows.classes;
    let left = start;
    let right = 0;
    for (let i = start; i < end; i++) {
      const row = order[i]!;
      if (codes[row * width + feature]! < limit) order[left++] = row;
      else this.#scratch[right++] = row;
    }
    order.set(this.#scratch.subarray(0, right), left);
    return left;
  }

  #bestSplit({ histogram, start, end, depth }: Pending): Split | null {
    if (depth === 0 && !this.#maySplit(start, end, depth)) return null;
    const { classes, width } = this.#rows;
    const totals = new Float64Array(classes);
    for (let i = 0; i < (this.#binned.edges[0]!.length + 1) * classes; i++)
      totals[i % classes]! += histogram[i]!;
    const parentScore = this.#purity(totals);
    // Below this a gain is rounding, not information.
    let best = parentScore * (1 + 1e-9);
    let split: Split | null = null;
    for (let f = 0; f < width; f++) {
      const found = this.#bestBin(histogram, f, totals, end - start, best);
      if (found) {
        best = found.score;
        split = { feature: f, bin: found.bin, leftRows: found.leftRows };
      }
    }
    return split;
  }

  /** The best place to cut one column, if it beats `best`. A cut between distant values lies in the middle of the empty bins. */
  #bestBin(
    histogram: Int32Array,
    feature: number,
    totals: Float64Array,
    rows: number,
    best: number,
  ): { score: number; bin: number; leftRows: number } | null {
    const { classes } = this.#rows;
    const { leafRowsMin } = this.#parameters;
    const left = this.#leftCounts.fill(0);
    const right = this.#rightCounts;
    right.set(totals);
    const base = this.#base[feature]!;
    const bins = this.#binned.edges[feature]!.length + 1;
    let leftRows = 0;
    let from = -1;
    let found: { score: number; bin: number; leftRows: number } | null = null;
    for (let bin = 0, at = base; bin < bins; bin++, at += classes) {
      let here = 0;
      for (let k = 0; k < classes; k++) here += histogram[at + k]!;
      if (here === 0) continue;
      if (from >= 0 && leftRows >= leafRowsMin && rows - leftRows >= leafRowsMin) {
        const score = this.#purity(left) + this.#purity(right);
        if (score > best) {
          best = score;
          found = { score, bin: (from + bin - 1) >> 1, leftRows };
        }
      }
      for (let k = 0; k < classes; k++) {
        left[k]! += histogram[at + k]!;
        right[k]! -= histogram[at + k]!;
      }
      leftRows += here;
      from = bin;
    }
    return found;
  }

  /** Sum of squared weights over their sum: the weighted Gini impurity is the sum of weights less this. */
  #purity(counts: Float64Array): number {
    const weights = this.#parameters.classWeights;
    let squares = 0;
    let sum = 0;
    for (let k = 0; k < counts.length; k++) {
      const weight = counts[k]! * weights[k]!;
      squares += weight * weight;
      sum += weight;
    }
    return sum === 0 ? 0 : squares / sum;
  }
}
