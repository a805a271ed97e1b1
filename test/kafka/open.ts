import Value from 'typebox/value';
import { inject } from 'vitest';
import { KafkaConfig } from '../../src/commit-log/kafka/config.ts';
import { type KafkaLogOptions, openKafkaLog } from '../../src/commit-log/kafka/kafka-log.ts';
import type { CommitLog } from '../../src/commit-log/port.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { Random } from '../../src/kernel/random.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';

/** Where the tests' broker is; empty = there is none. */
export function brokers(): string[] {
  return inject('kafkaBrokers').split(',').filter(Boolean);
}

/** Settings that make tests quick. */
export function testConfig(change: Partial<KafkaConfig> = {}): KafkaConfig {
  return {
    ...Value.Create(KafkaConfig),
    brokers: brokers(),
    sessionTimeoutMs: 6000,
    heartbeatIntervalMs: 100,
    ...change,
  };
}

export function openTestLog(
  change: Partial<KafkaConfig> = {},
  options: Partial<KafkaLogOptions> = {},
): Promise<CommitLog> {
  return openKafkaLog({
    config: testConfig(change),
    clock: systemClock(),
    logger: silentLogger(),
    random: new Random(1),
    ...options,
  });
}
