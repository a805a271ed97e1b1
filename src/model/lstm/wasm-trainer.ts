import { readFile } from 'node:fs/promises';
import { fatalError, messageOf } from '../../kernel/errors.ts';
import { layoutOf, type NetworkShape } from './network.ts';
import type { LstmDataset, LstmParameters, LstmTrainer } from './trainer.ts';
import { type LstmEngine, parameterRates, runTraining } from './training-loop.ts';

/** The part of the engine's API that is used here; the compiler's own types come only with those of a browser. */
declare const WebAssembly: {
  compile(bytes: Uint8Array): Promise<CompiledModule>;
  instantiate(module: CompiledModule, imports: object): Promise<{ readonly exports: object }>;
};
type CompiledModule = { readonly __module: unique symbol };

/** What the compiled AssemblyScript kernel exports; pointers are byte offsets into `memory`. */
interface KernelExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  configure(
    steps: number,
    channels: number,
    hidden: number,
    layers: number,
    contextSize: number,
    horizons: number,
    levels: number,
    batch: number,
  ): void;
  reserveRows(rows: number): void;
  parameterCount(): number;
  parameters(): number;
  gradients(): number;
  rates(): number;
  levels(): number;
  sequences(): number;
  contexts(): number;
  targets(): number;
  targetWeights(): number;
  order(): number;
  predictions(): number;
  gradientOf(first: number, size: number): number;
  evaluate(first: number, size: number): number;
  update(learningRate: number, clipNorm: number): void;
}

// The same distance from src/model/lstm and from dist/model/lstm.
const KERNEL_URL = new URL('../../../build/lstm-kernel.wasm', import.meta.url);
let compiled: Promise<CompiledModule> | undefined;

async function compileKernel(): Promise<CompiledModule> {
  const bytes = await readFile(KERNEL_URL).catch((error: unknown) => {
    throw fatalError(
      'KERNEL_MISSING',
      `the LSTM training kernel is not built (${messageOf(error)}); run "npm run prepare", or use --trainer tfjs`,
      error,
    );
  });
  return WebAssembly.compile(new Uint8Array(bytes));
}

/** One network and its data set inside a fresh WebAssembly instance. */
export class WasmEngine implements LstmEngine {
  readonly #kernel: KernelExports;
  readonly #shape: NetworkShape;
  readonly #rows: number;
  readonly #clipNorm: number;

  private constructor(kernel: KernelExports, dataset: LstmDataset, parameters: LstmParameters) {
    this.#kernel = kernel;
    this.#shape = parameters.shape;
    this.#rows = dataset.rows;
    this.#clipNorm = parameters.clipNorm;
    const { shape } = parameters;
    kernel.configure(
      shape.steps,
      shape.channels,
      shape.hidden,
      shape.layers,
      shape.contextSize,
      shape.horizons,
      shape.levels.length,
      parameters.batch,
    );
    kernel.reserveRows(dataset.rows);
    this.#floats(kernel.parameters(), parameters.initial.length).set(parameters.initial);
    this.#floats(kernel.rates(), parameters.initial.length).set(parameterRates(parameters));
    this.#floats(kernel.levels(), shape.levels.length).set(shape.levels);
    this.#floats(kernel.sequences(), dataset.sequences.length).set(dataset.sequences);
    this.#floats(kernel.contexts(), dataset.contexts.length).set(dataset.contexts);
    this.#floats(kernel.targets(), dataset.targets.length).set(dataset.targets);
    this.#floats(kernel.targetWeights(), dataset.weights.length).set(dataset.weights);
  }

  /** Compiles the kernel once a process. Throws `fatal` KERNEL_MISSING where it was not built. */
  static async create(dataset: LstmDataset, parameters: LstmParameters): Promise<WasmEngine> {
    compiled ??= compileKernel();
    const instance = await WebAssembly.instantiate(await compiled, {});
    return new WasmEngine(instance.exports as unknown as KernelExports, dataset, parameters);
  }

  trainOn(rows: Int32Array, learningRate: number): number {
    const loss = this.#gradientOf(rows);
    this.#kernel.update(learningRate, this.#clipNorm);
    return loss;
  }

  lossOf(from: number, to: number): number {
    this.#setOrder(Int32Array.from({ length: to - from }, (_, i) => from + i));
    return this.#kernel.evaluate(0, to - from);
  }

  /** The gradient of the mean loss over these rows (at most `batch`), before clipping. */
  gradientsOf(rows: Int32Array): { loss: number; gradients: Float32Array } {
    const loss = this.#gradientOf(rows);
    return {
      loss,
      gradients: this.#floats(this.#kernel.gradients(), this.#kernel.parameterCount()).slice(),
    };
  }

  /** The network's outputs for every row: [rows][horizons * levels]. */
  predictAll(): Float32Array {
    this.lossOf(0, this.#rows);
    return this.#floats(this.#kernel.predictions(), this.#rows * layoutOf(this.#shape).outputs).slice();
  }

  readParameters(): Float32Array {
    return this.#floats(this.#kernel.parameters(), this.#kernel.parameterCount()).slice();
  }

  dispose(): void {
    // The instance's memory goes with it.
  }

  #gradientOf(rows: Int32Array): number {
    this.#setOrder(rows);
    return this.#kernel.gradientOf(0, rows.length);
  }

  #setOrder(rows: Int32Array): void {
    new Int32Array(this.#kernel.memory.buffer, this.#kernel.order(), rows.length).set(rows);
  }

  #floats(pointer: number, length: number): Float32Array {
    return new Float32Array(this.#kernel.memory.buffer, pointer, length);
  }
}

/** The own kernel: WebAssembly SIMD, one core, bit-for-bit the same on every machine. */
export function createWasmTrainer(): LstmTrainer {
  return {
    name: 'wasm',
    async train(dataset, parameters, onProgress, signal) {
      const engine = await WasmEngine.create(dataset, parameters);
      return runTraining(engine, dataset, parameters, onProgress, signal);
    },
  };
}
