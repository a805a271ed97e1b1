import { messageOf, usageError } from '../../kernel/errors.ts';
import type { OnnxDimension } from './graph.ts';
import {
  DATA_TYPE,
  decodeModelProto,
  type ModelProto,
  type NodeProto,
  type ValueInfoProto,
} from './schema.ts';

/** A declared input or output; `type` is the ONNX element type ('float', 'int64') or its number where it is another. */
export interface OnnxValue {
  readonly name: string;
  readonly type: string;
  readonly dims: readonly OnnxDimension[];
}

export interface OnnxNode {
  readonly opType: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Numbers, lists of numbers, texts or lists of texts; tensors are left out. */
  readonly attributes: ReadonlyMap<string, number | string | readonly number[] | readonly string[]>;
}

/** What a model file says of itself. Weights stay in the bytes. */
export interface OnnxModel {
  readonly producer: string;
  /** Version of the ai.onnx operator set; 0 = not imported. */
  readonly opset: number;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly nodes: readonly OnnxNode[];
}

/** Reads the structure of a model, of ours or anyone's. Usage error `model.onnx` where the bytes are no ONNX model. */
export function readOnnx(bytes: Uint8Array): OnnxModel {
  const model = decodeOrRefuse(bytes);
  const initialised = new Set(model.graph.initializer.map((tensor) => tensor.name));
  return {
    producer: model.producer_name ?? '',
    opset: model.opset_import.find((o) => !o.domain || o.domain === 'ai.onnx')?.version ?? 0,
    inputs: model.graph.input.filter((value) => !initialised.has(value.name)).map(toValue),
    outputs: model.graph.output.map(toValue),
    nodes: model.graph.node.map(toNode),
  };
}

function decodeOrRefuse(bytes: Uint8Array): ModelProto {
  let model: ModelProto;
  try {
    model = decodeModelProto(bytes);
  } catch (error) {
    throw usageError(
      'model.onnx',
      `not an ONNX model (${messageOf(error)}); give the model.onnx file`,
      error,
    );
  }
  if (!model.graph || model.graph.node.length === 0) {
    throw usageError('model.onnx', 'not an ONNX model: it holds no graph; give the model.onnx file');
  }
  return model;
}

function toValue(value: ValueInfoProto): OnnxValue {
  const tensor = value.type?.tensor_type;
  const type = Object.entries(DATA_TYPE).find(([, number]) => number === tensor?.elem_type)?.[0];
  const dims = (tensor?.shape?.dim ?? []).map((d) => d.dim_param || Number(d.dim_value ?? -1));
  return { name: value.name, type: type ?? String(tensor?.elem_type ?? 'not a tensor'), dims };
}

function toNode(node: NodeProto): OnnxNode {
  const attributes = new Map<string, number | string | readonly number[] | readonly string[]>();
  const text = new TextDecoder();
  for (const a of node.attribute) {
    if (a.strings && a.strings.length > 0)
      attributes.set(
        a.name,
        a.strings.map((s) => text.decode(s)),
      );
    else if (a.ints && a.ints.length > 0) attributes.set(a.name, a.ints);
    else if (a.floats && a.floats.length > 0) attributes.set(a.name, a.floats);
    else if (a.s !== undefined) attributes.set(a.name, text.decode(a.s));
    else if (a.i !== undefined) attributes.set(a.name, a.i);
    else if (a.f !== undefined) attributes.set(a.name, a.f);
  }
  return {
    opType: node.op_type ?? '',
    domain: node.domain ?? '',
    inputs: node.input,
    outputs: node.output,
    attributes,
  };
}
