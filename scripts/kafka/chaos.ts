import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Value from 'typebox/value';
import { KafkaConfig } from '../../src/commit-log/kafka/config.ts';
import { openKafkaLog } from '../../src/commit-log/kafka/kafka-log.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { Random } from '../../src/kernel/random.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { Chaos, type ChaosEvent, EVENTS } from '../../test/kafka/chaos/chaos.ts';
import { createCluster } from './broker.ts';

// Kills, stops and restarts the processes of a two-stage pipeline and checks after each round that every input is
// reflected once: node scripts/kafka/chaos.ts [--rounds 30] [--records 8000] [--seed 1] [--port 19092] [--event "kill worker"]

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '30' },
    records: { type: 'string', default: '8000' },
    seed: { type: 'string', default: '1' },
    port: { type: 'string', default: '19092' },
    event: { type: 'string' },
  },
});
const SESSION_TIMEOUT_MS = 3000;
const directory = await mkdtemp(join(tmpdir(), 'flowcast-chaos-'));
const random = new Random(Number(values.seed));
const clock = systemClock();
const brokers = createCluster(directory, 1, Number(values.port), { 'group.min.session.timeout.ms': '1000' });
await Promise.all(brokers.map((broker) => broker.start()));
const config = { ...Value.Create(KafkaConfig), brokers: brokers.map(({ address }) => address) };
const log = await openKafkaLog({ config, clock, logger: silentLogger(), random });
const chaos = new Chaos({
  log,
  addresses: config.brokers,
  brokers,
  scope: `chaos-${Date.now().toString(36)}`,
  recordsPerRound: Math.ceil(Number(values.records) / 4),
  sessionTimeoutMs: SESSION_TIMEOUT_MS,
  random,
  workerLog: join(directory, 'workers.log'),
  say: (line) => console.error(line),
});
let rounds = 0;
const stalls: Record<string, number[]> = {};
try {
  await chaos.start();
  while (rounds < Number(values.rounds)) {
    const event = (values.event as ChaosEvent | undefined) ?? EVENTS[rounds % EVENTS.length]!;
    const { ms } = await chaos.round(event);
    stalls[event] = [...(stalls[event] ?? []), ms];
    rounds++;
  }
} finally {
  console.log(
    JSON.stringify({ rounds, records: chaos.records, outputs: chaos.records * 2, msToExact: stalls }),
  );
  await chaos.stop();
  await log.close();
  await Promise.all(brokers.map((broker) => broker.stop('SIGKILL')));
  if (rounds === Number(values.rounds)) await rm(directory, { recursive: true, force: true });
  else console.error(`what the workers said: ${join(directory, 'workers.log')}`);
}
