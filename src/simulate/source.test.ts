import { describe, expect, it } from 'vitest';
import { ManualClock } from '../kernel/clock.ts';
import { createGoflow2Encoder } from './encoders/goflow2.ts';
import { createNfdumpCsvEncoder } from './encoders/nfdump.ts';
import { type SimulatedMessage, type SimulationSourceOptions, simulatedMessages } from './source.ts';

const START_US = Date.UTC(2026, 0, 7, 9, 30, 12) * 1000;
const MINUTE_US = 60_000_000;

function options(over: Partial<SimulationSourceOptions> = {}): SimulationSourceOptions {
  return {
    scenario: 'demo',
    seed: 4,
    encoder: createGoflow2Encoder(),
    clock: new ManualClock(START_US + 3 * MINUTE_US),
    startUs: START_US,
    historyDays: 0.25,
    historyStepFlowsPerSecond: 1,
    live: true,
    ...over,
  };
}

/** Up to `count` messages from position `from`. */
async function take(
  count: number,
  from = 0,
  over: Partial<SimulationSourceOptions> = {},
): Promise<SimulatedMessage[]> {
  const taken: SimulatedMessage[] = [];
  for await (const batch of simulatedMessages(options(over), from, new AbortController().signal)) {
    expect(batch.length).toBeLessThanOrEqual(1000);
    taken.push(...batch);
    if (taken.length >= count) break;
  }
  return taken.slice(0, count);
}

describe('simulatedMessages', () => {
  it('numbers without gaps, in the order of time, first history, then live', async () => {
    const messages = await take(25_000);
    expect(messages.map(({ position }) => position)).toEqual(messages.map((_, i) => i));
    const times = messages.map(({ timestampMs }) => timestampMs);
    expect(times.every((time, i) => i === 0 || time >= times[i - 1]!)).toBe(true);
    const liveMs = Math.floor(START_US / MINUTE_US) * 60_000;
    expect(times[0]! - (liveMs - 6 * 3_600_000)).toBeLessThan(120_000);
    expect(times.at(-1)).toBeGreaterThan(liveMs);
  });

  it('continues after any message with the very same bytes', async () => {
    const all = await take(25_000);
    for (const from of [1, 777, 15_000, 24_000]) {
      expect(await take(200, from)).toEqual(all.slice(from, from + 200));
    }
  });

  it('waits for the clock when it is live, and stops when told', async () => {
    const clock = new ManualClock(START_US);
    const stop = new AbortController();
    let newestMs = 0;
    for await (const batch of simulatedMessages(options({ clock, historyDays: 0 }), 0, stop.signal)) {
      newestMs = Math.max(newestMs, batch.at(-1)!.timestampMs);
      expect(newestMs * 1000).toBeLessThanOrEqual(clock.nowUs());
      clock.advance(1e6);
      if (clock.nowUs() > START_US + 40e6) stop.abort();
    }
    expect(newestMs * 1000).toBeGreaterThan(START_US - MINUTE_US);
  });

  it('ends with the history where it is not live', async () => {
    const messages = await take(1e6, 0, { live: false, historyDays: 1 });
    expect(messages.length / 86_400).toBeGreaterThan(0.5);
    expect(messages.length / 86_400).toBeLessThan(2);
  });

  it('puts the header of a table into every message', async () => {
    const [message] = await take(1, 0, { encoder: createNfdumpCsvEncoder() });
    const lines = new TextDecoder().decode(message!.bytes).split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^cnt,af,/);
  });
});
