import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import { openScratchLog } from '../commit-log/embedded/scratch-log.ts';
import type { CommitLog } from '../commit-log/port.ts';
import { topicSpecs } from '../commit-log/topics.ts';
import type { Config } from '../config/schema.ts';
import { ManualClock } from '../kernel/clock.ts';
import { messageOf, usageError } from '../kernel/errors.ts';
import { Lifecycle } from '../kernel/lifecycle.ts';
import { Health } from '../telemetry/health.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import type { Command, CommandIo } from './command.ts';
import { drained } from './drain.ts';
import { fileSource, formatOfFile } from './file-source.ts';
import { bundledModelFolders, publishModelFolders } from './model-folders.ts';
import { CONFIG_USAGE, parseDurationMs, parseWithConfig } from './options.ts';
import { pumpSource } from './raw-source.ts';
import { type ReplaySummary, writeReplayOutput } from './replay-output.ts';
import { createStages, stageGroups } from './stages.ts';

export const replayCommand: Command = {
  name: 'replay',
  summary: "run the whole pipeline over files, in the files' own time",
  usage: `usage: flowcast replay FILE… --out DIR [options]

Writes features.ndjson, forecasts.ndjson, classifications.ndjson, late.ndjson, rejects.ndjson and summary.json to DIR.
Files are read one after the other; a file may be gzipped.

  --out DIR            where the results go; made if missing
  --format F           format of the files (default: auto)
  --window 1m          window length
  --grace 2m           how long a window stays open past its end
  --feature-set NAME   link, host or flow; may be repeated (default: link and host)
  --model DIR          model folder to score with; may be repeated (default: the bundled ones)
  --time-zone ZONE     zone of zone-less times, for example Europe/Berlin (default: UTC)
${CONFIG_USAGE}`,
  async run(args, io) {
    const { config, files, out, models, format, timeZone, windowSeconds } = parse(args, io);
    const formats = await Promise.all(files.map((file) => formatOfFile(file, format, io.stdin)));
    const outputDirectory = prepareDirectory(out);
    const logger = createLogger(config.log.level);
    const failure = new AbortController();
    const clock = new ManualClock(0);
    const log = await openScratchLog({ clock: io.clock });
    try {
      const prefix = config.commitLog.topicPrefix;
      const topics = files.map((_, i) => ({
        name: `${prefix}raw.${i}`,
        partitions: 1,
        cleanup: 'delete' as const,
      }));
      await log.ensureTopics([...topicSpecs(prefix, config.commitLog.partitions), ...topics]);
      await publishModelFolders(log, prefix, models, io.clock);
      const feeds = files.map((file, i) => ({
        name: basename(file),
        topic: topics[i]!.name,
        format: formats[i]!,
        timeZone,
      }));
      const stages = new Lifecycle(
        createStages(
          {
            log,
            clock,
            logger,
            metrics: createMetrics(),
            health: new Health(clock, config.health.stalledAfterMs),
            onFailure: (error) => failure.abort(error),
          },
          config,
          feeds,
        ),
      );
      await stages.start();
      try {
        await readFiles(log, files, feeds, prefix, io.stdin, AbortSignal.any([io.signal, failure.signal]));
        await closeWindows(log, clock, config, failure.signal);
      } finally {
        await stages.stop();
      }
      const summary = await writeReplayOutput(log, prefix, outputDirectory, windowSeconds);
      return report(summary, files, outputDirectory, io);
    } finally {
      await log.close();
    }
  },
};

function parse(args: string[], io: CommandIo) {
  const { config, values, positionals } = parseWithConfig(args, io, {
    out: { type: 'string' },
    format: { type: 'string', default: 'auto' },
    window: { type: 'string', default: '1m' },
    grace: { type: 'string' },
    'feature-set': { type: 'string', multiple: true },
    model: { type: 'string', multiple: true },
    'time-zone': { type: 'string', default: 'UTC' },
  });
  if (positionals.length === 0) throw usageError('replay_files', 'name at least one file to replay');
  if (values.out === undefined) throw usageError('replay_out', 'say where the results go: --out DIR');
  const windowMs = parseDurationMs(values.window, 'window');
  const preprocess = {
    ...config.preprocess,
    windowSeconds: [windowMs / 1000],
    // The files are over when they are over: nobody waits for a tick.
    tickIntervalMs: 20,
    ...(values.grace !== undefined && { graceMs: parseDurationMs(values.grace, 'grace') }),
    ...(values['feature-set'] && {
      featureSets: values['feature-set'] as Config['preprocess']['featureSets'],
    }),
  };
  return {
    config: { ...config, preprocess },
    files: positionals,
    out: values.out,
    models: values.model ?? bundledModelFolders(),
    format: values.format,
    timeZone: values['time-zone'],
    windowSeconds: windowMs / 1000,
  };
}

function prepareDirectory(directory: string): string {
  try {
    mkdirSync(directory, { recursive: true });
    accessSync(directory, constants.W_OK);
    return directory;
  } catch (error) {
    throw usageError('replay_out', `cannot write to ${directory}: ${messageOf(error)}`, error);
  }
}

/** One file after the other, each through ingest before the next begins, so that their order is the order given. */
async function readFiles(
  log: CommitLog,
  files: readonly string[],
  feeds: readonly { topic: string; format: string }[],
  prefix: string,
  stdin: Readable,
  signal: AbortSignal,
): Promise<void> {
  for (const [i, file] of files.entries()) {
    await pumpSource(log, feeds[i]!.topic, fileSource(file, { format: feeds[i]!.format, stdin }), signal);
    for (const group of stageGroups(prefix)) await drained(log, group, signal);
  }
}

/** Moves the clock past every open window, so that each exporter counts as idle and its windows close, and waits for what follows. */
async function closeWindows(
  log: CommitLog,
  clock: ManualClock,
  config: Config,
  signal: AbortSignal,
): Promise<void> {
  const { windowSeconds, graceMs, idleAfterMs, outOfOrdernessMs } = config.preprocess;
  clock.advance((Math.max(...windowSeconds) * 1000 + graceMs + idleAfterMs + outOfOrdernessMs) * 1000 + 1);
  const [, preprocess, infer] = stageGroups(config.commitLog.topicPrefix);
  await drained(log, preprocess!, signal, { openWindows: false });
  await drained(log, infer!, signal);
}

function report(summary: ReplaySummary, files: readonly string[], directory: string, io: CommandIo): number {
  const document = { files: files.map((file) => basename(file)), ...summary };
  writeFileSync(join(directory, 'summary.json'), `${JSON.stringify(document, null, 2)}\n`);
  io.stdout.write(`${JSON.stringify(document)}\n`);
  return io.signal.aborted ? 1 : 0;
}
