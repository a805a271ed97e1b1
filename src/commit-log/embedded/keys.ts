/**
 * Keys of the store. Every number is big-endian, so that the store's byte order is the order we read in:
 * blocks of a partition by offset, state of a group by partition. The first byte tells what an entry is.
 */
const Kind = { meta: 1, topic: 2, head: 3, block: 4, subscription: 5, offsets: 6, state: 7 } as const;
type Kind = (typeof Kind)[keyof typeof Kind];

/** A half-open range of keys. */
export interface KeyRange {
  readonly gte: Buffer;
  readonly lt: Buffer;
}

const TWO_32 = 2 ** 32;

/** Which edition of these keys and values the directory holds. */
export const FORMAT_KEY = Buffer.from([Kind.meta, 0]);
/** What was found damaged: such a log stays refused. */
export const DAMAGE_KEY = Buffer.from([Kind.meta, 2]);
/** Written to make the store flush; its value means nothing. */
export const FLUSH_KEY = Buffer.from([Kind.meta, 1]);

export function topicKey(name: string): Buffer {
  return Buffer.concat([Buffer.of(Kind.topic), Buffer.from(name)]);
}

export const TOPIC_RANGE: KeyRange = rangeOfKind(Kind.topic);
export const HEAD_RANGE: KeyRange = rangeOfKind(Kind.head);

export function headKey(topicId: number, partition: number): Buffer {
  return partitionKey(Kind.head, topicId, partition, 0);
}

export function headOf(key: Buffer): { topicId: number; partition: number } {
  return { topicId: key.readUInt32BE(1), partition: key.readUInt32BE(5) };
}

/** A block of records, by the offset of its first record. */
export function blockKey(topicId: number, partition: number, baseOffset: number): Buffer {
  const key = partitionKey(Kind.block, topicId, partition, 8);
  key.writeUInt32BE(Math.floor(baseOffset / TWO_32), 9);
  key.writeUInt32BE(baseOffset % TWO_32, 13);
  return key;
}

export function baseOffsetOf(key: Buffer): number {
  return key.readUInt32BE(9) * TWO_32 + key.readUInt32BE(13);
}

/** That a group reads a topic: lag is told for it even before its first commit. */
export function subscriptionKey(group: string, topicId: number): Buffer {
  return groupKey(Kind.subscription, group, topicId, null, '');
}

export function subscriptionRange(group: string): KeyRange {
  return rangeOfPrefix(groupKey(Kind.subscription, group, null, null, ''));
}

/** Resume and processed offset of a group in a partition. */
export function offsetsKey(group: string, topicId: number, partition: number): Buffer {
  return groupKey(Kind.offsets, group, topicId, partition, '');
}

export function offsetsRange(group: string): KeyRange {
  return rangeOfPrefix(groupKey(Kind.offsets, group, null, null, ''));
}

/** Topic and partition at the end of a subscription key (partition absent) or an offsets key. */
export function groupPartitionOf(key: Buffer): { topicId: number; partition: number } {
  const at = 3 + key.readUInt16BE(1);
  return { topicId: key.readUInt32BE(at), partition: key.length >= at + 8 ? key.readUInt32BE(at + 4) : 0 };
}

export function stateKey(group: string, topicId: number, partition: number, key: string): Buffer {
  return groupKey(Kind.state, group, topicId, partition, key);
}

export function stateRange(group: string, topicId: number, partition: number): KeyRange {
  return rangeOfPrefix(groupKey(Kind.state, group, topicId, partition, ''));
}

/** The processor's own key within a state key. */
export function stateNameOf(key: Buffer): string {
  return key.toString('utf8', 3 + key.readUInt16BE(1) + 8);
}

function partitionKey(kind: Kind, topicId: number, partition: number, room: number): Buffer {
  const key = Buffer.allocUnsafe(9 + room);
  key[0] = kind;
  key.writeUInt32BE(topicId, 1);
  key.writeUInt32BE(partition, 5);
  return key;
}

function groupKey(
  kind: Kind,
  group: string,
  topicId: number | null,
  partition: number | null,
  rest: string,
): Buffer {
  const groupBytes = Buffer.byteLength(group);
  const fixed = 3 + groupBytes + (topicId === null ? 0 : 4) + (partition === null ? 0 : 4);
  const key = Buffer.allocUnsafe(fixed + Buffer.byteLength(rest));
  key[0] = kind;
  key.writeUInt16BE(groupBytes, 1);
  let at = 3 + key.write(group, 3);
  if (topicId !== null) at = key.writeUInt32BE(topicId, at);
  if (partition !== null) at = key.writeUInt32BE(partition, at);
  key.write(rest, at);
  return key;
}

function rangeOfKind(kind: Kind): KeyRange {
  return { gte: Buffer.of(kind), lt: Buffer.of(kind + 1) };
}

function rangeOfPrefix(prefix: Buffer): KeyRange {
  const lt = Buffer.from(prefix);
  // Kinds are far below 255, so the carry never leaves the first byte.
  let i = lt.length - 1;
  while (lt[i] === 0xff) i--;
  lt[i]!++;
  return { gte: prefix, lt: lt.subarray(0, i + 1) };
}
