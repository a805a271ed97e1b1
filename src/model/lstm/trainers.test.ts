import { beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../kernel/random.ts';
import { initialWeights, layoutOf, type NetworkShape } from './network.ts';
import { createTfjsTrainer, loadTensorFlow, TfjsEngine } from './tfjs-trainer.ts';
import type { LstmDataset, LstmParameters } from './trainer.ts';
import { createWasmTrainer, WasmEngine } from './wasm-trainer.ts';

const ONE_LAYER: NetworkShape = {
  steps: 7,
  channels: 3,
  hidden: 8,
  layers: 1,
  contextSize: 5,
  horizons: 2,
  levels: [0.1, 0.5, 0.9],
};
const TWO_LAYERS: NetworkShape = { ...ONE_LAYER, layers: 2, channels: 2, contextSize: 3, horizons: 1 };

function randomDataset(shape: NetworkShape, rows: number): LstmDataset {
  const random = new Random(5);
  const normals = (n: number) => Float32Array.from({ length: n }, () => random.normal());
  const sequences = normals(rows * shape.steps * shape.channels);
  const contexts = normals(rows * shape.contextSize);
  const targets = Float32Array.from(
    { length: rows * shape.horizons },
    (_, i) => contexts[Math.floor(i / shape.horizons) * shape.contextSize]! + 0.3 * random.normal(),
  );
  const weights = Float32Array.from(targets, (_, i) => (i % 7 === 3 ? 0 : 1));
  return { rows, sequences, contexts, targets, weights, validationFrom: Math.floor(rows * 0.75) };
}

function parametersFor(shape: NetworkShape): LstmParameters {
  // The head starts at zero; for checking, every parameter must matter.
  const random = new Random(3);
  const initial = initialWeights(shape, 11).values.map((v) => v + 0.1 * random.normal());
  return {
    shape,
    initial,
    epochsMax: 3,
    patience: 3,
    batch: 16,
    learningRate: 0.01,
    skipRate: 0.5,
    clipNorm: 1,
    seed: 9,
  };
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);
}

describe.each([
  ['one layer', ONE_LAYER],
  ['two layers', TWO_LAYERS],
])('kernel and TensorFlow.js, %s', (_, shape) => {
  const dataset = randomDataset(shape, 40);
  const parameters = parametersFor(shape);
  const all = Int32Array.from({ length: dataset.rows }, (__, i) => i);
  let wasm: WasmEngine;
  let tfjs: TfjsEngine;

  beforeAll(async () => {
    wasm = await WasmEngine.create(dataset, parameters);
    tfjs = new TfjsEngine((await loadTensorFlow()).tf, dataset, parameters);
  });

  it('agree on the forward pass to 1e-5', () => {
    const outputs = wasm.predictAll();
    expect(Math.max(...outputs.map(Math.abs))).toBeGreaterThan(0.1);
    expect(largestDifference(outputs, tfjs.predict(all))).toBeLessThan(1e-5);
  });

  it.each([16, 11])('agree on the gradients of a batch of %d rows to 1e-5', (size) => {
    const rows = Int32Array.from({ length: size }, (__, i) => (i * 7) % dataset.rows);
    const own = wasm.gradientsOf(rows);
    const theirs = tfjs.gradientsOf(rows);
    expect(own.loss).toBeCloseTo(theirs.loss, 4);
    expect(Math.max(...own.gradients.map(Math.abs))).toBeGreaterThan(0.01);
    expect(largestDifference(own.gradients, theirs.gradients)).toBeLessThan(1e-5);
  });

  it('agree after three epochs to 1e-3', async () => {
    const own = await createWasmTrainer().train(dataset, parameters);
    const theirs = await createTfjsTrainer().train(dataset, parameters);
    expect(own.epoch).toBe(theirs.epoch);
    expect(own.epoch).toBeGreaterThan(0);
    expect(own.validationLoss).toBeCloseTo(theirs.validationLoss, 3);
    expect(largestDifference(own.values, theirs.values)).toBeLessThan(1e-3);
  });
});

describe('kernel', () => {
  const dataset = randomDataset(ONE_LAYER, 16);
  const parameters = parametersFor(ONE_LAYER);
  const all = Int32Array.from({ length: 16 }, (_, i) => i);

  it('has the gradients that numeric differences give', async () => {
    const { gradients } = (await WasmEngine.create(dataset, parameters)).gradientsOf(all);
    const lossAt = async (index: number, change: number) => {
      const initial = parameters.initial.slice();
      initial[index] = initial[index]! + change;
      return (await WasmEngine.create(dataset, { ...parameters, initial })).lossOf(0, 16) / 16;
    };
    const random = new Random(2);
    for (let n = 0; n < 40; n++) {
      const index = random.below(gradients.length);
      const slope = ((await lossAt(index, 1e-2)) - (await lossAt(index, -1e-2))) / 2e-2;
      expect(Math.abs(slope - gradients[index]!)).toBeLessThan(2e-3);
    }
  });

  it('gives the same bits for the same seed, and others for another', async () => {
    const train = (seed: number) => createWasmTrainer().train(dataset, { ...parameters, seed });
    const first = await train(1);
    expect(Buffer.from((await train(1)).values.buffer).equals(Buffer.from(first.values.buffer))).toBe(true);
    expect(largestDifference((await train(2)).values, first.values)).toBeGreaterThan(0);
  });

  it('keeps the start where training never betters it', async () => {
    const contexts = new Float32Array(dataset.contexts.length);
    const targets = new Float32Array(dataset.targets.length);
    const perfect = initialWeights(ONE_LAYER, 4).values;
    const trained = await createWasmTrainer().train(
      { ...dataset, contexts, targets },
      { ...parameters, initial: perfect },
    );
    expect(trained.epoch).toBe(0);
    expect(trained.values).toEqual(perfect);
  });

  it('learns a sum over the sequence that no linear skip can see', async () => {
    const rows = 600;
    const random = new Random(8);
    const shape: NetworkShape = { ...ONE_LAYER, hidden: 8, levels: [0.5], horizons: 1 };
    const sequences = Float32Array.from({ length: rows * 21 }, () => random.normal());
    const targets = Float32Array.from({ length: rows }, (_, r) => {
      let sum = 0;
      for (let t = 0; t < 7; t++) sum += sequences[r * 21 + t * 3]!;
      return Math.tanh(sum);
    });
    const contexts = new Float32Array(rows * 5);
    const data = { rows, sequences, contexts, targets, weights: targets.map(() => 1), validationFrom: 500 };
    const initial = initialWeights(shape, 1).values;
    const options = { ...parameters, shape, initial, epochsMax: 60, patience: 60 };
    const before = (await WasmEngine.create(data, options)).lossOf(500, 600) / 100;
    const trained = await createWasmTrainer().train(data, options);
    expect(trained.validationLoss).toBeLessThan(before / 3);
  });

  it('lays its parameters out without holes', () => {
    const layout = layoutOf(TWO_LAYERS);
    expect(layout.count).toBe(32 * (2 + 8 + 1) + 32 * (8 + 8 + 1) + 3 * (8 + 3 + 1));
    expect(initialWeights(TWO_LAYERS, 1).values.length).toBe(layout.count);
  });
});
