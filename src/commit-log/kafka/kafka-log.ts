import type { Clock } from '../../kernel/clock.ts';
import { fatalError } from '../../kernel/errors.ts';
import type { Random } from '../../kernel/random.ts';
import type { Logger } from '../../telemetry/logger.ts';
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
import { Appender } from './appender.ts';
import { type Cluster, createClient, createCluster } from './client.ts';
import type { KafkaConfig } from './config.ts';
import { errorOf } from './errors.ts';
import { lagOf } from './lag.ts';
import type { LogParts } from './log-parts.ts';
import { Member } from './member.ts';
import { readTopic } from './reader.ts';
import { Topics } from './topics.ts';
import type { WriteFault } from './transactions.ts';
import { Turns } from './turns.ts';

export interface KafkaLogOptions {
  readonly config: KafkaConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Spreads the pauses of processes that failed together. */
  readonly random: Random;
  /** How long an owner in this process that does not come back is waited for; default: the session timeout. */
  readonly handoverMsMax?: number;
  /** For tests: see `WriteFault`. */
  readonly writeFault?: WriteFault;
}

/**
 * Connects to a Kafka cluster.
 * @throws transient `kafka_unavailable`; fatal where the brokers refuse us; usage for unreadable certificates
 */
export async function openKafkaLog(options: KafkaLogOptions): Promise<CommitLog> {
  const { config, clock, logger } = options;
  const client = createClient(config, logger);
  const admin = client.admin();
  const control = createCluster(client);
  try {
    await Promise.all([admin.connect(), control.connect()]);
  } catch (error) {
    await Promise.allSettled([admin.disconnect(), control.disconnect()]);
    throw errorOf(error, `connecting to ${config.brokers.join(', ')}`);
  }
  const fault = options.writeFault ?? (() => {});
  const parts: LogParts = {
    ...options,
    client,
    admin,
    control,
    ticker: new Ticker(clock),
    topics: new Topics(admin, clock),
    transactions: {
      client: createClient(config, logger),
      clock,
      timeoutMs: config.transactionTimeoutMs,
      fault,
    },
    turns: new Turns(clock, options.handoverMsMax ?? config.sessionTimeoutMs),
  };
  return new KafkaLog(parts, new Appender(client, parts.topics, fault));
}

class KafkaLog implements CommitLog {
  readonly #parts: LogParts;
  readonly #appender: Appender;
  readonly #members = new Set<Promise<Member>>();
  readonly #closing = new AbortController();
  #closed: Promise<void> | null = null;

  constructor(parts: LogParts, appender: Appender) {
    this.#parts = parts;
    this.#appender = appender;
  }

  async append(records: readonly OutputRecord[]): Promise<void> {
    this.#assertOpen();
    await this.#appender.append(records);
  }

  async consume(subscription: Subscription, createProcessor: CreateProcessor): Promise<Consumer> {
    this.#assertOpen();
    const { topics } = this.#parts;
    for (const topic of subscription.topics) await topics.partitionCount(topic);
    if (subscription.stateTopic !== undefined) await topics.partitionCount(subscription.stateTopic);
    this.#assertOpen();
    const joining = Member.join(this.#parts, { subscription, createProcessor });
    this.#members.add(joining);
    return joining;
  }

  read(request: ReadRequest): AsyncIterable<readonly StoredRecord[]> {
    this.#assertOpen();
    return readTopic(this.#parts, request, this.#closing.signal);
  }

  async ensureTopics(specs: readonly TopicSpec[]): Promise<readonly TopicSpec[]> {
    this.#assertOpen();
    const { topics, config } = this.#parts;
    await topics.create(specs, config);
    return topics.describe(specs.map(({ name }) => name));
  }

  describeTopics(names: readonly string[]): Promise<readonly TopicSpec[]> {
    this.#assertOpen();
    return this.#parts.topics.describe(names);
  }

  lag(group: string): Promise<readonly PartitionLag[]> {
    this.#assertOpen();
    return lagOf(this.#parts, group);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    const joined = await Promise.allSettled(this.#members);
    await Promise.all(joined.map((member) => (member.status === 'fulfilled' ? member.value.stop() : null)));
    await this.#appender.close();
    this.#parts.ticker.close();
    const { admin, control }: { admin: LogParts['admin']; control: Cluster } = this.#parts;
    await Promise.allSettled([admin.disconnect(), control.disconnect()]);
  }

  #assertOpen(): void {
    if (this.#closed) throw fatalError('log_closed', 'the log is closed');
  }
}
