import type { Catalogue } from './catalogue.ts';
import { groupPartitionOf, offsetsKey, offsetsRange } from './keys.ts';
import type { Partition } from './partition.ts';
import type { Operation, Store } from './store.ts';

/** How far a group has come in a partition; see `Assignment` of the port. */
export interface Progress {
  readonly resumeOffset: number;
  readonly processedOffset: number;
}

/** What a group has committed in each partition. */
export class GroupOffsets {
  readonly #group: string;
  readonly #committed = new Map<Partition, Progress>();

  constructor(group: string) {
    this.#group = group;
  }

  static async load(store: Store, catalogue: Catalogue, group: string): Promise<GroupOffsets> {
    const offsets = new GroupOffsets(group);
    await store.forEach(offsetsRange(group), (key, value) => {
      const { topicId, partition } = groupPartitionOf(key);
      const found = catalogue.topicOfId(topicId)?.partitions[partition];
      if (!found) return;
      offsets.#committed.set(found, {
        resumeOffset: value.readDoubleBE(0),
        processedOffset: value.readDoubleBE(8),
      });
    });
    return offsets;
  }

  /** Where the group stands: records that retention has removed count as passed. */
  progress(partition: Partition): Progress {
    const committed = this.#committed.get(partition);
    const resumeOffset = Math.max(committed?.resumeOffset ?? 0, partition.startOffset);
    return { resumeOffset, processedOffset: Math.max(committed?.processedOffset ?? 0, resumeOffset) };
  }

  /** The change of the store that commits this progress. */
  operation(partition: Partition, { resumeOffset, processedOffset }: Progress): Operation {
    const value = Buffer.allocUnsafe(16);
    value.writeDoubleBE(resumeOffset, 0);
    value.writeDoubleBE(processedOffset, 8);
    return { type: 'put', key: offsetsKey(this.#group, partition.topicId, partition.index), value };
  }

  /** To be called when `operation` is durable. */
  committed(partition: Partition, progress: Progress): void {
    this.#committed.set(partition, progress);
  }
}
