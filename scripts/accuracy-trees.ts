import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { EvaluationReport } from '../src/model/evaluation.ts';

// `npm run accuracy:trees`: trains and evaluates classifiers on the public data sets in ../shared/data and writes the table of docs/accuracy.md.

const FLOWCAST = fileURLToPath(new URL('../bin/flowcast.js', import.meta.url));
const DATA = fileURLToPath(new URL('../../shared/data/', import.meta.url));
const PAGE = fileURLToPath(new URL('../docs/accuracy.md', import.meta.url));
const [BEGIN, END] = ['<!-- classifiers: begin -->', '<!-- classifiers: end -->'];
const directory = mkdtempSync(join(tmpdir(), 'flowcast-accuracy-'));

interface Trial {
  readonly name: string;
  readonly train: readonly string[];
  readonly test: readonly string[];
  readonly featureSet?: 'flow' | 'host';
}

function flowcast(args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [FLOWCAST, ...args], {
    encoding: 'utf8',
    maxBuffer: 1e8,
  });
  if (status !== 0) throw new Error(`flowcast ${args.join(' ')}: ${stderr}`);
  return stdout;
}

function run({ train, test, featureSet = 'flow' }: Trial): EvaluationReport {
  const model = join(directory, 'model');
  flowcast(['train', 'tree', '--data', ...train, '--feature-set', featureSet, '--out', model]);
  return JSON.parse(flowcast(['evaluate', '--model', model, '--data', ...test])) as EvaluationReport;
}

const luflow = (...days: string[]) => days.map((day) => join(DATA, 'luflow', `2020.${day}.csv.gz`));

const IOT23 = [
  'CTU-Honeypot-Capture-4-1.conn.log.labeled',
  'CTU-IoT-Malware-Capture-8-1.conn.log.labeled.csv.gz',
  'CTU-IoT-Malware-Capture-20-1.conn.log.labeled.csv.gz',
  'CTU-IoT-Malware-Capture-34-1.conn.log.labeled.gz',
].map((file) => join(DATA, 'iot23', file));

/** The first two thirds of a capture point by time, and the last one. */
function westermo(point: string): { train: string[]; test: string[] } {
  const lines = gunzipSync(readFileSync(join(DATA, `westermo/output_${point}.first3335s.csv.gz`)))
    .toString('utf8')
    .trim()
    .split('\n');
  const header = lines[0]!;
  const column = header.split(',').indexOf('end');
  const rows = lines.slice(1).sort((a, b) => Number(a.split(',')[column]) - Number(b.split(',')[column]));
  const times = rows.map((row) => Number(row.split(',')[column]));
  const cut = times[0]! + ((times.at(-1)! - times[0]!) * 2) / 3;
  const files = (['train', 'test'] as const).map((part) => {
    const file = join(directory, `westermo-${point}-${part}.csv`);
    const chosen = rows.filter((_, i) => times[i]! < cut === (part === 'train'));
    writeFileSync(file, `${[header, ...chosen].join('\n')}\n`);
    return file;
  });
  return { train: [files[0]!], test: [files[1]!] };
}

function trials(): Trial[] {
  return [
    {
      name: 'luflow: seven earlier days → 12.23, 12.24, 12.26 (benign only)',
      train: luflow('07.08', '07.09', '12.16', '12.17', '12.18', '12.21', '12.22'),
      test: luflow('12.23', '12.24', '12.26'),
    },
    {
      name: 'luflow: five earlier days → 12.21',
      train: luflow('07.08', '07.09', '12.16', '12.17', '12.18'),
      test: luflow('12.21'),
    },
    { name: 'luflow: July → 12.16', train: luflow('07.08', '07.09'), test: luflow('12.16') },
    { name: 'luflow: July → 12.21', train: luflow('07.08', '07.09'), test: luflow('12.21') },
    ...(['flow', 'host'] as const).flatMap((featureSet) =>
      IOT23.map((file) => ({
        name: `iot23, ${featureSet}: three captures → ${/Capture-(\d+-\d+)/.exec(file)![1]}`,
        train: IOT23.filter((other) => other !== file),
        test: [file],
        featureSet,
      })),
    ),
    ...['left', 'right', 'bottom'].map((point) => ({
      name: `westermo ${point}: first two thirds → last third`,
      ...westermo(point),
    })),
  ];
}

function row(name: string, report: EvaluationReport): string {
  const percent = (share: number | null) => (share === null ? '–' : `${(100 * share).toFixed(2)} %`);
  const classes = Object.entries(report.perClass)
    .filter(([, score]) => score.support > 0)
    .map(([label, score]) => `${label} ${score.f1.toFixed(3)}`);
  return `| ${name} | ${report.rows} | ${percent(report.falseAlarmRate)} | ${percent(report.attackRecall)} | ${percent(report.unknownRate)} | ${classes.join(', ')} |`;
}

try {
  if (!existsSync(DATA)) throw new Error('the public data sets are not in ../shared/data');
  const rows = trials().map((trial) => {
    process.stderr.write(`${trial.name}\n`);
    return row(trial.name, run(trial));
  });
  const table = [
    '| trained on → tested on | rows | false alarms | attack recall | unknown | F1 of each class |',
    '|---|---:|---:|---:|---:|---|',
    ...rows,
  ];
  const page = readFileSync(PAGE, 'utf8');
  const [before, after] = [page.split(BEGIN)[0]!, page.split(END)[1]!];
  writeFileSync(PAGE, `${before}${BEGIN}\n${table.join('\n')}\n${END}${after}`);
} finally {
  rmSync(directory, { recursive: true });
}
