import fc from 'fast-check';
import { expect, it } from 'vitest';
import { dealPartitions } from './assignment.ts';

it('deals every partition to a member, nobody holding more than one above another', () => {
  fc.assert(
    fc.property(fc.nat(50), fc.integer({ min: 1, max: 9 }), (partitionCount, memberCount) => {
      const partitions = Array.from({ length: partitionCount }, (_, i) => i);
      const members = Array.from({ length: memberCount }, (_, i) => `m${i}`);
      const dealt = dealPartitions(partitions, members);
      expect([...dealt.keys()]).toEqual(partitions);
      const held = members.map((member) => [...dealt.values()].filter((owner) => owner === member).length);
      expect(held.reduce((a, b) => a + b, 0)).toBe(partitionCount);
      expect(Math.max(...held) - Math.min(...held)).toBeLessThanOrEqual(1);
    }),
  );
});

it('leaves partitions alone when there is nobody', () => {
  expect([...dealPartitions([0, 1], []).values()]).toEqual([null, null]);
});
