import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../kernel/clock.ts';
import type { CommitLog } from '../port.ts';
import { openEmbeddedLog } from './embedded-log.ts';

let directory = '';
const logs: CommitLog[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flowcast-store-'));
});
afterEach(async () => {
  for (const log of logs.splice(0)) await log.close();
  await rm(directory, { recursive: true, force: true });
});

async function open(at: string): Promise<CommitLog> {
  const log = await openEmbeddedLog({ directory: at, clock: systemClock(), fsync: 'never' });
  logs.push(log);
  return log;
}

/** A directory with a log that has some data in table files. */
async function filledLog(): Promise<string> {
  const at = join(directory, 'log');
  const log = await openEmbeddedLog({ directory: at, clock: systemClock(), fsync: 'never', tailBytesMax: 0 });
  await log.ensureTopics([{ name: 't', partitions: 1, cleanup: 'delete' }]);
  const value = Buffer.from('the value of a record, long enough to be found again');
  for (let i = 0; i < 20; i++) {
    await log.append(
      Array.from({ length: 10 }, () => ({ topic: 't', partition: 0, key: null, value, timestampMs: i })),
    );
  }
  await log.close();
  return at;
}

/** What everyone sees: one line, that says what to do. */
const refusal = (code: string, disposition: string, message: RegExp) =>
  expect.objectContaining({ code, disposition, message: expect.stringMatching(message) });

describe('opening a log', () => {
  it('makes the directory and its parents', async () => {
    const at = join(directory, 'a', 'b', 'log');
    await open(at);
    expect(await readdir(at)).toContain('CURRENT');
  });

  it('refuses a directory in use', async () => {
    await open(directory);
    await expect(open(directory)).rejects.toEqual(refusal('log_locked', 'usage', /in use.*--data DIR$/));
  });

  it('refuses a file, a directory that cannot be, and one with other things in it', async () => {
    const file = join(directory, 'file');
    await writeFile(file, 'text');
    const unwritable = /^cannot keep the log in .*--data DIR$/;
    await expect(open(file)).rejects.toEqual(refusal('log_directory', 'usage', unwritable));
    await expect(open(join(file, 'below'))).rejects.toEqual(refusal('log_directory', 'usage', unwritable));
    await expect(open(directory)).rejects.toEqual(
      refusal('log_directory', 'usage', /something else.*file.*--data DIR$/),
    );
  });

  it('refuses a directory that the system does not let it make', async ({ skip }) => {
    if (process.platform !== 'linux') skip('needs /proc');
    await expect(open('/proc/flowcast/log')).rejects.toEqual(
      refusal('log_directory', 'usage', /--data DIR$/),
    );
  });

  it.each(['CURRENT', 'MANIFEST'])('refuses a damaged %s', async (prefix) => {
    const at = await filledLog();
    const name = (await readdir(at)).find((file) => file.startsWith(prefix))!;
    await writeFile(join(at, name), 'damaged, as a torn disk leaves it');
    await expect(open(at)).rejects.toEqual(
      refusal('log_corrupt', 'fatal', /is damaged .*move the directory away/),
    );
  });

  it('refuses a damaged write-ahead log, and goes on refusing it', async () => {
    const at = await filledLog();
    const file = join(at, (await readdir(at)).find((name) => name.endsWith('.log'))!);
    const bytes = await readFile(file);
    await writeFile(file, bytes.fill(7, 2000, 2050));
    await expect(open(at)).rejects.toEqual(
      refusal('log_corrupt', 'fatal', /is damaged .*move the directory away/),
    );
    await expect(open(at)).rejects.toEqual(
      refusal('log_corrupt', 'fatal', /is damaged .*move the directory away/),
    );
  });

  it('takes a write-ahead log that ends short, as a killed process leaves it', async () => {
    const at = await filledLog();
    const file = join(at, (await readdir(at)).find((name) => name.endsWith('.log'))!);
    const bytes = await readFile(file);
    await writeFile(file, bytes.subarray(0, -100));
    const log = await open(at);
    const offsets: number[] = [];
    for await (const batch of log.read({ topic: 't', from: 'earliest', until: 'end' })) {
      offsets.push(...batch.map(({ offset }) => offset));
    }
    expect(offsets).toEqual(Array.from({ length: offsets.length }, (_, i) => i));
    expect(offsets.length).toBeGreaterThan(150);
  });

  it('refuses a log of another format', async () => {
    const at = await filledLog();
    const { openStore } = await import('./store.ts');
    const { FORMAT_KEY } = await import('./keys.ts');
    const store = await openStore(at);
    await store.write([{ type: 'put', key: FORMAT_KEY, value: Buffer.from('99') }], true);
    await store.close();
    await expect(open(at)).rejects.toEqual(refusal('log_format', 'usage', /format 99/));
  });
});

describe('reading a damaged log', () => {
  it('tells of a changed byte instead of giving a wrong record', async () => {
    const at = await filledLog();
    // Opening moves what is in the write-ahead log into a table file.
    await (await openEmbeddedLog({ directory: at, clock: systemClock() })).close();
    const table = (await readdir(at)).find((file) => file.endsWith('.ldb'))!;
    const bytes = await readFile(join(at, table));
    const found = bytes.indexOf('long enough to be found');
    expect(found).toBeGreaterThan(0);
    bytes[found]! ^= 1;
    await writeFile(join(at, table), bytes);
    const log = await open(at);
    const read = async () => {
      for await (const _ of log.read({ topic: 't', from: 'earliest', until: 'end' }));
    };
    await expect(read()).rejects.toEqual(refusal('log_corrupt', 'fatal', /damaged/));
  });
});
