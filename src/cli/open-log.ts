import { openEmbeddedLog } from '../commit-log/embedded/embedded-log.ts';
import { openKafkaLog } from '../commit-log/kafka/kafka-log.ts';
import type { CommitLog } from '../commit-log/port.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../kernel/clock.ts';
import { Random } from '../kernel/random.ts';
import { createLogger } from '../telemetry/logger.ts';

/** Opens the commit log that the configuration names. */
export function openLog(config: Config, clock: Clock): Promise<CommitLog> {
  const { driver, directory, kafka } = config.commitLog;
  if (driver === 'embedded') return openEmbeddedLog({ directory, clock });
  const logger = createLogger(config.log.level);
  // Processes that failed together are to come back at different moments.
  const random = new Random(clock.nowUs() ^ process.pid);
  return openKafkaLog({ config: kafka, clock, logger, random });
}
