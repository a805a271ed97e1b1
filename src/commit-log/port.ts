/**
 * The commit log: what every stage reads from and writes to. Two kinds of driver stand behind it, the embedded log
 * (`embedded/`) and Apache Kafka (`kafka/`); `test/contract/` is the definition of correct.
 *
 * Obligations of every driver:
 * - Order: records of a partition are read in offset order; offsets grow, gaps are allowed.
 * - Once: the outputs, state changes and resume offset of a `Step` become visible together or not at all.
 *   Whatever dies, a reader sees each input reflected once.
 * - One owner: at most one live `Processor` for a (group, topic, partition); a former owner can no longer commit.
 * - Back-pressure: the next batch of a partition is handed over when `process` has resolved.
 * - Ticks: a partition without new records gets `process([])` every `tickIntervalMs`.
 */
export interface CommitLog {
  /** Writes the records; resolves when they are durable. Records of one call to one partition keep their order. */
  append(records: readonly OutputRecord[]): Promise<void>;
  /** Joins a consumer group; processors are made for each partition assigned to this member. */
  consume(subscription: Subscription, createProcessor: CreateProcessor): Promise<Consumer>;
  /** Reads all partitions of a topic without a group, committed records only. Batches hold records of one partition. */
  read(request: ReadRequest): AsyncIterable<readonly StoredRecord[]>;
  /** Creates what is missing and returns every topic as it really is; an existing topic is never altered. */
  ensureTopics(topics: readonly TopicSpec[]): Promise<readonly TopicSpec[]>;
  /** Those of the named topics that exist, as they really are. */
  describeTopics(names: readonly string[]): Promise<readonly TopicSpec[]>;
  /** How far a group is behind, for every partition of its topics. */
  lag(group: string): Promise<readonly PartitionLag[]>;
  /** Stops all consumers and readers after their running step, then lets go of every resource. Idempotent. */
  close(): Promise<void>;
}

/** Header values are text: they are for people and tools that look at a record. */
export type Headers = Readonly<Record<string, string>>;

export interface OutputRecord {
  readonly topic: string;
  /** Always explicit: placing is the stage's decision (an exporter keeps its partition number from topic to topic). */
  readonly partition: number;
  readonly key: Uint8Array | null;
  /** null deletes the key in a compacted topic. */
  readonly value: Uint8Array | null;
  readonly headers?: Headers;
  /** Milliseconds since the epoch. */
  readonly timestampMs: number;
}

export interface StoredRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Headers;
  readonly timestampMs: number;
}

export interface Subscription {
  readonly group: string;
  readonly topics: readonly string[];
  /** Compacted topic that carries this group's state where the driver keeps state in a topic; absent = the stage has no state. */
  readonly stateTopic?: string;
  readonly batchRecordsMax: number;
  readonly batchBytesMax: number;
  /** Steps are committed together at this interval at the latest. */
  readonly commitIntervalMs: number;
  readonly tickIntervalMs: number;
}

/** A partition given to this member, with all that its last owner committed. */
export interface Assignment {
  readonly topic: string;
  readonly partition: number;
  /** Committed state of this (group, topic, partition). */
  readonly state: ReadonlyMap<string, Uint8Array>;
  /** Reading starts here. */
  readonly resumeOffset: number;
  /**
   * Every record below this offset has had its outputs committed. Records from `resumeOffset` up to here are a replay:
   * they rebuild what the processor did not put in its state, and must emit nothing.
   */
  readonly processedOffset: number;
}

export type CreateProcessor = (assignment: Assignment) => Processor | Promise<Processor>;

/**
 * Owns one assigned partition. `process` is a pure step from (own memory, records) to a `Step`; it may be called again
 * before the step is committed. After a throw, a lost partition or a failed commit the driver drops the processor and
 * makes a new one from what is committed.
 */
export interface Processor {
  /** `batch` is in offset order; empty = a tick. */
  process(batch: readonly StoredRecord[]): Step | Promise<Step>;
}

export interface Step {
  readonly outputs: readonly OutputRecord[];
  readonly state: readonly StateChange[];
  /** Where the next owner has to start reading: at most the offset after the batch, earlier while windows are open. Never moves back. */
  readonly resumeOffset: number;
}

export interface StateChange {
  readonly key: string;
  /** null removes the key. */
  readonly value: Uint8Array | null;
}

export interface Consumer {
  /** Resolves after `stop`; rejects when the consumer cannot go on (its owner then stops the process). */
  readonly done: Promise<void>;
  /** Finishes the running step, commits it and leaves the group. Idempotent. */
  stop(): Promise<void>;
}

export interface ReadRequest {
  readonly topic: string;
  /** A map names the first offset for each partition; partitions that are not named start at the earliest. */
  readonly from: 'earliest' | 'latest' | ReadonlyMap<number, number>;
  /** `end`: up to what was committed when the read began; `never`: follow until the signal aborts. */
  readonly until: 'end' | 'never';
  readonly signal?: AbortSignal;
}

export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  readonly cleanup: 'delete' | 'compact';
  /** Records older than this may be removed; absent = kept. */
  readonly retentionMs?: number;
  /** Bytes a partition may hold before its oldest records are removed; absent = no bound. */
  readonly retentionBytes?: number;
  /** Copies of each partition, where the driver keeps copies; absent = as configured. */
  readonly replicationFactor?: number;
  /** Copies that must have a record before it counts as written; absent = as configured. */
  readonly minInSyncReplicas?: number;
}

export interface PartitionLag {
  readonly topic: string;
  readonly partition: number;
  /** One past the newest record. */
  readonly endOffset: number;
  /** One past the newest record whose outputs are committed. */
  readonly processedOffset: number;
  /** Where a new owner would start reading. */
  readonly resumeOffset: number;
  /** endOffset - processedOffset, never negative. */
  readonly records: number;
}
