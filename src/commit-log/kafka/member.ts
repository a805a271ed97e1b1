import type { Consumer as GroupConsumer } from 'kafkajs';
import type { Consumer } from '../port.ts';
import { createCluster } from './client.ts';
import { errorOf } from './errors.ts';
import { Fetcher } from './fetcher.ts';
import type { LogParts, Membership } from './log-parts.ts';
import { PartitionWorker, type WorkerSite } from './worker.ts';

/** What a feed may hold at least, so that a fetch is worth its round trip. */
const FEED_BYTES_MIN = 1 << 20;
/** kafkajs rests this long between two looks at whether it is time for a heartbeat. */
const LOOK_MS = 100;

/**
 * One `consume` call: a member of the consumer group. kafkajs keeps the membership (join, heartbeat, rejoin) and is never
 * given anything to fetch; records are fetched by the driver's own `Fetcher`, so a slow step does not cost the membership.
 */
export class Member implements Consumer, WorkerSite {
  readonly parts: LogParts;
  readonly subscription: Membership['subscription'];
  readonly createProcessor: Membership['createProcessor'];
  readonly done: Promise<void>;
  readonly fetcher: Fetcher;
  readonly #group: GroupConsumer;
  readonly #outcome = Promise.withResolvers<void>();
  #workers: PartitionWorker[] = [];
  #waiting: (() => void)[] = [];
  #stopped: Promise<void> | null = null;

  private constructor(parts: LogParts, membership: Membership, fetcher: Fetcher) {
    this.parts = parts;
    this.subscription = membership.subscription;
    this.createProcessor = membership.createProcessor;
    this.fetcher = fetcher;
    this.done = this.#outcome.promise;
    // Whoever consumes looks at `done`; a consumer that nobody looks at must not end the process by itself.
    this.done.catch(() => {});
    const { sessionTimeoutMs, heartbeatIntervalMs } = parts.config;
    this.#group = parts.client.consumer({
      groupId: this.subscription.group,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: sessionTimeoutMs,
      heartbeatInterval: Math.min(heartbeatIntervalMs, Math.floor(sessionTimeoutMs / 3)),
      maxWaitTimeInMs: Math.min(LOOK_MS, heartbeatIntervalMs),
      allowAutoTopicCreation: false,
      retry: { retries: 8, restartOnFailure: () => Promise.resolve(true) },
    });
  }

  /** Joins the group; the topics must exist. */
  static async join(parts: LogParts, membership: Membership): Promise<Member> {
    const { subscription } = membership;
    const cluster = createCluster(parts.client);
    try {
      await cluster.connect();
      const { stateTopic, topics, batchBytesMax } = subscription;
      await cluster.addMultipleTargetTopics(stateTopic === undefined ? topics : [...topics, stateTopic]);
      const fetcher = new Fetcher({ ...parts, cluster }, Math.max(FEED_BYTES_MIN, batchBytesMax));
      const member = new Member(parts, membership, fetcher);
      await member.#start();
      return member;
    } catch (error) {
      await cluster.disconnect().catch(() => {});
      throw errorOf(error, `joining group ${subscription.group}`);
    }
  }

  confirmed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #start(): Promise<void> {
    const { events } = this.#group;
    // This listener runs before the first fetch of the new generation.
    this.#group.on(events.GROUP_JOIN, ({ payload }) => this.#assigned(payload.memberAssignment));
    this.#group.on(events.HEARTBEAT, () => this.#confirm());
    this.#group.on(events.CRASH, ({ payload }) => {
      for (const worker of this.#workers) worker.abandon();
      if (!payload.restart) void this.#fail(errorOf(payload.error, `group ${this.subscription.group}`));
    });
    await this.#group.connect();
    await this.#group.subscribe({ topics: [...this.subscription.topics], fromBeginning: true });
    await this.#group.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: () => Promise.reject(new Error('kafkajs fetched from a paused partition')),
    });
  }

  /** Every processor is made anew, also of partitions that stay: what their transactions became is known only from the broker. */
  #assigned(assignment: Readonly<Record<string, number[]>>): void {
    this.#group.pause(this.subscription.topics.map((topic) => ({ topic })));
    for (const worker of this.#workers) worker.abandon();
    this.#workers = [];
    if (this.#stopped) return;
    for (const [topic, partitions] of Object.entries(assignment)) {
      for (const partition of partitions) {
        const worker = new PartitionWorker(this, topic, partition);
        worker.ended.catch((error: unknown) => void this.#fail(error));
        this.#workers.push(worker);
      }
    }
    this.#confirm();
  }

  #confirm(): void {
    for (const resume of this.#waiting) resume();
    this.#waiting = [];
  }

  async #stop(): Promise<void> {
    for (const worker of this.#workers) worker.stop();
    await Promise.all(this.#workers.map(({ ended }) => ended.catch(() => {})));
    await this.#leave();
    this.#outcome.resolve();
  }

  /** One of its partitions cannot go on: so neither can the member. */
  async #fail(error: unknown): Promise<void> {
    this.#outcome.reject(error);
    await this.stop();
  }

  async #leave(): Promise<void> {
    await this.#group.disconnect().catch(() => {});
    await this.fetcher.close();
  }
}
