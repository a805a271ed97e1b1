import type { TopicSpec } from '../port.ts';
import { newestTimestampMsOf, spanOf, verifyBlock } from './block.ts';
import { baseOffsetOf, blockKey } from './keys.ts';
import type { Partition } from './partition.ts';
import type { Operation, Store } from './store.ts';
import type { Writer } from './writer.ts';

/** Blocks one pass removes from a partition at most: the rest is left to the next pass. */
const BLOCKS_MAX = 256;

/**
 * Removes the oldest blocks of a partition that are wholly older than the topic's retention, or stand beyond its size.
 * Whole blocks only; never at or above `keepFromOffset`, where a running group still has to read. The newest block
 * outlives a bound on size. Returns the number of blocks removed.
 */
export async function removeExpired(
  store: Store,
  writer: Writer,
  partition: Partition,
  spec: TopicSpec,
  nowMs: number,
  keepFromOffset: number,
): Promise<number> {
  const { topicId, index } = partition;
  const blocks = await store.scan(
    {
      gte: blockKey(topicId, index, partition.startOffset),
      lt: blockKey(topicId, index, Math.min(keepFromOffset, partition.endOffset)),
    },
    { limit: BLOCKS_MAX },
  );
  const cutoffMs = spec.retentionMs === undefined ? Number.NEGATIVE_INFINITY : nowMs - spec.retentionMs;
  const bytesMax = spec.retentionBytes ?? Number.POSITIVE_INFINITY;
  const operations: Operation[] = [];
  let { startOffset, storedBytes } = partition;
  for (const [key, bytes] of blocks) {
    const baseOffset = baseOffsetOf(key);
    verifyBlock(bytes, baseOffset);
    const endOffset = baseOffset + spanOf(bytes);
    const isExpired = newestTimestampMsOf(bytes) < cutoffMs;
    const isBeyondSize = storedBytes > bytesMax && endOffset < partition.endOffset;
    if (endOffset > keepFromOffset || !(isExpired || isBeyondSize)) break;
    operations.push({ type: 'del', key });
    startOffset = endOffset;
    storedBytes -= bytes.length;
  }
  if (operations.length === 0) return 0;
  partition.storedBytes = storedBytes;
  partition.startOffset = startOffset;
  await writer.write({ blocks: [], operations, heads: [partition] });
  return operations.length;
}
