import kafkajs, { type Admin } from 'kafkajs';
import type { PartitionLag } from '../port.ts';
import { errorOf, hasType } from './errors.ts';
import type { LogParts } from './log-parts.ts';
import { committedOffsets, listOffsets } from './offsets.ts';

/** How far a group is behind the newest committed records, in all topics that it reads or has committed in. */
export async function lagOf(parts: LogParts, group: string): Promise<PartitionLag[]> {
  const { admin, clock, control, topics } = parts;
  const lags: PartitionLag[] = [];
  const offsets = await committedOffsets(admin, group);
  const committedTopics = [...offsets].filter(([, { size }]) => size > 0).map(([topic]) => topic);
  for (const topic of new Set([...committedTopics, ...(await subscribedTopics(admin, group))])) {
    const committed = offsets.get(topic);
    const partitions = Array.from({ length: await topics.partitionCount(topic) }, (_, i) => i);
    const starts = await listOffsets(control, clock, topic, partitions, 'earliest');
    const ends = await listOffsets(control, clock, topic, partitions, 'stable');
    for (const partition of partitions) {
      const [start, endOffset] = [starts.get(partition)!, ends.get(partition)!];
      const progress = committed?.get(partition);
      const resumeOffset = Math.max(progress?.resumeOffset ?? 0, start);
      const processedOffset = Math.max(progress?.processedOffset ?? 0, resumeOffset);
      const records = Math.max(0, endOffset - processedOffset);
      lags.push({ topic, partition, endOffset, processedOffset, resumeOffset, records });
    }
  }
  return lags;
}

/** What the members that are there now read. */
async function subscribedTopics(admin: Admin, group: string): Promise<string[]> {
  try {
    const { groups } = await admin.describeGroups([group]);
    const members = groups.flatMap(({ members }) => members ?? []);
    return members.flatMap(
      ({ memberMetadata }) => kafkajs.AssignerProtocol.MemberMetadata.decode(memberMetadata)?.topics ?? [],
    );
  } catch (error) {
    if (hasType(error, 'GROUP_ID_NOT_FOUND')) return [];
    throw errorOf(error, `asking for the members of group ${group}`);
  }
}
