import type { ReadRequest, StoredRecord } from '../port.ts';
import { Wakeup } from '../ticker.ts';
import { createCluster } from './client.ts';
import type { Feed } from './feed.ts';
import { Fetcher } from './fetcher.ts';
import type { LogParts } from './log-parts.ts';
import { listOffsets } from './offsets.ts';

const BATCH_RECORDS_MAX = 1000;
const BATCH_BYTES_MAX = 4 << 20;

interface Place {
  readonly feed: Feed;
  /** Reading stops before this offset. */
  readonly endOffset: number;
}

/** Reads all partitions of a topic without a group; `end` is the last stable offset of each partition when the read begins. */
export async function* readTopic(
  parts: LogParts,
  request: ReadRequest,
  closed: AbortSignal,
): AsyncGenerator<readonly StoredRecord[], void, void> {
  const signal = request.signal ? AbortSignal.any([request.signal, closed]) : closed;
  const { topic } = request;
  const partitions = Array.from({ length: await parts.topics.partitionCount(topic) }, (_, i) => i);
  const list = (kind: 'earliest' | 'stable') =>
    listOffsets(parts.control, parts.clock, topic, partitions, kind);
  const [starts, ends] = [await list('earliest'), await list('stable')];
  const cluster = createCluster(parts.client);
  await cluster.connect();
  await cluster.addMultipleTargetTopics([topic]);
  const fetcher = new Fetcher({ ...parts, cluster }, BATCH_BYTES_MAX);
  const wakeup = new Wakeup();
  signal.addEventListener('abort', wakeup.notify, { once: true });
  try {
    const places = partitions.map((partition): Place => {
      const start = firstOffset(request.from, partition, starts.get(partition)!, ends.get(partition)!);
      const endOffset = request.until === 'end' ? ends.get(partition)! : Number.POSITIVE_INFINITY;
      return { feed: fetcher.open(topic, partition, start, wakeup.notify), endOffset };
    });
    yield* takeInTurn(places, fetcher, wakeup, signal);
  } finally {
    signal.removeEventListener('abort', wakeup.notify);
    await fetcher.close();
  }
}

function firstOffset(from: ReadRequest['from'], partition: number, start: number, end: number): number {
  if (from === 'latest') return end;
  return from === 'earliest' ? start : Math.max(start, from.get(partition) ?? start);
}

async function* takeInTurn(
  places: readonly Place[],
  fetcher: Fetcher,
  wakeup: Wakeup,
  signal: AbortSignal,
): AsyncGenerator<readonly StoredRecord[], void, void> {
  let open = places;
  while (!signal.aborted) {
    open = open.filter(({ feed, endOffset }) => {
      const isOpen = feed.position < endOffset;
      if (!isOpen) fetcher.release(feed);
      return isOpen;
    });
    if (open.length === 0) return;
    let taken = 0;
    for (const { feed, endOffset } of open) {
      const batch = feed.take(BATCH_RECORDS_MAX, BATCH_BYTES_MAX).filter(({ offset }) => offset < endOffset);
      fetcher.pump();
      if (batch.length === 0) continue;
      taken += batch.length;
      yield batch;
      if (signal.aborted) return;
    }
    if (taken === 0) await wakeup.wait();
  }
}
