import type { Clock } from '../kernel/clock.ts';
import { createGoflow2Encoder } from '../simulate/encoders/goflow2.ts';
import { simulatedMessages } from '../simulate/source.ts';
import type { MessageSource } from './raw-source.ts';

/** Flows per second while the days before now are gone through: sparse, so that the first live forecasts come within seconds. */
const HISTORY_FLOWS_PER_SECOND = 1;
const DAY_MS = 86_400_000;

export interface SimulationSourceOptions {
  readonly scenario: string;
  readonly seed: number;
  readonly historyMs: number;
}

/** The simulator as a source: some days of history at full speed, then live. Its origin is the time at which live began. */
export function simulationSource(
  { scenario, seed, historyMs }: SimulationSourceOptions,
  clock: Clock,
): MessageSource {
  return {
    newOrigin: () => JSON.stringify({ scenario, seed, historyMs, startUs: clock.nowUs() }),
    messages(origin, position, signal) {
      const from = JSON.parse(origin) as SimulationSourceOptions & { startUs: number };
      return simulatedMessages(
        {
          scenario: from.scenario,
          seed: from.seed,
          encoder: createGoflow2Encoder(),
          clock,
          startUs: from.startUs,
          historyDays: from.historyMs / DAY_MS,
          historyStepFlowsPerSecond: HISTORY_FLOWS_PER_SECOND,
          live: true,
        },
        position,
        signal,
      );
    },
  };
}
