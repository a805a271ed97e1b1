import type { Admin, Kafka } from 'kafkajs';
import type { Clock } from '../../kernel/clock.ts';
import type { Random } from '../../kernel/random.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { CreateProcessor, Subscription } from '../port.ts';
import type { Ticker } from '../ticker.ts';
import type { Cluster } from './client.ts';
import type { KafkaConfig } from './config.ts';
import type { Topics } from './topics.ts';
import type { TransactionParts } from './transactions.ts';
import type { Turns } from './turns.ts';

/** What all consumers of one log share. */
export interface LogParts {
  readonly config: KafkaConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly ticker: Ticker;
  /** For group membership. */
  readonly client: Kafka;
  readonly admin: Admin;
  /** For questions that must not wait behind a fetch. */
  readonly control: Cluster;
  readonly topics: Topics;
  readonly transactions: TransactionParts;
  readonly turns: Turns;
}

/** What a member brought when it joined. */
export interface Membership {
  readonly subscription: Subscription;
  readonly createProcessor: CreateProcessor;
}
