import { type ChildProcess, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Broker } from '../../../scripts/kafka/broker.ts';
import type { CommitLog, StoredRecord } from '../../../src/commit-log/port.ts';
import type { Random } from '../../../src/kernel/random.ts';
import { middleOf, type Names, namesOf, PARTITIONS } from './pipeline.ts';

const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url));
const SETTLED_WITHIN_MS = 90_000;
const WORKERS_MAX = 4;
const WORKERS_MIN = 2;

export const EVENTS = ['kill worker', 'zombie', 'join', 'leave', 'kill broker'] as const;
export type ChaosEvent = (typeof EVENTS)[number];

export interface ChaosOptions {
  readonly log: CommitLog;
  readonly addresses: readonly string[];
  /** Those that may be killed. */
  readonly brokers: readonly Broker[];
  readonly scope: string;
  readonly recordsPerRound: number;
  readonly sessionTimeoutMs: number;
  readonly random: Random;
  /** What the workers say goes here. */
  readonly workerLog: string;
  readonly say: (line: string) => void;
}

/** A pipeline of several worker processes, things that happen to it, and the check that its outputs show none of it. */
export class Chaos {
  readonly #options: ChaosOptions;
  readonly #names: Names;
  readonly #workers = new Set<ChildProcess>();
  readonly #sums = new Progress();
  readonly #outputs = new Progress();
  #appended = 0;
  #isStopping = false;

  constructor(options: ChaosOptions) {
    this.#options = options;
    this.#names = namesOf(options.scope);
  }

  get records(): number {
    return this.#appended * PARTITIONS;
  }

  async start(workers = 3): Promise<void> {
    const { input, sums, middle, output, group } = this.#names;
    const plain = [input, sums, middle, output].map((name) => ({ name, cleanup: 'delete' as const }));
    const states = ['a', 'b'].map((stage) => ({
      name: `${group}.${stage}.state`,
      cleanup: 'compact' as const,
    }));
    await this.#options.log.ensureTopics(
      [...plain, ...states].map((topic) => ({ ...topic, partitions: PARTITIONS })),
    );
    await Promise.all(Array.from({ length: workers }, () => this.#join()));
  }

  /** One event in the middle of the work; returns when the outputs are complete and right, else throws what is wrong. */
  async round(event: ChaosEvent): Promise<{ event: ChaosEvent; ms: number }> {
    const { random, say } = this.#options;
    await this.#append();
    await pause(200 + random.below(1200));
    const startedAt = Date.now();
    await this.#happen(event);
    await this.#settled();
    const ms = Date.now() - startedAt;
    say(`${event}: ${this.records} records in, outputs exact after ${ms} ms, ${this.#workers.size} workers`);
    return { event, ms };
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    const workers = [...this.#workers];
    for (const worker of workers) worker.kill('SIGKILL');
    await Promise.all(workers.map(gone));
  }

  async #happen(event: ChaosEvent): Promise<void> {
    const { random, sessionTimeoutMs, brokers } = this.#options;
    const worker = [...this.#workers][random.below(this.#workers.size)]!;
    if (event === 'kill worker') {
      await this.#end(worker, 'SIGKILL');
      await this.#join();
    } else if (event === 'zombie') {
      worker.kill('SIGSTOP');
      await pause(sessionTimeoutMs * 1.5);
      worker.kill('SIGCONT');
    } else if (event === 'join' && this.#workers.size < WORKERS_MAX) await this.#join();
    else if (event === 'leave' && this.#workers.size > WORKERS_MIN) await this.#end(worker, 'SIGTERM');
    else if (event === 'kill broker') {
      const broker = brokers[random.below(brokers.length)]!;
      await broker.stop('SIGKILL');
      await broker.start();
    }
  }

  async #join(): Promise<void> {
    const { addresses, scope, sessionTimeoutMs, workerLog } = this.#options;
    const errors = openSync(workerLog, 'a');
    const worker = spawn(process.execPath, [WORKER, addresses.join(','), scope, String(sessionTimeoutMs)], {
      stdio: ['ignore', 'pipe', errors],
    });
    this.#workers.add(worker);
    worker.once('exit', (code, signal) => {
      const wasOnPurpose = !this.#workers.delete(worker) || this.#isStopping;
      if (wasOnPurpose) return;
      this.#options.say(`a worker ended by itself (${code ?? signal}); another takes its place`);
      void this.#join().catch(() => {});
    });
    await new Promise((resolve) => {
      worker.stdout!.once('data', resolve);
      worker.once('exit', resolve);
    });
  }

  async #end(worker: ChildProcess, signal: NodeJS.Signals): Promise<void> {
    this.#workers.delete(worker);
    const ended = gone(worker);
    worker.kill(signal);
    await ended;
  }

  async #append(): Promise<void> {
    const { log, recordsPerRound } = this.#options;
    const end = this.#appended + recordsPerRound;
    const records = [];
    for (let number = this.#appended; number < end; number++) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const value = Buffer.from(String(number));
        records.push({
          topic: this.#names.input,
          partition,
          key: null,
          value,
          timestampMs: 1_700_000_000_000,
        });
      }
    }
    await log.append(records);
    this.#appended = end;
  }

  async #settled(): Promise<void> {
    const deadline = Date.now() + SETTLED_WITHIN_MS;
    const wanted = this.records;
    while (this.#sums.count < wanted || this.#outputs.count < wanted) {
      if (Date.now() > deadline) {
        throw new Error(
          `incomplete after ${SETTLED_WITHIN_MS} ms: ${this.#sums.count} sums and ${this.#outputs.count} outputs of ${wanted}`,
        );
      }
      await pause(200);
      await this.#look().catch((error: unknown) => {
        // The broker may be away; what is wrong with the outputs is not excused.
        if (error instanceof WrongOutput) throw error;
      });
    }
    // Time for a zombie to do harm.
    await pause(300);
    await this.#look();
  }

  async #look(): Promise<void> {
    const { log } = this.#options;
    await this.#sums.take(log, this.#names.sums, ({ partition, value }) => {
      const [number = '', sum = ''] = String(value).split('@');
      return { key: `sums ${partition}`, order: Number(number), fact: Number(sum) === sumTo(Number(number)) };
    });
    await this.#outputs.take(log, this.#names.output, ({ partition, value }) => {
      const [, source = '', number = '', count = ''] = /^(\d+):(\d+)#(\d+)$/.exec(String(value)) ?? [];
      // Each source sends every PARTITIONS-th of its numbers here.
      const isPlaced = middleOf(Number(source), Number(number)) === partition;
      const order = Math.floor(Number(number) / PARTITIONS);
      return { key: `out ${partition} of ${source}`, order, fact: isPlaced && Number(count) === order + 1 };
    });
    const total = this.records;
    if (this.#sums.count > total || this.#outputs.count > total)
      throw new WrongOutput('more outputs than inputs');
  }
}

class WrongOutput extends Error {}

interface Place {
  /** A sequence of its own: its records come as 0, 1, 2 … */
  readonly key: string;
  readonly order: number;
  /** Whether the rest of the record is right. */
  readonly fact: boolean;
}

/** What has been read of a topic and found right. */
class Progress {
  readonly #next = new Map<number, number>();
  readonly #orders = new Map<string, number>();
  count = 0;

  async take(log: CommitLog, topic: string, placeOf: (record: StoredRecord) => Place): Promise<void> {
    for await (const batch of log.read({ topic, from: new Map(this.#next), until: 'end' })) {
      for (const record of batch) {
        const { key, order, fact } = placeOf(record);
        const expected = this.#orders.get(key) ?? 0;
        if (order !== expected || !fact)
          throw new WrongOutput(
            `${key}: ${String(record.value)} at ${record.offset}, expected number ${expected}`,
          );
        this.#orders.set(key, expected + 1);
        this.#next.set(record.partition, record.offset + 1);
        this.count++;
      }
    }
  }
}

const sumTo = (number: number) => (number * (number + 1)) / 2;
const gone = (child: ChildProcess) =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise<void>((resolve) => child.once('exit', () => resolve()));
