import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Makes the bundled models again from the simulator: `npm run models`. The same code gives the same bytes.

const FLOWCAST = fileURLToPath(new URL('../bin/flowcast.js', import.meta.url));
const MODELS = fileURLToPath(new URL('../models/', import.meta.url));
// The commands run in here, so that the cards show file names that say what they are, and no path of a machine.
const directory = mkdtempSync(join(tmpdir(), 'flowcast-models-'));

function flowcast(...args: string[]): void {
  process.stderr.write(`flowcast ${args.join(' ')}\n`);
  const { status } = spawnSync(process.execPath, [FLOWCAST, ...args], { cwd: directory, stdio: 'inherit' });
  if (status !== 0) throw new Error(`flowcast ${args[0]} failed`);
}

function install(name: string): void {
  rmSync(join(MODELS, name), { recursive: true, force: true });
  cpSync(join(directory, name), join(MODELS, name), { recursive: true });
}

/** Nine days of background traffic on the links of a demo network. */
function trainForecaster(name: string): void {
  const file = 'simulated-demo-background-seed-21.bin';
  const simulation = [
    '--scenario',
    'demo',
    '--background',
    '--seed',
    '21',
    '--duration',
    '9d',
    '--rate',
    '1',
  ];
  flowcast('simulate', ...simulation, '--format', 'goflow2', '--out', file);
  flowcast(
    'train',
    'lstm',
    '--data',
    file,
    '--window',
    '1m',
    '--horizons',
    '1,5,15,60',
    '--name',
    name,
    '--out',
    name,
  );
  install(name);
}

/** Half an hour of each of five networks, at five times of the week, with every kind of attack among harmless look-alikes. */
function trainClassifier(name: string): void {
  const starts = [
    '2026-01-05T08:00:00Z',
    '2026-01-07T20:00:00Z',
    '2026-01-10T03:00:00Z',
    '2026-01-13T13:00:00Z',
    '2026-01-16T17:00:00Z',
  ];
  const files = starts.map((start, i) => {
    const file = `simulated-training-seed-${31 + i}.json.gz`;
    const simulation = [
      '--scenario',
      'training',
      '--seed',
      `${31 + i}`,
      '--start',
      start,
      '--duration',
      '30m',
      '--rate',
      '40',
    ];
    flowcast('simulate', ...simulation, '--out', file);
    return file;
  });
  const data = files.flatMap((file) => ['--data', file]);
  flowcast(
    'train',
    'tree',
    ...data,
    '--feature-set',
    'host',
    '--window',
    '1m',
    '--name',
    name,
    '--out',
    name,
  );
  install(name);
}

try {
  trainForecaster('link-forecaster');
  trainClassifier('host-classifier');
} finally {
  rmSync(directory, { recursive: true });
}
