import { Random } from '../../kernel/random.ts';

/**
 * A quantile network: one or two LSTM layers over [steps][channels], then a dense head on the last hidden state and,
 * as a linear skip, the context: out[h * levels + q] = head . [hidden; context] + bias.
 */
export interface NetworkShape {
  readonly steps: number;
  readonly channels: number;
  readonly hidden: number;
  readonly layers: 1 | 2;
  readonly contextSize: number;
  readonly horizons: number;
  readonly levels: readonly number[];
}

/** One LSTM layer's place in the parameter block. */
export interface LayerLayout {
  readonly inputs: number;
  /** Offset of [4 * hidden][inputs + hidden], gate order i, f, g, o (as Keras has it). */
  readonly weights: number;
  /** Offset of [4 * hidden]. */
  readonly bias: number;
}

/** Where everything lies in the one block of float32 parameters. */
export interface NetworkLayout {
  readonly layers: readonly LayerLayout[];
  /** Offset of [outputs][hidden + contextSize]. */
  readonly headWeights: number;
  /** Offset of [outputs]. */
  readonly headBias: number;
  readonly outputs: number;
  readonly count: number;
}

/** A trained (or initial) network. */
export interface LstmWeights {
  readonly shape: NetworkShape;
  readonly values: Float32Array;
}

export function layoutOf(shape: NetworkShape): NetworkLayout {
  const { hidden, contextSize } = shape;
  const layers: LayerLayout[] = [];
  let offset = 0;
  for (let layer = 0; layer < shape.layers; layer++) {
    const inputs = layer === 0 ? shape.channels : hidden;
    const bias = offset + 4 * hidden * (inputs + hidden);
    layers.push({ inputs, weights: offset, bias });
    offset = bias + 4 * hidden;
  }
  const outputs = shape.horizons * shape.levels.length;
  const headBias = offset + outputs * (hidden + contextSize);
  return { layers, headWeights: offset, headBias, outputs, count: headBias + outputs };
}

/**
 * Seeded initial weights: Glorot-uniform inputs and recurrent parts, forget bias 1 (Jozefowicz et al. 2015), head zero, so that an
 * untrained network says exactly what its linear skip says.
 */
export function initialWeights(shape: NetworkShape, seed: number): LstmWeights {
  const random = new Random(seed);
  const layout = layoutOf(shape);
  const values = new Float32Array(layout.count);
  for (const layer of layout.layers) {
    const width = layer.inputs + shape.hidden;
    const limit = Math.sqrt(6 / (width + shape.hidden));
    for (let i = layer.weights; i < layer.bias; i++) values[i] = (2 * random.uniform() - 1) * limit;
    values.fill(1, layer.bias + shape.hidden, layer.bias + 2 * shape.hidden);
  }
  return { shape, values };
}
