import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../kernel/clock.ts';
import { assert, FlowcastError } from '../../kernel/errors.ts';
import type { CreateProcessor, Processor, Step, Subscription } from '../port.ts';
import { type Ticker, Wakeup } from '../ticker.ts';
import type { Catalogue } from './catalogue.ts';
import { PartitionCursor } from './cursor.ts';
import type { GroupOffsets, Progress } from './group-offsets.ts';
import { stateKey, stateNameOf, stateRange } from './keys.ts';
import { Outbox } from './outbox.ts';
import type { Partition } from './partition.ts';
import type { Operation, Store } from './store.ts';
import type { Writer } from './writer.ts';

/** The parts of the log that a worker works with. */
export interface LogParts {
  readonly store: Store;
  readonly writer: Writer;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly ticker: Ticker;
}

/** What a member brought when it joined. */
export interface Membership {
  readonly subscription: Subscription;
  readonly createProcessor: CreateProcessor;
}

/** Steps are committed earlier than the interval when they have gathered this much. */
const PENDING_BYTES_MAX = 8 << 20;
const PENDING_STATE_MAX = 50_000;
const BACKOFF_MS_MIN = 50;
const BACKOFF_MS_MAX = 10_000;

/**
 * Drives the processor of one partition for one member: read, process, gather steps, commit. Runs from construction
 * until it is stopped, fenced, or cannot go on.
 */
export class PartitionWorker {
  /** Resolves when it has ended; rejects with what made it end otherwise. */
  readonly ended: Promise<void>;
  readonly #parts: LogParts;
  readonly #partition: Partition;
  readonly #membership: Membership;
  readonly #offsets: GroupOffsets;
  readonly #outbox: Outbox;
  readonly #state = new Map<string, Buffer | null>();
  readonly #wakeup = new Wakeup();
  readonly #stopping = new AbortController();
  #committing: Promise<void> = Promise.resolve();
  #isFenced = false;
  /** What the steps gathered since the last commit amount to. */
  #reached: Progress = { resumeOffset: 0, processedOffset: 0 };
  #committedAtUs = 0;
  #failures = 0;

  constructor(parts: LogParts, partition: Partition, membership: Membership, offsets: GroupOffsets) {
    this.#parts = parts;
    this.#partition = partition;
    this.#membership = membership;
    this.#offsets = offsets;
    this.#outbox = new Outbox(parts.catalogue);
    this.ended = this.#run();
  }

  /** Asks it to finish the running step, commit it and end. */
  stop(): void {
    this.#stopping.abort();
    this.#wakeup.notify();
  }

  /** From now on it commits nothing, whatever its processor still does; resolves when a commit under way has ended. */
  async fence(): Promise<void> {
    this.#isFenced = true;
    this.stop();
    await this.#committing.catch(() => {});
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #run(): Promise<void> {
    this.#partition.listeners.add(this.#wakeup.notify);
    try {
      while (!this.#isStopping) await this.#liveOrBackOff();
    } finally {
      this.#partition.listeners.delete(this.#wakeup.notify);
    }
  }

  /** One life of a processor; a transient failure ends the life, not the worker. */
  async #liveOrBackOff(): Promise<void> {
    try {
      await this.#live();
    } catch (error) {
      if (this.#isFenced) return;
      if (!(error instanceof FlowcastError && error.disposition === 'transient')) throw error;
      const pauseMs = Math.min(BACKOFF_MS_MIN * 2 ** this.#failures++, BACKOFF_MS_MAX);
      await this.#parts.clock.sleep(pauseMs, this.#stopping.signal);
    } finally {
      this.#outbox.clear();
      this.#state.clear();
    }
  }

  async #live(): Promise<void> {
    const { clock, store } = this.#parts;
    const { subscription } = this.#membership;
    const processor = await this.#createProcessor();
    const cursor = new PartitionCursor(store, this.#partition, this.#reached.resumeOffset);
    let steppedAtUs = clock.nowUs();
    this.#committedAtUs = steppedAtUs;
    while (!this.#isStopping) {
      const batch = await cursor.take(subscription.batchRecordsMax, subscription.batchBytesMax);
      if (batch.length === 0) {
        const dueUs = steppedAtUs + subscription.tickIntervalMs * 1000;
        if (clock.nowUs() < dueUs) {
          await this.#idleUntil(dueUs, cursor);
          continue;
        }
      }
      this.#gather(await processor.process(batch), cursor.position);
      steppedAtUs = clock.nowUs();
      if (this.#isCommitDue(steppedAtUs) || cursor.isDry) await this.#commit();
      // A long way to catch up must not keep timers and sockets waiting.
      else await setImmediate();
    }
    await this.#commit();
  }

  async #createProcessor(): Promise<Processor> {
    const { subscription, createProcessor } = this.#membership;
    const { topicId, topicName, index } = this.#partition;
    this.#reached = this.#offsets.progress(this.#partition);
    const state = new Map<string, Uint8Array>();
    await this.#parts.store.forEach(stateRange(subscription.group, topicId, index), (key, value) => {
      state.set(stateNameOf(key), value);
    });
    return createProcessor({ topic: topicName, partition: index, state, ...this.#reached });
  }

  /** Waits for a new record, the time given, or the order to stop. */
  async #idleUntil(dueUs: number, cursor: PartitionCursor): Promise<void> {
    const { clock, ticker } = this.#parts;
    const alarm = ticker.at(dueUs, this.#wakeup.notify);
    while (!this.#isStopping && cursor.isDry && clock.nowUs() < dueUs) await this.#wakeup.wait();
    alarm.cancel();
  }

  /** Adds a step to what will be committed. Everything is copied: a processor may use its buffers again. */
  #gather(step: Step, position: number): void {
    const { resumeOffset } = step;
    assert(
      resumeOffset >= this.#reached.resumeOffset && resumeOffset <= position,
      `resumeOffset ${resumeOffset} must lie between ${this.#reached.resumeOffset} and ${position} (${this.#partition.topicName}/${this.#partition.index})`,
    );
    this.#outbox.add(step.outputs);
    for (const { key, value } of step.state) this.#state.set(key, value === null ? null : Buffer.from(value));
    this.#reached = { resumeOffset, processedOffset: Math.max(this.#reached.processedOffset, position) };
  }

  #isCommitDue(nowUs: number): boolean {
    return (
      nowUs - this.#committedAtUs >= this.#membership.subscription.commitIntervalMs * 1000 ||
      this.#outbox.byteLength >= PENDING_BYTES_MAX ||
      this.#state.size >= PENDING_STATE_MAX
    );
  }

  async #commit(): Promise<void> {
    const reached = this.#reached;
    if (this.#isFenced || !this.#hasPending(reached)) return;
    const blocks = this.#outbox.take();
    const operations = this.#stateOperations();
    operations.push(this.#offsets.operation(this.#partition, reached));
    this.#committing = this.#parts.writer.write({ blocks, operations });
    await this.#committing;
    this.#offsets.committed(this.#partition, reached);
    this.#committedAtUs = this.#parts.clock.nowUs();
    this.#failures = 0;
  }

  #hasPending(reached: Progress): boolean {
    const committed = this.#offsets.progress(this.#partition);
    return (
      this.#outbox.byteLength > 0 ||
      this.#state.size > 0 ||
      reached.resumeOffset > committed.resumeOffset ||
      reached.processedOffset > committed.processedOffset
    );
  }

  #stateOperations(): Operation[] {
    const { group } = this.#membership.subscription;
    const { topicId, index } = this.#partition;
    const operations: Operation[] = [];
    for (const [name, value] of this.#state) {
      const key = stateKey(group, topicId, index, name);
      operations.push(value === null ? { type: 'del', key } : { type: 'put', key, value });
    }
    this.#state.clear();
    return operations;
  }
}
