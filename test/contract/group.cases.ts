import { expect } from 'vitest';
import type { Assignment, CommitLog, CreateProcessor, StoredRecord } from '../../src/commit-log/port.ts';
import {
  appendNumbers,
  consume,
  eventually,
  type Harness,
  pause,
  readValues,
  record,
  text,
} from './harness.ts';
import { expectedRunningSums, runningSums } from './processors.ts';

const PARTITIONS = 4;

/** Members of a group, what they own, and how they are fed. */
export function groupCases(harness: Harness): void {
  harness.it('shares partitions among members that join and leave, each input once', async () => {
    const { input, output, group, log } = await openPair(harness);
    const owners = new Map<number, string>();
    const as = (member: string): CreateProcessor =>
      runningSums(output, { before: ({ partition }) => void owners.set(partition, member) });
    const a = await consume(log, group, [input], as('a'));
    await appendNumbers(log, input, PARTITIONS, 20);
    await eventually(() => expect(ownersOf(owners)).toEqual(['a']));
    const b = await consume(log, group, [input], as('b'));
    await eventually(() => expect(ownersOf(owners)).toEqual(['a', 'b']));
    await appendNumbersFrom(log, input, 20, 40);
    await a.stop();
    await eventually(() => expect(ownersOf(owners)).toEqual(['b']));
    await appendNumbersFrom(log, input, 40, 60);
    await expectOutputs(log, output, 60);
    await b.stop();
    await Promise.all([a.done, b.done]);
  });

  harness.it('has at most one processor at work on a partition, one batch at a time', async () => {
    const { input, output, group, log } = await openPair(harness);
    const running = new Map<number, number>();
    let peak = 0;
    const create: CreateProcessor = (assignment) => {
      const inner = runningSums(output)(assignment);
      return {
        async process(batch) {
          const now = (running.get(assignment.partition) ?? 0) + 1;
          running.set(assignment.partition, now);
          peak = Math.max(peak, now);
          await pause(3);
          running.set(assignment.partition, now - 1);
          return (await inner).process(batch);
        },
      };
    };
    const a = await consume(log, group, [input], create);
    await appendNumbers(log, input, PARTITIONS, 40, 5);
    const b = await consume(log, group, [input], create);
    await appendNumbersFrom(log, input, 40, 80);
    await b.stop();
    await expectOutputs(log, output, 80);
    expect(peak).toBe(1);
    await a.stop();
  });

  harness.it('never commits a step of a former owner that finishes late', async () => {
    const { input, output, group, log } = await openPair(harness, { handoverMsMax: 100 });
    await appendNumbers(log, input, PARTITIONS, 30);
    const gate = Promise.withResolvers<void>();
    let stuck = 0;
    // Stuck in the second batch, with the step of the first not committed yet.
    const wait = async (_: Assignment, batch: readonly StoredRecord[]) => {
      if (text(batch[0]?.value ?? null) !== '7') return;
      stuck++;
      await gate.promise;
    };
    const zombie = await consume(log, group, [input], runningSums(output, { before: wait }), {
      commitIntervalMs: 60_000,
    });
    await eventually(() => expect(stuck).toBeGreaterThan(0));
    const heir = await consume(log, group, [input], runningSums(output));
    const moved = await eventually(async () => {
      const done = Object.keys(await readValues(log, output)).map(Number);
      expect(done.length).toBeGreaterThan(0);
      return done;
    });
    gate.resolve();
    await expectOutputs(log, output, 30);
    // Time for the zombie to do harm.
    await pause(50);
    expect((await readValues(log, output))[moved[0]!]).toEqual(expectedRunningSums(30));
    await Promise.all([zombie.stop(), heir.stop()]);
    await expectOutputs(log, output, 30);
  });

  harness.it('ticks idle partitions and commits what a tick gives', async () => {
    const { input, output, group, log } = await openPair(harness);
    const ticks = new Map<number, number>();
    const consumer = await consume(log, group, [input], ({ partition, resumeOffset }) => ({
      process(batch) {
        const count = (ticks.get(partition) ?? 0) + 1;
        ticks.set(partition, count);
        expect(batch).toEqual([]);
        return { outputs: [record(output, partition, `tick ${count}`)], state: [], resumeOffset };
      },
    }));
    await eventually(async () => {
      const values = await readValues(log, output);
      for (let partition = 0; partition < PARTITIONS; partition++) {
        expect(values[partition]?.slice(0, 3)).toEqual(['tick 1', 'tick 2', 'tick 3']);
      }
    });
    await consumer.stop();
  });

  harness.it('reads the next batch only when process has resolved, within its bounds', async () => {
    const { input, group, log } = await openPair(harness);
    const big = 'x'.repeat(1000);
    await log.append(Array.from({ length: 40 }, () => record(input, 0, 'small')));
    await log.append(Array.from({ length: 10 }, () => record(input, 0, big)));
    const batches: number[] = [];
    const gate = Promise.withResolvers<void>();
    const consumer = await consume(
      log,
      group,
      [input],
      ({ resumeOffset }) => {
        let next = resumeOffset;
        return {
          async process(batch) {
            if (batch.length > 0) batches.push(batch.length);
            if (batches.length === 2) await gate.promise;
            if (batch.length > 0) next = batch.at(-1)!.offset + 1;
            return { outputs: [], state: [], resumeOffset: next };
          },
        };
      },
      { batchRecordsMax: 12, batchBytesMax: 2500 },
    );
    await eventually(() => expect(batches.length).toBe(2));
    await pause(100);
    expect(batches.length).toBe(2);
    gate.resolve();
    await eventually(() => expect(sum(batches)).toBe(50));
    expect(Math.max(...batches)).toBeLessThanOrEqual(12);
    expect(batches.slice(-2).every((size) => size <= 2)).toBe(true);
    await consumer.stop();
  });

  harness.it('commits the running step when it is stopped', async () => {
    const { input, output, group, log } = await openPair(harness);
    await appendNumbers(log, input, 1, 7);
    let isRunning = false;
    const before = async (_: Assignment, batch: readonly StoredRecord[]) => {
      if (batch.length === 0) return;
      isRunning = true;
      await pause(50);
    };
    const consumer = await consume(log, group, [input], runningSums(output, { before }));
    await eventually(() => expect(isRunning).toBe(true));
    await consumer.stop();
    await consumer.stop();
    await consumer.done;
    expect((await readValues(log, output))[0]).toEqual(expectedRunningSums(7));
  });

  harness.it('tells how far a group is behind', async () => {
    const { input, output, group, log } = await openPair(harness);
    await appendNumbers(log, input, PARTITIONS, 10);
    const first = await consume(log, group, [input], runningSums(output));
    await eventually(async () => {
      const lags = await log.lag(group);
      expect(lags.length).toBe(PARTITIONS);
      for (const lag of lags) expect(lag.records).toBe(0);
    });
    await first.stop();
    await appendNumbersFrom(log, input, 10, 15);
    for (const lag of await log.lag(group)) {
      expect(lag.topic).toBe(input);
      expect(lag.records).toBe(lag.endOffset - lag.processedOffset);
      expect(lag.records).toBeGreaterThanOrEqual(5);
      expect(lag.resumeOffset).toBeLessThanOrEqual(lag.processedOffset);
    }
    expect(await log.lag(harness.name('nobody'))).toEqual([]);
  });

  harness.it('feeds groups independently of each other', async () => {
    const { input, output, group, log } = await openPair(harness);
    const other = harness.name('other-out');
    await log.ensureTopics([{ name: other, partitions: PARTITIONS, cleanup: 'delete' }]);
    await appendNumbers(log, input, PARTITIONS, 10);
    const a = await consume(log, group, [input], runningSums(output));
    const b = await consume(log, `${group}-other`, [input], runningSums(other), {
      stateTopic: `${group}.state`,
    });
    await expectOutputs(log, output, 10);
    await expectOutputs(log, other, 10);
    await Promise.all([a.stop(), b.stop()]);
  });

  harness.it('refuses to consume an unknown topic', async () => {
    const log = await harness.open();
    const topic = harness.name('nowhere');
    await expect(consume(log, harness.name('group'), [topic], runningSums(topic))).rejects.toMatchObject({
      disposition: 'usage',
      message: expect.stringMatching(`${topic}.*flowcast topics create`),
    });
  });
}

async function openPair(harness: Harness, options: { handoverMsMax?: number } = {}) {
  const [input, output, group] = [harness.name('in'), harness.name('out'), harness.name('group')];
  const log = await harness.openWith(
    [
      { name: input, partitions: PARTITIONS },
      { name: output, partitions: PARTITIONS },
      { name: `${group}.state`, partitions: PARTITIONS, cleanup: 'compact' },
    ],
    options,
  );
  return { input, output, group, log };
}

/** Appends the numbers from..to-1 to each partition. */
async function appendNumbersFrom(log: CommitLog, topic: string, from: number, to: number): Promise<void> {
  for (let number = from; number < to; number++) {
    await log.append(
      Array.from({ length: PARTITIONS }, (_, partition) => record(topic, partition, String(number))),
    );
  }
}

async function expectOutputs(log: CommitLog, output: string, count: number): Promise<void> {
  const expected = expectedRunningSums(count);
  await eventually(async () =>
    expect(await readValues(log, output)).toEqual({ 0: expected, 1: expected, 2: expected, 3: expected }),
  );
}

const ownersOf = (owners: ReadonlyMap<number, string>) => [...new Set(owners.values())].toSorted();
const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
