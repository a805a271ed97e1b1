import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import type { BacktestResult } from '../src/model/forecast/backtest.ts';

// `npm run accuracy:forecasts [-- --all] [-- --only PATTERN]`: backtests the forecaster on the public series in ../shared/data.
// Without --only it writes the table of docs/accuracy.md; with it the rows go to stdout.

const FLOWCAST = fileURLToPath(new URL('../bin/flowcast.js', import.meta.url));
const DATA = fileURLToPath(new URL('../../shared/data/', import.meta.url));
const PAGE = fileURLToPath(new URL('../docs/accuracy.md', import.meta.url));
const [BEGIN, END] = ['<!-- forecasts: begin -->', '<!-- forecasts: end -->'];

interface Trial {
  readonly name: string;
  readonly args: readonly string[];
  /** MAPE of the best plain method, tuned on the train part: one step, a day ahead; null = not known. */
  readonly plain: { readonly '1': number | null; readonly day: number | null };
  readonly horizons: readonly ('1' | 'day')[];
}

const ABILENE = 'abilene/abilene_nodes_5min.csv.gz';
const directory = mkdtempSync(join(tmpdir(), 'flowcast-accuracy-'));
const GEANT = 'geant/geant_nodes_15min.csv.gz';

/** Series that have a bold figure to beat. */
function measuredTrials(): Trial[] {
  const trial = (name: string, file: string, one: number, day: number | null, ...flags: string[]): Trial => ({
    name,
    args: ['--series', join(DATA, file), ...flags],
    plain: { '1': one, day },
    horizons: day === null ? ['1'] : ['1', 'day'],
  });
  return [
    trial('cortez A5M', 'cortez-isp/A5M.txt', 2.7, 8.9, '--interval', '5m'),
    trial('cortez A1H', 'cortez-isp/A1H.txt', 3.95, 9.5, '--interval', '1h'),
    trial('abilene total', `${ABILENE}:total`, 2.67, 9.3),
    { ...trial('abilene total, hourly means', '', 5.0, 11.8), args: ['--series', hourlyMeans()] },
    trial('abilene out_NYCMng', `${ABILENE}:out_NYCMng`, 4.5, 17.9),
    trial('abilene in_WASHng', `${ABILENE}:in_WASHng`, 7.3, 18.2),
    trial('geant out_de1.de', `${GEANT}:out_de1.de`, 5.2, 9.4),
    trial('leipzig 60 s', 'leipzig-ii/bytes_per_60s.txt', 3.5, null, '--interval', '60s'),
    trial('unnamed pair1', 'unnamed-5min-2019/pair1.csv.gz', 2.6, 5.0),
  ];
}

/** The total of Abilene as a series of hourly means. */
function hourlyMeans(): string {
  const hours = new Map<number, number[]>();
  const lines = gunzipSync(readFileSync(join(DATA, ABILENE)))
    .toString('utf8')
    .trim()
    .split('\n');
  for (const line of lines.slice(1)) {
    const [time, total] = line.split(',');
    if (total === '') continue;
    const hour = Math.floor(Date.parse(time!) / 3_600_000);
    hours.set(hour, [...(hours.get(hour) ?? []), Number(total)]);
  }
  const file = join(directory, 'abilene-hourly.csv');
  const means = [...hours].map(([hour, all]) => `${hour * 3600},${all.reduce((a, b) => a + b) / all.length}`);
  writeFileSync(file, `time,mean\n${means.join('\n')}\n`);
  return file;
}

/** Every other column of the two backbones, one step ahead. */
function columnTrials(known: ReadonlySet<string>): Trial[] {
  return [ABILENE, GEANT]
    .flatMap((file) => {
      const header = gunzipSync(readFileSync(join(DATA, file)))
        .toString('utf8')
        .split('\n', 1)[0]!;
      const columns = header.trim().split(',').slice(1);
      return columns.map(
        (column): Trial => ({
          name: `${file.split('/')[0]} ${column}`,
          args: ['--series', `${join(DATA, file)}:${column}`],
          plain: { '1': null, day: null },
          horizons: ['1'],
        }),
      );
    })
    .filter(({ name }) => !known.has(name));
}

function run(args: readonly string[], horizon: '1' | 'day'): BacktestResult {
  const ahead = horizon === '1' ? ['--horizon', '1'] : ['--day-ahead'];
  const { status, stdout, stderr } = spawnSync(process.execPath, [FLOWCAST, 'backtest', ...args, ...ahead], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`flowcast backtest ${args.join(' ')}: ${stderr}`);
  return JSON.parse(stdout) as BacktestResult;
}

function row({ name, plain }: Trial, horizon: '1' | 'day', { methods, coverage80 }: BacktestResult): string {
  const cells = [methods.model, methods.persistence, methods.daily, methods.weekly].map(({ mape }) =>
    mape.toFixed(2),
  );
  const best = plain[horizon];
  return `| ${name} | ${horizon === '1' ? 'one step' : 'a day'} | ${cells.join(' | ')} | ${best ?? '–'} | ${coverage80.toFixed(1)} % |`;
}

const { values } = parseArgs({ options: { all: { type: 'boolean' }, only: { type: 'string' } } });
if (!existsSync(DATA)) throw new Error('the public data sets are not in ../shared/data');
const measured = measuredTrials();
const every = values.all
  ? [...measured, ...columnTrials(new Set(measured.map(({ name }) => name)))]
  : measured;
const pattern = new RegExp(values.only ?? '');
const rows = every.flatMap((trial) =>
  trial.horizons
    .filter((horizon) => pattern.test(`${trial.name} ${horizon}`))
    .map((horizon) => {
      const line = row(trial, horizon, run(trial.args, horizon));
      process.stderr.write(`${line}\n`);
      return line;
    }),
);
const table = [
  '| series | ahead | model | persistence | daily | weekly | best plain | coverage |',
  '|---|---|---:|---:|---:|---:|---:|---:|',
  ...rows,
];
if (values.only === undefined) {
  const page = readFileSync(PAGE, 'utf8');
  const [before, after] = [page.split(BEGIN)[0]!, page.split(END)[1]!];
  writeFileSync(PAGE, `${before}${BEGIN}\n${table.join('\n')}\n${END}${after}`);
} else {
  process.stdout.write(`${table.join('\n')}\n`);
}
rmSync(directory, { recursive: true });
