import kafkajs, { type Admin } from 'kafkajs';
import type { Clock } from '../../kernel/clock.ts';
import { type FlowcastError, transientError, usageError } from '../../kernel/errors.ts';
import type { OutputRecord, TopicSpec } from '../port.ts';
import { errorOf, hasType } from './errors.ts';

const SETTINGS = ['cleanup.policy', 'retention.ms', 'retention.bytes', 'min.insync.replicas'];
/** A topic that another process has just created may take this long to be known everywhere. */
const LOOKS_MAX = 3;
const LOOK_PAUSE_MS = 100;
const CREATE_WITHIN_MS = 10_000;
const CREATE_TRIES_MAX = 20;
const CREATE_PAUSE_MS = 20;
const CREATE_PAUSE_MS_MAX = 500;

export interface Replication {
  readonly replicationFactor: number;
  readonly minInSyncReplicas: number;
}

/** The topics of the cluster as far as they have been asked for. Nothing here makes a topic by accident. */
export class Topics {
  readonly #admin: Admin;
  readonly #clock: Clock;
  readonly #partitionCounts = new Map<string, number>();

  constructor(admin: Admin, clock: Clock) {
    this.#admin = admin;
    this.#clock = clock;
  }

  /**
   * How many partitions a topic has.
   * @throws usage `topic_unknown`
   */
  async partitionCount(topic: string): Promise<number> {
    for (let look = 0; ; look++) {
      const count = this.#partitionCounts.get(topic);
      if (count !== undefined) return count;
      if (look === LOOKS_MAX)
        throw usageError('topic_unknown', `topic ${topic} does not exist; flowcast topics create makes it`);
      if (look > 0) await this.#clock.sleep(LOOK_PAUSE_MS);
      await this.#look();
    }
  }

  /**
   * Refuses records that have no place to go.
   * @throws usage `topic_unknown`, `partition_unknown`
   */
  async check(records: readonly Pick<OutputRecord, 'topic' | 'partition'>[]): Promise<void> {
    let topic = '';
    let count = 0;
    for (const record of records) {
      if (record.topic !== topic) {
        topic = record.topic;
        count = this.#partitionCounts.get(topic) ?? (await this.partitionCount(topic));
      }
      if (record.partition < count && record.partition >= 0) continue;
      await this.#look();
      count = await this.partitionCount(topic);
      if (record.partition >= count || record.partition < 0)
        throw usageError(
          'partition_unknown',
          `topic ${topic} has no partition ${record.partition}, only 0 to ${count - 1}`,
        );
    }
  }

  /** The topics of these names that exist, as they really are. */
  async describe(names: readonly string[]): Promise<TopicSpec[]> {
    const replicas = await this.#look();
    const present = names.filter((name) => replicas.has(name));
    if (present.length === 0) return [];
    try {
      const { resources } = await this.#admin.describeConfigs({
        includeSynonyms: false,
        resources: present.map((name) => ({
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name,
          configNames: SETTINGS,
        })),
      });
      return present.map((name) => {
        const entries = resources.find(({ resourceName }) => resourceName === name)?.configEntries ?? [];
        const values = new Map(entries.map(({ configName, configValue }) => [configName, configValue]));
        return specOf(name, this.#partitionCounts.get(name)!, replicas.get(name)!, values);
      });
    } catch (error) {
      throw errorOf(error, 'reading the settings of the topics');
    }
  }

  async create(specs: readonly TopicSpec[], replication: Replication): Promise<void> {
    for (let tries = 1; ; tries++) {
      const known = await this.#look();
      const missing = specs.filter(({ name }) => !known.has(name));
      if (missing.length === 0) return;
      if (tries > CREATE_TRIES_MAX)
        throw transientError('topics_late', `the brokers still do not know ${missing[0]!.name}`);
      try {
        await this.#createOnce(missing, replication);
      } catch (error) {
        // A broker that has just started does not count as one yet.
        const mayPass =
          hasType(error, 'INVALID_REPLICATION_FACTOR') ||
          (error as FlowcastError).disposition === 'transient';
        if (tries >= CREATE_TRIES_MAX || !mayPass) throw error;
      }
      // Brokers learn of new topics in their own time.
      await this.#clock.sleep(Math.min(tries * CREATE_PAUSE_MS, CREATE_PAUSE_MS_MAX));
    }
  }

  async #createOnce(missing: readonly TopicSpec[], replication: Replication): Promise<void> {
    try {
      await this.#admin.createTopics({
        timeout: CREATE_WITHIN_MS,
        waitForLeaders: false,
        topics: missing.map((spec) => ({
          topic: spec.name,
          numPartitions: spec.partitions,
          replicationFactor: spec.replicationFactor ?? replication.replicationFactor,
          configEntries: settingsOf(spec, replication),
        })),
      });
    } catch (error) {
      const rest = ((error as { errors?: { type?: string }[] }).errors ?? [error]).filter(
        (one) => (one as { type?: string }).type !== 'TOPIC_ALREADY_EXISTS',
      );
      if (rest.length > 0) throw errorOf(rest[0], 'creating topics');
    }
  }

  /** Number of replicas of every topic that there is. */
  async #look(): Promise<ReadonlyMap<string, number>> {
    try {
      const { topics } = await this.#admin.fetchTopicMetadata();
      this.#partitionCounts.clear();
      for (const { name, partitions } of topics) this.#partitionCounts.set(name, partitions.length);
      return new Map(topics.map(({ name, partitions }) => [name, partitions[0]?.replicas.length ?? 0]));
    } catch (error) {
      throw errorOf(error, 'asking for the topics');
    }
  }
}

function settingsOf(spec: TopicSpec, replication: Replication): { name: string; value: string }[] {
  const { cleanup, retentionMs, retentionBytes } = spec;
  return [
    { name: 'cleanup.policy', value: cleanup },
    { name: 'retention.ms', value: String(retentionMs ?? -1) },
    { name: 'retention.bytes', value: String(retentionBytes ?? -1) },
    { name: 'min.insync.replicas', value: String(spec.minInSyncReplicas ?? replication.minInSyncReplicas) },
  ];
}

function specOf(
  name: string,
  partitions: number,
  replicas: number,
  settings: ReadonlyMap<string, string>,
): TopicSpec {
  const number = (setting: string) => Number(settings.get(setting) ?? -1);
  const [retentionMs, retentionBytes] = [number('retention.ms'), number('retention.bytes')];
  return {
    name,
    partitions,
    cleanup: settings.get('cleanup.policy')?.includes('compact') ? 'compact' : 'delete',
    ...(retentionMs < 0 ? {} : { retentionMs }),
    ...(retentionBytes < 0 ? {} : { retentionBytes }),
    replicationFactor: replicas,
    minInSyncReplicas: number('min.insync.replicas'),
  };
}
