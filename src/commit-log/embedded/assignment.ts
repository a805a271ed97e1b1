/**
 * Deals partitions to members in turn: the i-th partition to the i-th member, starting again at the first. The same
 * members and partitions give the same result, and nobody holds more than one partition above anybody else.
 */
export function dealPartitions<P, M>(partitions: readonly P[], members: readonly M[]): Map<P, M | null> {
  return new Map(partitions.map((partition, i) => [partition, members[i % members.length] ?? null]));
}
