import { Random } from '../../src/kernel/random.ts';
import { initialWeights } from '../../src/model/lstm/network.ts';
import { createTfjsTrainer } from '../../src/model/lstm/tfjs-trainer.ts';
import type { LstmTrainer } from '../../src/model/lstm/trainer.ts';
import { createWasmTrainer } from '../../src/model/lstm/wasm-trainer.ts';
import { cartTrainer } from '../../src/model/tree/cart.ts';
import { mlCartTrainer } from '../../src/model/tree/ml-cart-trainer.ts';
import type { TrainingRows, TreeTrainer } from '../../src/model/tree/trainer.ts';
import { measure, print } from '../measure.ts';

// One tree and one epoch of an LSTM by our trainers, and by ml-cart and TensorFlow.js (as far as they go) on smaller amounts.

const WIDTH = 20;
const CLASSES = 4;

function labelledRows(rows: number): TrainingRows {
  const random = new Random(1);
  const values = Float32Array.from({ length: rows * WIDTH }, () => random.uniform());
  const labels = Int32Array.from({ length: rows }, (_, row) => {
    const sum = values[row * WIDTH]! + values[row * WIDTH + 1]! + 0.2 * random.uniform();
    return Math.min(CLASSES - 1, Math.floor(sum * 2));
  });
  return { values, width: WIDTH, labels, classes: CLASSES };
}

async function tree(trainer: TreeTrainer, rows: number): Promise<void> {
  const data = labelledRows(rows);
  const classWeights = new Float64Array(CLASSES).fill(1);
  const run = () => {
    trainer.train(data, { depthMax: 12, leafRowsMin: 5, classWeights }, () => {});
    return rows;
  };
  print(await measure({ scenario: `train tree: ${trainer.name}`, unit: 'rows', run }));
}

async function lstmEpoch(trainer: LstmTrainer, rows: number): Promise<void> {
  const shape = {
    steps: 32,
    channels: 4,
    hidden: 32,
    layers: 1,
    contextSize: 16,
    horizons: 4,
    levels: [0.05, 0.5, 0.95],
  } as const;
  const random = new Random(2);
  const noise = (length: number) => Float32Array.from({ length }, () => random.uniform() - 0.5);
  const dataset = {
    rows,
    sequences: noise(rows * shape.steps * shape.channels),
    contexts: noise(rows * shape.contextSize),
    targets: noise(rows * shape.horizons),
    weights: new Float32Array(rows * shape.horizons).fill(1),
    validationFrom: rows,
  };
  const parameters = {
    shape,
    initial: initialWeights(shape, 1).values,
    epochsMax: 1,
    patience: 1,
    batch: 64,
    learningRate: 1e-3,
    skipRate: 1,
    clipNorm: 1,
    seed: 1,
  };
  const run = async () => {
    await trainer.train(dataset, parameters);
    return rows;
  };
  print(await measure({ scenario: `train LSTM, one epoch: ${trainer.name}`, unit: 'rows', run }));
}

await tree(cartTrainer, 200_000);
await tree(mlCartTrainer, 1000);
await lstmEpoch(createWasmTrainer(), 10_000);
await lstmEpoch(createTfjsTrainer(), 1000);
