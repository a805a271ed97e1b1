import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BLOCK_WINDOWS,
  blockStartOf,
  SEGMENT_WINDOWS,
  segmentOf,
  ThroughputHistory,
} from './throughput-history.ts';

const historyOf = (windowsMax: number, windows: readonly (readonly [number, number])[]) => {
  const history = new ThroughputHistory(windowsMax);
  for (const [index, value] of windows) history.push(index, value);
  return history;
};

describe('ThroughputHistory', () => {
  it('marks windows that are missing', () => {
    const history = historyOf(100, [
      [7, 1],
      [9, 3],
    ]);
    expect([...history.values()]).toEqual([1, Number.NaN, 3]);
    expect([history.firstIndex, history.lastIndex, history.observed]).toEqual([7, 9, 2]);
  });

  it('keeps its beginning within a block, and the windows asked for before it', () => {
    const history = historyOf(
      3,
      Array.from({ length: 2 * BLOCK_WINDOWS }, (_, i) => [i, i]),
    );
    expect([history.firstIndex, history.lastIndex]).toEqual([BLOCK_WINDOWS - 3, 2 * BLOCK_WINDOWS - 1]);
    history.push(2 * BLOCK_WINDOWS, 1);
    expect([history.firstIndex, history.values().length]).toEqual([2 * BLOCK_WINDOWS - 3, 4]);
  });

  it('begins with a value, never with a gap', () => {
    const history = historyOf(3, [
      [BLOCK_WINDOWS - 4, 1],
      [BLOCK_WINDOWS - 1, 2],
      [BLOCK_WINDOWS, 3],
    ]);
    expect([...history.values()]).toEqual([2, 3]);
    expect([history.firstIndex, history.observed]).toEqual([BLOCK_WINDOWS - 1, 2]);
  });

  it('begins anew after a gap longer than itself', () => {
    const history = historyOf(3, [
      [1, 1],
      [1_000_000_000, 2],
    ]);
    expect([...history.values()]).toEqual([2]);
    expect(history.observed).toBe(1);
  });

  it('knows the last window with traffic while it holds it', () => {
    const history = historyOf(2, [
      [1, 5],
      [2, 0],
    ]);
    expect(history.activeIndex).toBe(1);
    history.push(BLOCK_WINDOWS, 0);
    expect(history.activeIndex).toBe(-1);
  });

  it('hands out views that stay as they were', () => {
    const history = historyOf(100, [[0, 0]]);
    const views = Array.from({ length: 2000 }, (_, i) => {
      history.push(i + 1, i + 1);
      return history.values();
    });
    views.forEach((view, i) => {
      expect(view.at(-1)).toBe(i + 1);
      expect(view.at(0)).toBe(Math.max(0, blockStartOf(i + 1) - 100));
    });
  });

  it('is the same after its segments were stored and pushed again', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 90 }), fc.nat(9)), {
      minLength: 1,
      maxLength: 120,
    });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 300 }), (gaps, windowsMax) => {
        let index = 1000;
        const history = new ThroughputHistory(windowsMax);
        const segments = new Map<number, Float64Array>();
        for (const [gap, value] of gaps) {
          index += gap;
          history.push(index, value);
          segments.set(segmentOf(index), history.segment(segmentOf(index)));
        }
        const restored = new ThroughputHistory(windowsMax);
        for (const [segment, values] of segments) {
          values.forEach((value, i) => {
            if (!Number.isNaN(value)) restored.push(segment * SEGMENT_WINDOWS + i, value);
          });
        }
        expect(restored.values()).toEqual(history.values());
        expect([restored.lastIndex, restored.observed, restored.activeIndex]).toEqual([
          history.lastIndex,
          history.observed,
          history.activeIndex,
        ]);
      }),
    );
  });
});
