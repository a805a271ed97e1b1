import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../kernel/clock.ts';
import { messageOf, usageError } from '../../kernel/errors.ts';
import type { CommitLog } from '../port.ts';
import { openEmbeddedLog } from './embedded-log.ts';

/**
 * A log for one run, in a temporary directory that `close` removes. It keeps everything until then: no retention, no
 * compaction, so that a replay of old files loses nothing to the age of its records.
 */
export async function openScratchLog(options: { clock: Clock }): Promise<CommitLog> {
  const directory = await makeTemporary();
  const log = await openEmbeddedLog({
    directory,
    clock: options.clock,
    fsync: 'never',
    maintenanceIntervalMs: null,
  });
  let closed: Promise<void> | null = null;
  const closeAndRemove = async () => {
    await log.close();
    await rm(directory, { recursive: true, force: true });
  };
  return {
    append: (records) => log.append(records),
    consume: (subscription, createProcessor) => log.consume(subscription, createProcessor),
    read: (request) => log.read(request),
    ensureTopics: (topics) => log.ensureTopics(topics),
    describeTopics: (names) => log.describeTopics(names),
    lag: (group) => log.lag(group),
    close: () => {
      closed ??= closeAndRemove();
      return closed;
    },
  };
}

async function makeTemporary(): Promise<string> {
  const parent = tmpdir();
  try {
    return await mkdtemp(join(parent, 'flowcast-log-'));
  } catch (error) {
    throw usageError(
      'scratch_directory',
      `cannot make a temporary directory in ${parent} (${messageOf(error)}); set TMPDIR to one that can be written`,
      error,
    );
  }
}
