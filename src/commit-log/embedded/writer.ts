import type { Clock } from '../../kernel/clock.ts';
import { fatalError } from '../../kernel/errors.ts';
import type { Alarm, Ticker } from '../ticker.ts';
import { blockKey, FLUSH_KEY, headKey } from './keys.ts';
import type { Block, Partition, TailCache } from './partition.ts';
import type { Operation, Store } from './store.ts';

/**
 * When the disk is made to have what was written. Whatever is chosen, a killed process loses nothing and a crashed
 * machine leaves a consistent log; `interval` may lose the newest `fsyncIntervalMs` with the machine, `never` more.
 */
export type Fsync = 'every-commit' | 'interval' | 'never';

/** A seam for tests: called around every write, a throw is taken as the death of the disk. */
export type WriteFault = (moment: 'before' | 'after') => void;

export interface WriterOptions {
  readonly clock: Clock;
  readonly fsync: Fsync;
  readonly fsyncIntervalMs: number;
  readonly fault: WriteFault;
}

/** Blocks and other changes that become visible together or not at all. */
export interface WriteRequest {
  readonly blocks: readonly Block[];
  readonly operations: readonly Operation[];
  /** Partitions whose head changes without a new block. */
  readonly heads?: readonly Partition[];
}

interface Waiting {
  readonly request: WriteRequest;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The one way into the store. Requests that arrive while a write is under way share the next one (group commit).
 * After a failed write nothing is written any more: what the disk holds is known again only after a restart.
 */
export class Writer {
  readonly #store: Store;
  readonly #tails: TailCache;
  readonly #ticker: Ticker;
  readonly #options: WriterOptions;
  #waiting: Waiting[] = [];
  #failure: unknown;
  #isRunning = false;
  #idle: Promise<void> = Promise.resolve();
  #fsyncAlarm: Alarm | null = null;
  #fsyncDue = false;

  constructor(store: Store, tails: TailCache, ticker: Ticker, options: WriterOptions) {
    this.#store = store;
    this.#tails = tails;
    this.#ticker = ticker;
    this.#options = options;
  }

  /** Resolves when the request is durable and visible. */
  write(request: WriteRequest): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject });
      if (!this.#isRunning) this.#idle = this.#run();
    });
  }

  /** Refuses further writes, waits for those under way and makes the disk have them. */
  async close(): Promise<void> {
    await this.#idle;
    if (this.#failure === undefined && this.#fsyncAlarm !== null) {
      this.#fsyncDue = true;
      await this.write({ blocks: [], operations: [] });
    }
    this.#fsyncAlarm?.cancel();
    this.#failure ??= fatalError('log_closed', 'the log is closed');
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    // Requests of the same turn of the event loop share the first write.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const taken = this.#waiting;
      this.#waiting = [];
      try {
        await this.#writeTogether(taken);
        for (const { request } of taken) this.#publish(request.blocks);
        for (const { resolve } of taken) resolve();
      } catch (error) {
        this.#failure ??= error;
        for (const { reject } of taken) reject(error);
      }
    }
    this.#isRunning = false;
  }

  async #writeTogether(taken: readonly Waiting[]): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const operations: Operation[] = [];
    const heads = new Set<Partition>();
    for (const { request } of taken) {
      for (const block of request.blocks) {
        const { topicId, index } = block.partition;
        operations.push({ type: 'put', key: blockKey(topicId, index, block.baseOffset), value: block.bytes });
        heads.add(block.partition);
      }
      for (const operation of request.operations) operations.push(operation);
      for (const partition of request.heads ?? []) heads.add(partition);
    }
    for (const partition of heads) {
      operations.push({
        type: 'put',
        key: headKey(partition.topicId, partition.index),
        value: encodeHead(partition),
      });
    }
    const sync = this.#needsSync();
    if (sync) operations.push({ type: 'put', key: FLUSH_KEY, value: Buffer.alloc(0) });
    this.#options.fault('before');
    await this.#store.write(operations, sync);
    this.#options.fault('after');
  }

  #publish(blocks: readonly Block[]): void {
    for (const block of blocks) {
      block.partition.publish(block);
      this.#tails.add(block);
    }
  }

  #needsSync(): boolean {
    const { fsync, fsyncIntervalMs, clock } = this.#options;
    if (fsync !== 'interval') return fsync === 'every-commit';
    if (this.#fsyncDue) {
      this.#fsyncDue = false;
      this.#fsyncAlarm?.cancel();
      this.#fsyncAlarm = null;
      return true;
    }
    this.#fsyncAlarm ??= this.#ticker.at(clock.nowUs() + fsyncIntervalMs * 1000, () => this.#fsyncLater());
    return false;
  }

  #fsyncLater(): void {
    this.#fsyncDue = true;
    // Its failure is kept and told to whoever writes next.
    this.write({ blocks: [], operations: [] }).catch(() => {});
  }
}

const HEAD_BYTES = 24;

function encodeHead(partition: Partition): Buffer {
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  head.writeDoubleBE(partition.startOffset, 0);
  head.writeDoubleBE(partition.nextOffset, 8);
  head.writeDoubleBE(partition.storedBytes, 16);
  return head;
}

/** Puts a stored head back into its partition. */
export function restoreHead(partition: Partition, head: Buffer): void {
  partition.startOffset = head.readDoubleBE(0);
  partition.nextOffset = head.readDoubleBE(8);
  partition.endOffset = partition.nextOffset;
  partition.storedBytes = head.readDoubleBE(16);
  partition.dirtyBytes = partition.storedBytes;
}
