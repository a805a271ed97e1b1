import { openEmbeddedLog } from '../commit-log/embedded/embedded-log.ts';
import type { CommitLog } from '../commit-log/port.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../kernel/clock.ts';

/** Opens the commit log that the configuration names. */
export function openLog(config: Config, clock: Clock): Promise<CommitLog> {
  return openEmbeddedLog({ directory: config.commitLog.directory, clock });
}
