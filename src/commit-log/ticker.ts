import type { Clock } from '../kernel/clock.ts';

/** Rings once; cancelling after that does nothing. */
export interface Alarm {
  cancel(): void;
}

interface Pending extends Alarm {
  readonly dueUs: number;
  readonly ring: () => void;
}

const SLEEP_MS_MAX = 3_600_000;

/** All waiting for the clock goes through one sleeper, however many partitions are idle. */
export class Ticker {
  readonly #clock: Clock;
  readonly #pending = new Set<Pending>();
  #isRunning = false;
  #sleep: AbortController | null = null;
  #wakesAtUs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Rings when the clock has reached `dueUs`. */
  at(dueUs: number, ring: () => void): Alarm {
    const alarm: Pending = { dueUs, ring, cancel: () => this.#pending.delete(alarm) };
    this.#pending.add(alarm);
    if (!this.#isRunning) void this.#run();
    else if (dueUs < this.#wakesAtUs) this.#sleep?.abort();
    return alarm;
  }

  /** Forgets every alarm without ringing. */
  close(): void {
    this.#pending.clear();
    this.#sleep?.abort();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#pending.size > 0) {
      const nowUs = this.#clock.nowUs();
      this.#wakesAtUs = nowUs + SLEEP_MS_MAX * 1000;
      for (const alarm of this.#pending) {
        if (alarm.dueUs <= nowUs) {
          this.#pending.delete(alarm);
          alarm.ring();
        } else if (alarm.dueUs < this.#wakesAtUs) this.#wakesAtUs = alarm.dueUs;
      }
      this.#sleep = new AbortController();
      await this.#clock.sleep(Math.ceil((this.#wakesAtUs - nowUs) / 1000), this.#sleep.signal);
    }
    this.#isRunning = false;
  }
}

/** A flag that one waiter waits for: notifying before the wait is not lost, notifying twice wakes once. */
export class Wakeup {
  #isSet = false;
  #resume: (() => void) | null = null;

  /** Bound, so that it can be handed over as a listener. */
  readonly notify = (): void => {
    this.#isSet = true;
    this.#resume?.();
    this.#resume = null;
  };

  async wait(): Promise<void> {
    if (!this.#isSet) {
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
      });
    }
    this.#isSet = false;
  }
}
