import { systemClock } from '../kernel/clock.ts';
import { FlowcastError, messageOf } from '../kernel/errors.ts';
import type { CommandIo } from './command.ts';
import { COMMANDS } from './commands.ts';

/** Runs the command named by `args`; the result is the exit code: 0 done, 1 failed, 2 called wrongly. */
export async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    process.stdout.write(overview());
    return name === undefined ? 2 : 0;
  }
  const entry = COMMANDS.find((command) => command.name === name);
  if (!entry) {
    process.stderr.write(`flowcast: unknown command ${name}; "flowcast help" lists all\n`);
    return 2;
  }
  const command = await entry.load();
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(`${command.summary}\n\n${command.usage}\n`);
    return 0;
  }
  const stop = new AbortController();
  try {
    return await command.run(rest, commandIo(stop));
  } catch (error) {
    process.stderr.write(`flowcast ${name}: ${messageOf(error)}\n`);
    if (process.env.FLOWCAST_LOG_LEVEL === 'debug' && error instanceof Error)
      process.stderr.write(`${error.stack}\n`);
    return exitCodeOf(error);
  }
}

function commandIo(stop: AbortController): CommandIo {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort(signal));
  // `flowcast decode … | head` is no failure: the reader had enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    env: process.env,
    clock: systemClock(),
    signal: stop.signal,
  };
}

function exitCodeOf(error: unknown): number {
  if (error instanceof FlowcastError) return error.disposition === 'usage' ? 2 : 1;
  // parseArgs of node:util marks its refusals so.
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS') ? 2 : 1;
}

function overview(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length));
  const lines = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return [
    'flowcast: traffic forecasting and classification on Kafka',
    '',
    'usage: flowcast COMMAND [options]',
    '',
    ...lines,
    '',
    '"flowcast COMMAND --help" tells more.',
    '',
  ].join('\n');
}
