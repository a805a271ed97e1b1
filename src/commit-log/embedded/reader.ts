import type { ReadRequest, StoredRecord } from '../port.ts';
import { Wakeup } from '../ticker.ts';
import { PartitionCursor } from './cursor.ts';
import type { Partition, Topic } from './partition.ts';
import type { Store } from './store.ts';

const BATCH_RECORDS_MAX = 1000;
const BATCH_BYTES_MAX = 4 << 20;

interface Place {
  readonly cursor: PartitionCursor;
  /** Reading stops before this offset. */
  readonly endOffset: number;
}

/**
 * Reads all partitions of a topic in turn, without a group. Where it begins and ends is settled when it is made.
 * `closed` ends it as the request's own signal does: after the batch in hand.
 */
export function readTopic(
  store: Store,
  topic: Topic,
  request: ReadRequest,
  closed: AbortSignal,
): AsyncIterable<readonly StoredRecord[]> {
  const places = topic.partitions.map(
    (partition): Place => ({
      cursor: new PartitionCursor(store, partition, firstOffset(partition, request.from)),
      endOffset: request.until === 'end' ? partition.endOffset : Number.POSITIVE_INFINITY,
    }),
  );
  const signal = request.signal ? AbortSignal.any([request.signal, closed]) : closed;
  return request.until === 'end' ? readOnce(places, signal) : follow(topic, places, signal);
}

function firstOffset(partition: Partition, from: ReadRequest['from']): number {
  if (from === 'earliest') return 0;
  return from === 'latest' ? partition.endOffset : (from.get(partition.index) ?? 0);
}

/** Hands over what there is now, partition by partition in turn. */
async function* readOnce(
  places: readonly Place[],
  signal: AbortSignal,
): AsyncGenerator<readonly StoredRecord[], void, void> {
  let open = places;
  while (open.length > 0 && !signal.aborted) {
    const unfinished: Place[] = [];
    for (const place of open) {
      const batch = await takeUnlessAborted(place, signal);
      if (signal.aborted) return;
      if (batch.length === 0) continue;
      unfinished.push(place);
      yield batch;
    }
    open = unfinished;
  }
}

/** The store may close under a read whose signal has fired: that is the end, not an error. */
async function takeUnlessAborted({ cursor, endOffset }: Place, signal: AbortSignal): Promise<StoredRecord[]> {
  try {
    return await cursor.take(BATCH_RECORDS_MAX, BATCH_BYTES_MAX, endOffset);
  } catch (error) {
    if (signal.aborted) return [];
    throw error;
  }
}

async function* follow(
  topic: Topic,
  places: readonly Place[],
  signal: AbortSignal,
): AsyncGenerator<readonly StoredRecord[], void, void> {
  const wakeup = new Wakeup();
  signal.addEventListener('abort', wakeup.notify, { once: true });
  for (const partition of topic.partitions) partition.listeners.add(wakeup.notify);
  try {
    while (!signal.aborted) {
      yield* readOnce(places, signal);
      if (!signal.aborted && places.every(({ cursor }) => cursor.isDry)) await wakeup.wait();
    }
  } finally {
    for (const partition of topic.partitions) partition.listeners.delete(wakeup.notify);
    signal.removeEventListener('abort', wakeup.notify);
  }
}
