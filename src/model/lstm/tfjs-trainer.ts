import type * as Tf from '@tensorflow/tfjs';
import { messageOf, usageError } from '../../kernel/errors.ts';
import { layoutOf, type NetworkLayout } from './network.ts';
import type { LstmDataset, LstmParameters, LstmTrainer } from './trainer.ts';
import { type LstmEngine, parameterRates, runTraining } from './training-loop.ts';

// Adam's constants, those of the own kernel.
const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-7;
const EVALUATION_BATCH = 512;

type TensorFlow = typeof Tf;

/** TensorFlow's native binding where it is installed (an optional peer), otherwise pure JavaScript. Usage error where neither is. */
export async function loadTensorFlow(): Promise<{ tf: TensorFlow; binding: 'tfjs-node' | 'tfjs' }> {
  const native = '@tensorflow/tfjs-node';
  try {
    return { tf: (await import(native)) as TensorFlow, binding: 'tfjs-node' };
  } catch {
    // Not installed, or its binary was not: the pure one does the same sums.
  }
  try {
    const tf = await import('@tensorflow/tfjs');
    await tf.setBackend('cpu');
    return { tf, binding: 'tfjs' };
  } catch (error) {
    throw usageError(
      'TRAINER_MISSING',
      `--trainer tfjs needs TensorFlow.js (${messageOf(error)}); run "npm i @tensorflow/tfjs", or use --trainer wasm`,
      error,
    );
  }
}

/** The same network, loss and optimiser in TensorFlow.js operations, with automatic differentiation. */
export class TfjsEngine implements LstmEngine {
  readonly #tf: TensorFlow;
  readonly #dataset: LstmDataset;
  readonly #parameters: LstmParameters;
  readonly #layout: NetworkLayout;
  readonly #rates: Float32Array;
  readonly #values: Float32Array;
  readonly #first: Float32Array;
  readonly #second: Float32Array;
  #updates = 0;

  constructor(tf: TensorFlow, dataset: LstmDataset, parameters: LstmParameters) {
    this.#tf = tf;
    this.#dataset = dataset;
    this.#parameters = parameters;
    this.#layout = layoutOf(parameters.shape);
    this.#rates = parameterRates(parameters);
    this.#values = parameters.initial.slice();
    this.#first = new Float32Array(this.#values.length);
    this.#second = new Float32Array(this.#values.length);
  }

  trainOn(rows: Int32Array, learningRate: number): number {
    const { loss, gradients } = this.gradientsOf(rows);
    this.#update(gradients, learningRate);
    return loss;
  }

  lossOf(from: number, to: number): number {
    let total = 0;
    for (let first = from; first < to; first += EVALUATION_BATCH) {
      const size = Math.min(EVALUATION_BATCH, to - first);
      const rows = Int32Array.from({ length: size }, (_, i) => first + i);
      total += this.#tf.tidy(
        () => this.#meanLoss(rows, this.#tf.tensor1d(this.#values)).dataSync()[0]! * size,
      );
    }
    return total;
  }

  /** The gradient of the mean loss over these rows, before clipping, and the loss summed over them. */
  gradientsOf(rows: Int32Array): { loss: number; gradients: Float32Array } {
    const tf = this.#tf;
    return tf.tidy(() => {
      const differentiate = tf.valueAndGrad((values) => this.#meanLoss(rows, values as Tf.Tensor1D));
      const { value, grad } = differentiate(tf.tensor1d(this.#values));
      return { loss: value.dataSync()[0]! * rows.length, gradients: Float32Array.from(grad.dataSync()) };
    });
  }

  /** The network's outputs for these rows: [rows][horizons * levels]. */
  predict(rows: Int32Array): Float32Array {
    return this.#tf.tidy(() =>
      Float32Array.from(this.#forward(rows, this.#tf.tensor1d(this.#values)).dataSync()),
    );
  }

  readParameters(): Float32Array {
    return this.#values.slice();
  }

  dispose(): void {
    this.#tf.disposeVariables();
  }

  #forward(rows: Int32Array, values: Tf.Tensor1D): Tf.Tensor2D {
    const tf = this.#tf;
    const { shape } = this.#parameters;
    const { hidden } = shape;
    const matrix = (offset: number, height: number, width: number) =>
      values.slice(offset, height * width).reshape([height, width]) as Tf.Tensor2D;
    const sequences = tf.tensor3d(gather(this.#dataset.sequences, rows, shape.steps * shape.channels), [
      rows.length,
      shape.steps,
      shape.channels,
    ]);
    let inputs = tf.unstack(sequences, 1) as Tf.Tensor2D[];
    for (const layer of this.#layout.layers) {
      const kernel = matrix(layer.weights, 4 * hidden, layer.inputs + hidden);
      const bias = values.slice(layer.bias, 4 * hidden);
      inputs = this.#layer(inputs, kernel, bias);
    }
    const contexts = tf.tensor2d(gather(this.#dataset.contexts, rows, shape.contextSize), [
      rows.length,
      shape.contextSize,
    ]);
    const head = matrix(this.#layout.headWeights, this.#layout.outputs, hidden + shape.contextSize);
    const last = tf.concat([inputs[inputs.length - 1]!, contexts], 1);
    return tf.matMul(last, head, false, true).add(values.slice(this.#layout.headBias, this.#layout.outputs));
  }

  #layer(inputs: Tf.Tensor2D[], kernel: Tf.Tensor2D, bias: Tf.Tensor1D): Tf.Tensor2D[] {
    const tf = this.#tf;
    const size: [number, number] = [inputs[0]!.shape[0], this.#parameters.shape.hidden];
    let h = tf.zeros(size) as Tf.Tensor2D;
    let c = tf.zeros(size) as Tf.Tensor2D;
    return inputs.map((x) => {
      const sums = tf.matMul(tf.concat([x, h], 1), kernel, false, true).add(bias);
      const [i, f, g, o] = tf.split(sums, 4, 1) as [Tf.Tensor2D, Tf.Tensor2D, Tf.Tensor2D, Tf.Tensor2D];
      c = tf
        .sigmoid(f)
        .mul(c)
        .add(tf.sigmoid(i).mul(tf.tanh(g)));
      h = tf.sigmoid(o).mul(tf.tanh(c));
      return h;
    });
  }

  #meanLoss(rows: Int32Array, values: Tf.Tensor1D): Tf.Scalar {
    const tf = this.#tf;
    const { horizons, levels } = this.#parameters.shape;
    const size: [number, number, number] = [rows.length, horizons, 1];
    const outputs = this.#forward(rows, values).reshape([rows.length, horizons, levels.length]);
    const targets = tf.tensor3d(gather(this.#dataset.targets, rows, horizons), size);
    const weights = tf.tensor3d(gather(this.#dataset.weights, rows, horizons), size);
    const errors = targets.sub(outputs);
    // level * error where it is positive, (level - 1) * error where it is not.
    const losses = errors.mul(tf.tensor1d([...levels])).add(tf.relu(errors.neg()));
    return losses.mul(weights).mean().asScalar();
  }

  #update(gradients: Float32Array, learningRate: number): void {
    let squares = 0;
    for (const g of gradients) squares += g * g;
    const norm = Math.sqrt(squares);
    const clip = norm > this.#parameters.clipNorm ? this.#parameters.clipNorm / norm : 1;
    this.#updates++;
    const correction1 = 1 - BETA1 ** this.#updates;
    const correction2 = 1 - BETA2 ** this.#updates;
    for (let i = 0; i < gradients.length; i++) {
      const g = gradients[i]! * clip;
      const m = BETA1 * this.#first[i]! + (1 - BETA1) * g;
      const v = BETA2 * this.#second[i]! + (1 - BETA2) * g * g;
      this.#first[i] = m;
      this.#second[i] = v;
      const step =
        (learningRate * this.#rates[i]! * (m / correction1)) / (Math.sqrt(v / correction2) + EPSILON);
      this.#values[i] = this.#values[i]! - step;
    }
  }
}

function gather(data: Float32Array, rows: Int32Array, width: number): Float32Array {
  const part = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    part.set(data.subarray(row * width, (row + 1) * width), i * width);
  });
  return part;
}

/** TensorFlow.js: the second opinion. Starts from the same weights and sees the same batches as the own kernel. */
export function createTfjsTrainer(): LstmTrainer {
  return {
    name: 'tfjs',
    async train(dataset, parameters, onProgress, signal) {
      const { tf } = await loadTensorFlow();
      const engine = new TfjsEngine(tf, dataset, parameters);
      return runTraining(engine, dataset, parameters, onProgress, signal);
    },
  };
}
