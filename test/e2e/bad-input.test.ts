import { spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sealManifest } from '../../src/model/artefact.ts';
import type { Manifest } from '../../src/model/manifest.ts';

// A person's mistake gets one clear line and an exit code, never a stack trace and never something half written.

const FLOWCAST = fileURLToPath(new URL('../../bin/flowcast.js', import.meta.url));
const MODELS = fileURLToPath(new URL('../../models', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'flowcast-bad-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const path = (name: string) => join(directory, name);

const flowcast = (...args: string[]) =>
  spawnSync(process.execPath, [FLOWCAST, ...args], { encoding: 'utf8', timeout: 60_000 });

beforeAll(() => {
  writeFileSync(path('empty'), '');
  writeFileSync(path('cut.gz'), gzipSync(Buffer.alloc(100_000, 'flow,record\n')).subarray(0, 80));
  writeFileSync(
    path('noise'),
    Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7919 + (i >> 3) * 31) & 0xff)),
  );
  writeFileSync(
    path('prose'),
    'It was a bright cold day in April,\nand the clocks were striking thirteen.\n',
  );
  writeFileSync(path('flow.json'), '{"type":"IPFIX","time_received_ns":1767225600000000000,"bytes":1}\n');
  mkdirSync(path('broken-log'));
  writeFileSync(path('a-file'), 'x');
  cpSync(join(MODELS, 'host-classifier'), path('damaged'), { recursive: true });
  truncateSync(join(path('damaged'), 'model.onnx'), 1000);
  writeForeignModel(path('foreign'));
});

/** The bundled classifier, sealed again as if it had been trained on features that nobody computes. */
function writeForeignModel(folder: string): void {
  const manifest = JSON.parse(
    readFileSync(join(MODELS, 'host-classifier/manifest.json'), 'utf8'),
  ) as Manifest;
  const onnx = readFileSync(join(MODELS, 'host-classifier/model.onnx'));
  const features = manifest.featureSet.features.map((feature, i) =>
    i === 0 ? { ...feature, name: 'foreign' } : feature,
  );
  const sealed = sealManifest(
    { ...manifest, name: 'foreign', featureSet: { ...manifest.featureSet, features } },
    onnx,
  );
  mkdirSync(folder);
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(sealed));
  writeFileSync(join(folder, 'model.onnx'), onnx);
  writeFileSync(join(folder, 'card.md'), '');
}

describe('every command says what is wrong in one line', () => {
  it.each<[name: string, args: string[], message: RegExp]>([
    ['no command', ['fly'], /unknown command fly/],
    ['an unknown flag', ['decode', '--bogus', 'x'], /bogus/],
    ['a missing file', ['decode', path('nowhere')], /nowhere/],
    ['an empty file', ['decode', path('empty')], /empty/],
    ['a truncated gzip', ['decode', path('cut.gz')], /cut\.gz/],
    ['random bytes', ['decode', path('noise')], /noise .*format/],
    ['a text file', ['decode', path('prose')], /prose .*format/],
    ['a wrong format name', ['decode', '--format', 'netfluw', path('flow.json')], /netfluw.*goflow2/],
    [
      'an unknown config key',
      ['config', 'check', '--set', 'ingest.fedes=[]'],
      /unknown configuration key ingest\.fedes/,
    ],
    ['a bad config value', ['config', 'check', '--set', 'http.port=abc'], /http\.port/],
    ['an unwritable directory', ['replay', path('flow.json'), '--out', path('a-file')], /a-file/],
    ['an unwritable log', ['topics', 'create', '--data', path('a-file')], /a-file/],
    ['no model', ['evaluate', '--model', path('nowhere'), '--data', path('flow.json')], /nowhere/],
    [
      'training without labels',
      ['train', 'tree', '--data', path('flow.json'), '--out', path('model')],
      /label/,
    ],
    ['a series that is none', ['backtest', '--series', path('prose'), '--horizon', '1'], /prose/],
    [
      'a model for other features',
      ['replay', path('flow.json'), '--out', path('o'), '--model', path('foreign')],
      /foreign.*feature/,
    ],
    [
      'a damaged model',
      ['replay', path('flow.json'), '--out', path('o'), '--model', path('damaged')],
      /damaged/,
    ],
    [
      'a window that is none',
      ['replay', path('flow.json'), '--out', path('o'), '--window', 'long'],
      /--window/,
    ],
  ])(
    '%s',
    (_name, args, message) => {
      const { status, stderr } = flowcast(...args);
      expect(stderr.trim().split('\n').at(-1)).toMatch(message);
      expect(stderr).not.toMatch(/^\s+at /m);
      expect(status).toBeGreaterThan(0);
    },
    60_000,
  );

  it('leaves no half-written model', () => {
    expect(existsSync(path('model'))).toBe(false);
  });
});

describe('start', () => {
  it('says that the port is taken', async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
    });
    const { status, stderr } = await run('start', '--data', path('log-1'), '--port', String(port));
    server.close();
    expect(stderr).toMatch(new RegExp(`port ${port} .*in use.*--port`));
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(status).toBe(2);
  }, 60_000);

  it('refuses a second process on the same directory', async () => {
    const data = path('log-2');
    const first = spawn(
      process.execPath,
      [FLOWCAST, 'start', '--data', data, '--port', '0', '--history', '1h'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await new Promise((resolve) => first.stdout.once('data', resolve));
    const { status, stderr } = flowcast('topics', 'check', '--data', data);
    first.kill('SIGTERM');
    expect(await new Promise((resolve) => first.once('exit', resolve))).toBe(0);
    expect(stderr).toMatch(/log-2/);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(status).toBeGreaterThan(0);
  }, 60_000);

  it('says that the log is damaged', () => {
    const data = path('log-3');
    expect(flowcast('topics', 'create', '--data', data).status).toBe(0);
    writeFileSync(join(data, existsSync(join(data, 'CURRENT')) ? 'CURRENT' : 'db/CURRENT'), 'garbage');
    const { status, stderr } = flowcast('topics', 'check', '--data', data);
    expect(stderr).toMatch(/log-3/);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(status).toBeGreaterThan(0);
  }, 60_000);
});

function run(...args: string[]): Promise<{ status: number | null; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [FLOWCAST, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.once('exit', (status) => resolve({ status, stderr }));
  });
}
