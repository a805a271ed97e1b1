import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OutputRecord, StoredRecord } from '../port.ts';
import { BlockBuilder, decodeBlock, newestTimestampMsOf, spanOf, stampBlock, verifyBlock } from './block.ts';

const bytes = fc.option(fc.uint8Array({ maxLength: 200 }));
const name = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => text !== '__proto__');
const outputRecord: fc.Arbitrary<OutputRecord> = fc.record({
  topic: fc.constant('t'),
  partition: fc.constant(3),
  key: bytes,
  value: bytes,
  headers: fc.dictionary(name, fc.string({ unit: 'grapheme', maxLength: 200 }), { noNullPrototype: true }),
  timestampMs: fc.oneof(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: -1e15, max: 1e15 })),
});

function encode(records: readonly OutputRecord[], baseOffset: number, builder = new BlockBuilder()): Buffer {
  for (const record of records) builder.add(record);
  const block = builder.cut();
  stampBlock(block, baseOffset);
  return block;
}

function decode(block: Buffer, fromOffset = 0): StoredRecord[] {
  const records: StoredRecord[] = [];
  decodeBlock(block, 't', 3, fromOffset, records);
  return records;
}

const hex = (field: Uint8Array | null) => field && Buffer.from(field).toString('hex');

describe('a block', () => {
  it('gives back what was put in', () => {
    fc.assert(
      fc.property(
        fc.array(outputRecord, { minLength: 1, maxLength: 30 }),
        fc.nat(2 ** 40),
        (records, base) => {
          const block = encode(records, base);
          verifyBlock(block, base);
          expect(spanOf(block)).toBe(records.length);
          expect(newestTimestampMsOf(block)).toBe(Math.max(...records.map((r) => r.timestampMs)));
          const expected = records.map((r, i) => ({
            ...r,
            offset: base + i,
            key: hex(r.key),
            value: hex(r.value),
          }));
          expect(decode(block).map((r) => ({ ...r, key: hex(r.key), value: hex(r.value) }))).toEqual(
            expected,
          );
        },
      ),
    );
  });

  it('can be read from the middle', () => {
    const block = encode([record('a'), record('b'), record('c')], 100);
    expect(decode(block, 101).map((r) => r.offset)).toEqual([101, 102]);
    expect(decode(block, 103)).toEqual([]);
  });

  it('keeps offsets and span when records in between are gone', () => {
    const builder = new BlockBuilder();
    builder.add(record('a'), 2);
    builder.add(record('b'), 0);
    builder.add(record('c'), 5);
    const block = builder.cut(20);
    stampBlock(block, 1000);
    expect(decode(block).map((r) => r.offset)).toEqual([1002, 1003, 1009]);
    expect(spanOf(block)).toBe(20);
  });

  it('takes records larger than its scratch space, and is clean afterwards', () => {
    const builder = new BlockBuilder();
    const big = { ...record('k'), value: Buffer.alloc(3 << 20, 7) };
    const [, read] = decode(encode([record('a'), big, record('b')], 0, builder));
    expect(big.value.equals(read!.value!)).toBe(true);
    expect(decode(encode([record('c')], 5, builder)).map((r) => r.offset)).toEqual([5]);
  });

  it('copies: the caller may use its buffers again', () => {
    const value = Buffer.from('before');
    const builder = new BlockBuilder();
    builder.add({ ...record('k'), value });
    value.fill('x');
    const block = builder.cut();
    stampBlock(block, 0);
    expect(decode(block)[0]!.value!.toString()).toBe('before');
  });

  it('is refused when a bit has changed, is missing, or it stands in the wrong place', () => {
    const block = encode([record('a'), record('b')], 7);
    expect(() => verifyBlock(block, 7)).not.toThrow();
    for (let at = 0; at < block.length; at++) {
      const damaged = Buffer.from(block);
      damaged[at]! ^= 0x10;
      expect(() => verifyBlock(damaged, 7), `byte ${at}`).toThrow(/damaged/);
    }
    expect(() => verifyBlock(block.subarray(0, -1), 7)).toThrow(/damaged/);
    expect(() => verifyBlock(Buffer.alloc(3), 7)).toThrow(/damaged/);
    expect(() => verifyBlock(block, 8)).toThrow(/damaged/);
  });
});

function record(key: string): OutputRecord {
  return {
    topic: 't',
    partition: 3,
    key: Buffer.from(key),
    value: Buffer.from(`value ${key}`),
    timestampMs: 1e12,
  };
}
