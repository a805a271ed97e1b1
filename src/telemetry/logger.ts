import pino from 'pino';

/** Structured log. Fields first, then a short constant message. Never addresses of hosts, payloads or secrets above `debug`. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Logger;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** JSON lines on standard error: standard output belongs to the commands' data. */
export function createLogger(level: LogLevel): Logger {
  return pino(
    { level, base: { app: 'flowcast' }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: true }),
  );
}

/** Says nothing; for tests and for commands whose output is the message. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}
