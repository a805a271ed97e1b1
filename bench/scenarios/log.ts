import { drained } from '../../src/cli/drain.ts';
import { openScratchLog } from '../../src/commit-log/embedded/scratch-log.ts';
import type { OutputRecord } from '../../src/commit-log/port.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { measure, print } from '../measure.ts';

// The embedded log without stages: appending, and a group that copies every record to another topic.

const RECORDS = 200_000;
const VALUE_BYTES = 120;
const BATCH = 1000;
const signal = new AbortController().signal;
const value = new Uint8Array(VALUE_BYTES).fill(7);
const log = await openScratchLog({ clock: systemClock() });
let round = 0;

async function append(): Promise<number> {
  const topic = `in.${round}`;
  await log.ensureTopics([
    { name: topic, partitions: 1, cleanup: 'delete' },
    { name: `out.${round}`, partitions: 1, cleanup: 'delete' },
  ]);
  const record: OutputRecord = { topic, partition: 0, key: null, value, timestampMs: 1 };
  const batch = Array.from({ length: BATCH }, () => record);
  for (let at = 0; at < RECORDS; at += BATCH) await log.append(batch);
  round++;
  return RECORDS;
}

async function copy(): Promise<number> {
  round--;
  const group = `copy.${round}`;
  const to = `out.${round}`;
  const consumer = await log.consume(
    {
      group,
      topics: [`in.${round}`],
      batchRecordsMax: 5000,
      batchBytesMax: 8_000_000,
      commitIntervalMs: 100,
      tickIntervalMs: 1000,
    },
    ({ resumeOffset }) => {
      let next = resumeOffset;
      return {
        process(batch) {
          next = (batch.at(-1)?.offset ?? next - 1) + 1;
          const outputs = batch.map((record) => ({ ...record, topic: to, partition: 0 }));
          return { outputs, state: [], resumeOffset: next };
        },
      };
    },
  );
  await drained(log, group, signal);
  await consumer.stop();
  return RECORDS;
}

print(await measure({ scenario: 'embedded log: append', unit: 'records', run: append }));
print(await measure({ scenario: 'embedded log: consume, copy, commit', unit: 'records', run: copy }));
await log.close();
