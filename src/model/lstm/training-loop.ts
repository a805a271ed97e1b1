import { Random } from '../../kernel/random.ts';
import { layoutOf } from './network.ts';
import type { LstmDataset, LstmParameters, LstmProgress, LstmTraining } from './trainer.ts';

/** What one implementation of the arithmetic offers to the loop: a network and its data set, held wherever it computes. */
export interface LstmEngine {
  /** One update on these rows (at most `batch`); the loss summed over the rows, each meaned over its outputs. */
  trainOn(rows: Int32Array, learningRate: number): number | Promise<number>;
  /** The summed loss of rows [from, to). */
  lossOf(from: number, to: number): number | Promise<number>;
  readParameters(): Float32Array;
  dispose(): void;
}

/** Epochs of shuffled minibatches with a cosine-decayed rate; keeps the weights of the lowest validation loss, those of epoch 0 included. */
export async function runTraining(
  engine: LstmEngine,
  dataset: LstmDataset,
  parameters: LstmParameters,
  onProgress: ((progress: LstmProgress) => void) | undefined,
  signal: AbortSignal | undefined,
): Promise<LstmTraining> {
  const { epochsMax, batch, patience } = parameters;
  const trainRows = dataset.validationFrom;
  const validationRows = Math.max(1, dataset.rows - trainRows);
  const order = Int32Array.from({ length: trainRows }, (_, i) => i);
  const random = new Random(parameters.seed);
  const validate = async () => (await engine.lossOf(trainRows, dataset.rows)) / validationRows;
  let best = { values: engine.readParameters(), epoch: 0, validationLoss: await validate() };
  for (let epoch = 1; epoch <= epochsMax && epoch - best.epoch <= patience && !signal?.aborted; epoch++) {
    shuffle(order, random);
    const learningRate =
      parameters.learningRate * (0.05 + 0.475 * (1 + Math.cos((Math.PI * (epoch - 1)) / epochsMax)));
    let total = 0;
    for (let first = 0; first < trainRows; first += batch) {
      total += await engine.trainOn(order.subarray(first, Math.min(first + batch, trainRows)), learningRate);
    }
    const validationLoss = await validate();
    // Without validation rows the last epoch is the answer: the caller chose the number of epochs beforehand.
    if (validationLoss < best.validationLoss || dataset.rows === trainRows) {
      best = { values: engine.readParameters(), epoch, validationLoss };
    }
    onProgress?.({ epoch, epochsMax, loss: total / trainRows, validationLoss });
    await new Promise(setImmediate);
  }
  return { shape: parameters.shape, ...best };
}

function shuffle(order: Int32Array, random: Random): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const kept = order[i]!;
    order[i] = order[j]!;
    order[j] = kept;
  }
}

/** Each parameter's rate relative to the learning rate: 1, and `skipRate` on the head's part that reads the context. */
export function parameterRates(parameters: LstmParameters): Float32Array {
  const { shape } = parameters;
  const layout = layoutOf(shape);
  const rates = new Float32Array(layout.count).fill(1);
  const width = shape.hidden + shape.contextSize;
  for (let output = 0; output < layout.outputs; output++) {
    const row = layout.headWeights + output * width;
    rates.fill(parameters.skipRate, row + shape.hidden, row + width);
  }
  return rates;
}
