import { setTimeout as pause } from 'node:timers/promises';
import type { CommitLog } from '../commit-log/port.ts';

const POLL_MS = 5;

/**
 * Resolves when a group has processed everything on its topics; with `openWindows: false` also nothing is held back for a replay,
 * that is, no window is open any more. Throws the signal's reason when it aborts.
 */
export async function drained(
  log: CommitLog,
  group: string,
  signal: AbortSignal,
  { openWindows = true }: { openWindows?: boolean } = {},
): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const partitions = await log.lag(group);
    if (partitions.every((p) => p.records === 0 && (openWindows || p.resumeOffset === p.endOffset))) return;
    await pause(POLL_MS);
  }
}
