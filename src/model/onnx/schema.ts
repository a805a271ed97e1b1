import protobuf from 'protobufjs';

/**
 * The part of onnx.proto (github.com/onnx/onnx, IR version 8) that flowcast's graphs use: same names, same field numbers.
 * Fields left out are skipped when a foreign model is read.
 */
const ONNX_PROTO = `
syntax = "proto3";
message AttributeProto {
  string name = 1; float f = 2; int64 i = 3; bytes s = 4; TensorProto t = 5;
  repeated float floats = 7; repeated int64 ints = 8; repeated bytes strings = 9;
  int32 type = 20;
}
message NodeProto {
  repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4;
  repeated AttributeProto attribute = 5; string domain = 7;
}
message TensorProto {
  repeated int64 dims = 1; int32 data_type = 2;
  repeated float float_data = 4; repeated int64 int64_data = 7; string name = 8; bytes raw_data = 9;
}
message Dimension { int64 dim_value = 1; string dim_param = 2; }
message TensorShapeProto { repeated Dimension dim = 1; }
message TypeTensor { int32 elem_type = 1; TensorShapeProto shape = 2; }
message TypeProto { TypeTensor tensor_type = 1; }
message ValueInfoProto { string name = 1; TypeProto type = 2; }
message GraphProto {
  repeated NodeProto node = 1; string name = 2; repeated TensorProto initializer = 5;
  repeated ValueInfoProto input = 11; repeated ValueInfoProto output = 12;
}
message OperatorSetIdProto { string domain = 1; int64 version = 2; }
message ModelProto {
  int64 ir_version = 1; string producer_name = 2; string producer_version = 3;
  GraphProto graph = 7; repeated OperatorSetIdProto opset_import = 8;
}`;

/** Wire names are snake_case in ONNX and kept so here, to be compared with its specification. */
export interface AttributeProto {
  name: string;
  type: number;
  f?: number;
  i?: number;
  s?: Uint8Array;
  t?: TensorProto;
  floats?: number[];
  ints?: number[];
  strings?: Uint8Array[];
}

export interface NodeProto {
  input: string[];
  output: string[];
  name: string;
  op_type: string;
  attribute: AttributeProto[];
  domain: string;
}

export interface TensorProto {
  name: string;
  dims: number[];
  data_type: number;
  float_data?: number[];
  int64_data?: number[];
  raw_data?: Uint8Array;
}

export interface ValueInfoProto {
  name: string;
  type: { tensor_type: { elem_type: number; shape: { dim: { dim_value?: number; dim_param?: string }[] } } };
}

export interface ModelProto {
  ir_version: number;
  producer_name: string;
  producer_version: string;
  opset_import: { domain: string; version: number }[];
  graph: {
    name: string;
    node: NodeProto[];
    initializer: TensorProto[];
    input: ValueInfoProto[];
    output: ValueInfoProto[];
  };
}

/** AttributeProto.AttributeType of onnx.proto. */
export const ATTRIBUTE_TYPE = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  floats: 6,
  ints: 7,
  strings: 8,
} as const;

/** TensorProto.DataType of onnx.proto. */
export const DATA_TYPE = { float: 1, int64: 7 } as const;

const ModelType = protobuf.parse(ONNX_PROTO, { keepCase: true }).root.lookupType('ModelProto');

/** Serialises in field order, so equal models give equal bytes. */
export function encodeModelProto(model: ModelProto): Uint8Array {
  return Uint8Array.from(ModelType.encode(ModelType.fromObject(model)).finish());
}

/** Throws on bytes that are no protobuf; missing lists become empty, int64 becomes number. */
export function decodeModelProto(bytes: Uint8Array): ModelProto {
  const message = ModelType.decode(bytes);
  return ModelType.toObject(message, { longs: Number, arrays: true }) as ModelProto;
}
