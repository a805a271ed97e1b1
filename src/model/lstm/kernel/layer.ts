// One LSTM layer over a sequence (Hochreiter & Schmidhuber 1997, with forget gates), forward and backward through time.
// Panels hold [feature][batch]; a step's input panel is [x; h of the step before], so that both products are one.
import { hyperbolicTangent, sigmoid } from './activation';
import { accumulateBias, accumulateOuter, multiply } from './matrix';
import { reserveFloats } from './memory';

export class Layer {
  inputs: i32;
  hidden: i32;
  steps: i32;
  batch: i32;
  /** [4 * hidden][inputs + hidden], gates in the order i, f, g, o; then bias [4 * hidden]. */
  weights: usize;
  bias: usize;
  weightGradient: usize;
  biasGradient: usize;
  /** [steps + 1][inputs + hidden][batch]; the last step holds only the final h. */
  panel: usize;
  panelStep: usize;
  /** Activated gates, overwritten by their gradients: [steps][4 * hidden][batch]. */
  gates: usize;
  gateStep: usize;
  /** [steps + 1][hidden][batch] */
  cells: usize;
  cellTanh: usize;
  cellStep: usize;
  /** Gradients of h and c of the current step. */
  dHidden: usize;
  dCell: usize;

  constructor(inputs: i32, hidden: i32, steps: i32, batch: i32) {
    this.inputs = inputs;
    this.hidden = hidden;
    this.steps = steps;
    this.batch = batch;
    this.panelStep = <usize>((inputs + hidden) * batch) << 2;
    this.gateStep = <usize>(4 * hidden * batch) << 2;
    this.cellStep = <usize>(hidden * batch) << 2;
    this.panel = reserveFloats((steps + 1) * (inputs + hidden) * batch);
    this.gates = reserveFloats(steps * 4 * hidden * batch);
    this.cells = reserveFloats((steps + 1) * hidden * batch);
    this.cellTanh = reserveFloats(steps * hidden * batch);
    this.dHidden = reserveFloats(hidden * batch);
    this.dCell = reserveFloats(hidden * batch);
    this.weights = 0;
    this.bias = 0;
    this.weightGradient = 0;
    this.biasGradient = 0;
  }

  parameterCount(): i32 {
    return 4 * this.hidden * (this.inputs + this.hidden + 1);
  }

  /** Places weights and gradients in the shared parameter block. */
  place(parameters: usize, gradients: usize): void {
    const weightBytes = <usize>(4 * this.hidden * (this.inputs + this.hidden)) << 2;
    this.weights = parameters;
    this.bias = parameters + weightBytes;
    this.weightGradient = gradients;
    this.biasGradient = gradients + weightBytes;
  }

  /** Where the input x of step t is written: [inputs][batch]. */
  inputAt(t: i32): usize {
    return this.panel + <usize>t * this.panelStep;
  }

  /** h before step t (so `hiddenAt(steps)` is the final one): [hidden][batch]. */
  hiddenAt(t: i32): usize {
    return this.inputAt(t) + (<usize>(this.inputs * this.batch) << 2);
  }

  forward(): void {
    const width = this.inputs + this.hidden;
    for (let t = 0; t < this.steps; t++) {
      const gates = this.gates + <usize>t * this.gateStep;
      multiply(gates, this.weights, <usize>width << 2, 4, 4 * this.hidden, width, this.inputAt(t), this.batch, this.bias, false);
      this.activate(t, gates);
    }
  }

  private activate(t: i32, gates: usize): void {
    const block = this.cellStep;
    const cell = this.cells + <usize>t * block;
    const cellTanh = this.cellTanh + <usize>t * block;
    const hidden = this.hiddenAt(t + 1);
    for (let p: usize = 0; p < block; p += 16) {
      const i = sigmoid(v128.load(gates + p));
      const f = sigmoid(v128.load(gates + block + p));
      const g = hyperbolicTangent(v128.load(gates + 2 * block + p));
      const o = sigmoid(v128.load(gates + 3 * block + p));
      const c = f32x4.add(f32x4.mul(f, v128.load(cell + p)), f32x4.mul(i, g));
      const squashed = hyperbolicTangent(c);
      v128.store(gates + p, i);
      v128.store(gates + block + p, f);
      v128.store(gates + 2 * block + p, g);
      v128.store(gates + 3 * block + p, o);
      v128.store(cell + block + p, c);
      v128.store(cellTanh + p, squashed);
      v128.store(hidden + p, f32x4.mul(o, squashed));
    }
  }

  /**
   * Back through time. `dHidden` holds the gradient of the final h; `dOutputs` (0 or [steps][hidden][batch]) those of every step's h;
   * `dInputs` (0 or [steps][inputs][batch]) receives the gradients of the inputs.
   */
  backward(dOutputs: usize, dInputs: usize): void {
    const width = this.inputs + this.hidden;
    const rowStride: usize = <usize>width << 2;
    const inputBlock = <usize>(this.inputs * this.batch) << 2;
    memory.fill(this.dCell, 0, this.cellStep);
    for (let t = this.steps - 1; t >= 0; t--) {
      this.gateGradients(t, dOutputs ? dOutputs + <usize>t * this.cellStep : 0);
      const gates = this.gates + <usize>t * this.gateStep;
      // Transposed product: the matrix is read with its strides exchanged.
      if (t > 0) multiply(this.dHidden, this.weights + (<usize>this.inputs << 2), 4, rowStride, this.hidden, 4 * this.hidden, gates, this.batch, 0, false);
      if (dInputs) multiply(dInputs + <usize>t * inputBlock, this.weights, 4, rowStride, this.inputs, 4 * this.hidden, gates, this.batch, 0, false);
    }
    accumulateOuter(this.weightGradient, rowStride, this.gates, this.gateStep, 4 * this.hidden, this.panel, this.panelStep, width, this.steps, this.batch);
    accumulateBias(this.biasGradient, this.gates, this.gateStep, 4 * this.hidden, this.steps, this.batch);
  }

  private gateGradients(t: i32, dOutput: usize): void {
    const block = this.cellStep;
    const gates = this.gates + <usize>t * this.gateStep;
    const before = this.cells + <usize>t * block;
    const cellTanh = this.cellTanh + <usize>t * block;
    const one = f32x4.splat(1.0);
    for (let p: usize = 0; p < block; p += 16) {
      let dh = v128.load(this.dHidden + p);
      if (dOutput) dh = f32x4.add(dh, v128.load(dOutput + p));
      const i = v128.load(gates + p);
      const f = v128.load(gates + block + p);
      const g = v128.load(gates + 2 * block + p);
      const o = v128.load(gates + 3 * block + p);
      const squashed = v128.load(cellTanh + p);
      const dc = f32x4.add(
        v128.load(this.dCell + p),
        f32x4.mul(f32x4.mul(dh, o), f32x4.sub(one, f32x4.mul(squashed, squashed))),
      );
      const dSigmoidI = f32x4.mul(i, f32x4.sub(one, i));
      const dSigmoidF = f32x4.mul(f, f32x4.sub(one, f));
      const dSigmoidO = f32x4.mul(o, f32x4.sub(one, o));
      v128.store(gates + p, f32x4.mul(f32x4.mul(dc, g), dSigmoidI));
      v128.store(gates + block + p, f32x4.mul(f32x4.mul(dc, v128.load(before + p)), dSigmoidF));
      v128.store(gates + 2 * block + p, f32x4.mul(f32x4.mul(dc, i), f32x4.sub(one, f32x4.mul(g, g))));
      v128.store(gates + 3 * block + p, f32x4.mul(f32x4.mul(dh, squashed), dSigmoidO));
      v128.store(this.dCell + p, f32x4.mul(dc, f));
    }
  }
}
