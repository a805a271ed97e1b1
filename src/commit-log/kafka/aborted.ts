/** What the filter has to know of a record. */
export interface TransactionalRecord {
  readonly offset: string;
  readonly isControlRecord: boolean;
  readonly batchContext?: { readonly producerId: string; readonly inTransaction: boolean };
}

/** A transaction that a fetch response names as aborted: its records lie from `firstOffset` to the producer's next marker. */
export interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: string;
}

/**
 * The records of a fetch response without those of aborted transactions and without control records; `records` in offset
 * order, `aborted` in any order, as brokers send it.
 *
 * kafkajs 2.2.4 has a filter of its own (`consumer/filterAbortedMessages.js`) that takes the list as sorted by first offset
 * and moves on by one entry a record, so that records of aborted transactions get through where transactions of several
 * producers interleave in a partition. This one stands in its place; compare `nextFetchedRecord` of Java's CompletedFetch.
 */
export function withoutAborted<R extends TransactionalRecord>(
  records: readonly R[],
  aborted: readonly AbortedTransaction[] | null,
): R[] {
  const pending = (aborted ?? [])
    .map(({ producerId, firstOffset }) => ({ producerId, firstOffset: Number(firstOffset) }))
    .sort((a, b) => a.firstOffset - b.firstOffset);
  const aborting = new Set<string>();
  let next = 0;
  return records.filter(({ offset, isControlRecord, batchContext }) => {
    while (next < pending.length && pending[next]!.firstOffset <= Number(offset))
      aborting.add(pending[next++]!.producerId);
    if (isControlRecord) {
      if (batchContext) aborting.delete(batchContext.producerId);
      return false;
    }
    return !(batchContext?.inTransaction && aborting.has(batchContext.producerId));
  });
}
