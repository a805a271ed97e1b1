/** Wall time enters the program only here; everything else is handed a Clock. */
export interface Clock {
  /** Microseconds since the Unix epoch, as a safe integer. */
  nowUs(): number;
  /** Resolves after `ms` milliseconds of this clock, or at once when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's clock. */
export function systemClock(): Clock {
  return {
    nowUs: () => Date.now() * 1000,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const done = () => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', done);
          resolve();
        };
        const timer = setTimeout(done, ms);
        signal?.addEventListener('abort', done, { once: true });
      }),
  };
}

/** A clock that stands still until told: for tests, and for replaying files in their own time. `sleep` yields to the event loop without moving it. */
export class ManualClock implements Clock {
  #nowUs: number;

  constructor(startUs: number) {
    this.#nowUs = startUs;
  }

  nowUs(): number {
    return this.#nowUs;
  }

  /** Moves forward; moving back is refused, time does not run backwards here. */
  advanceTo(us: number): void {
    if (us > this.#nowUs) this.#nowUs = us;
  }

  advance(us: number): void {
    this.advanceTo(this.#nowUs + us);
  }

  sleep(_ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => (signal?.aborted ? resolve() : setImmediate(resolve)));
  }
}

/**
 * The timestamp (ms) of a record published now about something at `eventUs`. Logs keep and drop records by it, so that flows of an
 * old file must not carry their own time: event time is inside the record.
 */
export function publishedMs(clock: Clock, eventUs: number): number {
  return Math.floor(Math.max(clock.nowUs(), eventUs) / 1000);
}

/** Starts to measure a duration; the result gives the seconds since. For metrics only: durations never steer what is computed. */
export function startStopwatch(): () => number {
  const startedMs = performance.now();
  return () => (performance.now() - startedMs) / 1000;
}
