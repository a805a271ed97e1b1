import type { StoredRecord } from '../port.ts';
import { decodeBlock, spanOf, verifyBlock } from './block.ts';
import { baseOffsetOf, blockKey } from './keys.ts';
import type { Partition } from './partition.ts';
import type { Store } from './store.ts';

/** Blocks fetched at once from the store: enough to keep the disk busy, little enough to hold in memory. */
const FETCH_BLOCKS = 16;

/** A place in a partition, moving forward. Yields durable records only. */
export class PartitionCursor {
  readonly #store: Store;
  readonly #partition: Partition;
  /** Next offset to look for; all before was handed over or does not exist. */
  #position: number;
  /** One past the last offset that was looked at. */
  #decodedEnd: number;
  #records: StoredRecord[] = [];
  #next = 0;

  constructor(store: Store, partition: Partition, fromOffset: number) {
    this.#store = store;
    this.#partition = partition;
    this.#position = Math.max(fromOffset, partition.startOffset);
    this.#decodedEnd = this.#position;
  }

  /** Every record below has been handed over. */
  get position(): number {
    return this.#position;
  }

  /** Whether nothing durable is left to hand over. */
  get isDry(): boolean {
    return this.#next === this.#records.length && this.#decodedEnd >= this.#partition.endOffset;
  }

  /** The next records in offset order, below `endOffset`; empty where there are none yet. One record is given however large it is. */
  async take(
    recordsMax: number,
    bytesMax: number,
    endOffset = Number.POSITIVE_INFINITY,
  ): Promise<StoredRecord[]> {
    const batch: StoredRecord[] = [];
    let room = bytesMax;
    while (batch.length < recordsMax) {
      if (this.#next === this.#records.length && !(await this.#fetch())) break;
      const record = this.#records[this.#next];
      if (record === undefined) continue;
      if (record.offset >= endOffset) break;
      room -= sizeOf(record);
      if (room < 0 && batch.length > 0) break;
      batch.push(record);
      this.#next++;
    }
    if (this.#next === this.#records.length) this.#position = this.#decodedEnd;
    else this.#position = this.#records[this.#next]!.offset;
    return batch;
  }

  /** Decodes the next blocks; false at the end of the partition. */
  async #fetch(): Promise<boolean> {
    this.#records = [];
    this.#next = 0;
    const from = this.#decodedEnd;
    const { topicName, index, endOffset } = this.#partition;
    if (from >= endOffset) return false;
    const block = this.#partition.tailBlockAt(from);
    if (block) {
      decodeBlock(block.bytes, topicName, index, from, this.#records);
      this.#decodedEnd = block.endOffset;
    } else await this.#fetchStored(from, endOffset);
    return true;
  }

  async #fetchStored(from: number, endOffset: number): Promise<void> {
    const { topicId, topicName, index } = this.#partition;
    const lt = blockKey(topicId, index, endOffset);
    const first = await this.#store.last({
      gte: blockKey(topicId, index, 0),
      lt: blockKey(topicId, index, from + 1),
    });
    const isInFirst = first !== undefined && from < baseOffsetOf(first[0]) + spanOf(first[1]);
    const gte = isInFirst ? first[0] : blockKey(topicId, index, from);
    const entries = await this.#store.scan({ gte, lt }, { limit: FETCH_BLOCKS });
    for (const [key, bytes] of entries) {
      const baseOffset = baseOffsetOf(key);
      verifyBlock(bytes, baseOffset);
      decodeBlock(bytes, topicName, index, from, this.#records);
      this.#decodedEnd = Math.max(this.#decodedEnd, baseOffset + spanOf(bytes));
    }
    // Nothing from here to the end: what was there has been removed.
    if (this.#decodedEnd === from) this.#decodedEnd = endOffset;
  }
}

function sizeOf(record: StoredRecord): number {
  return (record.key?.length ?? 0) + (record.value?.length ?? 0);
}
