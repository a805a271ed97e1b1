import type { Kafka, Offsets, Producer } from 'kafkajs';
import type { Clock } from '../../kernel/clock.ts';
import { transientError } from '../../kernel/errors.ts';
import { RETRY } from './client.ts';
import { errorOf } from './errors.ts';
import type { Chunk } from './messages.ts';
import { metadataOf, type Progress } from './offsets.ts';

/** A seam for tests: called around the end of every write, a throw is taken as the death of the process. */
export type WriteFault = (moment: 'before' | 'after') => void;

export interface TransactionParts {
  /** Not the client that consumes: `sendOffsets` marks offsets as committed in its own client before they are. */
  readonly client: Kafka;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly fault: WriteFault;
}

/** What one transaction makes visible. */
export interface Commit {
  readonly chunks: readonly Chunk[];
  readonly topic: string;
  readonly partition: number;
  readonly progress: Progress;
}

/**
 * The one way in which a (group, topic, partition) writes. Opening fences whoever wrote before under the same transactional
 * id, and settles the fate of what they left open. After any error it must be closed: the next one to open finds out from
 * the committed offset how it ended.
 */
export class TransactionalWriter {
  readonly #parts: TransactionParts;
  readonly #group: string;
  readonly #producer: Producer;

  private constructor(parts: TransactionParts, group: string, transactionalId: string) {
    this.#parts = parts;
    this.#group = group;
    this.#producer = parts.client.producer({
      transactionalId,
      transactionTimeout: parts.timeoutMs,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: RETRY,
      createPartitioner: () => (placed) => placed.message.partition!,
    });
  }

  /** Returns when nobody else can commit under this id any more. */
  static async open(
    parts: TransactionParts,
    group: string,
    transactionalId: string,
  ): Promise<TransactionalWriter> {
    const writer = new TransactionalWriter(parts, group, transactionalId);
    try {
      await writer.#producer.connect();
      // Connecting does not fence; beginning the first transaction does (InitProducerId).
      const first = await writer.#producer.transaction();
      await first.commit();
      return writer;
    } catch (error) {
      await writer.close();
      throw errorOf(error, `taking over ${transactionalId}`);
    }
  }

  /** Commits within the transaction timeout, or fails: then whether it is committed is not known yet. */
  async commit(commit: Commit): Promise<void> {
    const { clock, timeoutMs } = this.#parts;
    const inTime = new AbortController();
    const deadline = clock.sleep(timeoutMs, inTime.signal).then(() => {
      throw transientError(
        'kafka_commit_timeout',
        `no commit of ${commit.topic}/${commit.partition} in ${timeoutMs} ms`,
      );
    });
    try {
      await Promise.race([this.#run(commit), deadline]);
    } catch (error) {
      throw errorOf(error, `committing ${commit.topic}/${commit.partition}`);
    } finally {
      deadline.catch(() => {});
      inTime.abort();
    }
  }

  async close(): Promise<void> {
    await this.#producer.disconnect().catch(() => {});
  }

  async #run({ chunks, topic, partition, progress }: Commit): Promise<void> {
    const transaction = await this.#producer.transaction();
    // One after the other: requests at the same time make the coordinator refuse and everybody try again.
    for (const { topic: to, messages } of chunks) await transaction.send({ topic: to, messages, acks: -1 });
    const offset = { partition, offset: String(progress.resumeOffset), metadata: metadataOf(progress) };
    const offsets: Offsets = { topics: [{ topic, partitions: [offset] }] };
    await transaction.sendOffsets({ consumerGroupId: this.#group, ...offsets });
    this.#parts.fault('before');
    await transaction.commit();
    this.#parts.fault('after');
  }
}
