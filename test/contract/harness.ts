import { afterEach, beforeEach, it } from 'vitest';
import type {
  CommitLog,
  Consumer,
  CreateProcessor,
  OutputRecord,
  StoredRecord,
  Subscription,
  TopicSpec,
} from '../../src/commit-log/port.ts';

/** How a test wants its log to be. What a driver has no setting for, it leaves as it is. */
export interface OpenOptions {
  /** How long an owner that does not come back is waited for. */
  readonly handoverMsMax?: number;
  /** Retention and compaction run all the time, and tombstones go at once. */
  readonly isTidy?: boolean;
}

/** One installation of a driver; made for each test. */
export interface ContractDriver {
  /** Opens the log: the same one every time. */
  open(options: OpenOptions): Promise<CommitLog>;
  /** The n-th write from now on (1 = the next) kills the log: before the write has happened, or just after. */
  dieAtWrite(n: number, moment: 'before' | 'after'): void;
  /** Ends the log as a killed process would: nothing is finished, nothing handed back. */
  crash(log: CommitLog): Promise<void>;
  dispose(): Promise<void>;
}

/** Tests that a driver cannot pass, and why not. */
export interface Skip {
  readonly reason: string;
  readonly tests: readonly string[];
}

const DEADLINE_MS = 15_000;

/** Drivers may outlive the run: names of one run must not meet those of another. */
const RUN = Date.now().toString(36);

/** Waits until the check holds; fails with the check's own failure when that takes too long. */
export async function eventually<T>(check: () => T | Promise<T>, deadlineMs = DEADLINE_MS): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await pause(5);
    }
  }
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export const text = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString();

/** The values of a topic's records, by partition, in the order they are read. */
export type Values = Record<number, (string | null)[]>;

/** What every case works with: a driver and topic names of its own, and everything closed in the end. */
export class Harness {
  readonly #createDriver: () => Promise<ContractDriver>;
  readonly #skips: readonly Skip[];
  #driver: ContractDriver | null = null;
  #logs: CommitLog[] = [];
  #scope = 0;

  constructor(createDriver: () => Promise<ContractDriver>, skips: readonly Skip[]) {
    this.#createDriver = createDriver;
    this.#skips = skips;
    beforeEach(async () => {
      this.#driver = await this.#createDriver();
      this.#scope++;
    });
    afterEach(async () => {
      for (const log of this.#logs) await log.close().catch(() => {});
      this.#logs = [];
      await this.#driver?.dispose();
    });
  }

  it(name: string, run: () => Promise<void>): void {
    const skip = this.#skips.find(({ tests }) => tests.includes(name));
    if (skip) it.skip(`${name} (${skip.reason})`, run);
    else it(name, run, 60_000);
  }

  get driver(): ContractDriver {
    return this.#driver!;
  }

  async open(options: OpenOptions = {}): Promise<CommitLog> {
    const log = await this.driver.open(options);
    this.#logs.push(log);
    return log;
  }

  /** A name that no other test uses. */
  name(base: string): string {
    return `${base}-${RUN}-${this.#scope}`;
  }

  /** Opens the log with these topics in it. */
  async openWith(topics: readonly (Partial<TopicSpec> & { name: string })[], options: OpenOptions = {}) {
    const log = await this.open(options);
    await log.ensureTopics(topics.map((topic) => ({ partitions: 1, cleanup: 'delete', ...topic })));
    return log;
  }
}

/** A record whose value is the text. */
export function record(
  topic: string,
  partition: number,
  value: string | null,
  key: string | null = null,
): OutputRecord {
  return {
    topic,
    partition,
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    timestampMs: 1_700_000_000_000,
  };
}

/** Appends `count` numbered records to each partition, `each` at a time. */
export async function appendNumbers(
  log: CommitLog,
  topic: string,
  partitions: number,
  count: number,
  each = 10,
) {
  for (let from = 0; from < count; from += each) {
    const numbers = Array.from({ length: Math.min(each, count - from) }, (_, i) => String(from + i));
    await Promise.all(
      Array.from({ length: partitions }, (_, partition) =>
        log.append(numbers.map((number) => record(topic, partition, number))),
      ),
    );
  }
}

export async function readAll(log: CommitLog, topic: string): Promise<StoredRecord[]> {
  const records: StoredRecord[] = [];
  for await (const batch of log.read({ topic, from: 'earliest', until: 'end' })) records.push(...batch);
  return records;
}

export async function readValues(log: CommitLog, topic: string): Promise<Values> {
  const values: Values = {};
  for (const { partition, value } of await readAll(log, topic)) {
    values[partition] ??= [];
    values[partition].push(text(value));
  }
  return values;
}

/** Consumes with settings that make tests quick; `change` replaces some of them. */
export function consume(
  log: CommitLog,
  group: string,
  topics: readonly string[],
  createProcessor: CreateProcessor,
  change: Partial<Subscription> = {},
): Promise<Consumer> {
  const subscription: Subscription = {
    group,
    topics,
    stateTopic: `${group}.state`,
    batchRecordsMax: 7,
    batchBytesMax: 1 << 20,
    commitIntervalMs: 20,
    tickIntervalMs: 50,
    ...change,
  };
  return log.consume(subscription, createProcessor);
}
