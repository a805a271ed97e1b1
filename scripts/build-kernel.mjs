// Compiles the LSTM training kernel (AssemblyScript) to build/lstm-kernel.wasm; run by `npm ci` through "prepare".
// The path is the same distance from src/model/lstm and from dist/model/lstm, so that both find it.
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const sources = join(root, 'src/model/lstm/kernel');
const target = join(root, 'build/lstm-kernel.wasm');

function upToDate() {
  if (!existsSync(target)) return false;
  const built = statSync(target).mtimeMs;
  const inputs = readdirSync(sources).map((name) => join(sources, name));
  return [...inputs, fileURLToPath(import.meta.url)].every((path) => statSync(path).mtimeMs <= built);
}

async function compiler() {
  try {
    return (await import('assemblyscript/asc')).default;
  } catch {
    return null;
  }
}

async function build() {
  const asc = await compiler();
  if (!asc) {
    console.error('build-kernel: assemblyscript is not installed (production install); kernel not rebuilt');
    return;
  }
  mkdirSync(dirname(target), { recursive: true });
  const scratch = `${target}.${process.pid}`;
  const options = ['--runtime', 'stub', '--use', 'abort=', '--noAssert', '-O3', '--enable', 'simd'];
  const { error, stderr } = await asc.main([join(sources, 'index.ts'), '--outFile', scratch, ...options], {
    stdout: process.stderr,
  });
  if (error) {
    console.error(`build-kernel: ${error.message}\n${stderr?.toString() ?? ''}`);
    process.exitCode = 1;
    return;
  }
  // Renamed into place, so that a process that reads it meanwhile never sees half a module.
  renameSync(scratch, target);
}

if (existsSync(sources) && !upToDate()) await build();
