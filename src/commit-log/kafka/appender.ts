import type { Kafka, Producer } from 'kafkajs';
import type { OutputRecord } from '../port.ts';
import { RETRY } from './client.ts';
import { errorOf } from './errors.ts';
import { Outbox } from './messages.ts';
import type { Topics } from './topics.ts';
import type { WriteFault } from './transactions.ts';

/** Writes outside of transactions: at least once, acknowledged by all replicas in sync. */
export class Appender {
  readonly #topics: Topics;
  readonly #fault: WriteFault;
  readonly #producer: Producer;
  #connected: Promise<void> | null = null;

  constructor(client: Kafka, topics: Topics, fault: WriteFault) {
    this.#topics = topics;
    this.#fault = fault;
    this.#producer = client.producer({
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: RETRY,
      createPartitioner: () => (placed) => placed.message.partition!,
    });
  }

  async append(records: readonly OutputRecord[]): Promise<void> {
    await this.#topics.check(records);
    const outbox = new Outbox();
    for (const record of records) outbox.add(record);
    this.#fault('before');
    try {
      this.#connected ??= this.#producer.connect();
      await this.#connected;
      // A request over several partitions that meets a dead leader reports success for what it never sent there.
      for (const { topic, messages } of outbox.take())
        await this.#producer.send({ topic, messages, acks: -1 });
    } catch (error) {
      this.#connected = null;
      throw errorOf(error, 'appending');
    }
    this.#fault('after');
  }

  async close(): Promise<void> {
    if (this.#connected) await this.#producer.disconnect().catch(() => {});
  }
}
