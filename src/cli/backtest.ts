import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { usageError } from '../kernel/errors.ts';
import { type BacktestTask, backtest, stepsPerDay } from '../model/forecast/backtest.ts';
import { joinSeries, readSeries, type Series } from '../model/series.ts';
import { createProgress } from '../telemetry/progress.ts';
import type { Command } from './command.ts';
import {
  LSTM_OPTIONS,
  LSTM_USAGE,
  linkForecasterParameters,
  lstmSeedOf,
  lstmTrainerNamed,
} from './lstm-options.ts';
import { parseDurationMs } from './options.ts';

const DEFAULT_SPLIT = 0.8;

export const backtestCommand: Command = {
  name: 'backtest',
  summary: 'compare the forecaster with naive forecasts on a series',
  usage: `usage: flowcast backtest --series FILE.csv[:COLUMN] [--split 0.8 | --train N --test N] --horizon 1 | --day-ahead [options]
       flowcast backtest --train FILE[:COLUMN] --test FILE[:COLUMN] --horizon 1 | --day-ahead [options]

Fits on the first part only and forecasts through the second, each forecast knowing what was measured before it. Prints one JSON
document: MAPE, WAPE (percent) and MASE of the model, of persistence and of the daily and the weekly naive, and the coverage of the
80 % interval. A series is CSV with a header (a time column if there is one) or one value a line, gzipped or not.

  --series FILE[:COL]  the series, cut by
  --split 0.8            the share that is trained on (default), or
  --train N --test N     numbers of steps from its beginning
  --train, --test      or two series (with --series also two of its columns): the second continues the first where its times do,
                       or where neither has times; another column of the same time is forecast by what the first taught
  --horizon 1          the next step, at every step
  --day-ahead          all steps of the next day at once, at every midnight (UTC; every day's worth of steps without times)
${LSTM_USAGE}`,
  async run(args, io) {
    const { values } = parseArgs({ args, options: OPTIONS });
    const horizon = horizonOf(values.horizon, values['day-ahead']);
    const stepSeconds =
      values.interval === undefined ? undefined : parseDurationMs(values.interval, 'interval') / 1000;
    const trainer = lstmTrainerNamed(values.trainer);
    const seed = lstmSeedOf(values.seed);
    const task = await taskOf(values, stepSeconds, horizon);
    const day = stepsPerDay(task.series.stepSeconds);
    const horizons = horizon === 'day' ? Array.from({ length: day }, (_, i) => i + 1) : [1];
    const parameters = linkForecasterParameters(horizon === 'day' ? 'day' : 'recent', {
      name: 'backtest',
      horizons,
      seed,
      detectPeriods: true,
    });
    const progress = createProgress(io.stderr, 'backtest');
    const result = await backtest(task, parameters, trainer, progress.update, io.signal);
    progress.done(`${result.forecasts} forecasts`);
    io.stdout.write(`${JSON.stringify(result)}\n`);
    return 0;
  },
};

const OPTIONS = {
  ...LSTM_OPTIONS,
  series: { type: 'string' },
  split: { type: 'string' },
  train: { type: 'string' },
  test: { type: 'string' },
  horizon: { type: 'string' },
  'day-ahead': { type: 'boolean', default: false },
} as const;

interface SeriesFlags {
  readonly series?: string | undefined;
  readonly split?: string | undefined;
  readonly train?: string | undefined;
  readonly test?: string | undefined;
}

function horizonOf(horizon: string | undefined, dayAhead: boolean): '1' | 'day' {
  if (dayAhead && horizon === undefined) return 'day';
  if (!dayAhead && (horizon === undefined || horizon === '1')) return '1';
  throw usageError('flag_horizon', 'give --horizon 1 (the next step) or --day-ahead, one of them');
}

async function taskOf(
  flags: SeriesFlags,
  stepSeconds: number | undefined,
  horizon: '1' | 'day',
): Promise<BacktestTask> {
  const { series: whole, train, test } = flags;
  if ((train === undefined) !== (test === undefined)) {
    throw usageError('flag_train', 'give --train and --test together, or --split alone');
  }
  if (train !== undefined && test !== undefined && !(isCount(train) && isCount(test))) {
    const first = await readSeries(specificationOf(train, whole), stepSeconds);
    const second = await readSeries(specificationOf(test, whole), stepSeconds ?? first.stepSeconds);
    return { ...joinSeries(first, second), horizon };
  }
  if (whole === undefined) throw usageError('flag_series', 'give a series: --series FILE.csv[:COLUMN]');
  const series = await readSeries(whole, stepSeconds);
  const length = series.values.length;
  const trainSteps =
    train === undefined ? Math.floor(length * splitOf(flags.split)) : Math.min(Number(train), length);
  const end = test === undefined ? length : Math.min(length, trainSteps + Number(test));
  if (trainSteps >= end) {
    throw usageError('flag_split', `${series.name} has ${length} steps: nothing is left to test on`);
  }
  const cut: Series = { ...series, values: series.values.subarray(0, end) };
  return { name: series.name, series: cut, training: null, trainSteps, horizon };
}

function isCount(text: string): boolean {
  return /^\d+$/.test(text) && !existsSync(text);
}

/** A name that is no file is a column of `--series`. */
function specificationOf(text: string, whole: string | undefined): string {
  const path = text.replace(/:[^:/]*$/, '');
  return whole === undefined || existsSync(text) || existsSync(path) ? text : `${whole}:${text}`;
}

function splitOf(text: string | undefined): number {
  const split = text === undefined ? DEFAULT_SPLIT : Number(text);
  if (split > 0 && split < 1) return split;
  throw usageError('flag_split', `--split takes the share to train on, such as 0.8, not ${text}`);
}
