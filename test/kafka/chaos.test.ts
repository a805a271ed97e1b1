import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject, it } from 'vitest';
import { Random } from '../../src/kernel/random.ts';
import { Chaos } from './chaos/chaos.ts';
import { brokers, openTestLog } from './open.ts';

const reason = inject('kafkaReason');

// The long version, with brokers that are killed too: scripts/kafka/chaos.ts.
it.skipIf(reason !== '')(
  'every input is reflected once though workers are killed, stopped and join',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'flowcast-chaos-'));
    const log = await openTestLog();
    const chaos = new Chaos({
      log,
      addresses: brokers(),
      brokers: [],
      scope: `chaos-${Date.now().toString(36)}`,
      recordsPerRound: 1500,
      sessionTimeoutMs: 6000,
      random: new Random(7),
      workerLog: join(directory, 'workers.log'),
      say: () => {},
    });
    try {
      await chaos.start(2);
      await chaos.round('kill worker');
      await chaos.round('join');
      await chaos.round('zombie');
    } finally {
      await chaos.stop();
      await log.close();
      await rm(directory, { recursive: true, force: true });
    }
  },
);
