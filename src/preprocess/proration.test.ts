import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { T0_US, testFlow } from '../../test/support/preprocess-fixtures.ts';
import { countUpTo, FlowPart, lastInstantUs, windowIndexOf } from './proration.ts';

const anyCount = fc.oneof(fc.nat({ max: 1000 }), fc.maxSafeNat());

describe('countUpTo', () => {
  it('never decreases and ends at the total', () => {
    fc.assert(
      fc.property(
        anyCount,
        fc.integer({ min: 1, max: 1e9 }),
        fc.array(fc.nat({ max: 1e9 })),
        (total, duration, cuts) => {
          let before = countUpTo(total, 0, duration);
          for (const cut of [...cuts.filter((at) => at <= duration).sort((a, b) => a - b), duration]) {
            const now = countUpTo(total, cut, duration);
            expect(Number.isSafeInteger(now) && now >= before && now <= total).toBe(true);
            before = now;
          }
          expect(before).toBe(total);
        },
      ),
    );
  });
});

describe('FlowPart', () => {
  it('cuts that follow each other add up to the flow, and only the last holds its end', () => {
    fc.assert(
      fc.property(
        anyCount,
        fc.nat({ max: 1e6 }),
        fc.nat({ max: 20_000_000 }),
        fc.integer({ min: 1, max: 5_000_000 }),
        (bytes, packets, durationUs, lengthUs) => {
          const flow = testFlow({ endUs: T0_US + durationUs, bytes, packets });
          const part = new FlowPart();
          const ends: boolean[] = [];
          let sumBytes = 0;
          let sumPackets = 0;
          const last = windowIndexOf(lastInstantUs(flow), lengthUs);
          for (
            let index = Math.max(windowIndexOf(flow.startUs, lengthUs), last - 100);
            index <= last;
            index++
          ) {
            const isFirst = ends.length === 0;
            part.cut(flow, isFirst ? flow.startUs : index * lengthUs, (index + 1) * lengthUs);
            sumBytes += part.bytes;
            sumPackets += part.packets;
            ends.push(part.isEnd);
          }
          expect([sumBytes, sumPackets]).toEqual([bytes, packets]);
          expect(ends.indexOf(true)).toBe(ends.length - 1);
        },
      ),
    );
  });
});

describe('lastInstantUs', () => {
  it('lies before an end on a boundary, and at the start of a flow without duration', () => {
    expect(windowIndexOf(lastInstantUs(testFlow({ startUs: 10, endUs: 60 })), 60)).toBe(0);
    expect(windowIndexOf(lastInstantUs(testFlow({ startUs: 60, endUs: 60 })), 60)).toBe(1);
  });
});
