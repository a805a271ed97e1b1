import { fatalError, usageError } from '../../kernel/errors.ts';
import type { TopicSpec } from '../port.ts';
import { HEAD_RANGE, headOf, TOPIC_RANGE, topicKey } from './keys.ts';
import { Partition, type Topic } from './partition.ts';
import type { Operation, Store } from './store.ts';
import { restoreHead } from './writer.ts';

const TOPICS_MAX = 10_000;
const PARTITIONS_MAX = 100_000;

/** The topics of the log and their partitions, as they really are. */
export class Catalogue {
  readonly #byName = new Map<string, Topic>();
  readonly #byId = new Map<number, Topic>();

  static async load(store: Store): Promise<Catalogue> {
    const catalogue = new Catalogue();
    await store.forEach(TOPIC_RANGE, (_key, value) => {
      catalogue.#add(decodeTopic(value));
    });
    await store.forEach(HEAD_RANGE, (key, value) => {
      const { topicId, partition } = headOf(key);
      const found = catalogue.#byId.get(topicId)?.partitions[partition];
      if (found) restoreHead(found, value);
    });
    return catalogue;
  }

  topics(): Iterable<Topic> {
    return this.#byName.values();
  }

  /** @throws usage `topic_unknown` */
  topic(name: string): Topic {
    const topic = this.#byName.get(name);
    if (topic) return topic;
    throw usageError(
      'topic_unknown',
      `the topic ${name} does not exist; create it with flowcast topics create`,
    );
  }

  topicOfId(id: number): Topic | undefined {
    return this.#byId.get(id);
  }

  /** @throws usage `topic_unknown`, `partition_unknown` */
  partition(name: string, index: number): Partition {
    const { partitions } = this.topic(name);
    const partition = partitions[index];
    if (partition) return partition;
    throw usageError(
      'partition_unknown',
      `the topic ${name} has ${partitions.length} partitions, there is no partition ${index}; set commitLog.partitions to what the topic has`,
    );
  }

  /**
   * Adds what is missing; returns the changes of the store that make it last.
   * @throws usage `topic_invalid`
   */
  create(specs: readonly TopicSpec[]): Operation[] {
    const missing = new Map(specs.map((spec) => [spec.name, spec]));
    for (const name of this.#byName.keys()) missing.delete(name);
    for (const spec of missing.values()) this.#check(spec);
    return Array.from(missing.values(), (spec) => {
      const topic = this.#add({ id: this.#byId.size + 1, spec });
      return { type: 'put', key: topicKey(spec.name), value: encodeTopic(topic) };
    });
  }

  #check(spec: TopicSpec): void {
    const isSound =
      Number.isInteger(spec.partitions) && spec.partitions > 0 && spec.partitions <= PARTITIONS_MAX;
    if (isSound && spec.name.length > 0 && this.#byId.size < TOPICS_MAX) return;
    throw usageError(
      'topic_invalid',
      `cannot create the topic "${spec.name}" with ${spec.partitions} partitions; give it a name and 1 to ${PARTITIONS_MAX} partitions`,
    );
  }

  #add({ id, spec }: { id: number; spec: TopicSpec }): Topic {
    const partitions = Array.from(
      { length: spec.partitions },
      (_, index) => new Partition(id, spec.name, index),
    );
    const topic: Topic = { id, spec, partitions };
    this.#byName.set(spec.name, topic);
    this.#byId.set(id, topic);
    return topic;
  }
}

function encodeTopic({ id, spec }: Topic): Buffer {
  return Buffer.from(JSON.stringify({ id, spec }));
}

function decodeTopic(value: Buffer): { id: number; spec: TopicSpec } {
  try {
    return JSON.parse(value.toString()) as { id: number; spec: TopicSpec };
  } catch (error) {
    throw fatalError(
      'log_corrupt',
      'the list of topics in the log is damaged; restore the log directory from a copy, or move it away',
      error,
    );
  }
}
