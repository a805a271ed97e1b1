/**
 * Run by embedded-kill.test.ts, and killed by it: appends numbers, and transforms them in two groups, until all
 * `count` of them are through. Says `up` when it works and `done` at the end.
 */
import { openEmbeddedLog } from '../../src/commit-log/embedded/embedded-log.ts';
import type { CommitLog, CreateProcessor } from '../../src/commit-log/port.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { consume, pause, record } from './harness.ts';
import { runningSums, windowSums } from './processors.ts';

const [directory, countText] = process.argv.slice(2);
const count = Number(countText);
const PARTITIONS = 2;

const log = await openEmbeddedLog({ directory: directory!, clock: systemClock(), fsync: 'never' });
await log.ensureTopics(
  ['in', 'sums', 'windows'].map((name) => ({ name, partitions: PARTITIONS, cleanup: 'delete' })),
);
const before = () => pause(1);
const work: readonly [string, CreateProcessor][] = [
  ['sums', runningSums('sums', { before })],
  ['windows', windowSums('windows', { before })],
];
for (const [group, create] of work) {
  const consumer = await consume(log, group, ['in'], create, { batchRecordsMax: 20 });
  consumer.done.catch(fail);
}
process.stdout.write('up\n');
await appendRest(log);
while (!(await isThrough(log))) await pause(5);
await log.close();
process.stdout.write('done\n');

/** Goes on where the last life stopped: one call writes the number to all partitions or to none. */
async function appendRest(to: CommitLog): Promise<void> {
  const [first, second] = await to.lag('sums');
  if (first!.endOffset !== second!.endOffset) fail(new Error('an append was torn'));
  for (let number = first!.endOffset; number < count; number++) {
    await to.append([record('in', 0, String(number)), record('in', 1, String(number))]);
  }
}

async function isThrough(of: CommitLog): Promise<boolean> {
  const lags = [...(await of.lag('sums')), ...(await of.lag('windows'))];
  return lags.every(({ endOffset, records }) => endOffset === count && records === 0);
}

function fail(error: unknown): never {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
}
