import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../kernel/clock.ts';
import { simulateCommand } from './simulate.ts';

async function run(...args: string[]): Promise<{ code: number; stdout: Buffer; stderr: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const collected = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  stdout.on('data', (chunk) => collected.stdout.push(chunk));
  stderr.on('data', (chunk) => collected.stderr.push(chunk));
  const io = {
    stdout,
    stderr,
    stdin: new PassThrough(),
    env: {},
    clock: new ManualClock(0),
    signal: new AbortController().signal,
  };
  const code = await simulateCommand.run(args, io);
  return {
    code,
    stdout: Buffer.concat(collected.stdout),
    stderr: Buffer.concat(collected.stderr).toString(),
  };
}

describe('simulate', () => {
  it('writes labelled flows as lines and says what it wrote', async () => {
    const { code, stdout, stderr } = await run('--duration', '5m', '--seed', '3');
    const lines = stdout
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const summary = JSON.parse(stderr.trimEnd().split('\n').at(-1)!);
    expect(code).toBe(0);
    expect(summary.flows).toBe(lines.length);
    expect(summary.bytes).toBe(stdout.length);
    expect(summary.labels.benign).toBe(lines.filter(({ label }) => label === 'benign').length);
    const startUs = Date.parse('2026-01-05T00:00:00Z') * 1000;
    expect(lines.every(({ receivedUs }) => receivedUs >= startUs && receivedUs < startUs + 300e6)).toBe(true);
  });

  it('gives the same bytes for the same options, and compresses them', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'simulate-')), 'flows.bin.gz');
    const options = ['--duration', '2m', '--format', 'goflow2', '--rate', '50'];
    const { stdout } = await run(...options);
    await run(...options, '--out', file);
    expect(gunzipSync(readFileSync(file)).equals(stdout)).toBe(true);
  });

  it.each([
    [['--format', 'morse'], /cannot write "morse"; use goflow2/],
    [['--scenario', 'quiet'], /no scenario "quiet"; use demo/],
    [['--duration', 'soon'], /--duration takes a duration/],
    [['--speed', 'fast'], /--speed takes max, realtime or a factor/],
    [['--start', 'yesterday'], /--start takes a date/],
    [['--rate', '0'], /--rate takes a number/],
    [['--out', '/nowhere/at/all.json', '--duration', '1s'], /cannot write \/nowhere\/at\/all.json/],
  ])('refuses %j in one clear line', async (args, message) => {
    await expect(run(...args)).rejects.toThrow(message);
    await expect(run(...args)).rejects.toMatchObject({ disposition: 'usage' });
  });
});
