import { describe, expect, it } from 'vitest';
import { murmur2, partitionOf } from './partition.ts';

describe('murmur2', () => {
  // Vectors of Apache Kafka's UtilsTest.testMurmur2.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('of %j is %d, as Java computes it', (text, expected) => {
    expect(murmur2(Buffer.from(text))).toBe(expected);
  });

  it('gives a partition within the count', () => {
    for (let i = 0; i < 1000; i++) {
      const partition = partitionOf(Buffer.from(`exporter-${i}`), 7);
      expect(partition).toBeGreaterThanOrEqual(0);
      expect(partition).toBeLessThan(7);
    }
  });
});
