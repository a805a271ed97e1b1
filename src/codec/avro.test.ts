import { readdirSync } from 'node:fs';
import avro from 'avsc';
import { describe, expect, it } from 'vitest';
import type { FlowBatch } from '../flow/flow-record.ts';
import { createCodec, formerSchemasOf, type RecordName, schemaOf } from './avro.ts';
import { rabinFingerprint } from './fingerprint.ts';

const names = readdirSync(new URL('../../schemas/', import.meta.url))
  .filter((file) => file.endsWith('.avsc'))
  .map((file) => file.replace('.avsc', '') as RecordName);

describe('rabinFingerprint', () => {
  it('agrees with the vectors of the Avro project', () => {
    // share/test/data/schema-tests.txt of apache/avro: "null" and "int".
    expect(rabinFingerprint('"null"')).toBe(BigInt.asUintN(64, 7195948357588979594n));
    expect(rabinFingerprint('"int"')).toBe(BigInt.asUintN(64, 8247732601305521295n));
  });
});

describe.each(names)('%s', (name) => {
  const type = avro.Type.forSchema(schemaOf(name), { wrapUnions: false });

  it('round-trips random values', () => {
    const codec = createCodec(name);
    for (let i = 0; i < 20; i++) {
      const value = type.random() as never;
      const bytes = codec.encode(value);
      expect(codec.encode(codec.decode(bytes) as never)).toEqual(bytes);
    }
  });

  it('refuses what is not this record', () => {
    const codec = createCodec(name);
    const bytes = codec.encode(type.random() as never);
    expect(codec.decode(bytes.subarray(0, 5))).toBeNull();
    expect(codec.decode(Buffer.concat([Buffer.from([0xff]), bytes]))).toBeNull();
    expect(codec.decode(Buffer.concat([bytes, Buffer.from([0])]))).toBeNull();
  });

  it('reads every earlier version of its schema', () => {
    for (const former of formerSchemasOf(name)) {
      expect(() => type.createResolver(avro.Type.forSchema(former, { wrapUnions: false }))).not.toThrow();
    }
    expect(names.length).toBeGreaterThan(7);
  });
});

describe('flow-batch.v1', () => {
  it('takes addresses that are plain bytes, however many flows', () => {
    const codec = createCodec('flow-batch.v1');
    const type = avro.Type.forSchema(schemaOf('flow-batch.v1'), { wrapUnions: false });
    let batch: FlowBatch;
    do batch = type.random() as unknown as FlowBatch;
    while (batch.flows.length === 0);
    const address = Uint8Array.from({ length: 16 }, (_, i) => i);
    const flow = { ...batch.flows[0]!, sourceAddress: address, destinationAddress: address };
    const decoded = codec.decode(codec.encode({ ...batch, flows: Array(1000).fill(flow) }))!;
    expect(decoded.flows).toHaveLength(1000);
    expect(decoded.flows.every((one) => Buffer.compare(one.destinationAddress, address) === 0)).toBe(true);
    expect(() => codec.encode({ ...batch, flows: [{ ...flow, sourceAddress: new Uint8Array(4) }] })).toThrow(
      /16 bytes/,
    );
  });
});
