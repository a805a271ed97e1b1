import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openEmbeddedLog } from '../../src/commit-log/embedded/embedded-log.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { Random } from '../../src/kernel/random.ts';
import { pause, readValues } from './harness.ts';
import { expectedRunningSums, expectedWindowSums } from './processors.ts';

const CHILD = fileURLToPath(new URL('kill-child.ts', import.meta.url));
const COUNT = 3000;
const KILLS = 10;

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flowcast-kill-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

it('killed at random moments, gives what an undisturbed run gives', async () => {
  const random = new Random(20_240_607);
  let killedAtWork = 0;
  for (let i = 0; i < KILLS; i++) {
    const child = run();
    // Some die while they open the log, the others at work.
    const isEarly = i % 4 === 3;
    if (!isEarly) await saying(child, 'up');
    await pause(random.uniform() * (isEarly ? 300 : 120));
    if (child.exitCode === null && !isEarly) killedAtWork++;
    child.kill('SIGKILL');
    await ended(child);
  }
  const last = run();
  await saying(last, 'done');
  await ended(last);
  expect(killedAtWork).toBeGreaterThanOrEqual(4);

  const log = await openEmbeddedLog({ directory, clock: systemClock() });
  const [sums, windows] = [expectedRunningSums(COUNT), expectedWindowSums(COUNT)];
  expect(await readValues(log, 'sums')).toEqual({ 0: sums, 1: sums });
  expect(await readValues(log, 'windows')).toEqual({ 0: windows, 1: windows });
  await log.close();
}, 60_000);

it('refuses a second process, with one line that says what to do', async () => {
  const holder = await openEmbeddedLog({ directory, clock: systemClock() });
  const child = run();
  let stderr = '';
  child.stderr!.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  expect(await ended(child)).not.toBe(0);
  expect(stderr).toMatch(
    /the log in .* is in use by another process; stop that one, or choose another directory/,
  );
  await holder.close();
}, 30_000);

function run(): ChildProcess {
  return spawn(process.execPath, [CHILD, directory, String(COUNT)], { stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Resolves when the child has said the word; rejects when it dies before that. */
async function saying(child: ChildProcess, word: string): Promise<void> {
  let stderr = '';
  child.stderr!.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const said = new Promise<void>((resolve) => {
    child.stdout!.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes(word)) resolve();
    });
  });
  const died = once(child, 'exit').then(([code]) => {
    throw new Error(`the child ended with ${String(code)} before it said ${word}: ${stderr}`);
  });
  died.catch(() => {});
  await Promise.race([said, died]);
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}
