// The LSTM training kernel: one instance trains one network. The layout of the parameters is stated in ../network.ts.
import { Layer } from './layer';
import { accumulateBias, accumulateOuter, multiply } from './matrix';
import { reserve, reserveFloats } from './memory';

let steps: i32 = 0;
let channels: i32 = 0;
let hidden: i32 = 0;
let contextSize: i32 = 0;
let horizons: i32 = 0;
let levelCount: i32 = 0;
let outputs: i32 = 0;
let batch: i32 = 0;
let lower: Layer | null = null;
let top: Layer = changetype<Layer>(0);
let dBetween: usize = 0;

let count: i32 = 0;
let parameterBlock: usize = 0;
let gradientBlock: usize = 0;
let firstMoments: usize = 0;
let secondMoments: usize = 0;
let rateBlock: usize = 0;
let updates: i32 = 0;

let headWeights: usize = 0;
let headBias: usize = 0;
let headWeightGradient: usize = 0;
let headBiasGradient: usize = 0;
/** [hidden + contextSize][batch] */
let headPanel: usize = 0;
/** [outputs][batch], predictions, overwritten by their gradients */
let outputPanel: usize = 0;
let targetPanel: usize = 0;
let weightPanel: usize = 0;
let levelBlock: usize = 0;

let sequenceData: usize = 0;
let contextData: usize = 0;
let targetData: usize = 0;
let weightData: usize = 0;
let orderData: usize = 0;
let predictionData: usize = 0;

/** Lays out a network: `layers` is 1 or 2, `batchSize` a multiple of 8. Call once. */
export function configure(
  stepCount: i32, channelCount: i32, hiddenSize: i32, layers: i32, contextCount: i32, horizonCount: i32, levels: i32, batchSize: i32,
): void {
  steps = stepCount;
  channels = channelCount;
  hidden = hiddenSize;
  contextSize = contextCount;
  horizons = horizonCount;
  levelCount = levels;
  outputs = horizonCount * levels;
  batch = batchSize;
  const first = new Layer(channels, hidden, steps, batch);
  if (layers == 2) {
    lower = first;
    top = new Layer(hidden, hidden, steps, batch);
    dBetween = reserveFloats(steps * hidden * batch);
  } else {
    top = first;
  }
  const headInputs = hidden + contextSize;
  count = top.parameterCount() + outputs * (headInputs + 1);
  if (lower) count += lower!.parameterCount();
  parameterBlock = reserveFloats(count);
  gradientBlock = reserveFloats(count);
  firstMoments = reserveFloats(count);
  secondMoments = reserveFloats(count);
  rateBlock = reserveFloats(count);
  let p = parameterBlock;
  if (lower) {
    lower!.place(p, gradientBlock + (p - parameterBlock));
    p += <usize>lower!.parameterCount() << 2;
  }
  top.place(p, gradientBlock + (p - parameterBlock));
  p += <usize>top.parameterCount() << 2;
  headWeights = p;
  headBias = p + (<usize>(outputs * headInputs) << 2);
  headWeightGradient = gradientBlock + (headWeights - parameterBlock);
  headBiasGradient = gradientBlock + (headBias - parameterBlock);
  headPanel = reserveFloats(headInputs * batch);
  outputPanel = reserveFloats(outputs * batch);
  targetPanel = reserveFloats(horizons * batch);
  weightPanel = reserveFloats(horizons * batch);
  levelBlock = reserveFloats(levelCount);
}

/** Makes room for a data set of `rows` rows; the caller fills it through the pointers below. */
export function reserveRows(rows: i32): void {
  sequenceData = reserveFloats(rows * steps * channels);
  contextData = reserveFloats(rows * contextSize);
  targetData = reserveFloats(rows * horizons);
  weightData = reserveFloats(rows * horizons);
  orderData = reserve(<usize>rows << 2);
  predictionData = reserveFloats(rows * outputs);
}

export function parameterCount(): i32 { return count; }
export function parameters(): usize { return parameterBlock; }
export function gradients(): usize { return gradientBlock; }
export function rates(): usize { return rateBlock; }
export function levels(): usize { return levelBlock; }
export function sequences(): usize { return sequenceData; }
export function contexts(): usize { return contextData; }
export function targets(): usize { return targetData; }
export function targetWeights(): usize { return weightData; }
export function order(): usize { return orderData; }
export function predictions(): usize { return predictionData; }

/** Rows order[first..first + size) into the panels; lanes beyond `size` are zero and weigh nothing. */
function gather(first: i32, size: i32): void {
  const input = lower ? lower! : top;
  memory.fill(weightPanel, 0, <usize>(horizons * batch) << 2);
  for (let lane = 0; lane < size; lane++) {
    const row = load<i32>(orderData + (<usize>(first + lane) << 2));
    let source = sequenceData + (<usize>(row * steps * channels) << 2);
    for (let t = 0; t < steps; t++) {
      let target = input.inputAt(t) + (<usize>lane << 2);
      for (let c = 0; c < channels; c++) {
        store<f32>(target, load<f32>(source));
        source += 4;
        target += <usize>batch << 2;
      }
    }
    scatter(headPanel + (<usize>(hidden * batch) << 2), contextData, row, lane, contextSize);
    scatter(targetPanel, targetData, row, lane, horizons);
    scatter(weightPanel, weightData, row, lane, horizons);
  }
}

function scatter(panel: usize, data: usize, row: i32, lane: i32, size: i32): void {
  let source = data + (<usize>(row * size) << 2);
  let target = panel + (<usize>lane << 2);
  for (let i = 0; i < size; i++) {
    store<f32>(target, load<f32>(source));
    source += 4;
    target += <usize>batch << 2;
  }
}

function forward(): void {
  if (lower) {
    lower!.forward();
    for (let t = 0; t < steps; t++) memory.copy(top.inputAt(t), lower!.hiddenAt(t + 1), <usize>(hidden * batch) << 2);
  }
  top.forward();
  memory.copy(headPanel, top.hiddenAt(steps), <usize>(hidden * batch) << 2);
  const headInputs = hidden + contextSize;
  multiply(outputPanel, headWeights, <usize>headInputs << 2, 4, outputs, headInputs, headPanel, batch, headBias, false);
}

/** The batch's pinball loss (summed over rows, meaned over outputs); leaves its gradient in the output panel. */
function loss(size: i32): f64 {
  let total: f64 = 0;
  const scale: f32 = <f32>(1.0 / <f64>(size * outputs));
  for (let output = 0; output < outputs; output++) {
    const level = load<f32>(levelBlock + (<usize>(output % levelCount) << 2));
    const horizon = output / levelCount;
    for (let lane = 0; lane < batch; lane++) {
      const at = outputPanel + (<usize>(output * batch + lane) << 2);
      const other = <usize>(horizon * batch + lane) << 2;
      const weight = load<f32>(weightPanel + other);
      const error = load<f32>(targetPanel + other) - load<f32>(at);
      const slope: f32 = error > 0 ? level : level - 1;
      if (weight > 0) total += <f64>(weight * slope * error);
      store<f32>(at, weight > 0 ? -slope * weight * scale : 0);
    }
  }
  return total / <f64>outputs;
}

function backward(): void {
  const headInputs = hidden + contextSize;
  const rowStride = <usize>headInputs << 2;
  accumulateOuter(headWeightGradient, rowStride, outputPanel, 0, outputs, headPanel, 0, headInputs, 1, batch);
  accumulateBias(headBiasGradient, outputPanel, 0, outputs, 1, batch);
  multiply(top.dHidden, headWeights, 4, rowStride, hidden, outputs, outputPanel, batch, 0, false);
  top.backward(0, dBetween);
  if (lower) {
    memory.fill(lower!.dHidden, 0, <usize>(hidden * batch) << 2);
    lower!.backward(dBetween, 0);
  }
}

/** Gradients of the mean loss over rows order[first..first + size), size <= batch; returns the loss summed over the rows. */
export function gradientOf(first: i32, size: i32): f64 {
  memory.fill(gradientBlock, 0, <usize>count << 2);
  gather(first, size);
  forward();
  const total = loss(size);
  backward();
  return total;
}

/** Scores rows order[first..first + size), any size, into `predictions` by position in the order; returns the summed loss. */
export function evaluate(first: i32, size: i32): f64 {
  let total: f64 = 0;
  for (let done = 0; done < size; done += batch) {
    const part = min(batch, size - done);
    gather(first + done, part);
    forward();
    for (let lane = 0; lane < part; lane++) {
      let target = predictionData + (<usize>((first + done + lane) * outputs) << 2);
      for (let output = 0; output < outputs; output++) {
        store<f32>(target, load<f32>(outputPanel + (<usize>(output * batch + lane) << 2)));
        target += 4;
      }
    }
    total += loss(part);
  }
  return total;
}

/** One Adam step (Kingma & Ba 2015; beta 0.9, 0.999, epsilon 1e-7) on gradients clipped to a global norm; each parameter's rate is `learningRate * rates[i]`. */
export function update(learningRate: f32, clipNorm: f32): void {
  let squares: f64 = 0;
  const end = <usize>count << 2;
  for (let p: usize = 0; p < end; p += 4) {
    const g = <f64>load<f32>(gradientBlock + p);
    squares += g * g;
  }
  const norm = <f32>Math.sqrt(squares);
  const clip: f32 = norm > clipNorm ? clipNorm / norm : 1;
  updates++;
  const correction1 = <f32>(1.0 - Math.pow(0.9, updates));
  const correction2 = <f32>(1.0 - Math.pow(0.999, updates));
  for (let p: usize = 0; p < end; p += 4) {
    const g = load<f32>(gradientBlock + p) * clip;
    const m = <f32>0.9 * load<f32>(firstMoments + p) + <f32>0.1 * g;
    const v = <f32>0.999 * load<f32>(secondMoments + p) + <f32>0.001 * g * g;
    store<f32>(firstMoments + p, m);
    store<f32>(secondMoments + p, v);
    const step = learningRate * load<f32>(rateBlock + p) * (m / correction1) / (sqrt(v / correction2) + <f32>1e-7);
    store<f32>(parameterBlock + p, load<f32>(parameterBlock + p) - step);
  }
}
