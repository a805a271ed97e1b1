import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { FlowcastError, usageError } from '../kernel/errors.ts';
import { refuseForeignFolder, writeArtefact } from '../model/artefact.ts';
import { forecasterCard } from '../model/forecast/card.ts';
import type { NamedHistory } from '../model/forecast/parameters.ts';
import { trainForecaster } from '../model/forecast/train.ts';
import { historyOfSeries, readSeries } from '../model/series.ts';
import { createProgress } from '../telemetry/progress.ts';
import type { Command, CommandIo } from './command.ts';
import { readMessages } from './flow-files.ts';
import { readLinkHistories } from './link-histories.ts';
import {
  LSTM_OPTIONS,
  LSTM_USAGE,
  linkForecasterParameters,
  lstmSeedOf,
  lstmTrainerNamed,
} from './lstm-options.ts';
import { parseDurationMs } from './options.ts';

const DEFAULT_HORIZONS = '1,2,3,6,12';
const DEFAULT_WINDOW_SECONDS = 60;

export const trainLstmCommand: Command = {
  name: 'train lstm',
  summary: 'train an LSTM forecaster on flow files or series',
  usage: `usage: flowcast train lstm --data FILE… --out DIR [options]
       flowcast train lstm --series FILE[:COLUMN] [--series …] --out DIR [options]

Trains one network over all links (of flow files of any format) or series, stops where the latest fifth of the time stops improving,
and writes model.onnx, manifest.json and card.md. The same data, trainer and seed give the same bytes.

  --data FILE…         flow files, gzipped or not; or series files (CSV, one value a line)
  --series FILE[:COL]  a series; may be repeated
  --format F           format of the flow files (default: auto)
  --window 1m          window length for flow files (default: 1m)
  --horizons LIST      steps ahead (default: ${DEFAULT_HORIZONS}); day = every step of a day at once
  --name NAME          the model's name (default: lstm-link)
${LSTM_USAGE}
  --out DIR            new, empty, or a model to replace`,
  async run(args, io) {
    const options = parse(args);
    await refuseForeignFolder(resolve(options.out), options.out);
    const histories = await readHistories(options, io);
    const { stepSeconds } = histories[0]?.history ?? { stepSeconds: options.windowSeconds };
    const parameters = linkForecasterParameters(options.horizons === 'day' ? 'day' : 'recent', {
      name: options.name,
      horizons: options.horizons === 'day' ? wholeDay(stepSeconds) : options.horizons,
      seed: options.seed,
      detectPeriods: histories.length === 1,
    });
    const progress = createProgress(io.stderr, 'train lstm');
    const artefact = await trainForecaster(
      histories,
      parameters,
      options.trainer,
      progress.update,
      io.signal,
    );
    if (io.signal.aborted) throw usageError('interrupted', 'interrupted; no model was written');
    const { manifest } = artefact;
    await writeArtefact(
      options.out,
      artefact,
      forecasterCard(manifest, `flowcast train lstm ${args.join(' ')}`),
    );
    progress.done(`${manifest.name} ${manifest.version} in ${options.out}`);
    io.stdout.write(
      `${JSON.stringify({ name: manifest.name, version: manifest.version, ...manifest.metrics })}\n`,
    );
    return 0;
  },
};

function parse(args: string[]) {
  const { values, positionals } = parseArgs({
    args,
    options: {
      ...LSTM_OPTIONS,
      data: { type: 'string', multiple: true, default: [] },
      series: { type: 'string', multiple: true, default: [] },
      format: { type: 'string', default: 'auto' },
      window: { type: 'string' },
      horizons: { type: 'string', default: DEFAULT_HORIZONS },
      name: { type: 'string', default: 'lstm-link' },
      out: { type: 'string' },
    },
    allowPositionals: true,
  });
  if (values.out === undefined) throw usageError('flag_out', 'say where the model goes: --out DIR');
  if (!/^[a-z0-9][a-z0-9-]*$/.test(values.name)) {
    throw usageError('flag_name', `--name takes small letters, digits and hyphens, not ${values.name}`);
  }
  const data = [...values.data, ...positionals];
  if (data.length === 0 && values.series.length === 0) {
    throw usageError('flag_data', 'give what to train on: --data FILE… or --series FILE[:COLUMN]');
  }
  const seconds = (text: string | undefined, flag: string) =>
    text === undefined ? undefined : parseDurationMs(text, flag) / 1000;
  const interval = seconds(values.interval, 'interval');
  return {
    data,
    series: values.series,
    format: values.format,
    interval,
    windowSeconds: seconds(values.window, 'window') ?? interval ?? DEFAULT_WINDOW_SECONDS,
    horizons: horizonsOf(values.horizons),
    name: values.name,
    trainer: lstmTrainerNamed(values.trainer),
    seed: lstmSeedOf(values.seed),
    out: values.out,
  };
}

type Options = ReturnType<typeof parse>;

function horizonsOf(text: string): 'day' | number[] {
  if (text === 'day') return 'day';
  const horizons = text.split(',').map(Number);
  const isAscending = horizons.every((h, i) => Number.isInteger(h) && h > (horizons[i - 1] ?? 0));
  if (isAscending) return horizons;
  throw usageError(
    'flag_horizons',
    `--horizons takes ascending steps such as ${DEFAULT_HORIZONS}, or day, not ${text}`,
  );
}

function wholeDay(stepSeconds: number): number[] {
  return Array.from({ length: Math.round(86_400 / stepSeconds) }, (_, i) => i + 1);
}

/** `--data` takes both: what no flow format recognises is read as a series. */
async function readHistories(options: Options, io: CommandIo): Promise<NamedHistory[]> {
  const specifications = [...options.series];
  const files: string[] = [];
  for (const file of options.data)
    ((await isFlowFile(file, options.format, io)) ? files : specifications).push(file);
  const histories: NamedHistory[] = [];
  for (const specification of specifications) {
    const series = await readSeries(specification, options.interval);
    histories.push({ name: series.name, history: historyOfSeries(series) });
  }
  if (files.length > 0) {
    const source = { files, format: options.format, windowSeconds: options.windowSeconds };
    histories.push(...(await readLinkHistories(source, io)));
  }
  return histories;
}

async function isFlowFile(file: string, format: string, io: CommandIo): Promise<boolean> {
  if (format !== 'auto') return true;
  if (!existsSync(file) && existsSync(file.replace(/:[^:/]*$/, ''))) return false;
  try {
    for await (const _ of readMessages([file], { format, stdin: io.stdin })) return true;
  } catch (error) {
    if (error instanceof FlowcastError && error.code === 'format_unrecognised') return false;
    throw error;
  }
  return true;
}
