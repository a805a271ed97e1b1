import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeClassifierArtefact } from '../../test/support/infer-fixtures.ts';
import { openScratchLog } from '../commit-log/embedded/scratch-log.ts';
import type { CommitLog } from '../commit-log/port.ts';
import { ManualClock } from '../kernel/clock.ts';
import { readArtefact, writeArtefact } from '../model/artefact.ts';
import type { Manifest } from '../model/manifest.ts';
import { declaredFeatureSet } from './labelled-flows.ts';
import { createModelsCommand } from './models.ts';

const clock = new ManualClock(1_700_000_000_000_000);
const HOST_SET = structuredClone(declaredFeatureSet('host')) as Manifest['featureSet'];
const artefacts = [1, 2].map((bound) => fakeClassifierArtefact(bound, { featureSet: HOST_SET }));
const [first, second] = artefacts.map(({ manifest }) => manifest.version);

let log: CommitLog;
let directory: string;
const folder = (name: string) => join(directory, name);

beforeEach(async () => {
  log = await openScratchLog({ clock });
  directory = mkdtempSync(join(tmpdir(), 'flowcast-models-'));
  for (const [i, artefact] of artefacts.entries()) await writeArtefact(folder(String(i)), artefact, '# card');
});
afterEach(async () => {
  await log.close();
  rmSync(directory, { recursive: true });
});

/** Runs `flowcast models …` on the one log and gives the lines of its standard output. */
async function models(...args: string[]): Promise<unknown[]> {
  const stdout = new PassThrough();
  const command = createModelsCommand(async () => ({ ...log, close: async () => {} }));
  await command.run(args, {
    stdout,
    stderr: new PassThrough(),
    stdin: Readable.from([]),
    env: { USER: 'ada' },
    clock,
    signal: new AbortController().signal,
  });
  const text = String(stdout.read() ?? '');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

describe('flowcast models', () => {
  it('refuses a model made for other features', async () => {
    await writeArtefact(folder('foreign'), fakeClassifierArtefact(3), '# card');
    await expect(models('publish', folder('foreign'))).rejects.toThrow(/feature/);
  });

  it('publishes, promotes, lists and rolls back', async () => {
    expect(await models('list')).toEqual([]);
    expect(await models('publish', folder('0'), '--alias', 'champion')).toEqual([
      { name: 'ports', version: first, alias: 'champion' },
    ]);
    await models('publish', folder('1'), '--comment', 'sharper');
    await models('promote', 'ports', second!);
    expect(await models('list')).toMatchObject([
      { name: 'ports', version: first, aliases: [], publishedBy: 'ada' },
      { name: 'ports', version: second, aliases: ['champion'], comment: 'sharper' },
    ]);
    expect(await models('rollback', 'ports')).toEqual([{ name: 'ports', version: first, alias: 'champion' }]);
    await models('promote', 'ports', second!, '--alias', 'shadow');
    expect(await models('show', 'ports')).toMatchObject([
      {
        version: first,
        manifest: { name: 'ports', kind: 'classifier' },
        history: [
          { alias: 'champion', version: first },
          { alias: 'shadow', version: second },
        ],
      },
    ]);
    await models('retire', 'ports');
    await expect(models('show', 'ports')).rejects.toThrow(/ports has no champion/);
  });

  it('exports what was published', async () => {
    await models('publish', folder('1'));
    await models('export', 'ports', second!, '--out', folder('out'));
    expect(await readArtefact(folder('out'))).toEqual(artefacts[1]);
  });

  it.each([
    [['frobnicate'], /list\|show\|publish/],
    [[], /say what to do/],
    [['promote', 'ports'], /wrong number of arguments/],
    [['publish', 'x', '--alias', 'best'], /champion or shadow/],
    [['publish', '/nonexistent'], /is not a model folder/],
    [['promote', 'ports', 'x'], /there is no ports x/],
    [['show', 'ports', 'x'], /there is no ports x/],
    [['export', 'ports', 'x'], /--out DIR/],
    [['rollback', 'ports'], /has no champion/],
  ])('says what is wrong with %j', async (args, message) => {
    await expect(models(...args)).rejects.toThrow(message);
  });
});
