import { drained } from '../../src/cli/drain.ts';
import { bundledModelFolders, publishModelFolders } from '../../src/cli/model-folders.ts';
import { createStages, stageGroups } from '../../src/cli/stages.ts';
import { openScratchLog } from '../../src/commit-log/embedded/scratch-log.ts';
import type { CommitLog } from '../../src/commit-log/port.ts';
import { topicSpecs } from '../../src/commit-log/topics.ts';
import { loadConfig } from '../../src/config/load.ts';
import { ManualClock, systemClock } from '../../src/kernel/clock.ts';
import { Lifecycle } from '../../src/kernel/lifecycle.ts';
import { createGoflow2Encoder } from '../../src/simulate/encoders/goflow2.ts';
import { Health } from '../../src/telemetry/health.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { measure, print } from '../measure.ts';
import { sharesByFolder } from '../profile.ts';
import { asMessages, simulatedFlows } from '../traffic.ts';

// The whole pipeline on an embedded log: goflow2 protobuf, one message a flow, to published forecasts and classifications.

const FLOWS = 300_000;
const APPEND_MESSAGES = 1000;
const signal = new AbortController().signal;
const settings = loadConfig({ file: undefined, environment: {}, flags: {} });
const config = {
  ...settings,
  // As replay: the input is over when it is over, nobody waits for a tick.
  preprocess: { ...settings.preprocess, tickIntervalMs: 20 },
  // The traffic lasts some minutes only; every window of every link shall be forecast nevertheless.
  infer: { ...settings.infer, observedWindowsMin: 1 },
};
const prefix = config.commitLog.topicPrefix;
const rawTopic = `${prefix}raw.bench`;
const messages = asMessages(simulatedFlows(FLOWS), createGoflow2Encoder());
let published: Record<string, number> = {};

/** A fresh log and fresh stages, all messages through them, every window closed. */
async function run(): Promise<number> {
  const log = await openScratchLog({ clock: systemClock() });
  try {
    await log.ensureTopics([
      ...topicSpecs(prefix, config.commitLog.partitions),
      { name: rawTopic, partitions: 1, cleanup: 'delete' },
    ]);
    await publishModelFolders(log, prefix, bundledModelFolders(), systemClock());
    await pass(log);
    published = {
      forecasts: await countOf(log, 'forecasts.v1'),
      classifications: await countOf(log, 'classifications.v1'),
    };
    if (published.classifications === 0) throw new Error('nothing was classified');
    return messages.length;
  } finally {
    await log.close();
  }
}

async function pass(log: CommitLog): Promise<void> {
  const clock = new ManualClock(0);
  const dependencies = {
    log,
    clock,
    logger: createLogger('warn'),
    metrics: createMetrics(),
    health: new Health(clock, config.health.stalledAfterMs),
    onFailure: (error: unknown) => {
      throw error;
    },
  };
  const feed = { name: 'bench', topic: rawTopic, format: 'goflow2' };
  const stages = new Lifecycle(createStages(dependencies, config, [feed]));
  await stages.start();
  for (let from = 0; from < messages.length; from += APPEND_MESSAGES) {
    await log.append(
      messages.slice(from, from + APPEND_MESSAGES).map((value) => ({
        topic: rawTopic,
        partition: 0,
        key: null,
        value,
        timestampMs: 0,
      })),
    );
  }
  const [ingest, preprocess, infer] = stageGroups(prefix) as [string, string, string];
  for (const group of [ingest, preprocess]) await drained(log, group, signal);
  const { windowSeconds, graceMs, idleAfterMs, outOfOrdernessMs } = config.preprocess;
  clock.advance((Math.max(...windowSeconds) * 1000 + graceMs + idleAfterMs + outOfOrdernessMs) * 1000 + 1);
  await drained(log, preprocess, signal, { openWindows: false });
  await drained(log, infer, signal);
  await stages.stop();
}

async function countOf(log: CommitLog, topic: string): Promise<number> {
  let records = 0;
  for await (const batch of log.read({ topic: `${prefix}${topic}`, from: 'earliest', until: 'end' })) {
    records += batch.length;
  }
  return records;
}

const measurement = await measure({ scenario: 'whole embedded pipeline', unit: 'flows', run });
const shares = await sharesByFolder(run);
print({
  ...measurement,
  notes: {
    ...published,
    ...Object.fromEntries(Object.entries(shares).map(([folder, percent]) => [`% ${folder}`, percent])),
  },
});
