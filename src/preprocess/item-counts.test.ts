import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COUNT_LOG_COUNT, COUNTER_COLUMNS, ItemCounts, mix, normalisedEntropy, TOP } from './item-counts.ts';

const hashOf = (item: number) => [mix(item ^ 0x1234567), mix(mix(item) + 77)] as const;

describe('ItemCounts', () => {
  it('agrees with a plain count, for counters that share the table', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: 4 }), fc.nat({ max: 40 })), { maxLength: 2000 }),
        (occurrences) => {
          const counts = new ItemCounts({ distinctExactMax: 100, itemsMax: 1000, sketchesMax: 0 });
          const statistics = new Float64Array(5 * COUNTER_COLUMNS);
          const plain = Array.from({ length: 5 }, () => new Map<number, number>());
          for (const [counter, item] of occurrences) {
            counts.add(statistics, counter * COUNTER_COLUMNS, counter, ...hashOf(item));
            plain[counter]!.set(item, (plain[counter]!.get(item) ?? 0) + 1);
          }
          for (const [counter, items] of plain.entries()) {
            const at = counter * COUNTER_COLUMNS;
            const n = [...items.values()].reduce((sum, count) => sum + count, 0);
            const entropy = [...items.values()].reduce(
              (sum, count) => sum - (count / n) * Math.log(count / n),
              0,
            );
            expect(counts.distinct(statistics, at)).toBe(items.size);
            expect(statistics[at + TOP]).toBe(Math.max(0, ...items.values()));
            expect(normalisedEntropy(statistics[at + COUNT_LOG_COUNT]!, n)).toBeCloseTo(
              n < 2 ? 0 : entropy / Math.log(n),
              9,
            );
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it.each([2000, 20_000, 500_000])('estimates %d distinct items within 5 %%', (items) => {
    const counts = new ItemCounts({ distinctExactMax: 1024, itemsMax: 10_000, sketchesMax: 1 });
    const statistics = new Float64Array(COUNTER_COLUMNS);
    for (let round = 0; round < 2; round++) {
      for (let item = 0; item < items; item++) counts.add(statistics, 0, 0, ...hashOf(item));
    }
    expect(Math.abs(counts.distinct(statistics, 0) / items - 1)).toBeLessThan(0.05);
    expect(counts.saturated).toBe(0);
  });

  it('says how many occurrences it could not take when every sketch is taken', () => {
    const counts = new ItemCounts({ distinctExactMax: 10, itemsMax: 1000, sketchesMax: 1 });
    const statistics = new Float64Array(2 * COUNTER_COLUMNS);
    for (let item = 0; item < 30; item++) {
      counts.add(statistics, 0, 0, ...hashOf(item));
      counts.add(statistics, COUNTER_COLUMNS, 1, ...hashOf(item));
    }
    expect(counts.distinct(statistics, 0)).toBe(30);
    expect(counts.distinct(statistics, COUNTER_COLUMNS)).toBe(10);
    expect(counts.saturated).toBe(20);
  });
});
