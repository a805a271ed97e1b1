import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ManualClock, systemClock } from '../kernel/clock.ts';
import { Ticker, Wakeup } from './ticker.ts';

describe('Ticker', () => {
  it('rings when the clock is there, not before, and not when cancelled', async () => {
    const clock = new ManualClock(0);
    const ticker = new Ticker(clock);
    const rung: string[] = [];
    ticker.at(2000, () => rung.push('late'));
    ticker.at(1000, () => rung.push('early'));
    ticker.at(1000, () => rung.push('cancelled')).cancel();
    await setImmediate();
    expect(rung).toEqual([]);
    clock.advanceTo(1000);
    await turns(3);
    expect(rung).toEqual(['early']);
    clock.advanceTo(5000);
    await turns(3);
    expect(rung).toEqual(['early', 'late']);
  });

  it('wakes earlier for an alarm that comes later but is due sooner', async () => {
    const ticker = new Ticker(systemClock());
    const nowUs = systemClock().nowUs();
    ticker.at(nowUs + 60_000_000, () => {});
    await turns(2);
    await new Promise<void>((resolve) => ticker.at(nowUs + 5000, resolve));
    expect(systemClock().nowUs() - nowUs).toBeLessThan(30_000_000);
    ticker.close();
  });

  it('takes a new alarm from within a ring', async () => {
    const clock = new ManualClock(0);
    const ticker = new Ticker(clock);
    let rings = 0;
    const again = () => {
      rings++;
      if (rings < 3) ticker.at(clock.nowUs(), again);
    };
    ticker.at(0, again);
    await turns(5);
    expect(rings).toBe(3);
  });
});

describe('Wakeup', () => {
  it('does not lose a notice that comes before the wait, and wakes once for two', async () => {
    const wakeup = new Wakeup();
    wakeup.notify();
    wakeup.notify();
    await wakeup.wait();
    let isAwake = false;
    const waiting = wakeup.wait().then(() => {
      isAwake = true;
    });
    await turns(2);
    expect(isAwake).toBe(false);
    wakeup.notify();
    await waiting;
    expect(isAwake).toBe(true);
  });
});

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await setImmediate();
}
