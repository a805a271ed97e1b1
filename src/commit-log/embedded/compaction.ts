import { setImmediate } from 'node:timers/promises';
import type { StoredRecord } from '../port.ts';
import { BlockBuilder, decodeBlock, spanOf, stampBlock, verifyBlock } from './block.ts';
import { baseOffsetOf, blockKey } from './keys.ts';
import type { Partition } from './partition.ts';
import type { Operation, Store } from './store.ts';
import type { Writer } from './writer.ts';

/** Keys one pass keeps in mind; records of keys beyond are left as they are. */
const KEYS_MAX = 1_000_000;
const PAGE_BLOCKS = 64;

export interface CompactionOptions {
  readonly nowMs: number;
  /** A tombstone stays this long, so that whoever reads along still learns of the removal. */
  readonly tombstoneRetentionMs: number;
}

/** Whether at least half of a partition has come since it was last compacted: then a pass is worth its reading. */
export function isCompactionDue(partition: Partition): boolean {
  return partition.dirtyBytes > 0 && partition.dirtyBytes * 2 >= partition.storedBytes;
}

/**
 * Keeps the newest record of each key, and those without key. Blocks keep their place and offsets; a block that is
 * left without records goes. What is appended meanwhile waits for the next pass.
 */
export async function compact(
  store: Store,
  writer: Writer,
  partition: Partition,
  options: CompactionOptions,
): Promise<void> {
  const endOffset = partition.endOffset;
  partition.dirtyBytes = 0;
  const newest = new Map<string, number>();
  await forEachPage(store, partition, endOffset, async (blocks) => {
    for (const { records } of blocks) noteNewest(records, newest);
  });
  const isKept = ({ key, value, offset, timestampMs }: StoredRecord): boolean => {
    if (key === null) return true;
    if ((newest.get(textOf(key)) ?? offset) !== offset) return false;
    return value !== null || timestampMs > options.nowMs - options.tombstoneRetentionMs;
  };
  await forEachPage(store, partition, endOffset, async (blocks) => {
    const operations = blocks.flatMap((block) => rewrite(partition, block, block.records.filter(isKept)));
    if (operations.length > 0) await writer.write({ blocks: [], operations, heads: [partition] });
  });
  partition.forgetAll();
}

interface DecodedBlock {
  readonly key: Buffer;
  readonly baseOffset: number;
  readonly bytes: Buffer;
  readonly records: readonly StoredRecord[];
}

async function forEachPage(
  store: Store,
  partition: Partition,
  endOffset: number,
  visit: (blocks: readonly DecodedBlock[]) => Promise<void>,
): Promise<void> {
  const { topicId, topicName, index } = partition;
  const lt = blockKey(topicId, index, endOffset);
  for (let from = partition.startOffset; ; ) {
    const page = await store.scan({ gte: blockKey(topicId, index, from), lt }, { limit: PAGE_BLOCKS });
    if (page.length === 0) return;
    const blocks = page.map(([key, bytes]): DecodedBlock => {
      const baseOffset = baseOffsetOf(key);
      verifyBlock(bytes, baseOffset);
      const records: StoredRecord[] = [];
      decodeBlock(bytes, topicName, index, baseOffset, records);
      return { key, baseOffset, bytes, records };
    });
    await visit(blocks);
    from = blocks.at(-1)!.baseOffset + 1;
    await setImmediate();
  }
}

function noteNewest(records: readonly StoredRecord[], newest: Map<string, number>): void {
  for (const { key, offset } of records) {
    if (key === null) continue;
    const text = textOf(key);
    if (newest.size < KEYS_MAX || newest.has(text)) newest.set(text, offset);
  }
}

function rewrite(partition: Partition, block: DecodedBlock, kept: readonly StoredRecord[]): Operation[] {
  const { key, baseOffset, bytes, records } = block;
  if (kept.length === records.length) return [];
  partition.storedBytes -= bytes.length;
  if (kept.length === 0) return [{ type: 'del', key }];
  const builder = new BlockBuilder();
  let nextOffset = baseOffset;
  for (const record of kept) {
    builder.add(record, record.offset - nextOffset);
    nextOffset = record.offset + 1;
  }
  const value = builder.cut(spanOf(bytes));
  stampBlock(value, baseOffset);
  partition.storedBytes += value.length;
  return [{ type: 'put', key, value }];
}

/** One character a byte: a key of the map that is equal exactly where the bytes are. */
function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}
