import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeClassifierArtefact } from '../../test/support/infer-fixtures.ts';
import { openScratchLog } from '../commit-log/embedded/scratch-log.ts';
import type { CommitLog } from '../commit-log/port.ts';
import { topicSpecs } from '../commit-log/topics.ts';
import { ManualClock } from '../kernel/clock.ts';
import {
  followReleases,
  promoteRelease,
  publishArtefact,
  readReleasedArtefact,
  readReleases,
  retireAlias,
  rollbackRelease,
} from './release.ts';

const clock = new ManualClock(1_700_000_000_000_000);
const note = { clock, by: 'test', comment: '' };
const [first, second, third] = [1, 2, 3].map((bound) => fakeClassifierArtefact(bound)) as [
  ReturnType<typeof fakeClassifierArtefact>,
  ReturnType<typeof fakeClassifierArtefact>,
  ReturnType<typeof fakeClassifierArtefact>,
];
const champion = { alias: 'champion' as const, ...note };

let log: CommitLog;
beforeEach(async () => {
  log = await openScratchLog({ clock });
  await log.ensureTopics(topicSpecs('t.', 2));
});
afterEach(() => log.close());

const championOf = async () => (await readReleases(log, 't.')).alias('ports', 'champion');

describe('models.v1', () => {
  it('is empty at first', async () => {
    expect((await readReleases(log, 't.')).isEmpty).toBe(true);
  });

  it('gives back what was published', async () => {
    await publishArtefact(log, 't.', first, champion);
    const catalogue = await readReleases(log, 't.');
    const release = catalogue.release('ports', first.manifest.version)!;
    expect(await readReleasedArtefact(log, 't.', release)).toEqual(first);
    expect(catalogue.aliases()).toMatchObject([
      { name: 'ports', alias: 'champion', version: first.manifest.version },
    ]);
  });

  it('holds a version once, however often it is published', async () => {
    await publishArtefact(log, 't.', first, champion);
    const { nextOffset } = await readReleases(log, 't.');
    await publishArtefact(log, 't.', first, champion);
    expect((await readReleases(log, 't.')).nextOffset).toBe(nextOffset);
  });

  it('promotes, and rolls back step by step', async () => {
    await publishArtefact(log, 't.', first, champion);
    await publishArtefact(log, 't.', second, { ...champion, alias: 'shadow' });
    await publishArtefact(log, 't.', third, { ...champion, alias: null });
    for (const { manifest } of [second, third]) {
      await promoteRelease(log, 't.', { name: 'ports', version: manifest.version, alias: 'champion' }, note);
    }
    expect(await championOf()).toMatchObject({
      version: third.manifest.version,
      formerVersions: [second.manifest.version, first.manifest.version],
    });
    expect(await rollbackRelease(log, 't.', 'ports', note)).toBe(second.manifest.version);
    expect(await rollbackRelease(log, 't.', 'ports', note)).toBe(first.manifest.version);
    await expect(rollbackRelease(log, 't.', 'ports', note)).rejects.toThrow(/no champion before/);
  });

  it('retires an alias', async () => {
    await publishArtefact(log, 't.', first, champion);
    await retireAlias(log, 't.', 'ports', 'champion', clock);
    expect(await championOf()).toBeUndefined();
    await expect(retireAlias(log, 't.', 'ports', 'champion', clock)).rejects.toThrow(/has no champion/);
  });

  it('says which versions there are when one is not', async () => {
    await publishArtefact(log, 't.', first, champion);
    const promote = (name: string) =>
      promoteRelease(log, 't.', { name, version: 'x', alias: 'champion' }, note);
    await expect(promote('ports')).rejects.toThrow(`its versions are ${first.manifest.version}`);
    await expect(promote('lines')).rejects.toThrow(/no model has that name/);
  });

  it('refuses damaged bytes when they are read', async () => {
    await publishArtefact(log, 't.', { ...first, onnx: Uint8Array.of(1) }, champion);
    const release = (await readReleases(log, 't.')).release('ports', first.manifest.version)!;
    await expect(readReleasedArtefact(log, 't.', release)).rejects.toThrow(
      /not the file its manifest was written for/,
    );
  });

  it('can be followed', async () => {
    await publishArtefact(log, 't.', first, champion);
    const stop = new AbortController();
    const seen: (string | undefined)[] = [];
    for await (const catalogue of followReleases(log, 't.', stop.signal)) {
      seen.push(catalogue.alias('ports', 'champion')?.version);
      if (seen.length === 1) await publishArtefact(log, 't.', second, champion);
      if (seen.at(-1) === second.manifest.version) stop.abort();
    }
    expect(seen.at(0)).toBe(first.manifest.version);
    expect(seen.at(-1)).toBe(second.manifest.version);
  });

  it('passes over records that are no release', async () => {
    await log.append([
      {
        topic: 't.models.v1',
        partition: 0,
        key: Buffer.from('model/x/1'),
        value: Buffer.from('?'),
        timestampMs: 0,
      },
    ]);
    expect(await readReleases(log, 't.')).toMatchObject({ isEmpty: true, unreadable: 1 });
  });
});
