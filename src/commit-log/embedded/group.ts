import type { Consumer, PartitionLag } from '../port.ts';
import { dealPartitions } from './assignment.ts';
import type { GroupOffsets } from './group-offsets.ts';
import type { Partition, Topic } from './partition.ts';
import { type LogParts, type Membership, PartitionWorker } from './worker.ts';

/** One partition of a group: who should own it, and the worker of who does. */
interface Slot {
  readonly partition: Partition;
  target: Member | null;
  owner: Member | null;
  worker: PartitionWorker | null;
  /** The hand-over under way. */
  settling: Promise<void> | null;
}

/** A consumer group: its members share the partitions of its topics, and hand them over when one joins or leaves. */
export class Group {
  readonly offsets: GroupOffsets;
  /** Topics the group reads or has read. */
  readonly topics = new Set<Topic>();
  readonly #parts: LogParts;
  readonly #handoverMsMax: number;
  readonly #slots = new Map<Partition, Slot>();
  #members: Member[] = [];

  constructor(parts: LogParts, offsets: GroupOffsets, handoverMsMax: number) {
    this.#parts = parts;
    this.offsets = offsets;
    this.#handoverMsMax = handoverMsMax;
  }

  /** Where reading would begin again in a partition that a member owns; infinite where none does. */
  neededFrom(partition: Partition): number {
    const isOwned = (this.#slots.get(partition)?.target ?? null) !== null;
    return isOwned ? this.offsets.progress(partition).resumeOffset : Number.POSITIVE_INFINITY;
  }

  /** A member joins; partitions move to it as soon as their owners have finished. */
  join(topics: readonly Topic[], membership: Membership): Consumer {
    const member = new Member(topics, membership, (leaver) => this.#leave(leaver));
    for (const topic of topics) this.topics.add(topic);
    this.#members.push(member);
    this.#rebalance(topics);
    return member;
  }

  /** All members leave. */
  async close(): Promise<void> {
    const members = this.#members;
    // Nobody is to inherit partitions from a member that is only quicker to stop.
    this.#members = [];
    await Promise.all(members.map((member) => member.stop()));
  }

  lag(): PartitionLag[] {
    return [...this.topics].flatMap(({ partitions }) =>
      partitions.map((partition) => this.#lagOf(partition)),
    );
  }

  #lagOf(partition: Partition): PartitionLag {
    const { topicName: topic, index, endOffset } = partition;
    const { resumeOffset, processedOffset } = this.offsets.progress(partition);
    const records = Math.max(0, endOffset - processedOffset);
    return { topic, partition: index, endOffset, processedOffset, resumeOffset, records };
  }

  /** Resolves when the member owns nothing any more. */
  async #leave(member: Member): Promise<void> {
    this.#members = this.#members.filter((other) => other !== member);
    this.#rebalance(member.topics);
    const held = [...this.#slots.values()].filter((slot) => slot.owner === member);
    await Promise.all(held.map((slot) => this.#release(slot)));
  }

  #rebalance(topics: readonly Topic[]): void {
    for (const topic of topics) {
      const members = this.#members.filter((member) => member.topics.includes(topic));
      for (const [partition, target] of dealPartitions(topic.partitions, members)) {
        const slot = this.#slot(partition);
        slot.target = target;
        slot.settling ??= this.#settle(slot);
      }
    }
  }

  #slot(partition: Partition): Slot {
    let slot = this.#slots.get(partition);
    if (!slot) {
      slot = { partition, target: null, owner: null, worker: null, settling: null };
      this.#slots.set(partition, slot);
    }
    return slot;
  }

  /** Moves the partition to its target, which may change meanwhile; the old owner has ended or is fenced before the new one starts. */
  async #settle(slot: Slot): Promise<void> {
    // The caller notes this hand-over before it can end.
    await Promise.resolve();
    while (slot.owner !== slot.target) {
      if (slot.owner !== null) await this.#release(slot);
      else this.#start(slot, slot.target!);
    }
    slot.settling = null;
  }

  #start(slot: Slot, member: Member): void {
    const worker = new PartitionWorker(this.#parts, slot.partition, member.membership, this.offsets);
    slot.owner = member;
    slot.worker = worker;
    worker.ended.catch((error: unknown) => void member.fail(error));
  }

  /** Ends the slot's worker; one that does not finish in time is fenced and left behind. */
  async #release(slot: Slot): Promise<void> {
    const { worker } = slot;
    if (worker === null) return;
    worker.stop();
    const { clock, ticker } = this.#parts;
    const patience = Promise.withResolvers<void>();
    const alarm = ticker.at(clock.nowUs() + this.#handoverMsMax * 1000, () =>
      patience.resolve(worker.fence()),
    );
    await Promise.race([worker.ended.catch(() => {}), patience.promise]);
    alarm.cancel();
    if (slot.worker !== worker) return;
    slot.owner = null;
    slot.worker = null;
  }
}

/** One `consume` call. */
class Member implements Consumer {
  readonly topics: readonly Topic[];
  readonly membership: Membership;
  readonly done: Promise<void>;
  readonly #leave: (member: Member) => Promise<void>;
  readonly #outcome = Promise.withResolvers<void>();
  #left: Promise<void> | null = null;

  constructor(topics: readonly Topic[], membership: Membership, leave: (member: Member) => Promise<void>) {
    this.topics = topics;
    this.membership = membership;
    this.#leave = leave;
    this.done = this.#outcome.promise;
    // Whoever consumes looks at `done`; a consumer that nobody looks at must not end the process by itself.
    this.done.catch(() => {});
  }

  async stop(): Promise<void> {
    this.#left ??= this.#leave(this);
    await this.#left;
    this.#outcome.resolve();
  }

  /** One of its partitions cannot go on: so neither can the member. */
  async fail(error: unknown): Promise<void> {
    this.#outcome.reject(error);
    this.#left ??= this.#leave(this);
    await this.#left;
  }
}
