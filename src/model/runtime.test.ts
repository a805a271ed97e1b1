import { describe, expect, it } from 'vitest';
import { OnnxGraphBuilder } from './onnx/graph.ts';
import { readOnnx } from './onnx/read.ts';
import { openSession } from './runtime.ts';

/** y = softplus(LSTM(x) W): touches raw float and int64 initialisers, attributes and an omitted input. */
function lstmModel(): Uint8Array {
  const graph = new OnnxGraphBuilder('test');
  const x = graph.input('x', 'float', [3, 'rows', 2]);
  const hidden = 4;
  const ramp = (n: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(i));
  graph.floats('w', [1, 4 * hidden, 2], ramp(8 * hidden));
  graph.floats('r', [1, 4 * hidden, hidden], ramp(4 * hidden * hidden));
  graph.node('LSTM', [x, 'w', 'r', ''], {
    attributes: { hidden_size: { int: hidden }, direction: { string: 'forward' } },
    outputs: ['', 'last'],
  });
  graph.int64s('axes', [1], [0]);
  const squeezed = graph.node('Squeeze', ['last', 'axes']);
  graph.floats('out', [hidden, 1], ramp(hidden));
  graph.node('Softplus', [graph.node('MatMul', [squeezed, 'out'])], { outputs: ['y'] });
  graph.output('y', 'float', ['rows', 1]);
  return graph.toBytes();
}

describe('an ONNX graph built here', () => {
  it('runs in ONNX Runtime and declares its inputs and outputs', async () => {
    const session = await openSession(lstmModel());
    expect(session.inputs).toEqual([{ name: 'x', type: 'float32', shape: [3, 'rows', 2] }]);
    expect(session.outputs.map((o) => o.name)).toEqual(['y']);
    const data = Float32Array.from({ length: 12 }, (_, i) => i / 12);
    const { y } = await session.run({ x: { data, dims: [3, 2, 2] } });
    expect(y!.dims).toEqual([2, 1]);
    expect(y!.data).toBeInstanceOf(Float32Array);
    for (const value of y!.data) expect(Number(value)).toBeGreaterThan(0);
    await session.close();
    await session.close();
    await expect(session.run({})).rejects.toMatchObject({ code: 'model.closed' });
  });

  it('gives the same bytes again', () => {
    expect(lstmModel()).toEqual(lstmModel());
  });

  it('is read back as it was built', () => {
    const model = readOnnx(lstmModel());
    expect(model.producer).toBe('flowcast');
    expect(model.opset).toBe(17);
    expect(model.inputs).toEqual([{ name: 'x', type: 'float', dims: [3, 'rows', 2] }]);
    expect(model.nodes.map((n) => n.opType)).toEqual(['LSTM', 'Squeeze', 'MatMul', 'Softplus']);
    expect(model.nodes[0]!.attributes).toEqual(
      new Map<string, unknown>([
        ['hidden_size', 4],
        ['direction', 'forward'],
      ]),
    );
  });

  it('refuses a tensor whose length does not fit its shape', () => {
    expect(() => new OnnxGraphBuilder('bad').floats('w', [2, 2], [1, 2, 3])).toThrow(
      '3 values for shape [2, 2]',
    );
  });
});

describe('openSession', () => {
  it('refuses bytes that are no model, in one line', async () => {
    const failure = openSession(new Uint8Array([1, 2, 3]));
    await expect(failure).rejects.toMatchObject({ code: 'model.onnx', disposition: 'usage' });
    await expect(failure).rejects.toThrow(/^[^\n]+$/);
  });

  it('refuses an input of the wrong shape', async () => {
    const session = await openSession(lstmModel());
    const run = session.run({ x: { data: new Float32Array(5), dims: [1, 1, 5] } });
    await expect(run).rejects.toMatchObject({ code: 'model.input' });
    await session.close();
  });

  it('readOnnx refuses bytes without a graph', () => {
    expect(() => readOnnx(new Uint8Array([255, 1, 2]))).toThrow('not an ONNX model');
    expect(() => readOnnx(new Uint8Array(0))).toThrow('holds no graph');
  });
});
