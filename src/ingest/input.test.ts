import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { readInput } from './input.ts';

const directory = mkdtempSync(join(tmpdir(), 'flowcast-input-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, content: Uint8Array | string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

async function read(path: string, stdin: Readable = Readable.from([])): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of readInput(path, stdin)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const LARGE = 'line of a file\n'.repeat(100_000);

describe('readInput', () => {
  it('reads plain and gzipped files, told by their bytes and not by their name', async () => {
    expect(await read(file('plain.gz', LARGE))).toBe(LARGE);
    expect(await read(file('packed.csv', gzipSync(LARGE)))).toBe(LARGE);
    expect(await read(file('joined', Buffer.concat([gzipSync('a'), gzipSync('b')])))).toBe('ab');
    expect(await read(file('one-byte', 'x'))).toBe('x');
  });

  it('reads standard input, however small its pieces', async () => {
    const packed = gzipSync('hello');
    const pieces = [...packed].map((byte) => Buffer.from([byte]));
    expect(await read('-', Readable.from(pieces))).toBe('hello');
  });

  it.each([
    ['empty', '', /empty is empty$/],
    ['empty.gz', gzipSync(''), /is empty$/],
    ['cut.gz', gzipSync(LARGE).subarray(0, -20), /ends in the middle of its gzip data/],
    [
      'damaged.gz',
      Buffer.concat([gzipSync('a').subarray(0, 10), Buffer.alloc(50, 0xff)]),
      /damaged gzip data/,
    ],
  ])('%s is a person’s mistake, told in one line', async (name, content, message) => {
    await expect(read(file(name, content))).rejects.toMatchObject({
      disposition: 'usage',
      message: expect.stringMatching(message),
    });
  });

  it('missing files and directories too', async () => {
    await expect(read(join(directory, 'nope'))).rejects.toThrow(/there is no file .*nope/);
    await expect(read(directory)).rejects.toThrow(/is a directory/);
    await expect(read('-')).rejects.toThrow('standard input is empty');
  });
});
