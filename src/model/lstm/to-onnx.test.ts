import { describe, expect, it } from 'vitest';
import { Random } from '../../kernel/random.ts';
import { openSession } from '../runtime.ts';
import { initialWeights, type NetworkShape } from './network.ts';
import { networksToOnnx, QUANTILES_OUTPUT } from './to-onnx.ts';
import { WasmEngine } from './wasm-trainer.ts';

const ROWS = 37;

describe('networksToOnnx', () => {
  it.each([1, 2] as const)('computes what the kernel computes, %d layers, to 1e-5', async (layers) => {
    const shape: NetworkShape = {
      steps: 9,
      channels: 3,
      hidden: 8,
      layers,
      contextSize: 4,
      horizons: 2,
      levels: [0.1, 0.5, 0.9],
    };
    const random = new Random(layers);
    const normals = (n: number) => Float32Array.from({ length: n }, () => random.normal());
    const values = initialWeights(shape, 5).values.map((v) => v + 0.2 * random.normal());
    const sequences = normals(ROWS * 27);
    const contexts = normals(ROWS * 4);
    const targets = normals(ROWS * 2);
    const engine = await WasmEngine.create(
      { rows: ROWS, sequences, contexts, targets, weights: targets.map(() => 1), validationFrom: ROWS },
      {
        shape,
        initial: values,
        epochsMax: 1,
        patience: 1,
        batch: 8,
        learningRate: 0.01,
        skipRate: 1,
        clipNorm: 1,
        seed: 1,
      },
    );
    // Fed with what the standardisation maps to the same inputs.
    const sequence = { mean: normals(3), inverseSpread: Float32Array.of(2, 0.5, 4) };
    const context = { mean: normals(4), inverseSpread: Float32Array.of(1, 2, 0.25, 0.5) };
    const session = await openSession(
      networksToOnnx(
        [
          { shape, values },
          { shape, values },
        ],
        sequence,
        context,
      ),
    );
    const outputs = await session.run({
      sequence: {
        data: sequences.map((v, i) => v / sequence.inverseSpread[i % 3]! + sequence.mean[i % 3]!),
        dims: [ROWS, 9, 3],
      },
      context: {
        data: contexts.map((v, i) => v / context.inverseSpread[i % 4]! + context.mean[i % 4]!),
        dims: [ROWS, 4],
      },
    });
    await session.close();
    const expected = engine.predictAll();
    const actual = outputs[QUANTILES_OUTPUT]!.data as Float32Array;
    expect(actual.length).toBe(expected.length);
    const worst = expected.reduce((max, value, i) => Math.max(max, Math.abs(value - actual[i]!)), 0);
    expect(worst).toBeLessThan(1e-5);
    expect(Math.max(...expected)).toBeGreaterThan(0.1);
  });
});
