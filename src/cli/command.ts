import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../kernel/clock.ts';

/** What a command may touch of the world outside; tests hand in their own. */
export interface CommandIo {
  /** Data: one JSON document, or one record a line. */
  readonly stdout: Writable;
  /** Messages for people, progress. */
  readonly stderr: Writable;
  readonly stdin: Readable;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Aborts on SIGINT and SIGTERM; long commands then end in good order. */
  readonly signal: AbortSignal;
}

/** One subcommand, in a file of its own name. */
export interface Command {
  readonly name: string;
  /** One line for the overview. */
  readonly summary: string;
  /** What `--help` prints: the call and its options. */
  readonly usage: string;
  /** Resolves with the exit code; throws a usageError for a person's mistake. `args` come after the command's name. */
  run(args: string[], io: CommandIo): Promise<number>;
}
