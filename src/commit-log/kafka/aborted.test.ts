import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { type AbortedTransaction, type TransactionalRecord, withoutAborted } from './aborted.ts';

interface FilterInput {
  readonly messages: readonly object[];
  readonly abortedTransactions: readonly AbortedTransaction[];
}
type Filter = (input: FilterInput) => readonly TransactionalRecord[];

/** What kafkajs does by itself. */
const original = createRequire(import.meta.url)('kafkajs/src/consumer/filterAbortedMessages.js') as Filter;

const data = (offset: number, producerId: string, inTransaction = true) => ({
  offset: String(offset),
  key: null,
  isControlRecord: false,
  batchContext: { producerId, inTransaction },
});
/** Key of a control record: version 0, type 0 = abort, 1 = commit. */
const marker = (offset: number, producerId: string, type: 0 | 1) => ({
  ...data(offset, producerId),
  key: Buffer.from([0, 0, 0, type]),
  isControlRecord: true,
});

/** Two producers' transactions interleave, and the broker names the later one first. */
const records = [
  data(0, 'a'),
  data(1, 'b'),
  data(2, 'a'),
  marker(3, 'b', 0),
  data(4, 'c'),
  marker(5, 'a', 0),
  marker(6, 'c', 1),
];
const aborted = [
  { producerId: 'b', firstOffset: '1' },
  { producerId: 'a', firstOffset: '0' },
];
const offsetsOf = (kept: readonly TransactionalRecord[]) =>
  kept.filter(({ isControlRecord }) => !isControlRecord).map(({ offset }) => Number(offset));

describe('withoutAborted', () => {
  it('keeps committed records only, in whatever order the broker names what was aborted', () => {
    expect(offsetsOf(withoutAborted(records, aborted))).toEqual([4]);
    expect(offsetsOf(withoutAborted(records, aborted.toReversed()))).toEqual([4]);
  });

  it('is needed: kafkajs itself lets aborted records through', () => {
    expect(offsetsOf(original({ messages: records, abortedTransactions: aborted }))).not.toEqual([4]);
  });

  it('begins in the middle of transactions', () => {
    expect(offsetsOf(withoutAborted(records.slice(2), aborted))).toEqual([4]);
  });

  it('keeps what the same producer commits afterwards, and what it writes outside of transactions', () => {
    const later = [...records, data(7, 'a'), marker(8, 'a', 1), data(9, 'b', false)];
    expect(offsetsOf(withoutAborted(later, aborted))).toEqual([4, 7, 9]);
  });

  it('drops control records where nothing was aborted', () => {
    const kept = withoutAborted([data(0, 'a'), marker(1, 'a', 1)], null);
    expect(kept.map(({ offset }) => offset)).toEqual(['0']);
  });
});
