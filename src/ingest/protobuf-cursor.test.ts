import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { ProtobufCursor } from './protobuf-cursor.ts';

function opened(bytes: Uint8Array): ProtobufCursor {
  const cursor = new ProtobufCursor();
  cursor.open(bytes, 0, bytes.length);
  return cursor;
}

/** LEB128 by the book. */
function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    if (rest < 0x80n) return Uint8Array.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 0x7fn) | 0x80);
  }
}

describe('ProtobufCursor', () => {
  it('reads every 64-bit varint, exactly below 2^53', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (value) => {
        const cursor = opened(varint(value));
        expect(cursor.readVarint()).toBe(Number(value));
        expect((BigInt(cursor.high) << 32n) | BigInt(cursor.low)).toBe(value);
        expect(cursor.position).toBe(cursor.end);
      }),
    );
  });

  it('turns nanoseconds into microseconds exactly', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 9_000_000_000_000_000_000n }), (ns) => {
        expect(BigInt(opened(varint(ns)).readNanosecondsAsUs())).toBe(ns / 1000n);
      }),
    );
  });

  it('skips what a protobuf writer writes', () => {
    const bytes = protobuf.Writer.create();
    bytes
      .uint32(8)
      .uint64(300)
      .uint32(18)
      .string('abc')
      .uint32(25)
      .double(1.5)
      .uint32(37)
      .float(2)
      .uint32(40)
      .int64(-1);
    const cursor = opened(bytes.finish());
    const tags: number[] = [];
    for (let tag = cursor.nextTag(); tag !== 0; tag = cursor.nextTag()) {
      tags.push(tag);
      cursor.skip(tag);
    }
    expect(tags).toEqual([8, 18, 25, 37, 40]);
    expect(cursor.fault).toBeNull();
  });

  it.each([
    ['a varint without end', [0x08, 0x80], 'truncated'],
    ['a varint longer than 64 bits', [0x08, ...Array<number>(11).fill(0x80), 0], 'malformed'],
    ['bytes beyond the end', [0x12, 5, 1], 'truncated'],
    ['a fixed64 beyond the end', [0x09, 1, 2], 'truncated'],
    ['field number 0', [0x04], 'malformed'],
    ['a group', [0x0b], 'malformed'],
  ])('%s is a fault', (_what, bytes, fault) => {
    const cursor = opened(Uint8Array.from(bytes));
    for (let tag = cursor.nextTag(); tag !== 0; tag = cursor.nextTag()) cursor.skip(tag);
    expect(cursor.fault).toBe(fault);
  });

  it('never reads past its end nor loops, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const cursor = opened(bytes);
        let tags = 0;
        for (let tag = cursor.nextTag(); tag !== 0; tag = cursor.nextTag()) {
          cursor.skip(tag);
          tags++;
        }
        expect(cursor.position).toBeLessThanOrEqual(bytes.length);
        expect(tags).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });
});
