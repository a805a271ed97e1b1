import type { StateChange } from '../port.ts';
import { Wakeup } from '../ticker.ts';
import type { Fetcher } from './fetcher.ts';

const BATCH_RECORDS_MAX = 10_000;
const BATCH_BYTES_MAX = 16 << 20;

/** Whose state it is: several groups and inputs may share a partition of a state topic. */
export interface StateOwner {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
}

/** Key of a record in the compacted state topic. */
export function stateKey({ group, topic, partition }: StateOwner, key: string): Buffer {
  return Buffer.from(`${group}|${topic}|${partition}|${key}`);
}

/** Name under which the state topic carries how far the group had come with that state. No stage's key begins with NUL. */
export const PROGRESS_KEY = '\0progress';

/**
 * Reads an owner's committed state: everything below `endOffset`, the high watermark after the owner's fencing. The last
 * stable offset would not do, as an open transaction of another input in the same partition may hold it below our records.
 */
export async function restoreState(
  fetcher: Fetcher,
  stateTopic: string,
  owner: StateOwner,
  bounds: { readonly startOffset: number; readonly endOffset: number; readonly signal: AbortSignal },
): Promise<Map<string, Uint8Array>> {
  const state = new Map<string, Uint8Array>();
  const prefix = stateKey(owner, '');
  const wakeup = new Wakeup();
  const feed = fetcher.open(stateTopic, owner.partition, bounds.startOffset, wakeup.notify);
  bounds.signal.addEventListener('abort', wakeup.notify);
  try {
    while (feed.position < bounds.endOffset && !bounds.signal.aborted) {
      const batch = feed.take(BATCH_RECORDS_MAX, BATCH_BYTES_MAX);
      for (const { key, value } of batch) {
        if (key === null || prefix.compare(key, 0, prefix.length) !== 0) continue;
        const name = Buffer.from(key.subarray(prefix.length)).toString();
        if (value === null) state.delete(name);
        // A copy, so that the entry does not hold on to the whole response it came in.
        else state.set(name, Buffer.from(value));
      }
      fetcher.pump();
      if (batch.length === 0) await wakeup.wait();
    }
  } finally {
    bounds.signal.removeEventListener('abort', wakeup.notify);
    fetcher.release(feed);
  }
  return state;
}

/** The newest change of each key, in bytes that are the gatherer's own. */
export class PendingState {
  readonly #changes = new Map<string, Buffer | null>();

  get size(): number {
    return this.#changes.size;
  }

  add(changes: readonly StateChange[]): void {
    for (const { key, value } of changes) this.#changes.set(key, value === null ? null : Buffer.from(value));
  }

  take(): [string, Buffer | null][] {
    const changes = [...this.#changes];
    this.#changes.clear();
    return changes;
  }
}
