import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import kafkajs, { type KafkaConfig as ClientConfig, type Kafka, type SASLOptions } from 'kafkajs';
import { fatalError, messageOf, usageError } from '../../kernel/errors.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { AbortedTransaction, TransactionalRecord } from './aborted.ts';
import type { KafkaConfig } from './config.ts';

/** kafkajs is frozen; what this driver knows of its inside holds for exactly this version. */
const VERSION = '2.2.4';

export interface FetchedRecord extends TransactionalRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestamp: string;
  readonly headers: Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>;
  readonly batchContext?: TransactionalRecord['batchContext'] & {
    readonly firstOffset: string;
    readonly lastOffsetDelta: number;
  };
}

export interface FetchedPartition {
  readonly partition: number;
  readonly highWatermark: string;
  readonly lastStableOffset?: string;
  readonly abortedTransactions?: readonly AbortedTransaction[] | null;
  readonly messages: readonly FetchedRecord[];
}

/** Isolation levels of the protocol. */
export const READ_UNCOMMITTED = 0;
export const READ_COMMITTED = 1;

interface TopicPartitions<P> {
  readonly topic: string;
  readonly partitions: readonly P[];
}

/** A broker as kafkajs sees it inside: one method a request of the protocol. */
export interface Broker {
  fetch(request: {
    readonly isolationLevel: number;
    readonly maxWaitTime: number;
    readonly minBytes: number;
    readonly maxBytes: number;
    readonly topics: readonly TopicPartitions<{ partition: number; fetchOffset: string; maxBytes: number }>[];
  }): Promise<{
    readonly responses: readonly {
      readonly topicName: string;
      readonly partitions: readonly FetchedPartition[];
    }[];
  }>;
  listOffsets(request: {
    readonly isolationLevel: number;
    readonly topics: readonly TopicPartitions<{ partition: number; timestamp: number }>[];
  }): Promise<{
    readonly responses: readonly TopicPartitions<{ partition: number; offset: string }>[];
  }>;
}

/** The connections of one part of the program to the brokers, as kafkajs keeps them inside. */
export interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  refreshMetadata(): Promise<void>;
  findTopicPartitionMetadata(
    topic: string,
  ): readonly { readonly partitionId: number; readonly leader: number }[];
  findBroker(node: { readonly nodeId: number }): Promise<Broker>;
}

/** How often and how long kafkajs tries by itself; what is left is tried again by the driver. */
export const RETRY = { initialRetryTime: 100, maxRetryTime: 1000, factor: 0.2, multiplier: 2, retries: 8 };

/**
 * A client with connections of its own.
 * @throws usage where a certificate or token file cannot be read; fatal where kafkajs is not the version that is known
 */
export function createClient(config: KafkaConfig, logger: Logger): Kafka {
  refuseOtherVersions();
  return new kafkajs.Kafka({
    brokers: [...config.brokers],
    clientId: config.clientId,
    connectionTimeout: 5000,
    requestTimeout: config.requestTimeoutMs,
    retry: RETRY,
    logLevel: kafkajs.logLevel.WARN,
    logCreator:
      () =>
      ({ namespace, log: { message } }) =>
        // What the driver cannot mend it reports itself; what kafkajs says besides is for looking into trouble.
        logger.debug({ client: namespace }, message),
    ...securityOf(config),
  });
}

/** Connections for requests of the protocol that kafkajs has no public call for. */
export function createCluster(client: Kafka): Cluster {
  const symbol = Object.getOwnPropertySymbols(client).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  )!;
  const create = (client as unknown as Record<symbol, (options: object) => Cluster>)[symbol]!;
  return create({
    metadataMaxAge: 60_000,
    allowAutoTopicCreation: false,
    isolationLevel: READ_COMMITTED,
  });
}

function refuseOtherVersions(): void {
  const { version } = createRequire(import.meta.url)('kafkajs/package.json') as { version: string };
  if (version !== VERSION)
    throw fatalError(
      'kafka_client',
      `the Kafka driver works with kafkajs ${VERSION} only, this is ${version}`,
    );
}

function securityOf(config: KafkaConfig): Pick<ClientConfig, 'ssl' | 'sasl'> {
  const ssl = config.ssl.enabled ? { ssl: sslOf(config.ssl) } : {};
  const sasl = config.sasl.mechanism === 'none' ? {} : { sasl: saslOf(config.sasl) };
  return { ...ssl, ...sasl };
}

/** kafkajs copies the properties at each connection, so getters bring replaced files into use. */
function sslOf({ caFile, certFile, keyFile }: KafkaConfig['ssl']): object {
  const files = { ca: caFile, cert: certFile, key: keyFile };
  const ssl = {};
  for (const [name, path] of Object.entries(files)) {
    if (path === '') continue;
    readSecurityFile(path);
    Object.defineProperty(ssl, name, { enumerable: true, get: () => readSecurityFile(path) });
  }
  return ssl;
}

function saslOf({ mechanism, username, password, tokenFile }: KafkaConfig['sasl']): SASLOptions {
  if (mechanism === 'oauthbearer') {
    readSecurityFile(tokenFile);
    return {
      mechanism,
      oauthBearerProvider: () => Promise.resolve({ value: readSecurityFile(tokenFile).trim() }),
    };
  }
  return { mechanism: mechanism as 'plain', username, password };
}

function readSecurityFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw usageError(
      'kafka_security_file',
      `cannot read ${path} of commitLog.kafka: ${messageOf(error)}`,
      error,
    );
  }
}
