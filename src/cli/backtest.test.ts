import { existsSync } from 'node:fs';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { syntheticHistory } from '../../test/support/forecast-series.ts';
import { systemClock } from '../kernel/clock.ts';
import { readArtefact } from '../model/artefact.ts';
import { createForecaster } from '../model/forecast/forecaster.ts';
import { backtestCommand } from './backtest.ts';
import type { Command } from './command.ts';
import { trainLstmCommand } from './train-lstm.ts';

const CORTEZ = join(import.meta.dirname, '../../../shared/data/cortez-isp/A1H.txt');

async function run(command: Command, args: string[]) {
  const stdout = new PassThrough();
  const code = await command.run(args, {
    stdout,
    stderr: new PassThrough().resume(),
    stdin: new PassThrough(),
    env: {},
    clock: systemClock(),
    signal: new AbortController().signal,
  });
  return { code, document: JSON.parse((stdout.read() as Buffer).toString()) };
}

async function seriesFile(): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'flowcast-')), 'link.csv');
  const { values } = syntheticHistory(42, 1);
  const rows = [...values].map((v, i) => `${new Date(Date.UTC(2024, 0, 1, i)).toISOString()},${v}`);
  await writeFile(path, `time,link\n${rows.join('\n')}\n`);
  return path;
}

describe('backtest', () => {
  it.each([['--horizon', '1'], ['--day-ahead']])('prints the document: %s', async (...horizon) => {
    const { code, document } = await run(backtestCommand, [
      '--series',
      `${await seriesFile()}:link`,
      ...horizon,
    ]);
    expect(code).toBe(0);
    expect(Object.keys(document).slice(0, 7)).toEqual([
      'series',
      'intervalSeconds',
      'train',
      'test',
      'horizon',
      'methods',
      'coverage80',
    ]);
    expect(document).toMatchObject({ series: 'link.csv:link', intervalSeconds: 3600, train: 806, test: 202 });
    for (const rival of ['persistence', 'daily', 'weekly']) {
      expect(document.methods.model.mape).toBeLessThan(document.methods[rival].mape);
    }
    // Noise of 5 % leaves a mean error of 4 %.
    expect(document.methods.model.mape).toBeLessThan(6);
    expect(document.coverage80).toBeGreaterThan(65);
  });

  it('takes parts by number, and two files', async () => {
    const file = await seriesFile();
    const numbered = await run(backtestCommand, [
      '--series',
      file,
      '--train',
      '806',
      '--test',
      '100',
      '--horizon',
      '1',
    ]);
    expect(numbered.document).toMatchObject({ train: 806, test: 100, forecasts: 100 });
    const text = (await readFile(file, 'utf8')).split('\n');
    await writeFile(`${file}.a.csv`, text.slice(0, 807).join('\n'));
    await writeFile(`${file}.b.csv`, [text[0], ...text.slice(807, 907)].join('\n'));
    const joined = await run(backtestCommand, [
      '--train',
      `${file}.a.csv:link`,
      '--test',
      `${file}.b.csv:link`,
      '--horizon',
      '1',
    ]);
    expect(joined.document.methods).toEqual(numbered.document.methods);
  });

  it.each([
    [['--horizon', '2', '--series', 'x'], /--horizon 1/],
    [['--horizon', '1'], /give a series/],
    [['--series', 'x', '--train', '5', '--horizon', '1'], /--train and --test together/],
    [['--series', 'x', '--trainer', 'magic'], /wasm or tfjs/],
  ])('refuses %j', async (args, message) => {
    await expect(run(backtestCommand, args)).rejects.toThrow(message);
  });

  it.skipIf(!existsSync(CORTEZ))('beats every naive method on hours of a real link', async () => {
    const { document } = await run(backtestCommand, [
      '--series',
      CORTEZ,
      '--interval',
      '1h',
      '--horizon',
      '1',
    ]);
    expect(document.periods).toEqual({ daily: 24, weekly: 165 });
    expect(document.methods.model.mape).toBeLessThan(4.5);
    expect(document.methods.persistence.mape).toBeGreaterThan(11);
  });
});

describe('train lstm', () => {
  it('writes a model that serves, the same bytes again for the same seed', async () => {
    const file = await seriesFile();
    const out = join(await mkdtemp(join(tmpdir(), 'flowcast-')), 'model');
    const train = (to: string) =>
      run(trainLstmCommand, ['--data', file, '--horizons', '1,2', '--out', to, '--seed', '3']);
    const { document } = await train(out);
    await train(`${out}2`);
    expect(await readFile(`${out}/model.onnx`)).toEqual(await readFile(`${out}2/model.onnx`));
    const artefact = await readArtefact(out);
    expect(artefact.manifest.version).toBe(document.version);
    const forecaster = await createForecaster(artefact);
    const [forecast] = await forecaster.forecast([syntheticHistory(42, 1)]);
    expect(forecast!.quantiles).toHaveLength(10);
    await forecaster.close();
  });
});
