import type { OutputRecord } from '../port.ts';
import { BlockBuilder, spanOf, stampBlock } from './block.ts';
import type { Catalogue } from './catalogue.ts';
import type { Block, Partition } from './partition.ts';

/** A block is cut at these, so that a reader need not take a huge one to get at one record. */
const BLOCK_BYTES_MAX = 1 << 20;
const BLOCK_RECORDS_MAX = 4096;

/** Records on their way into the log, gathered into one block for each partition. Used again after `take`. */
export class Outbox {
  readonly #catalogue: Catalogue;
  readonly #builders = new Map<Partition, BlockBuilder>();
  #cut: { partition: Partition; bytes: Buffer }[] = [];
  #byteLength = 0;

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue;
  }

  /** Bytes gathered so far. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /**
   * Copies all records in, or none.
   * @throws usage `topic_unknown`, `partition_unknown`
   */
  add(records: readonly OutputRecord[]): void {
    for (const record of records) this.#catalogue.partition(record.topic, record.partition);
    let topic = '';
    let index = -1;
    let builder: BlockBuilder | null = null;
    for (const record of records) {
      if (builder === null || record.partition !== index || record.topic !== topic) {
        ({ topic, partition: index } = record);
        builder = this.#builder(this.#catalogue.partition(topic, index));
      }
      const before = builder.byteLength;
      builder.add(record);
      this.#byteLength += builder.byteLength - before;
      if (builder.byteLength >= BLOCK_BYTES_MAX || builder.count >= BLOCK_RECORDS_MAX) {
        this.#cut.push({ partition: this.#catalogue.partition(topic, index), bytes: builder.cut() });
      }
    }
  }

  /** Gives the records their offsets and hands them over. The blocks must be written in the order they are taken. */
  take(): Block[] {
    for (const [partition, builder] of this.#builders) {
      if (builder.count > 0) this.#cut.push({ partition, bytes: builder.cut() });
    }
    const blocks = this.#cut.map(({ partition, bytes }): Block => {
      const span = spanOf(bytes);
      const baseOffset = partition.reserve(span, bytes.length);
      stampBlock(bytes, baseOffset);
      return { partition, baseOffset, endOffset: baseOffset + span, bytes };
    });
    this.clear();
    return blocks;
  }

  /** Forgets what was gathered. */
  clear(): void {
    for (const builder of this.#builders.values()) if (builder.count > 0) builder.cut();
    this.#cut = [];
    this.#byteLength = 0;
  }

  #builder(partition: Partition): BlockBuilder {
    let builder = this.#builders.get(partition);
    if (!builder) {
      builder = new BlockBuilder();
      this.#builders.set(partition, builder);
    }
    return builder;
  }
}
