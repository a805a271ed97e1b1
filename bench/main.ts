import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// `npm run bench [scenario …]`: each scenario in a process of its own, JSON lines on standard output.

const directory = new URL('scenarios/', import.meta.url);
const all = readdirSync(directory).map((file) => file.replace(/\.ts$/, ''));
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`unknown scenario ${unknown.join(', ')}; there are ${all.join(', ')}\n`);
  process.exit(2);
}
let failed = false;
for (const name of asked.length > 0 ? asked : all) {
  process.stderr.write(`${name} …\n`);
  const { status } = spawnSync(process.execPath, [fileURLToPath(new URL(`${name}.ts`, directory))], {
    stdio: 'inherit',
  });
  failed ||= status !== 0;
}
process.exit(failed ? 1 : 0);
