import { setImmediate } from 'node:timers/promises';
import { assert, FlowcastError } from '../../kernel/errors.ts';
import type { Processor, Step } from '../port.ts';
import { Wakeup } from '../ticker.ts';
import type { Feed } from './feed.ts';
import type { Fetcher } from './fetcher.ts';
import type { LogParts, Membership } from './log-parts.ts';
import { Outbox } from './messages.ts';
import { committedOffsets, furthest, listOffsets, type Progress, progressValue } from './offsets.ts';
import { PendingState, PROGRESS_KEY, restoreState, type StateOwner, stateKey } from './state.ts';
import { TransactionalWriter } from './transactions.ts';

/** Steps are committed earlier than the interval when they have gathered this much. */
const PENDING_BYTES_MAX = 4 << 20;
const PENDING_STATE_MAX = 20_000;
/** Where nothing more has come, what there is waits this long at most: merging gains nothing then. */
const IDLE_COMMIT_INTERVAL_MS = 100;
const BACKOFF_MS_MIN = 100;
const BACKOFF_MS_MAX = 10_000;

/** What a worker needs of the member it works for. */
export interface WorkerSite extends Membership {
  readonly parts: LogParts;
  readonly fetcher: Fetcher;
  /** Resolves when the broker has next confirmed the membership, or the signal aborts. */
  confirmed(signal: AbortSignal): Promise<void>;
}

/**
 * Drives the processor of one assigned partition: fence, restore, read, process, gather steps, commit. Runs until it is
 * stopped or abandoned, or cannot go on.
 */
export class PartitionWorker {
  /** Resolves when it has ended; rejects with what made it end otherwise. */
  readonly ended: Promise<void>;
  readonly #site: WorkerSite;
  readonly #owner: StateOwner;
  readonly #transactionalId: string;
  readonly #outbox = new Outbox();
  readonly #state = new PendingState();
  readonly #wakeup = new Wakeup();
  readonly #stopping = new AbortController();
  #isAbandoned = false;
  /** Committed, and what the steps gathered since then amount to. */
  #committed: Progress = { resumeOffset: 0, processedOffset: 0 };
  #reached: Progress = { resumeOffset: 0, processedOffset: 0 };
  #committedAtUs = 0;
  #failures = 0;

  constructor(site: WorkerSite, topic: string, partition: number) {
    this.#site = site;
    this.#owner = { group: site.subscription.group, topic, partition };
    this.#transactionalId = `${this.#owner.group}|${topic}|${partition}`;
    this.ended = this.#run();
    this.ended.catch(() => {});
  }

  /** Asks it to finish the running step, commit it and end. */
  stop(): void {
    this.#stopping.abort();
    this.#wakeup.notify();
  }

  /** The partition is no longer ours: nothing is committed any more, whatever the processor still does. */
  abandon(): void {
    this.#isAbandoned = true;
    this.stop();
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    const turn = this.#site.parts.turns.enter(this.#transactionalId);
    try {
      await turn.begin;
      while (!this.#isStopping) await this.#liveOrBackOff();
    } finally {
      turn.end();
    }
  }

  /** One life of a processor; a transient failure ends the life, not the worker. */
  async #liveOrBackOff(): Promise<void> {
    try {
      await this.#live();
    } catch (error) {
      if (this.#isAbandoned) return;
      if (!(error instanceof FlowcastError && error.disposition === 'transient')) throw error;
      const { parts, subscription } = this.#site;
      parts.logger.warn(
        {
          group: subscription.group,
          topic: this.#owner.topic,
          partition: this.#owner.partition,
          code: error.code,
          why: error.message,
        },
        'partition begins anew from what is committed',
      );
      const pauseMs = Math.min(BACKOFF_MS_MIN * 2 ** this.#failures++, BACKOFF_MS_MAX);
      const { signal } = this.#stopping;
      await parts.clock.sleep(pauseMs * (0.5 + parts.random.uniform()), signal);
      // Only a member that the group still knows may fence others, or a zombie and the new owner take turns for ever.
      if (!signal.aborted) await this.#site.confirmed(signal);
    } finally {
      this.#outbox.take();
      this.#state.take();
    }
  }

  async #live(): Promise<void> {
    const { parts, subscription, fetcher } = this.#site;
    const { topic, partition } = this.#owner;
    const writer = await TransactionalWriter.open(
      parts.transactions,
      subscription.group,
      this.#transactionalId,
    );
    let feed: Feed | null = null;
    try {
      // What the last owner committed is certain only now that it is fenced.
      const processor = await this.#createProcessor();
      if (processor === null) return;
      feed = fetcher.open(topic, partition, this.#committed.resumeOffset, this.#wakeup.notify);
      await this.#drive(processor, feed, writer);
    } finally {
      if (feed) fetcher.release(feed);
      await writer.close();
    }
  }

  async #drive(processor: Processor, feed: Feed, writer: TransactionalWriter): Promise<void> {
    const { parts, subscription, fetcher } = this.#site;
    const { clock } = parts;
    let steppedAtUs = clock.nowUs();
    this.#committedAtUs = steppedAtUs;
    while (!this.#isStopping) {
      const batch = feed.take(subscription.batchRecordsMax, subscription.batchBytesMax);
      fetcher.pump();
      const tickDueUs = steppedAtUs + subscription.tickIntervalMs * 1000;
      if (batch.length > 0 || clock.nowUs() >= tickDueUs) {
        await this.#gather(await processor.process(batch), feed.position);
        steppedAtUs = clock.nowUs();
      } else await this.#idleUntil(Math.min(tickDueUs, this.#commitDueUs(feed)), feed);
      if (this.#isCommitDue(clock.nowUs(), feed)) await this.#commit(writer);
      // A long way to catch up must not keep timers and sockets waiting.
      else if (!feed.isDry) await setImmediate();
    }
    await this.#commit(writer);
  }

  async #createProcessor(): Promise<Processor | null> {
    const { parts, subscription, createProcessor, fetcher } = this.#site;
    const { group, topic, partition } = this.#owner;
    this.#committed = await this.#progress();
    this.#reached = this.#committed;
    let state = new Map<string, Uint8Array>();
    if (subscription.stateTopic !== undefined) {
      const { stateTopic } = subscription;
      const bound = async (kind: 'earliest' | 'high') =>
        (await listOffsets(parts.control, parts.clock, stateTopic, [partition], kind)).get(partition)!;
      const bounds = {
        startOffset: await bound('earliest'),
        endOffset: await bound('high'),
        signal: this.#stopping.signal,
      };
      state = await restoreState(fetcher, stateTopic, { group, topic, partition }, bounds);
      this.#committed = furthest(this.#committed, state.get(PROGRESS_KEY));
      this.#reached = this.#committed;
      state.delete(PROGRESS_KEY);
    }
    if (this.#isStopping) return null;
    return createProcessor({ topic, partition, state, ...this.#committed });
  }

  /** What is committed; records that retention has removed count as passed. */
  async #progress(): Promise<Progress> {
    const { parts } = this.#site;
    const { group, topic, partition } = this.#owner;
    const committed = (await committedOffsets(parts.admin, group, [topic])).get(topic)?.get(partition);
    const earliest = (await listOffsets(parts.control, parts.clock, topic, [partition], 'earliest')).get(
      partition,
    )!;
    const resumeOffset = Math.max(committed?.resumeOffset ?? 0, earliest);
    return { resumeOffset, processedOffset: Math.max(committed?.processedOffset ?? 0, resumeOffset) };
  }

  /** Waits for a record, the time given, or the order to stop. */
  async #idleUntil(dueUs: number, feed: Feed): Promise<void> {
    const { clock, ticker } = this.#site.parts;
    const alarm = ticker.at(dueUs, this.#wakeup.notify);
    while (!this.#isStopping && feed.isDry && clock.nowUs() < dueUs) {
      await this.#wakeup.wait();
      // A feed that has failed says so when it is asked for records.
      if (feed.isFailed) break;
    }
    alarm.cancel();
  }

  async #gather(step: Step, position: number): Promise<void> {
    const { resumeOffset } = step;
    assert(
      resumeOffset >= this.#reached.resumeOffset && resumeOffset <= position,
      `resumeOffset ${resumeOffset} must lie between ${this.#reached.resumeOffset} and ${position} (${this.#transactionalId})`,
    );
    if (step.outputs.length > 0) await this.#site.parts.topics.check(step.outputs);
    for (const output of step.outputs) this.#outbox.add(output);
    this.#state.add(step.state);
    this.#reached = { resumeOffset, processedOffset: Math.max(this.#reached.processedOffset, position) };
  }

  #commitDueUs(feed: Feed): number {
    if (!this.#hasPending) return Number.POSITIVE_INFINITY;
    const { commitIntervalMs } = this.#site.subscription;
    const intervalMs = feed.isDry ? Math.min(commitIntervalMs, IDLE_COMMIT_INTERVAL_MS) : commitIntervalMs;
    return this.#committedAtUs + intervalMs * 1000;
  }

  #isCommitDue(nowUs: number, feed: Feed): boolean {
    return (
      nowUs >= this.#commitDueUs(feed) ||
      this.#outbox.byteLength >= PENDING_BYTES_MAX ||
      this.#state.size >= PENDING_STATE_MAX
    );
  }

  get #hasPending(): boolean {
    return (
      this.#outbox.byteLength > 0 ||
      this.#state.size > 0 ||
      this.#reached.resumeOffset > this.#committed.resumeOffset ||
      this.#reached.processedOffset > this.#committed.processedOffset
    );
  }

  async #commit(writer: TransactionalWriter): Promise<void> {
    if (this.#isAbandoned || !this.#hasPending) return;
    const { parts, subscription } = this.#site;
    const { topic, partition } = this.#owner;
    const progress = this.#reached;
    const timestampMs = Math.floor(parts.clock.nowUs() / 1000);
    const changes = this.#state.take();
    if (subscription.stateTopic !== undefined) {
      changes.push([PROGRESS_KEY, progressValue(progress)]);
      for (const [name, value] of changes)
        this.#outbox.add({
          topic: subscription.stateTopic,
          partition,
          key: stateKey(this.#owner, name),
          value,
          timestampMs,
        });
    }
    await writer.commit({ chunks: this.#outbox.take(), topic, partition, progress });
    this.#committed = progress;
    this.#committedAtUs = parts.clock.nowUs();
    this.#failures = 0;
  }
}
