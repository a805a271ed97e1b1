import { OnnxGraphBuilder } from '../onnx/graph.ts';
import { type LayerLayout, type LstmWeights, layoutOf, type NetworkShape } from './network.ts';

/** Input columns less their mean, divided by their spread; part of the graph, so that callers feed plain values. */
export interface Standardisation {
  readonly mean: Float32Array;
  readonly inverseSpread: Float32Array;
}

/** Names of the graph's tensors. */
export const SEQUENCE_INPUT = 'sequence';
export const CONTEXT_INPUT = 'context';
export const QUANTILES_OUTPUT = 'quantiles';

/**
 * Networks of one shape as one ONNX graph whose output is their mean: sequence [rows, steps, channels] and context
 * [rows, contextSize] to quantiles [rows, horizons * levels].
 */
export function networksToOnnx(
  members: readonly LstmWeights[],
  sequence: Standardisation,
  context: Standardisation,
): Uint8Array {
  const shape = members[0]!.shape;
  const outputs = layoutOf(shape).outputs;
  const graph = new OnnxGraphBuilder('forecaster');
  const sequenceInput = graph.input(SEQUENCE_INPUT, 'float', ['rows', shape.steps, shape.channels]);
  const contextInput = graph.input(CONTEXT_INPUT, 'float', ['rows', shape.contextSize]);
  const x = standardised(graph, sequenceInput, 'sequence', sequence);
  const stepsFirst = graph.node('Transpose', [x], { attributes: { perm: { ints: [1, 0, 2] } } });
  const contexts = standardised(graph, contextInput, 'context', context);
  const answers = members.map((member, index) => addMember(graph, member, `m${index}`, stepsFirst, contexts));
  const sum = answers.length === 1 ? answers[0]! : graph.node('Sum', answers);
  const share = graph.floats('share', [1], [1 / answers.length]);
  graph.node('Mul', [sum, share], { outputs: [QUANTILES_OUTPUT] });
  graph.output(QUANTILES_OUTPUT, 'float', ['rows', outputs]);
  return graph.toBytes();
}

function standardised(graph: OnnxGraphBuilder, input: string, name: string, by: Standardisation): string {
  const mean = graph.floats(`${name}_mean`, [by.mean.length], by.mean);
  const spread = graph.floats(`${name}_inverse_spread`, [by.mean.length], by.inverseSpread);
  return graph.node('Mul', [graph.node('Sub', [input, mean]), spread]);
}

function addMember(
  graph: OnnxGraphBuilder,
  weights: LstmWeights,
  name: string,
  stepsFirst: string,
  contexts: string,
): string {
  const { shape, values } = weights;
  const layout = layoutOf(shape);
  const axis = (n: number) => graph.int64s(`${name}_axis${n}_${layers++}`, [1], [n]);
  let layers = 0;
  let x = stepsFirst;
  let last = '';
  layout.layers.forEach((layer, index) => {
    const tensors = addLayer(graph, shape, layer, values, `${name}_l${index}`);
    const isLast = index === layout.layers.length - 1;
    const all = isLast ? '' : `${name}_y${index}`;
    last = `${name}_h${index}`;
    graph.node('LSTM', [x, ...tensors], {
      attributes: { hidden_size: { int: shape.hidden } },
      outputs: [all, last],
    });
    if (!isLast) x = graph.node('Squeeze', [all, axis(1)]);
  });
  const hidden = graph.node('Squeeze', [last, axis(0)]);
  const both = graph.node('Concat', [hidden, contexts], { attributes: { axis: { int: 1 } } });
  const head = graph.floats(
    `${name}_head`,
    [layout.outputs, shape.hidden + shape.contextSize],
    values.subarray(layout.headWeights, layout.headBias),
  );
  const bias = graph.floats(`${name}_bias`, [layout.outputs], values.subarray(layout.headBias));
  return graph.node('Gemm', [both, head, bias], { attributes: { transB: { int: 1 } } });
}

/** ONNX wants the gates in the order i, o, f, c (ours: i, f, g = c, o), input and recurrent weights apart, and two biases. */
function addLayer(
  graph: OnnxGraphBuilder,
  shape: NetworkShape,
  layer: LayerLayout,
  values: Float32Array,
  name: string,
): string[] {
  const { hidden } = shape;
  const width = layer.inputs + hidden;
  const w = new Float32Array(4 * hidden * layer.inputs);
  const r = new Float32Array(4 * hidden * hidden);
  const b = new Float32Array(8 * hidden);
  [0, 3, 1, 2].forEach((ours, theirs) => {
    for (let unit = 0; unit < hidden; unit++) {
      const from = layer.weights + (ours * hidden + unit) * width;
      const to = theirs * hidden + unit;
      w.set(values.subarray(from, from + layer.inputs), to * layer.inputs);
      r.set(values.subarray(from + layer.inputs, from + width), to * hidden);
      b[to] = values[layer.bias + ours * hidden + unit]!;
    }
  });
  return [
    graph.floats(`${name}_w`, [1, 4 * hidden, layer.inputs], w),
    graph.floats(`${name}_r`, [1, 4 * hidden, hidden], r),
    graph.floats(`${name}_b`, [1, 8 * hidden], b),
  ];
}
