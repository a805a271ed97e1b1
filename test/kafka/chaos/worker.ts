import Value from 'typebox/value';
import { KafkaConfig } from '../../../src/commit-log/kafka/config.ts';
import { openKafkaLog } from '../../../src/commit-log/kafka/kafka-log.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { Random } from '../../../src/kernel/random.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { namesOf, startPipeline } from './pipeline.ts';

// A worker process of the chaos test: `worker.ts BROKERS SCOPE SESSION_TIMEOUT_MS`; says "ready" when it has joined, leaves on SIGTERM.

const [brokers = '', scope = '', sessionTimeoutMs = '6000'] = process.argv.slice(2);
const log = await openKafkaLog({
  config: {
    ...Value.Create(KafkaConfig),
    brokers: brokers.split(','),
    clientId: `chaos-${process.pid}`,
    sessionTimeoutMs: Number(sessionTimeoutMs),
    heartbeatIntervalMs: 300,
    transactionTimeoutMs: 5000,
    requestTimeoutMs: 5000,
  },
  clock: systemClock(),
  logger: createLogger('info'),
  random: new Random(process.pid),
});
const consumers = await startPipeline(log, namesOf(scope));
for (const { done } of consumers) {
  done.catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
}
process.once('SIGTERM', () => void log.close().then(() => process.exit(0)));
process.stdout.write('ready\n');
