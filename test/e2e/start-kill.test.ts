import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCodec, type RecordName } from '../../src/codec/avro.ts';
import { openEmbeddedLog } from '../../src/commit-log/embedded/embedded-log.ts';
import type { TopicName } from '../../src/commit-log/topics.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { Random } from '../../src/kernel/random.ts';

// The promise to whoever pulls the plug: `start` is killed (SIGKILL) at random moments and started again, and what is on the
// output topics in the end is what an undisturbed run leaves there, record for record.

const FLOWCAST = fileURLToPath(new URL('../../bin/flowcast.js', import.meta.url));
const KILLS = 20;
const directory = mkdtempSync(join(tmpdir(), 'flowcast-kill-'));
const input = join(directory, 'flows.bin');
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const flowcast = (...args: string[]) =>
  spawn(process.execPath, [FLOWCAST, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });

const start = (data: string) =>
  flowcast(
    'start',
    '--data',
    data,
    '--source',
    input,
    '--format',
    'goflow2',
    '--port',
    '0',
    '--until-end',
    '--set',
    'log.level=error',
  );

const ended = (child: ChildProcess) =>
  new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));

const OUTPUTS: [TopicName, RecordName][] = [
  ['late.v1', 'late-flow.v1'],
  ['features.link.v1', 'feature-batch.v1'],
  ['features.host.v1', 'feature-batch.v1'],
  ['forecasts.v1', 'forecast.v1'],
  ['classifications.v1', 'classification.v1'],
  ['quality.v1', 'quality.v1'],
];

/** Every output record of a log as text, sorted; the wall time of writing is left out, all else counts. */
async function outputsOf(data: string): Promise<Record<string, string[]>> {
  const log = await openEmbeddedLog({ directory: data, clock: systemClock() });
  const outputs: Record<string, string[]> = {};
  for (const [topic, name] of OUTPUTS) {
    const codec = createCodec(name);
    const lines: string[] = [];
    for await (const batch of log.read({ topic: `flowcast.${topic}`, from: 'earliest', until: 'end' })) {
      for (const record of batch)
        lines.push(JSON.stringify({ ...codec.decode(record.value!), emittedUs: 0 }));
    }
    outputs[topic] = lines.sort();
  }
  await log.close();
  return outputs;
}

describe('start, killed at random moments', () => {
  let expected: Record<string, string[]>;

  beforeAll(async () => {
    const simulate = flowcast(
      'simulate',
      '--scenario',
      'demo',
      '--seed',
      '7',
      '--start',
      '2026-01-05T08:00:00Z',
      '--duration',
      '40m',
      '--rate',
      '60',
      '--format',
      'goflow2',
      '--out',
      input,
    );
    expect(await ended(simulate)).toBe(0);
    const undisturbed = join(directory, 'undisturbed');
    expect(await ended(start(undisturbed))).toBe(0);
    expected = await outputsOf(undisturbed);
    expect(expected['forecasts.v1']!.length).toBeGreaterThan(50);
    expect(expected['classifications.v1']!.length).toBeGreaterThan(1000);
  }, 120_000);

  it(`leaves what an undisturbed run leaves, after ${KILLS} kills`, async () => {
    const data = join(directory, 'disturbed');
    const random = new Random(20);
    let killed = 0;
    for (let i = 0; i < KILLS; i++) {
      const child = start(data);
      const exit = ended(child);
      const timer = setTimeout(() => child.kill('SIGKILL'), 300 + random.below(2500));
      if ((await exit) === null) killed++;
      clearTimeout(timer);
    }
    expect(killed).toBeGreaterThan(0);
    expect(await ended(start(data))).toBe(0);
    const outputs = await outputsOf(data);
    for (const [topic] of OUTPUTS) expect(outputs[topic], topic).toEqual(expected[topic]);
  }, 300_000);
});
