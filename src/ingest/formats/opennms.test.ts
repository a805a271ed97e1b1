import { describe, expect, it } from 'vitest';
import { decodeMessages, endsOf } from '../../../test/support/decoding.ts';
import { opennms } from './opennms.ts';

const uvarint = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) | 128, ...uvarint(Math.floor(value / 128))];
const bytes = (field: number, content: readonly number[]) => [
  ...uvarint(field * 8 + 2),
  ...uvarint(content.length),
  ...content,
];
const text = (field: number, value: string) => bytes(field, [...Buffer.from(value)]);
const wrapped = (field: number, value: number) => bytes(field, value === 0 ? [] : [8, ...uvarint(value)]);
const wrappedDouble = (field: number, value: number) => {
  const body = Buffer.alloc(9, 9);
  body.writeDoubleLE(value, 1);
  return bytes(field, [...body]);
};

const NOW_MS = 1_767_225_600_000;
const FIELDS: Record<string, number[]> = {
  timestamp: [8, ...uvarint(NOW_MS)],
  bytes: wrapped(2, 1500),
  destination: text(4, '192.0.2.7'),
  destinationPort: wrapped(8, 443),
  delta: wrapped(11, NOW_MS - 60_000),
  first: wrapped(12, NOW_MS - 600_000),
  last: wrapped(13, NOW_MS - 1000),
  packets: wrapped(15, 3),
  input: wrapped(17, 7),
  output: wrapped(18, 9),
  protocol: wrapped(22, 6),
  interval: wrappedDouble(24, 1000),
  source: text(26, '10.1.2.3'),
  sourcePort: wrapped(30, 50001),
  flags: wrapped(31, 24),
  tos: wrapped(32, 0),
  vlan: text(34, '12'),
  node: bytes(36, text(1, 'routers')),
  host: text(39, '172.16.0.1'),
};
const message = (changes: Record<string, number[]> = {}) =>
  Uint8Array.from(Object.values({ ...FIELDS, ...changes }).flat());
const decode = (changes: Record<string, number[]> = {}) => decodeMessages(opennms, [message(changes)]);

describe('OpenNMS FlowDocument', () => {
  it('has its numbers in wrappers, and starts where the reported part does', () => {
    const { flows, exporters, rejects } = decode();
    expect(rejects).toEqual([]);
    expect(exporters).toEqual(['172.16.0.1']);
    expect(endsOf(flows[0]!)).toBe('10.1.2.3:50001 > 192.0.2.7:443 /6');
    expect(flows[0]).toMatchObject({
      startUs: (NOW_MS - 60_000) * 1000,
      endUs: (NOW_MS - 1000) * 1000,
      timeQuality: 'OK',
      direction: 'INGRESS',
      bytes: 1_500_000,
      packets: 3000,
      samplingRate: 1000,
      tcpFlags: 24,
      vlan: 12,
      inInterface: 7,
      outInterface: 9,
    });
  });

  it('without delta the first packet is the start, without either the timestamp; rate 0 is unknown', () => {
    expect(decode({ delta: [] }).flows[0]!.startUs).toBe((NOW_MS - 600_000) * 1000);
    expect(decode({ delta: [], first: [], last: [] }).flows[0]!.endUs).toBe(NOW_MS * 1000);
    expect(decode({ interval: wrappedDouble(24, 0) }).flows[0]!.samplingApplied).toBe('UNKNOWN');
    expect(decode({ direction: [24, 1] }).flows[0]!.direction).toBe('EGRESS');
  });

  it.each([
    [{ source: [] }, 'missing_field'],
    [{ source: text(26, 'x') }, 'invalid_address'],
    [{ host: [...uvarint(39 * 8 + 2), 50, 1] }, 'truncated'],
    [{ bytes: bytes(2, [8, 128]) }, 'truncated'],
    [{ bytes: bytes(2, [0]) }, 'malformed'],
    [{ sourcePort: wrapped(30, 70_000) }, 'invalid_number'],
    [{ interval: wrappedDouble(24, Number.NaN) }, 'invalid_number'],
  ])('%# is refused', (changes, reason) => {
    expect(decode(changes as Record<string, number[]>).rejects.map((reject) => reject.reason)).toEqual([
      reason,
    ]);
  });

  it('nothing is an empty message; a document is recognised', () => {
    expect(decodeMessages(opennms, ['']).rejects[0]!.reason).toBe('empty_message');
    expect(opennms.sniff(message())).toBe(0.98);
    expect(opennms.sniff(message({ source: [] }))).toBe(0);
  });
});
