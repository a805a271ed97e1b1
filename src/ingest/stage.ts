import { FlowBatchEncoder } from '../codec/flow-batch-encoder.ts';
import type {
  Assignment,
  CommitLog,
  Consumer,
  OutputRecord,
  Processor,
  Step,
  StoredRecord,
} from '../commit-log/port.ts';
import { topicName } from '../commit-log/topics.ts';
import type { FlowRecord } from '../flow/flow-record.ts';
import type { Reject } from '../flow/reject.ts';
import { type Clock, publishedMs } from '../kernel/clock.ts';
import { messageOf, usageError } from '../kernel/errors.ts';
import type { Component } from '../kernel/lifecycle.ts';
import { partitionOf } from '../kernel/partition.ts';
import type { Health, Probe } from '../telemetry/health.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { IngestConfig } from './config.ts';
import { Feed, FeedDecoder } from './feed-decoder.ts';
import { FlowBatcher } from './flow-batcher.ts';
import { createIngestMetrics, type IngestMetrics } from './metrics.ts';

export interface IngestDependencies {
  readonly log: CommitLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly config: IngestConfig;
  readonly prefix: string;
  /** Partitions of flows.v1. */
  readonly partitions: number;
  readonly onFailure: (error: unknown) => void;
}

/** Marks messages of a file: their timestamp is not a time of receipt. */
export const FILE_HEADER = 'flowcast-file';

/**
 * Raw messages of every feed to flows.v1 and rejects.v1. Keeps no state. Throws a usageError for a feed that cannot work (unknown
 * format or time zone, a topic named twice).
 */
export function createIngest(dependencies: IngestDependencies): Component {
  const { log, config, prefix, health, onFailure } = dependencies;
  const metrics = createIngestMetrics(dependencies.metrics);
  const feeds = feedsByTopic(config);
  const probe = health.probe('ingest');
  let consumer: Consumer | null = null;

  return {
    name: 'ingest',
    async start() {
      if (feeds.size > 0) {
        const { batchRecordsMax, batchBytesMax, commitIntervalMs, tickIntervalMs } = config;
        consumer = await log.consume(
          {
            group: `${prefix}ingest`,
            topics: [...feeds.keys()],
            batchRecordsMax,
            batchBytesMax,
            commitIntervalMs,
            tickIntervalMs,
          },
          (assignment) =>
            new IngestProcessor(assignment, feeds.get(assignment.topic)!, dependencies, metrics, probe),
        );
        consumer.done.catch(onFailure);
      }
      probe.ready(true);
    },
    async stop() {
      probe.ready(false, 'stopped');
      await consumer?.stop();
    },
  };
}

function feedsByTopic(config: IngestConfig): Map<string, Feed> {
  const feeds = new Map<string, Feed>();
  for (const feed of config.feeds) {
    if (feeds.has(feed.topic)) {
      throw usageError('feed_topic', `topic ${feed.topic} belongs to more than one feed; name it in one`);
    }
    feeds.set(feed.topic, new Feed(feed, config.clockSkewMsMax));
  }
  return feeds;
}

class IngestProcessor implements Processor {
  readonly #feed: Feed;
  readonly #clock: Clock;
  readonly #prefix: string;
  readonly #partitions: number;
  readonly #metrics: IngestMetrics;
  readonly #probe: Probe;
  readonly #decoder: FeedDecoder;
  readonly #batcher: FlowBatcher;
  readonly #encoder = new FlowBatchEncoder();
  #record: StoredRecord | null = null;
  #rejects: OutputRecord[] = [];
  #resumeOffset: number;

  constructor(
    assignment: Assignment,
    feed: Feed,
    { clock, config, prefix, partitions, logger }: IngestDependencies,
    metrics: IngestMetrics,
    probe: Probe,
  ) {
    this.#feed = feed;
    this.#clock = clock;
    this.#prefix = prefix;
    this.#partitions = partitions;
    this.#metrics = metrics;
    this.#probe = probe;
    this.#batcher = new FlowBatcher(feed.name, config.flowsPerBatchMax);
    this.#decoder = new FeedDecoder(
      feed,
      this.#batcher,
      (reject) => this.#rejects.push(this.#rejectRecord(this.#record!, reject)),
      (error) => this.#logBug(logger, error),
    );
    this.#resumeOffset = assignment.resumeOffset;
  }

  process(batch: readonly StoredRecord[]): Step {
    this.#rejects = [];
    let bytes = 0;
    for (const record of batch) {
      bytes += record.value?.length ?? 0;
      this.#record = record;
      const isFile = record.headers[FILE_HEADER] !== undefined;
      this.#decoder.decode(record.value, isFile ? 0 : record.timestampMs * 1000);
      this.#resumeOffset = record.offset + 1;
    }
    if (batch.length > 0) {
      this.#metrics.messages.add(batch.length, { feed: this.#feed.name });
      this.#metrics.bytes.add(bytes, { feed: this.#feed.name });
    }
    this.#probe.beat();
    return {
      outputs: [...this.#flowRecords(), ...this.#rejects],
      state: [],
      resumeOffset: this.#resumeOffset,
    };
  }

  #logBug(logger: Logger, error: unknown): void {
    const { topic, partition, offset } = this.#record!;
    logger.error({ stage: 'ingest', topic, partition, offset, error: messageOf(error) }, 'decoder failed');
  }

  #flowRecords(): OutputRecord[] {
    return this.#batcher.take().map((batch) => {
      this.#countFlows(batch.flows);
      const key = Buffer.from(batch.exporter);
      return {
        topic: topicName(this.#prefix, 'flows.v1'),
        partition: partitionOf(key, this.#partitions),
        key,
        value: this.#encoder.encode(batch),
        timestampMs: publishedMs(this.#clock, batch.receivedUs),
      };
    });
  }

  #countFlows(flows: readonly FlowRecord[]): void {
    const feed = this.#feed.name;
    let unknownSampling = 0;
    let clamped = 0;
    let received = 0;
    for (const { timeQuality, samplingApplied } of flows) {
      if (samplingApplied === 'UNKNOWN') unknownSampling++;
      if (timeQuality === 'CLAMPED') clamped++;
      else if (timeQuality === 'RECEIVED') received++;
    }
    this.#metrics.flows.add(flows.length, { feed });
    if (unknownSampling > 0) this.#metrics.unknownSampling.add(unknownSampling, { feed });
    if (clamped > 0) this.#metrics.doubtfulTimes.add(clamped, { feed, quality: 'CLAMPED' });
    if (received > 0) this.#metrics.doubtfulTimes.add(received, { feed, quality: 'RECEIVED' });
  }

  #rejectRecord(record: StoredRecord, { reason, detail, position, bytes }: Reject): OutputRecord {
    this.#metrics.rejects.add(1, { feed: this.#feed.name, reason });
    return {
      topic: topicName(this.#prefix, 'rejects.v1'),
      partition: record.partition % this.#partitions,
      key: record.key,
      value: bytes,
      timestampMs: publishedMs(this.#clock, record.timestampMs * 1000),
      headers: {
        'flowcast-feed': this.#feed.name,
        'flowcast-format': this.#feed.formatName,
        'flowcast-reason': reason,
        'flowcast-detail': detail,
        'flowcast-topic': record.topic,
        'flowcast-partition': String(record.partition),
        'flowcast-offset': String(record.offset),
        ...(position !== null && { 'flowcast-position': String(position) }),
      },
    };
  }
}
