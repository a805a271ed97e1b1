import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../kernel/clock.ts';
import { Random } from '../kernel/random.ts';
import type { Command } from './command.ts';
import { evaluateCommand } from './evaluate.ts';
import { trainTreeCommand } from './train-tree.ts';

let folder: string;
let table: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flowcast-train-'));
  table = join(folder, 'table.csv');
  const random = new Random(1);
  const lines = Array.from({ length: 600 }, () => {
    const scans = random.below(4) === 0;
    return `${scans ? 50 + random.below(100) : random.below(30)},${scans ? 'S0' : 'SF'},${scans ? 'scan' : 'normal'}`;
  });
  await writeFile(table, `ports,state,class\n${lines.join('\n')}\n`);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function call(command: Command, ...args: string[]): Promise<string> {
  const stdout = new PassThrough();
  const io = {
    stdout,
    stderr: new PassThrough().resume(),
    stdin: new PassThrough(),
    env: {},
    clock: new ManualClock(0),
    signal: new AbortController().signal,
  };
  expect(await command.run(args, io)).toBe(0);
  stdout.end();
  return text(stdout);
}

describe('train tree and evaluate on a table', () => {
  it('make a model that knows the table again, with the same bytes each time', async () => {
    const [first, second] = [join(folder, 'a'), join(folder, 'b')];
    for (const out of [first, second]) {
      await call(trainTreeCommand, '--table', table, '--label', 'class', '--out', out);
    }
    for (const file of ['model.onnx', 'manifest.json']) {
      expect(await readFile(join(first, file))).toEqual(await readFile(join(second, file)));
    }
    expect(await readFile(join(first, 'card.md'), 'utf8')).toContain('| scan |');
    const report = JSON.parse(
      await call(evaluateCommand, '--model', first, '--table', table, '--label', 'class'),
    );
    expect(report).toMatchObject({
      rows: 600,
      accuracy: 1,
      falseAlarmRate: 0,
      attackRecall: 1,
      unknownRate: 0,
    });
    expect(Object.keys(report.perClass)).toEqual(['normal', 'scan']);
  });

  it('refuse in one line what cannot work, and leave no model behind', async () => {
    const refused = async (message: RegExp, ...args: string[]) => {
      await expect(call(trainTreeCommand, ...args)).rejects.toThrow(message);
    };
    const out = join(folder, 'out');
    await refused(/say where the model goes/, '--table', table);
    await refused(/name the label column/, '--table', table, '--out', out);
    await refused(/no column colour/, '--table', table, '--label', 'colour', '--out', out);
    await refused(/cannot read .*nowhere/, '--table', join(folder, 'nowhere'), '--label', '1', '--out', out);
    await refused(/not empty and holds no model/, '--table', table, '--label', 'class', '--out', folder);
    await refused(
      /--trainer is cart or ml-cart/,
      '--table',
      table,
      '--label',
      'class',
      '--out',
      out,
      '--trainer',
      'x',
    );
    await refused(
      /either --data or --table/,
      '--table',
      table,
      '--label',
      'class',
      '--out',
      out,
      'flows.json',
    );
    expect(await readdir(folder)).toEqual(['table.csv']);
  });

  it('evaluate refuses the wrong kind of data for a model', async () => {
    const out = join(folder, 'model');
    await call(trainTreeCommand, '--table', table, '--label', 'class', '--out', out);
    await expect(call(evaluateCommand, '--model', out, '--data', table)).rejects.toThrow(
      'give --table FILE.csv',
    );
    await expect(call(evaluateCommand, '--model', folder, '--data', table)).rejects.toThrow(
      'has no manifest.json',
    );
  });
});
