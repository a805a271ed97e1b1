import { basename } from 'node:path';
import { createPredictionFeed, LatestPredictions } from '../api/latest.ts';
import { createHttpServer } from '../api/server.ts';
import type { CommitLog } from '../commit-log/port.ts';
import { topicSpecs } from '../commit-log/topics.ts';
import type { Config } from '../config/schema.ts';
import type { FeedConfig } from '../ingest/config.ts';
import { usageError } from '../kernel/errors.ts';
import { Lifecycle } from '../kernel/lifecycle.ts';
import { readReleases } from '../release/release.ts';
import { Health } from '../telemetry/health.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import type { Command, CommandIo } from './command.ts';
import { drained } from './drain.ts';
import { fileSource, formatOfFile } from './file-source.ts';
import { bundledModelFolders, publishModelFolders } from './model-folders.ts';
import { openLog } from './open-log.ts';
import { CONFIG_USAGE, parseDurationMs, parseWithConfig } from './options.ts';
import { type MessageSource, pumpSource } from './raw-source.ts';
import { simulationSource } from './simulation-source.ts';
import { createStages, stageGroups } from './stages.ts';
import { createTerminalSummary } from './terminal-summary.ts';

export const startCommand: Command = {
  name: 'start',
  summary: 'run all stages in one process on the embedded log',
  usage: `usage: flowcast start [--source simulate|stdin|FILE …] [options]

Everything in one process: sources, ingest, preprocess, infer, metrics and the first page. What it reads and what it says
is kept in one directory; a restart goes on where it ended. Ctrl-C drains and loses nothing.

  --source S           simulate (default), stdin, or a file; may be repeated
  --format F           format of files and standard input (default: auto)
  --history 3d         simulated time before now that is gone through first, so that daily cycles are known
  --scenario NAME      demo (default), load or training
  --seed N             seed of the simulation
  --until-end          stop when the sources have ended and everything is processed
  --host H --port P    where to serve (http.host, http.port)
${CONFIG_USAGE}`,
  async run(args, io) {
    const options = parse(args, io);
    const { config } = options;
    const log = await openLog(config, io.clock);
    try {
      return await runPipeline(log, options, io);
    } finally {
      await log.close();
    }
  },
};

interface StartOptions {
  readonly config: Config;
  readonly sources: readonly string[];
  readonly format: string;
  readonly scenario: string;
  readonly historyMs: number;
  readonly seed: number;
  readonly untilEnd: boolean;
}

function parse(args: string[], io: CommandIo): StartOptions {
  const { config, values } = parseWithConfig(args, io, {
    source: { type: 'string', multiple: true, default: ['simulate'] },
    format: { type: 'string', default: 'auto' },
    scenario: { type: 'string', default: 'demo' },
    history: { type: 'string', default: '3d' },
    seed: { type: 'string', default: '1' },
    'until-end': { type: 'boolean', default: false },
    host: { type: 'string' },
    port: { type: 'string' },
  });
  const port = values.port === undefined ? config.http.port : Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw usageError('flag_port', `--port takes 0 to 65535, not ${values.port}`);
  return {
    config: { ...config, http: { host: values.host ?? config.http.host, port } },
    sources: values.source,
    format: values.format,
    scenario: values.scenario,
    historyMs: values.history === '0' ? 0 : parseDurationMs(values.history, 'history'),
    seed: Number(values.seed),
    untilEnd: values['until-end'],
  };
}

async function runPipeline(log: CommitLog, options: StartOptions, io: CommandIo): Promise<number> {
  const { config } = options;
  const { topicPrefix: prefix, partitions } = config.commitLog;
  const { clock } = io;
  const failure = new AbortController();
  const signal = AbortSignal.any([io.signal, failure.signal]);
  const fail = (error: unknown) => failure.abort(error);
  const logger = createLogger(config.log.level);
  const metrics = createMetrics({ processMetrics: true });
  const health = new Health(clock, config.health.stalledAfterMs);
  const latest = new LatestPredictions();
  const inputs = await Promise.all(options.sources.map((source) => inputOf(source, options, prefix, io)));
  let url = '';

  await log.ensureTopics([
    ...topicSpecs(prefix, partitions),
    ...inputs.map(({ topic }) => ({
      name: topic,
      partitions: 1,
      cleanup: 'delete' as const,
      retentionBytes: RAW_BYTES_MAX,
    })),
  ]);
  if ((await readReleases(log, prefix)).isEmpty)
    await publishModelFolders(log, prefix, bundledModelFolders(), clock);

  const feeds = [...config.ingest.feeds, ...inputs.map(({ feed }) => feed)];
  const groups = stageGroups(prefix);
  const stages = createStages({ log, clock, logger, metrics, health, onFailure: fail }, config, feeds);
  const lifecycle = new Lifecycle([
    createHttpServer({
      ...config.http,
      metrics,
      health,
      latest,
      onListening: (address) => {
        url = address;
      },
    }),
    createPredictionFeed(log, prefix, latest),
    ...stages,
    createTerminalSummary({
      screen: io.stdout as never,
      log,
      groups,
      metrics,
      latest,
      clock,
      title: () => `flowcast ${url}`,
    }),
  ]);
  await lifecycle.start();
  try {
    await Promise.all(inputs.map(({ topic, source }) => pumpSource(log, topic, source, signal)));
    if (options.untilEnd) for (const group of groups) await drained(log, group, signal);
    else await untilAborted(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await lifecycle.stop();
  }
  if (failure.signal.aborted) throw failure.signal.reason;
  return 0;
}

interface Input {
  readonly topic: string;
  readonly feed: FeedConfig;
  readonly source: MessageSource;
}

/** Bytes that a raw topic of our own keeps. */
const RAW_BYTES_MAX = 1_000_000_000;

/** A source as a feed of its own with a raw topic of its own. */
async function inputOf(source: string, options: StartOptions, prefix: string, io: CommandIo): Promise<Input> {
  const isBuiltIn = source === 'simulate' || source === 'stdin';
  const name = isBuiltIn ? source : basename(source);
  const topic = `${prefix}raw.${name.replace(/[^A-Za-z0-9._-]/g, '-')}`;
  if (source === 'simulate') {
    return { topic, feed: { name, topic, format: 'goflow2' }, source: simulationSource(options, io.clock) };
  }
  const file = source === 'stdin' ? '-' : source;
  const format = await formatOfFile(file, options.format, io.stdin);
  return { topic, feed: { name, topic, format }, source: fileSource(file, { format, stdin: io.stdin }) };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
