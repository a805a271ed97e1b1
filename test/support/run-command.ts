import { PassThrough, Readable } from 'node:stream';
import type { Command } from '../../src/cli/command.ts';
import { systemClock } from '../../src/kernel/clock.ts';

/** Runs a command in this process and gives what it wrote. */
export async function runCommand(
  command: Command,
  args: string[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const [out, err] = [collect(stdout), collect(stderr)];
  const code = await command.run(args, {
    stdout,
    stderr,
    stdin: Readable.from([]),
    env: { FLOWCAST_LOG_LEVEL: 'error' },
    clock: systemClock(),
    signal: new AbortController().signal,
  });
  stdout.end();
  stderr.end();
  return { code, stdout: await out, stderr: await err };
}

async function collect(stream: PassThrough): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
