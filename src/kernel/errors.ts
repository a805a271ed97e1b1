/**
 * Errors say what happens next. Rejected input is not an error: it is a value with a reason (see `flow/reject.ts`).
 *
 * - `usage`: a person gave something that cannot work (flag, file, config); print the one-line message, exit 2.
 * - `transient`: try again with back-off, nothing was committed.
 * - `fatal`: stop in an orderly way and exit 1; a restart will not help until someone acts.
 */
export type Disposition = 'usage' | 'transient' | 'fatal';

/** An error with a stable code, what happens next, and a message that tells a person what to do. Never holds secrets or payloads. */
export class FlowcastError extends Error {
  readonly code: string;
  readonly disposition: Disposition;

  constructor(code: string, disposition: Disposition, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'FlowcastError';
    this.code = code;
    this.disposition = disposition;
  }
}

/** A mistake of whoever called: bad flag, missing file, invalid setting. Exit code 2. */
export function usageError(code: string, message: string, cause?: unknown): FlowcastError {
  return new FlowcastError(code, 'usage', message, { cause });
}

/** A condition that a restart will not mend (corrupt log, lost ownership). Exit code 1. */
export function fatalError(code: string, message: string, cause?: unknown): FlowcastError {
  return new FlowcastError(code, 'fatal', message, { cause });
}

/** A passing condition: the caller retries with back-off and jitter. */
export function transientError(code: string, message: string, cause?: unknown): FlowcastError {
  return new FlowcastError(code, 'transient', message, { cause });
}

/** The message of anything thrown, on one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s*\n\s*/g, ' ').trim();
}

/** Programmer errors only: a failed assertion is a bug of ours, never bad input. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}
