import type { LstmWeights, NetworkShape } from './network.ts';

/** Training rows, float32, row-major. A target of weight 0 is unknown and counts for nothing. */
export interface LstmDataset {
  readonly rows: number;
  /** [rows][steps][channels] */
  readonly sequences: Float32Array;
  /** [rows][contextSize] */
  readonly contexts: Float32Array;
  /** [rows][horizons] */
  readonly targets: Float32Array;
  /** [rows][horizons] */
  readonly weights: Float32Array;
  /** Rows before this one are trained on, the others (later in time) decide when to stop. */
  readonly validationFrom: number;
}

export interface LstmParameters {
  readonly shape: NetworkShape;
  /** Where training starts; its length is `layoutOf(shape).count`. */
  readonly initial: Float32Array;
  readonly epochsMax: number;
  /** Stops after this many epochs without a better validation loss. */
  readonly patience: number;
  /** A multiple of 8. */
  readonly batch: number;
  readonly learningRate: number;
  /** The linear skip's own rate, relative to `learningRate`; 0 leaves it as it starts. */
  readonly skipRate: number;
  readonly clipNorm: number;
  /** Orders the rows of each epoch. */
  readonly seed: number;
}

/** After each epoch; epoch 0 is the untrained network. */
export interface LstmProgress {
  readonly epoch: number;
  readonly epochsMax: number;
  /** Mean pinball loss of the epoch's training rows and of the validation rows. */
  readonly loss: number;
  readonly validationLoss: number;
}

export interface LstmTraining extends LstmWeights {
  /** The epoch whose weights these are: 0 = the start was never bettered. */
  readonly epoch: number;
  readonly validationLoss: number;
}

/**
 * Fits a network by minibatch Adam on the pinball loss and gives the weights of the epoch with the lowest validation loss.
 * Deterministic: the same rows, parameters and implementation give the same bits. An aborted signal ends after the running epoch
 * with the best so far.
 */
export interface LstmTrainer {
  readonly name: string;
  train(
    dataset: LstmDataset,
    parameters: LstmParameters,
    onProgress?: (progress: LstmProgress) => void,
    signal?: AbortSignal,
  ): Promise<LstmTraining>;
}
