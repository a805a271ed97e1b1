import type { Clock } from '../../kernel/clock.ts';
import { fatalError } from '../../kernel/errors.ts';
import type {
  CommitLog,
  Consumer,
  CreateProcessor,
  OutputRecord,
  PartitionLag,
  ReadRequest,
  StoredRecord,
  Subscription,
  TopicSpec,
} from '../port.ts';
import { Ticker } from '../ticker.ts';
import { Catalogue } from './catalogue.ts';
import { Group } from './group.ts';
import { GroupOffsets } from './group-offsets.ts';
import { groupPartitionOf, subscriptionKey, subscriptionRange } from './keys.ts';
import { Maintenance } from './maintenance.ts';
import { Outbox } from './outbox.ts';
import { type Partition, TailCache, type Topic } from './partition.ts';
import { readTopic } from './reader.ts';
import { openStore } from './store.ts';
import type { LogParts } from './worker.ts';
import { type Fsync, type WriteFault, Writer } from './writer.ts';

export interface EmbeddedLogOptions {
  /** Made where it is missing; belongs to one process at a time. */
  readonly directory: string;
  readonly clock: Clock;
  /** Default `interval`. */
  readonly fsync?: Fsync;
  readonly fsyncIntervalMs?: number;
  /** How often retention and compaction look around; null = never. */
  readonly maintenanceIntervalMs?: number | null;
  /** How long a removed key of a compacted topic can still be read as removed. */
  readonly tombstoneRetentionMs?: number;
  /** A member has this long to finish its step when its partition moves; then it is fenced. */
  readonly handoverMsMax?: number;
  /** Newest blocks kept in memory, all partitions together. */
  readonly tailBytesMax?: number;
  /** For tests: see `WriteFault`. */
  readonly writeFault?: WriteFault;
}

const DEFAULTS = {
  fsync: 'interval',
  fsyncIntervalMs: 1000,
  maintenanceIntervalMs: 30_000,
  tombstoneRetentionMs: 86_400_000,
  handoverMsMax: 30_000,
  tailBytesMax: 32 << 20,
  writeFault: () => {},
} as const;

/**
 * Opens the log kept in one directory by one process, making it where there is none.
 * @throws usage `log_locked`, `log_directory`, `log_format`; fatal `log_corrupt`
 */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<CommitLog> {
  const settings = { ...DEFAULTS, ...options };
  const { clock } = settings;
  const store = await openStore(settings.directory);
  try {
    const catalogue = await Catalogue.load(store);
    const ticker = new Ticker(clock);
    const writer = new Writer(store, new TailCache(settings.tailBytesMax), ticker, {
      clock,
      fsync: settings.fsync,
      fsyncIntervalMs: settings.fsyncIntervalMs,
      fault: settings.writeFault,
    });
    return new EmbeddedLog({ store, writer, catalogue, clock, ticker }, settings);
  } catch (error) {
    await store.close();
    throw error;
  }
}

interface EmbeddedLogSettings {
  readonly handoverMsMax: number;
  readonly maintenanceIntervalMs: number | null;
  readonly tombstoneRetentionMs: number;
}

class EmbeddedLog implements CommitLog {
  readonly #parts: LogParts;
  readonly #handoverMsMax: number;
  readonly #outbox: Outbox;
  readonly #groups = new Map<string, Promise<Group>>();
  readonly #loadedGroups = new Set<Group>();
  readonly #maintenance: Maintenance | null = null;
  readonly #closing = new AbortController();
  #closed: Promise<void> | null = null;

  constructor(parts: LogParts, settings: EmbeddedLogSettings) {
    this.#parts = parts;
    this.#handoverMsMax = settings.handoverMsMax;
    this.#outbox = new Outbox(parts.catalogue);
    const { maintenanceIntervalMs: intervalMs, tombstoneRetentionMs } = settings;
    if (intervalMs === null) return;
    const neededFrom = (partition: Partition) => this.#neededFrom(partition);
    this.#maintenance = new Maintenance({ ...parts, intervalMs, tombstoneRetentionMs, neededFrom });
    this.#maintenance.start();
  }

  async append(records: readonly OutputRecord[]): Promise<void> {
    this.#assertOpen();
    this.#outbox.add(records);
    await this.#parts.writer.write({ blocks: this.#outbox.take(), operations: [] });
  }

  async consume(subscription: Subscription, createProcessor: CreateProcessor): Promise<Consumer> {
    this.#assertOpen();
    const { catalogue, writer } = this.#parts;
    const topics = subscription.topics.map((name) => catalogue.topic(name));
    const group = await this.#group(subscription.group);
    await writer.write({
      blocks: [],
      operations: topics.map(({ id }) => ({
        type: 'put',
        key: subscriptionKey(subscription.group, id),
        value: Buffer.alloc(0),
      })),
    });
    this.#assertOpen();
    return group.join(topics, { subscription, createProcessor });
  }

  read(request: ReadRequest): AsyncIterable<readonly StoredRecord[]> {
    this.#assertOpen();
    const topic = this.#parts.catalogue.topic(request.topic);
    return readTopic(this.#parts.store, topic, request, this.#closing.signal);
  }

  async ensureTopics(topics: readonly TopicSpec[]): Promise<readonly TopicSpec[]> {
    this.#assertOpen();
    const { catalogue, writer } = this.#parts;
    const operations = catalogue.create(topics);
    if (operations.length > 0) await writer.write({ blocks: [], operations });
    return topics.map(({ name }) => catalogue.topic(name).spec);
  }

  async describeTopics(names: readonly string[]): Promise<readonly TopicSpec[]> {
    this.#assertOpen();
    const present = [...this.#parts.catalogue.topics()].filter(({ spec }) => names.includes(spec.name));
    return present.map(({ spec }) => spec);
  }

  async lag(group: string): Promise<readonly PartitionLag[]> {
    this.#assertOpen();
    return (await this.#group(group)).lag();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    const groups = await Promise.all(this.#groups.values());
    await Promise.all(groups.map((group) => group.close()));
    await this.#maintenance?.stop();
    await this.#parts.writer.close();
    this.#parts.ticker.close();
    await this.#parts.store.close();
  }

  #group(name: string): Promise<Group> {
    let group = this.#groups.get(name);
    if (!group) {
      group = this.#loadGroup(name);
      this.#groups.set(name, group);
    }
    return group;
  }

  async #loadGroup(name: string): Promise<Group> {
    const { store, catalogue } = this.#parts;
    const topics: Topic[] = [];
    const offsets = await GroupOffsets.load(store, catalogue, name);
    await store.forEach(subscriptionRange(name), (key) => {
      const topic = catalogue.topicOfId(groupPartitionOf(key).topicId);
      if (topic) topics.push(topic);
    });
    const group = new Group(this.#parts, offsets, this.#handoverMsMax);
    for (const topic of topics) group.topics.add(topic);
    this.#loadedGroups.add(group);
    return group;
  }

  #neededFrom(partition: Partition): number {
    return Math.min(...[...this.#loadedGroups].map((group) => group.neededFrom(partition)));
  }

  #assertOpen(): void {
    if (this.#closed) throw fatalError('log_closed', 'the log is closed');
  }
}
