import type { Clock } from '../../kernel/clock.ts';

export interface Turn {
  /** Resolves when the one before has ended, or has had its time. */
  readonly begin: Promise<void>;
  end(): void;
}

/**
 * Owners of a partition within one process follow each other in good order: one that has not ended yet may still be
 * asking for its producer id, and would fence its successor; or be in the middle of a step. Between processes it is the
 * broker that fences.
 */
export class Turns {
  readonly #clock: Clock;
  readonly #patienceMs: number;
  readonly #last = new Map<string, Promise<void>>();

  constructor(clock: Clock, patienceMs: number) {
    this.#clock = clock;
    this.#patienceMs = patienceMs;
  }

  enter(id: string): Turn {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = this.#last.get(id);
    this.#last.set(id, promise);
    return {
      begin: before ? this.#within(before) : Promise.resolve(),
      end: () => {
        if (this.#last.get(id) === promise) this.#last.delete(id);
        resolve();
      },
    };
  }

  async #within(before: Promise<void>): Promise<void> {
    const ended = new AbortController();
    await Promise.race([before, this.#clock.sleep(this.#patienceMs, ended.signal)]);
    ended.abort();
  }
}
