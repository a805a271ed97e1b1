import {
  ATTRIBUTE_TYPE,
  type AttributeProto,
  DATA_TYPE,
  encodeModelProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './schema.ts';

/** A tensor in row-major order; `type` is the ONNX element type. */
export interface OnnxTensor {
  readonly type: keyof typeof DATA_TYPE;
  readonly dims: readonly number[];
  readonly data: ArrayLike<number>;
}

/** An attribute with its type named, as ONNX tells int 1 and float 1 apart. */
export type OnnxAttribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly ints: ArrayLike<number> }
  | { readonly floats: ArrayLike<number> }
  | { readonly strings: readonly string[] }
  | { readonly tensor: OnnxTensor };

/** A dimension: a fixed length, or the name of one known only when it runs (`'rows'`). */
export type OnnxDimension = number | string;

export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
  /** Operator set; empty = ai.onnx. */
  readonly domain?: string;
  /** Names of the outputs, '' to skip one; default one generated name. */
  readonly outputs?: readonly string[];
}

/** Versions every graph of ours declares; ONNX Runtime 1.12 and later read them. */
export const ONNX_OPSET = 17;
const ONNX_ML_OPSET = 3;
const IR_VERSION = 8;

/**
 * Builds one ONNX graph: declare inputs, add initialisers and nodes in order of computation, declare outputs, write.
 * Every adder returns the name of the value it made, to be used as input of later nodes. The same calls give the same bytes.
 */
export class OnnxGraphBuilder {
  readonly #name: string;
  readonly #nodes: NodeProto[] = [];
  readonly #initialisers: TensorProto[] = [];
  readonly #inputs: ValueInfoProto[] = [];
  readonly #outputs: ValueInfoProto[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  input(name: string, type: OnnxTensor['type'], dims: readonly OnnxDimension[]): string {
    this.#inputs.push(valueInfo(name, type, dims));
    return name;
  }

  /** Declares a value that some node makes as an output of the model. */
  output(name: string, type: OnnxTensor['type'], dims: readonly OnnxDimension[]): void {
    this.#outputs.push(valueInfo(name, type, dims));
  }

  /** A constant; `data` holds the product of `dims` numbers in row-major order. */
  initialiser(name: string, tensor: OnnxTensor): string {
    this.#initialisers.push(tensorProto(name, tensor));
    return name;
  }

  floats(name: string, dims: readonly number[], data: ArrayLike<number>): string {
    return this.initialiser(name, { type: 'float', dims, data });
  }

  int64s(name: string, dims: readonly number[], data: ArrayLike<number>): string {
    return this.initialiser(name, { type: 'int64', dims, data });
  }

  /** Adds a node and returns the name of its first output. An input '' is an omitted optional one. */
  node(opType: string, inputs: readonly string[], options: NodeOptions = {}): string {
    const name = `${opType}_${this.#nodes.length}`;
    const outputs = options.outputs ?? [name];
    this.#nodes.push({
      input: [...inputs],
      output: [...outputs],
      name,
      op_type: opType,
      attribute: Object.entries(options.attributes ?? {}).map(([key, value]) => attributeProto(key, value)),
      domain: options.domain ?? '',
    });
    return outputs[0]!;
  }

  /** The finished model. Holds neither time nor version, so that the same data and seed give the same bytes. */
  toBytes(): Uint8Array {
    const opsets = [{ domain: '', version: ONNX_OPSET }];
    if (this.#nodes.some((node) => node.domain === 'ai.onnx.ml')) {
      opsets.push({ domain: 'ai.onnx.ml', version: ONNX_ML_OPSET });
    }
    return encodeModelProto({
      ir_version: IR_VERSION,
      producer_name: 'flowcast',
      producer_version: '',
      opset_import: opsets,
      graph: {
        name: this.#name,
        node: this.#nodes,
        initializer: this.#initialisers,
        input: this.#inputs,
        output: this.#outputs,
      },
    });
  }
}

function valueInfo(name: string, type: OnnxTensor['type'], dims: readonly OnnxDimension[]): ValueInfoProto {
  const dim = dims.map((d) => (typeof d === 'number' ? { dim_value: d } : { dim_param: d }));
  return { name, type: { tensor_type: { elem_type: DATA_TYPE[type], shape: { dim } } } };
}

function tensorProto(name: string, tensor: OnnxTensor): TensorProto {
  const length = tensor.dims.reduce((product, d) => product * d, 1);
  if (length !== tensor.data.length) {
    throw new Error(`tensor ${name}: ${tensor.data.length} values for shape [${tensor.dims.join(', ')}]`);
  }
  const width = tensor.type === 'float' ? 4 : 8;
  const raw = new Uint8Array(length * width);
  const view = new DataView(raw.buffer);
  for (let i = 0; i < length; i++) {
    if (tensor.type === 'float') view.setFloat32(i * width, tensor.data[i]!, true);
    else view.setBigInt64(i * width, BigInt(tensor.data[i]!), true);
  }
  return { name, dims: [...tensor.dims], data_type: DATA_TYPE[tensor.type], raw_data: raw };
}

function attributeProto(name: string, value: OnnxAttribute): AttributeProto {
  if ('int' in value) return { name, type: ATTRIBUTE_TYPE.int, i: value.int };
  if ('float' in value) return { name, type: ATTRIBUTE_TYPE.float, f: value.float };
  if ('string' in value) return { name, type: ATTRIBUTE_TYPE.string, s: utf8(value.string) };
  if ('ints' in value) return { name, type: ATTRIBUTE_TYPE.ints, ints: Array.from(value.ints) };
  if ('floats' in value) return { name, type: ATTRIBUTE_TYPE.floats, floats: Array.from(value.floats) };
  if ('strings' in value) return { name, type: ATTRIBUTE_TYPE.strings, strings: value.strings.map(utf8) };
  return { name, type: ATTRIBUTE_TYPE.tensor, t: tensorProto(name, value.tensor) };
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
