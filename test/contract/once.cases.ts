import { expect } from 'vitest';
import type { Assignment, CommitLog } from '../../src/commit-log/port.ts';
import { transientError, usageError } from '../../src/kernel/errors.ts';
import { appendNumbers, consume, eventually, type Harness, readValues, record, text } from './harness.ts';
import { expectedRunningSums, expectedWindowSums, runningSums, WINDOW, windowSums } from './processors.ts';

const COUNT = 120;
const LIVES_MAX = 200;

/** Each input once in the outputs, whatever dies. */
export function onceCases(harness: Harness): void {
  for (const [what, create, expected] of [
    ['state', runningSums, expectedRunningSums],
    ['replay', windowSums, expectedWindowSums],
  ] as const) {
    harness.it(`reflects each input once when every n-th write dies (${what})`, async () => {
      const { input, output, group, log } = await openPair(harness, 2);
      await appendNumbers(log, input, 2, COUNT);
      await log.close();
      let lives = 0;
      let isComplete = false;
      while (!isComplete && lives++ < LIVES_MAX) {
        const life = await harness.open();
        // The first writes of a life only bring it up; after them every n-th dies, n growing from life to life.
        harness.driver.dieAtWrite(2 + (lives % 7), lives % 2 === 0 ? 'before' : 'after');
        await liveUntilDeath(life, group, input, create(output), COUNT);
        await harness.driver.crash(life);
        isComplete = await isCaughtUp(harness, group, COUNT);
      }
      const end = await harness.open();
      expect(await readValues(end, output)).toEqual({ 0: expected(COUNT), 1: expected(COUNT) });
      expect(lives).toBeGreaterThan(3);
    });

    harness.it(`reflects each input once when the processor throws and is made anew (${what})`, async () => {
      const { input, output, group, log } = await openPair(harness, 2);
      await appendNumbers(log, input, 2, COUNT);
      let calls = 0;
      let throws = 0;
      const before = () => {
        if (++calls % 4 !== 0 || throws >= 6) return;
        throws++;
        throw transientError('test_broken', 'broken on purpose');
      };
      const consumer = await consume(log, group, [input], create(output, { before }));
      await eventually(async () =>
        expect(await readValues(log, output)).toEqual({ 0: expected(COUNT), 1: expected(COUNT) }),
      );
      expect(throws).toBe(6);
      await consumer.stop();
      await consumer.done;
    });
  }

  harness.it('hands committed state to the next owner, without removed keys', async () => {
    const { input, group, log } = await openPair(harness, 1);
    await log.append([record(input, 0, 'a')]);
    const changes = [
      [
        { key: 'kept', value: Buffer.from('1') },
        { key: 'gone', value: Buffer.from('2') },
        { key: 'ünïcode/with spaces', value: Buffer.alloc(0) },
      ],
      [
        { key: 'gone', value: null },
        { key: 'kept', value: Buffer.from('3') },
      ],
    ];
    const consumer = await consume(log, group, [input], ({ resumeOffset }) => {
      let next = resumeOffset;
      return {
        process(batch) {
          if (batch.length > 0) next = batch.at(-1)!.offset + 1;
          return { outputs: [], state: changes.shift() ?? [], resumeOffset: next };
        },
      };
    });
    await eventually(() => expect(changes).toEqual([]));
    await consumer.stop();
    await log.close();
    const assignment = await assignmentOf(await harness.open(), group, input);
    const state = [...assignment.state].map(([key, value]) => [key, text(value)]);
    expect(Object.fromEntries(state)).toEqual({ kept: '3', 'ünïcode/with spaces': '' });
  });

  harness.it('tells a new owner what is a replay', async () => {
    const { input, output, group, log } = await openPair(harness, 1);
    await appendNumbers(log, input, 1, WINDOW + 4);
    const consumer = await consume(log, group, [input], windowSums(output));
    await eventually(async () => expect((await log.lag(group))[0]?.records).toBe(0));
    await consumer.stop();
    const lag = (await log.lag(group))[0]!;
    const assignment = await assignmentOf(log, group, input);
    expect(assignment.resumeOffset).toBe(lag.resumeOffset);
    expect(assignment.processedOffset).toBe(lag.processedOffset);
    expect(assignment.processedOffset).toBe(lag.endOffset);
    // Four records of the second window are to be read again.
    expect((await readValues(log, input))[0]!.slice(-4)).toEqual(['10', '11', '12', '13']);
    expect(assignment.processedOffset - assignment.resumeOffset).toBeGreaterThanOrEqual(4);
  });

  harness.it('begins a new group at the earliest record', async () => {
    const { input, output, group, log } = await openPair(harness, 1);
    await appendNumbers(log, input, 1, 5);
    const consumer = await consume(log, group, [input], runningSums(output));
    await eventually(async () => expect((await readValues(log, output))[0]).toEqual(expectedRunningSums(5)));
    await consumer.stop();
  });

  harness.it('rejects done when a processor cannot go on, and commits nothing of that step', async () => {
    const { input, output, group, log } = await openPair(harness, 1);
    await appendNumbers(log, input, 1, 21);
    const before = (_: Assignment, batch: readonly unknown[]) => {
      if (batch.length > 0) throw usageError('test_hopeless', 'hopeless on purpose');
    };
    const consumer = await consume(log, group, [input], runningSums(output, { before }));
    await expect(consumer.done).rejects.toMatchObject({ code: 'test_hopeless' });
    expect(await readValues(log, output)).toEqual({});
    await consumer.stop();
  });

  harness.it('rejects done when a processor writes to an unknown topic', async () => {
    const { input, group, log } = await openPair(harness, 1);
    await appendNumbers(log, input, 1, 1);
    const consumer = await consume(log, group, [input], runningSums(harness.name('nowhere')));
    await expect(consumer.done).rejects.toMatchObject({ disposition: 'usage' });
  });
}

async function openPair(harness: Harness, partitions: number) {
  const [input, output, group] = [harness.name('in'), harness.name('out'), harness.name('group')];
  const log = await harness.openWith([
    { name: input, partitions },
    { name: output, partitions },
    { name: `${group}.state`, partitions, cleanup: 'compact' },
  ]);
  return { input, output, group, log };
}

/** Runs until the log dies or all is done. */
async function liveUntilDeath(
  log: CommitLog,
  group: string,
  input: string,
  create: ReturnType<typeof runningSums>,
  count: number,
): Promise<void> {
  try {
    const consumer = await consume(log, group, [input], create, { commitIntervalMs: 0 });
    const caughtUp = eventually(async () => {
      for (const { processedOffset } of await log.lag(group))
        expect(processedOffset).toBeGreaterThanOrEqual(count);
    });
    await Promise.race([consumer.done, caughtUp]);
  } catch {
    // Death is what the test is about.
  }
}

async function isCaughtUp(harness: Harness, group: string, count: number): Promise<boolean> {
  const log = await harness.open();
  const lags = await log.lag(group);
  await log.close();
  return lags.length > 0 && lags.every(({ processedOffset }) => processedOffset >= count);
}

async function assignmentOf(log: CommitLog, group: string, input: string): Promise<Assignment> {
  const assigned = Promise.withResolvers<Assignment>();
  const consumer = await consume(log, group, [input], (assignment) => {
    assigned.resolve(assignment);
    return { process: () => ({ outputs: [], state: [], resumeOffset: assignment.resumeOffset }) };
  });
  const assignment = await assigned.promise;
  await consumer.stop();
  return assignment;
}
