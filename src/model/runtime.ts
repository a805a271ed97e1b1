import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { messageOf, usageError } from '../kernel/errors.ts';

/** Values of a tensor: float32 for numbers, int64 as bigint. */
export type TensorData = Float32Array | BigInt64Array;

export interface TensorValue {
  readonly data: TensorData;
  readonly dims: readonly number[];
}

/** A declared input or output; a dimension is a length, or the name of one known only when it runs. */
export interface TensorSpec {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly (number | string)[];
}

/** A loaded model, ready to score. Not for concurrent `close` and `run`. */
export interface ModelSession {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Feeds are read, not copied, until it resolves: do not write into them meanwhile. Rejects with usage error `model.input` on wrong names or shapes. */
  run(feeds: Readonly<Record<string, TensorValue>>): Promise<Record<string, TensorValue>>;
  /** Frees the native memory; idempotent. */
  close(): Promise<void>;
}

export interface SessionOptions {
  /** Threads within one operator. More than one pays only for large batches, and takes cores from the other stages. */
  readonly intraOpThreads?: number;
}

/** Loads a model on ONNX Runtime's CPU provider. Usage error `model.onnx` where the bytes are no model it can run. */
export async function openSession(onnx: Uint8Array, options: SessionOptions = {}): Promise<ModelSession> {
  // Loaded on first use: it takes 0.1 s, which commands without a model need not pay.
  const ort = await import('onnxruntime-node');
  let session: InferenceSession;
  try {
    session = await ort.InferenceSession.create(onnx, {
      executionProviders: ['cpu'],
      intraOpNumThreads: options.intraOpThreads ?? 1,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
    });
  } catch (error) {
    throw usageError('model.onnx', `ONNX Runtime cannot load this model: ${messageOf(error)}`, error);
  }
  return new OnnxRuntimeSession(session, ort.Tensor);
}

class OnnxRuntimeSession implements ModelSession {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly #tensor: typeof Tensor;
  #session: InferenceSession | null;

  constructor(session: InferenceSession, tensor: typeof Tensor) {
    this.#session = session;
    this.#tensor = tensor;
    this.inputs = session.inputMetadata.map(toSpec);
    this.outputs = session.outputMetadata.map(toSpec);
  }

  async run(feeds: Readonly<Record<string, TensorValue>>): Promise<Record<string, TensorValue>> {
    if (!this.#session) throw usageError('model.closed', 'the model was closed; load it again');
    try {
      const tensors: Record<string, Tensor> = {};
      for (const [name, value] of Object.entries(feeds)) {
        tensors[name] =
          value.data instanceof Float32Array
            ? new this.#tensor('float32', value.data, value.dims)
            : new this.#tensor('int64', value.data, value.dims);
      }
      return (await this.#session.run(tensors)) as unknown as Record<string, TensorValue>;
    } catch (error) {
      throw usageError('model.input', `the model refused its input: ${messageOf(error)}`, error);
    }
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.release();
  }
}

function toSpec(value: InferenceSession.ValueMetadata): TensorSpec {
  return value.isTensor
    ? { name: value.name, type: value.type, shape: value.shape }
    : { name: value.name, type: 'not a tensor', shape: [] };
}
