#!/usr/bin/env node
// Finds a Node that is new enough (the optional node-* packages bring one) and the program: src/ in a checkout, dist/ when installed.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR_MIN = 24;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');

if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR_MIN) {
  // Under an older Node's launcher: end with it, so that a killed launcher leaves nobody behind.
  if (process.channel) {
    process.on('disconnect', () => process.exit(1));
    process.channel.unref();
  }
  const inCheckout = existsSync(join(root, 'src/main.ts')) && !root.split(/[\\/]/).includes('node_modules');
  await import(inCheckout ? '../src/main.ts' : '../dist/main.js');
} else {
  const node = findNode();
  if (!node) {
    console.error(
      `flowcast needs Node ${NODE_MAJOR_MIN} or later, this is ${process.version}. Run "npm ci" (it brings one for most platforms) or install Node ${NODE_MAJOR_MIN}.`,
    );
    process.exit(1);
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(signal ? 128 : (code ?? 1)));
}

function findNode() {
  const require = createRequire(join(root, 'package.json'));
  const { platform, arch } = process;
  for (const name of [
    `node-${platform === 'win32' ? 'win' : platform}-${arch}`,
    `node-bin-${platform}-${arch}`,
  ]) {
    try {
      const folder = dirname(require.resolve(`${name}/package.json`));
      const binary = join(folder, 'bin', platform === 'win32' ? 'node.exe' : 'node');
      if (existsSync(binary)) return binary;
    } catch {
      // not installed for this platform
    }
  }
  return null;
}
