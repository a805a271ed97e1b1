import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

// Who may import whom (docs/architecture.md). Cycles are Biome's to refuse (noImportCycles); this is the direction.

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.startsWith(join('model', 'lstm', 'kernel')))
  .map((file) => join('src', file));
const production = sources.filter((file) => !file.endsWith('.test.ts'));

interface Import {
  readonly from: string;
  readonly target: string;
}

const importsOf = (file: string): Import[] => {
  const text = readFileSync(join(root, file), 'utf8');
  const specifiers = [
    ...text.matchAll(
      /(?:^|\n)\s*(?:import|export)\b[^;'"]*?from\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)import\s+['"]([^'"]+)['"]/g,
    ),
  ];
  return specifiers.map((match) => {
    const specifier = (match[1] ?? match[2] ?? match[3])!;
    const target = specifier.startsWith('.')
      ? relative(root, resolve(join(root, dirname(file)), specifier))
      : specifier;
    return { from: file, target };
  });
};
const imports = production.flatMap(importsOf);

/** A file's room: its folder below src. */
const roomOf = (file: string) => file.split('/')[1]!.replace(/\.ts$/, '');

const FOUNDATION = ['kernel'];
const MIDDLE = [...FOUNDATION, 'flow', 'codec', 'commit-log', 'telemetry', 'model'];
const MAY_IMPORT: Record<string, readonly string[]> = {
  kernel: [],
  flow: ['kernel'],
  telemetry: ['kernel'],
  codec: ['kernel', 'flow'],
  model: ['kernel', 'flow'],
  // The drivers log and count; the port itself imports nothing (see below).
  'commit-log': ['kernel', 'telemetry'],
  release: MIDDLE,
  simulate: ['kernel', 'flow'],
  ingest: [...MIDDLE],
  preprocess: [...MIDDLE],
  infer: [...MIDDLE, 'release'],
  api: [...MIDDLE, 'release'],
  config: ['kernel', 'commit-log', 'ingest', 'preprocess', 'infer', 'api', 'simulate'],
};

const ONLY_IN: Record<string, RegExp> = {
  kafkajs: /^src\/commit-log\/kafka\//,
  'classic-level': /^src\/commit-log\/embedded\//,
  'onnxruntime-node': /^src\/model\/runtime/,
  fastify: /^src\/api\//,
  'prom-client': /^src\/telemetry\//,
  pino: /^src\/telemetry\//,
  avsc: /^src\/codec\//,
};

describe('the import rules', () => {
  it('looked at the program', () => {
    expect(production.length).toBeGreaterThan(60);
    expect(imports.length).toBeGreaterThan(200);
  });

  it('know every room', () => {
    const rooms = new Set(production.map(roomOf));
    rooms.delete('main');
    rooms.delete('cli');
    expect([...rooms].filter((room) => !(room in MAY_IMPORT))).toEqual([]);
  });

  it('hold between rooms', () => {
    const breaches = imports.filter(({ from, target }) => {
      if (!target.startsWith('src/') || roomOf(from) === 'cli' || roomOf(from) === 'main') return false;
      const [here, there] = [roomOf(from), roomOf(target)];
      return here !== there && !MAY_IMPORT[here]!.includes(there);
    });
    expect(breaches).toEqual([]);
  });

  it('let only the configuration and the commands reach into a driver', () => {
    const breaches = imports.filter(
      ({ from, target }) =>
        /^src\/commit-log\/(embedded|kafka)\//.test(target) &&
        roomOf(from) !== 'cli' &&
        !(roomOf(from) === 'config' && target.endsWith('/config.ts')) &&
        dirname(from) !== dirname(target) &&
        !dirname(from).startsWith(dirname(target)),
    );
    expect(breaches).toEqual([]);
  });

  it('let the configuration import only config.ts of a stage', () => {
    const breaches = imports.filter(
      ({ from, target }) =>
        roomOf(from) === 'config' &&
        target.startsWith('src/') &&
        !['config', 'kernel'].includes(roomOf(target)) &&
        !target.endsWith('/config.ts'),
    );
    expect(breaches).toEqual([]);
  });

  it.each(Object.entries(ONLY_IN))('keep %s in its room', (name, room) => {
    const users = imports.filter(({ target }) => target === name || target.startsWith(`${name}/`));
    expect(users.filter(({ from }) => !room.test(from))).toEqual([]);
  });
});

describe('the house', () => {
  it('has no dead file: each is imported, or starts the program', () => {
    const reached = new Set(imports.map(({ target }) => target));
    const entrances = ['src/main.ts'];
    expect(production.filter((file) => !reached.has(file) && !entrances.includes(file))).toEqual([]);
  });

  it('keeps files readable in one sitting', () => {
    const linesMax = 400;
    const long = sources.filter(
      (file) => readFileSync(join(root, file), 'utf8').split('\n').length > linesMax,
    );
    expect(long).toEqual([]);
  });

  it('reads time, chance and environment only where they enter', () => {
    const allowed = /^src\/(config|cli)\/|^src\/kernel\/clock\.ts$|^src\/main\.ts$/;
    const forbidden = /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bprocess\.env\b|\bperformance\.now\(/;
    // The page is a script for the browser, which has its own clock.
    const offenders = production.filter(
      (file) =>
        !allowed.test(file) &&
        !/^src\/(console\/|api\/first-page)/.test(file) &&
        forbidden.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(offenders).toEqual([]);
  });

  it('has no barrel file', () => {
    expect(sources.filter((file) => /(^|\/)index\.ts$/.test(file))).toEqual([]);
  });
});
