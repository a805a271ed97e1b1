import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Measurement } from './measure.ts';
import { performancePage } from './page.ts';

// `npm run bench [-- scenario … | -- --write-docs]`: each scenario in a process of its own, JSON lines on standard output.

const WRITE_DOCS = '--write-docs';
const directory = new URL('scenarios/', import.meta.url);
const all = readdirSync(directory).map((file) => file.replace(/\.ts$/, ''));
const asked = process.argv.slice(2).filter((argument) => argument !== WRITE_DOCS);
const writesDocs = process.argv.includes(WRITE_DOCS);
const unknown = asked.filter((name) => !all.includes(name));
if (unknown.length > 0) refuse(`unknown scenario ${unknown.join(', ')}; there are ${all.join(', ')}`);
if (writesDocs && asked.length > 0) refuse(`${WRITE_DOCS} writes the whole page: name no scenario`);

const measurements: Measurement[] = [];
let failed = false;
for (const name of asked.length > 0 ? asked : all) {
  process.stderr.write(`${name} …\n`);
  const { status, stdout } = spawnSync(process.execPath, [fileURLToPath(new URL(`${name}.ts`, directory))], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  process.stdout.write(stdout);
  for (const line of stdout.split('\n')) {
    if (line.startsWith('{')) measurements.push(JSON.parse(line) as Measurement);
  }
  failed ||= status !== 0;
}
if (writesDocs && !failed) {
  const machine = { cores: availableParallelism(), node: process.version, date: new Date() };
  writeFileSync(new URL('../docs/performance.md', import.meta.url), performancePage(measurements, machine));
}
process.exit(failed ? 1 : 0);

function refuse(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
