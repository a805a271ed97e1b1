import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  baseOffsetOf,
  blockKey,
  groupPartitionOf,
  HEAD_RANGE,
  headKey,
  headOf,
  type KeyRange,
  offsetsKey,
  offsetsRange,
  stateKey,
  stateNameOf,
  stateRange,
  subscriptionKey,
  subscriptionRange,
  topicKey,
} from './keys.ts';

const id = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
const offset = fc.oneof(fc.nat(300), fc.maxSafeNat());
const group = fc.string({ unit: 'binary', maxLength: 8 });

const isIn = (key: Buffer, { gte, lt }: KeyRange) =>
  Buffer.compare(gte, key) <= 0 && Buffer.compare(key, lt) < 0;

describe('block keys', () => {
  it('lie in the order of topic, partition and offset', () => {
    const place = fc.tuple(id, id, offset);
    fc.assert(
      fc.property(place, place, (a, b) => {
        const difference = a.map((part, i) => part - b[i]!).find((d) => d !== 0) ?? 0;
        expect(Buffer.compare(blockKey(...a), blockKey(...b))).toBe(Math.sign(difference));
      }),
    );
  });

  it('tell their offset', () => {
    fc.assert(fc.property(id, id, offset, (t, p, o) => baseOffsetOf(blockKey(t, p, o)) === o));
  });
});

describe('group keys', () => {
  it('lie in the range of their own group and partition only', () => {
    fc.assert(
      fc.property(group, group, id, id, fc.string(), (a, b, topic, partition, name) => {
        const key = stateKey(a, topic, partition, name);
        expect(isIn(key, stateRange(a, topic, partition))).toBe(true);
        expect(stateNameOf(key)).toBe(name);
        expect(isIn(key, stateRange(a, topic, partition === 0 ? 1 : partition - 1))).toBe(false);
        expect(isIn(offsetsKey(a, topic, partition), offsetsRange(b))).toBe(a === b);
        expect(isIn(subscriptionKey(a, topic), subscriptionRange(b))).toBe(a === b);
      }),
    );
  });

  it('tell topic and partition', () => {
    fc.assert(
      fc.property(group, id, id, (name, topicId, partition) => {
        expect(groupPartitionOf(offsetsKey(name, topicId, partition))).toEqual({ topicId, partition });
        expect(groupPartitionOf(subscriptionKey(name, topicId))).toEqual({ topicId, partition: 0 });
      }),
    );
  });

  it('have a range even where the partition is all ones', () => {
    const last = 2 ** 32 - 1;
    expect(isIn(stateKey('g', last, last, 'x'), stateRange('g', last, last))).toBe(true);
  });
});

it('kinds of keys do not mix', () => {
  const head = headKey(7, 9);
  expect(headOf(head)).toEqual({ topicId: 7, partition: 9 });
  expect(isIn(head, HEAD_RANGE)).toBe(true);
  for (const other of [topicKey('head'), blockKey(7, 9, 0), offsetsKey('g', 7, 9)]) {
    expect(isIn(other, HEAD_RANGE)).toBe(false);
  }
});
