import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ManualClock, systemClock } from '../../kernel/clock.ts';
import type { CommitLog, OutputRecord, StoredRecord, Subscription } from '../port.ts';
import { type EmbeddedLogOptions, openEmbeddedLog } from './embedded-log.ts';
import { openScratchLog } from './scratch-log.ts';

let directory = '';
const logs: CommitLog[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flowcast-embedded-'));
});
afterEach(async () => {
  for (const log of logs.splice(0)) await log.close();
  await rm(directory, { recursive: true, force: true });
});

async function open(options: Partial<EmbeddedLogOptions> = {}): Promise<CommitLog> {
  const log = await openEmbeddedLog({ directory, clock: systemClock(), fsync: 'never', ...options });
  logs.push(log);
  await log.ensureTopics(['in', 'out'].map((name) => ({ name, partitions: 1, cleanup: 'delete' })));
  return log;
}

const SUBSCRIPTION: Subscription = {
  group: 'g',
  topics: ['in'],
  batchRecordsMax: 100,
  batchBytesMax: 1 << 20,
  commitIntervalMs: 60_000,
  tickIntervalMs: 1000,
};

const record = (topic: string, value: string): OutputRecord => ({
  topic,
  partition: 0,
  key: null,
  value: Buffer.from(value),
  timestampMs: 0,
});

async function values(
  log: CommitLog,
  topic: string,
  from: 'earliest' | ReadonlyMap<number, number> = 'earliest',
) {
  const read: StoredRecord[] = [];
  for await (const batch of log.read({ topic, from, until: 'end' })) read.push(...batch);
  return read.map(({ value }) => value!.toString());
}

describe('the embedded log', () => {
  it('commits at once when nothing is left to read, however long the interval', async () => {
    const log = await open();
    const consumer = await log.consume(SUBSCRIPTION, ({ resumeOffset }) => ({
      process: (batch) => ({
        outputs: batch.map(({ value }) => record('out', value!.toString())),
        state: [],
        resumeOffset: (batch.at(-1)?.offset ?? resumeOffset - 1) + 1,
      }),
    }));
    const seen = new AbortController();
    await log.append([record('in', 'quick')]);
    for await (const batch of log.read({
      topic: 'out',
      from: 'earliest',
      until: 'never',
      signal: seen.signal,
    })) {
      expect(batch[0]!.value!.toString()).toBe('quick');
      seen.abort();
    }
    await consumer.stop();
  });

  it('ticks by its clock', async () => {
    const clock = new ManualClock(0);
    const log = await open({ clock, maintenanceIntervalMs: null });
    let ticks = 0;
    const created = Promise.withResolvers<void>();
    await log.consume(SUBSCRIPTION, ({ resumeOffset }) => {
      created.resolve();
      return {
        process() {
          ticks++;
          return { outputs: [], state: [], resumeOffset };
        },
      };
    });
    // The disk takes its own time to bring a processor up; only from then on do turns of the event loop count.
    await created.promise;
    for (let expected = 0; expected <= 3; expected++) {
      await vi.waitFor(() => expect(ticks).toBe(expected), 10_000);
      for (let i = 0; i < 20; i++) await setImmediate();
      expect(ticks).toBe(expected);
      clock.advance(1_000_000);
    }
  });

  it('reads the same from memory and from the disk, from any offset', async () => {
    const written = Array.from({ length: 300 }, (_, i) => `value ${i}`);
    const log = await open({ tailBytesMax: 400 });
    for (let at = 0; at < written.length; at += 7) {
      await log.append(written.slice(at, at + 7).map((value) => record('in', value)));
    }
    expect(await values(log, 'in')).toEqual(written);
    for (const from of [1, 6, 7, 150, 293, 294, 299, 300]) {
      expect(await values(log, 'in', new Map([[0, from]]))).toEqual(written.slice(from));
    }
  });

  it('cuts a large append into blocks and keeps its order', async () => {
    const log = await open({ tailBytesMax: 0 });
    const written = Array.from({ length: 10_000 }, (_, i) => String(i));
    await log.append(written.map((value) => record('in', value)));
    expect(await values(log, 'in')).toEqual(written);
  });

  it('lets a processor use its buffers again', async () => {
    const log = await open();
    const letters = ['a', 'b', 'c', 'd', 'e', 'f'];
    const shared = Buffer.alloc(1);
    const consumer = await log.consume({ ...SUBSCRIPTION, batchRecordsMax: 1 }, ({ resumeOffset }) => {
      let next = resumeOffset;
      return {
        process(batch) {
          for (const { value, offset } of batch) {
            shared.set(value!);
            next = offset + 1;
          }
          const outputs = batch.length > 0 ? [{ ...record('out', ''), value: shared }] : [];
          return { outputs, state: [{ key: 'last', value: shared }], resumeOffset: next };
        },
      };
    });
    await log.append(letters.map((value) => record('in', value)));
    while ((await log.lag('g'))[0]!.records > 0) await setImmediate();
    expect(await values(log, 'out')).toEqual(letters);
    await consumer.stop();
  });

  it.each(['every-commit', 'interval', 'never'] as const)(
    'keeps what was appended with fsync %s',
    async (fsync) => {
      const log = await open({ fsync, fsyncIntervalMs: 1 });
      for (let i = 0; i < 20; i++) await log.append([record('in', String(i))]);
      await log.close();
      expect((await values(await open(), 'in')).length).toBe(20);
    },
  );

  it('writes nothing more after a write has failed', async () => {
    let isBroken = false;
    const log = await open({
      writeFault: (moment) => {
        if (isBroken && moment === 'before') throw new Error('disk full');
      },
    });
    await log.append([record('in', 'kept')]);
    isBroken = true;
    await expect(log.append([record('in', 'lost')])).rejects.toThrow('disk full');
    isBroken = false;
    await expect(log.append([record('in', 'after')])).rejects.toThrow('disk full');
    await log.close();
    expect(await values(await open(), 'in')).toEqual(['kept']);
  });
});

describe('a scratch log', () => {
  it('is gone when it is closed', async () => {
    vi.stubEnv('TMPDIR', directory);
    const log = await openScratchLog({ clock: systemClock() });
    vi.unstubAllEnvs();
    expect((await readdir(directory)).length).toBe(1);
    await log.ensureTopics([{ name: 'in', partitions: 1, cleanup: 'delete', retentionMs: 1 }]);
    await log.append([record('in', 'x')]);
    expect(await values(log, 'in')).toEqual(['x']);
    await log.close();
    await log.close();
    expect(await readdir(directory)).toEqual([]);
  });
});
