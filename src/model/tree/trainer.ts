import type { DecisionTree } from './tree.ts';

/** Labelled rows to learn from: finite values only. */
export interface TrainingRows {
  /** rows x width, row-major. */
  readonly values: Float32Array;
  readonly width: number;
  /** Class index of each row, in 0..classes-1. */
  readonly labels: Int32Array;
  readonly classes: number;
}

export interface TreeParameters {
  readonly depthMax: number;
  /** No leaf holds fewer training rows. */
  readonly leafRowsMin: number;
  /** Weight of one row of each class. */
  readonly classWeights: Float64Array;
}

/** Grows a tree to its full size; pruning, calibration and thresholds are done with its result, whichever trainer made it. */
export interface TreeTrainer {
  readonly name: string;
  /** Deterministic. `onProgress` gets the share of rows that reached a leaf, 0..1. */
  train(rows: TrainingRows, parameters: TreeParameters, onProgress: (done: number) => void): DecisionTree;
}
