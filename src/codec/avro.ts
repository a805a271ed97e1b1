import { existsSync, readdirSync, readFileSync } from 'node:fs';
import avro from 'avsc';
import type { FlowBatch } from '../flow/flow-record.ts';
import { rabinFingerprint } from './fingerprint.ts';
import type {
  Classification,
  FeatureBatch,
  Forecast,
  Label,
  LateFlow,
  ModelRelease,
  Quality,
} from './records.ts';

/** Every record on an Avro topic, by the stem of its schema file. */
export interface RecordTypes {
  'flow-batch.v1': FlowBatch;
  'late-flow.v1': LateFlow;
  'feature-batch.v1': FeatureBatch;
  'forecast.v1': Forecast;
  'classification.v1': Classification;
  'quality.v1': Quality;
  'label.v1': Label;
  'model-release.v1': ModelRelease;
}
export type RecordName = keyof RecordTypes;

/** Encodes and decodes one record type in Avro single-object encoding (marker C3 01, schema fingerprint, body). */
export interface Codec<T> {
  /** Throws TypeError when the value does not fit the schema (a bug of ours). */
  encode(value: T): Buffer;
  /** null when the bytes are not this record: wrong marker, unknown schema, truncated. */
  decode(bytes: Uint8Array): T | null;
}

const HEADER_BYTES = 10;
const SCHEMAS = new URL('../../schemas/', import.meta.url);

/** The schema document of a record, as committed in `schemas/`. */
export function schemaOf(name: RecordName): avro.Schema {
  return JSON.parse(readFileSync(new URL(`${name}.avsc`, SCHEMAS), 'utf8'));
}

/** Schemas this record once had (`schemas/history/NAME/*.avsc`): bytes written with them stay readable. */
export function formerSchemasOf(name: RecordName): avro.Schema[] {
  const folder = new URL(`history/${name}/`, SCHEMAS);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.avsc'))
    .map((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')));
}

/** The header of Avro single-object encoding for a schema: C3 01 and the fingerprint, little-endian (Avro 1.12, "Single-object encoding"). */
export function singleObjectHeader(type: avro.Type): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = 0xc3;
  header[1] = 0x01;
  // avsc's schema() without options is the parsing canonical form.
  header.writeBigUInt64LE(rabinFingerprint(JSON.stringify(type.schema())), 2);
  return header;
}

/** avsc's writing position: what does not fit is only counted, and written again into a larger buffer. */
interface Tap {
  readonly buf: Buffer;
  pos: number;
}

/** A fixed type that is written from any Uint8Array; avsc's own insists on Buffer. */
class FixedBytesType extends avro.types.FixedType {
  _write(tap: Tap, bytes: Uint8Array): void {
    if (bytes.length !== this.size) throw new TypeError(`${this.size} bytes wanted, ${bytes.length} given`);
    const from = tap.pos;
    tap.pos += this.size;
    if (tap.pos <= tap.buf.length) tap.buf.set(bytes, from);
  }
}

/** The type of a schema as our records are: plain unions, addresses as bytes. */
function typeOf(schema: avro.Schema): avro.Type {
  return avro.Type.forSchema(schema, {
    wrapUnions: false,
    typeHook: (part, options) =>
      typeof part === 'object' && 'type' in part && part.type === 'fixed'
        ? new FixedBytesType(part, options)
        : undefined,
  });
}

/** The codec of a record. Logical types are left as their underlying numbers: all our longs stay below 2^53. */
export function createCodec<N extends RecordName>(name: N): Codec<RecordTypes[N]> {
  const type = typeOf(schemaOf(name));
  const header = singleObjectHeader(type);
  const former = formerSchemasOf(name).map((schema) => {
    const writer = typeOf(schema);
    return { header: singleObjectHeader(writer), writer, resolver: type.createResolver(writer) };
  });
  return {
    encode(value) {
      const body = type.toBuffer(value);
      return Buffer.concat([header, body], HEADER_BYTES + body.length);
    },
    decode(bytes) {
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      if (buffer.length <= HEADER_BYTES) return null;
      const head = buffer.subarray(0, HEADER_BYTES);
      const body = buffer.subarray(HEADER_BYTES);
      try {
        if (head.equals(header)) return type.fromBuffer(body) as RecordTypes[N];
        const old = former.find((candidate) => head.equals(candidate.header));
        return old ? (type.fromBuffer(body, old.resolver) as RecordTypes[N]) : null;
      } catch {
        return null;
      }
    },
  };
}
