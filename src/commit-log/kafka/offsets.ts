import type { Admin } from 'kafkajs';
import type { Clock } from '../../kernel/clock.ts';
import { type Cluster, READ_COMMITTED, READ_UNCOMMITTED } from './client.ts';
import { errorOf } from './errors.ts';

/** How far a group has come in a partition; see `Assignment` of the port. */
export interface Progress {
  readonly resumeOffset: number;
  readonly processedOffset: number;
}

/** Ends of a partition: `stable` = one past the newest committed record before any open transaction, `high` = one past the newest record. */
export type OffsetKind = 'earliest' | 'stable' | 'high';

const TRIES_MAX = 5;
const PAUSE_MS = 200;
const PREFIX = 'processed=';

/** What stands in the metadata of a committed offset: the offset itself is where reading begins again. */
export function metadataOf({ processedOffset }: Progress): string {
  return `${PREFIX}${processedOffset}`;
}

/** Reads a committed offset with its metadata; one that others have set counts as processed up to there. */
export function progressOf(offset: string, metadata: string | null): Progress | null {
  const resumeOffset = Number(offset);
  if (resumeOffset < 0) return null;
  const processed = metadata?.startsWith(PREFIX)
    ? Number.parseInt(metadata.slice(PREFIX.length), 10)
    : Number.NaN;
  return {
    resumeOffset,
    processedOffset: Number.isNaN(processed) ? resumeOffset : Math.max(resumeOffset, processed),
  };
}

/** Progress as a record of the state topic, see `furthest`. */
export function progressValue({ resumeOffset, processedOffset }: Progress): Buffer {
  return Buffer.from(`${resumeOffset} ${processedOffset}`);
}

/**
 * Where to go on: what the group has committed, or what the state says if that is further. A broker that is killed between
 * the markers of one transaction can come back without the one of the offsets (seen with Kafka 4.4.0, one node, kill -9:
 * the transaction log says complete, the offset never becomes visible), and then only the state tells what its own
 * transaction had processed.
 */
export function furthest(committed: Progress, fromState: Uint8Array | undefined): Progress {
  if (!fromState) return committed;
  const [resumeOffset = Number.NaN, processedOffset = Number.NaN] = Buffer.from(fromState)
    .toString()
    .split(' ')
    .map(Number);
  return processedOffset > committed.processedOffset ? { resumeOffset, processedOffset } : committed;
}

/** What a group has committed: topic -> partition -> progress. Without `topics` all that the group has ever committed. */
export async function committedOffsets(
  admin: Admin,
  groupId: string,
  topics?: readonly string[],
): Promise<Map<string, Map<number, Progress>>> {
  try {
    const found = await admin.fetchOffsets({ groupId, ...(topics ? { topics: [...topics] } : {}) });
    return new Map(
      found.map(({ topic, partitions }) => [
        topic,
        new Map(
          partitions.flatMap(({ partition, offset, metadata }) => {
            const progress = progressOf(offset, metadata);
            return progress ? [[partition, progress] as const] : [];
          }),
        ),
      ]),
    );
  } catch (error) {
    throw errorOf(error, `asking for the offsets of group ${groupId}`);
  }
}

/** The offset of that kind of each partition; leaders that have moved are looked for again. */
export async function listOffsets(
  cluster: Cluster,
  clock: Clock,
  topic: string,
  partitions: readonly number[],
  kind: OffsetKind,
): Promise<Map<number, number>> {
  for (let tries = 1; ; tries++) {
    try {
      await cluster.addMultipleTargetTopics([topic]);
      return await listOnce(cluster, topic, partitions, kind);
    } catch (error) {
      const reason = errorOf(error, `asking for the offsets of ${topic}`);
      if (reason.disposition !== 'transient' || tries === TRIES_MAX) throw reason;
      await clock.sleep(PAUSE_MS * tries);
      await cluster.refreshMetadata().catch(() => cluster.connect().catch(() => {}));
    }
  }
}

async function listOnce(
  cluster: Cluster,
  topic: string,
  partitions: readonly number[],
  kind: OffsetKind,
): Promise<Map<number, number>> {
  const leaders = new Map<number, number[]>();
  for (const { partitionId, leader } of cluster.findTopicPartitionMetadata(topic)) {
    if (partitions.includes(partitionId)) leaders.set(leader, [...(leaders.get(leader) ?? []), partitionId]);
  }
  const offsets = new Map<number, number>();
  for (const [nodeId, led] of leaders) {
    const broker = await cluster.findBroker({ nodeId });
    const { responses } = await broker.listOffsets({
      isolationLevel: kind === 'high' ? READ_UNCOMMITTED : READ_COMMITTED,
      topics: [
        {
          topic,
          partitions: led.map((partition) => ({ partition, timestamp: kind === 'earliest' ? -2 : -1 })),
        },
      ],
    });
    for (const { partition, offset } of responses.flatMap((response) => response.partitions))
      offsets.set(partition, Number(offset));
  }
  if (offsets.size < partitions.length) throw new Error('a partition has no leader');
  return offsets;
}
