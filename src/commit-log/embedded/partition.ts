import type { TopicSpec } from '../port.ts';

/** A block of records that is durable. */
export interface Block {
  readonly partition: Partition;
  readonly baseOffset: number;
  /** One past the last offset the block stands for. */
  readonly endOffset: number;
  readonly bytes: Buffer;
}

/** What the log knows of a topic. */
export interface Topic {
  readonly id: number;
  readonly spec: TopicSpec;
  readonly partitions: readonly Partition[];
}

/** Where a partition begins and ends, its newest blocks, and who wants to know of new ones. */
export class Partition {
  readonly topicId: number;
  readonly topicName: string;
  readonly index: number;
  /** Nothing below is stored any more. */
  startOffset = 0;
  /** One past the newest durable record. */
  endOffset = 0;
  /** Where the next block goes; ahead of `endOffset` while a write is under way. */
  nextOffset = 0;
  /** Bytes of all its blocks, as encoded. */
  storedBytes = 0;
  /** Bytes added since the last compaction; unknown after opening, hence all. */
  dirtyBytes = 0;
  readonly listeners = new Set<() => void>();
  readonly #tail: Block[] = [];

  constructor(topicId: number, topicName: string, index: number) {
    this.topicId = topicId;
    this.topicName = topicName;
    this.index = index;
  }

  /** Takes the next `span` offsets for a block of `bytes`; returns its base offset. */
  reserve(span: number, bytes: number): number {
    const base = this.nextOffset;
    this.nextOffset += span;
    this.storedBytes += bytes;
    this.dirtyBytes += bytes;
    return base;
  }

  /** Makes a durable block visible and wakes whoever waits for it. */
  publish(block: Block): void {
    this.endOffset = block.endOffset;
    this.#tail.push(block);
    for (const listener of this.listeners) listener();
  }

  /** The newest block that starts at or below `offset`, if it is still in memory and holds it. */
  tailBlockAt(offset: number): Block | undefined {
    const tail = this.#tail;
    let low = 0;
    let high = tail.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (tail[middle]!.baseOffset <= offset) low = middle;
      else high = middle - 1;
    }
    const block = tail[low];
    return block && block.baseOffset <= offset && offset < block.endOffset ? block : undefined;
  }

  /** Lets go of a block in memory; blocks leave in the order they came. */
  forget(block: Block): void {
    if (this.#tail[0] === block) this.#tail.shift();
  }

  /** Lets go of all blocks in memory: what is stored has changed. */
  forgetAll(): void {
    this.#tail.length = 0;
  }
}

/** Bounds what all partitions together keep of their newest blocks in memory. */
export class TailCache {
  readonly #bytesMax: number;
  #blocks: Block[] = [];
  #first = 0;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  add(block: Block): void {
    this.#blocks.push(block);
    this.#bytes += block.bytes.length;
    while (this.#bytes > this.#bytesMax) {
      const oldest = this.#blocks[this.#first++]!;
      this.#bytes -= oldest.bytes.length;
      oldest.partition.forget(oldest);
    }
    if (this.#first > 1024 && this.#first * 2 > this.#blocks.length) {
      this.#blocks = this.#blocks.slice(this.#first);
      this.#first = 0;
    }
  }
}
