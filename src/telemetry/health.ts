import type { Clock } from '../kernel/clock.ts';

/** One thing that must make progress to be healthy. */
export interface Probe {
  /** Called whenever there was progress (a step committed, a tick done). */
  beat(): void;
  /** Whether it can serve now; false while it starts, drains or has lost what it depends on. */
  ready(isReady: boolean, why?: string): void;
}

export interface HealthReport {
  readonly healthy: boolean;
  readonly ready: boolean;
  readonly probes: readonly {
    name: string;
    healthy: boolean;
    ready: boolean;
    why: string;
    secondsSinceBeat: number;
  }[];
}

/** Health checks progress, not only life: a probe that has not beaten for `stalledAfterMs` makes the process unhealthy. */
export class Health {
  readonly #clock: Clock;
  readonly #stalledAfterUs: number;
  readonly #probes = new Map<string, { beatUs: number; isReady: boolean; why: string }>();

  constructor(clock: Clock, stalledAfterMs: number) {
    this.#clock = clock;
    this.#stalledAfterUs = stalledAfterMs * 1000;
  }

  /** Registers a probe: not ready until it says so, healthy until it stalls. */
  probe(name: string): Probe {
    const state = { beatUs: this.#clock.nowUs(), isReady: false, why: 'starting' };
    this.#probes.set(name, state);
    return {
      beat: () => {
        state.beatUs = this.#clock.nowUs();
      },
      ready: (isReady, why = '') => {
        state.isReady = isReady;
        state.why = why;
      },
    };
  }

  report(): HealthReport {
    const now = this.#clock.nowUs();
    const probes = [...this.#probes].map(([name, state]) => ({
      name,
      healthy: now - state.beatUs <= this.#stalledAfterUs,
      ready: state.isReady,
      why: state.why,
      secondsSinceBeat: Math.max(0, (now - state.beatUs) / 1e6),
    }));
    return {
      healthy: probes.every((probe) => probe.healthy),
      ready: probes.every((probe) => probe.ready && probe.healthy),
      probes,
    };
  }
}
