import { describe, expect, it } from 'vitest';
import { decodeMessages, endsOf } from '../../../test/support/decoding.ts';
import { netobserv } from './netobserv.ts';
import { netobservJson } from './netobserv-json.ts';

const FLOW = {
  SrcAddr: '10.1.2.3',
  DstAddr: '192.0.2.7',
  SrcPort: 50001,
  DstPort: 443,
  Proto: 6,
  Etype: 2048,
  Dscp: 10,
  Flags: 16,
  Bytes: 1500,
  Packets: 3,
  TimeFlowStartMs: 1767225540000,
  TimeFlowEndMs: 1767225599000,
  TimeReceived: 1767225600,
  FlowDirection: 1,
  AgentIP: '172.16.0.1',
  Sampling: 50,
  _RecordType: 'flowLog',
  SrcK8S_Namespace: 'shop',
};
const decode = (flow: object) => decodeMessages(netobservJson, [JSON.stringify(flow)]);

describe('NetObserv JSON', () => {
  it('has milliseconds, a direction and a rate', () => {
    const { flows, exporters } = decode(FLOW);
    expect(exporters).toEqual(['172.16.0.1']);
    expect(endsOf(flows[0]!)).toBe('10.1.2.3:50001 > 192.0.2.7:443 /6');
    expect(flows[0]).toMatchObject({
      startUs: 1767225540000000,
      endUs: 1767225599000000,
      receivedUs: 1767225600000000,
      timeQuality: 'OK',
      bytes: 75_000,
      packets: 150,
      direction: 'EGRESS',
      tos: 40,
      tcpFlags: 16,
    });
    expect(decode({ ...FLOW, FlowDirection: 2, Sampling: undefined }).flows[0]).toMatchObject({
      direction: 'UNKNOWN',
      samplingApplied: 'UNKNOWN',
    });
  });

  it.each([
    [{ ...FLOW, _RecordType: 'endConnection' }, 'not_a_flow'],
    [{ ...FLOW, Duplicate: true }, 'excluded_by_setting'],
    [{ ...FLOW, SrcAddr: 'pod' }, 'invalid_address'],
    [{ ...FLOW, DstAddr: '' }, 'missing_field'],
    [{ SrcAddr: '10.0.0.1' }, 'not_a_flow'],
  ])('%# is refused', (flow, reason) => {
    expect(decode(flow).rejects.map((reject) => reject.reason)).toEqual([reason]);
  });

  it('is recognised', () => {
    expect(netobservJson.sniff(Buffer.from(JSON.stringify(FLOW)))).toBe(1);
    expect(netobservJson.sniff(Buffer.from('{"SrcAddr":"10.0.0.1"}'))).toBe(0);
  });
});

const uvarint = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) | 128, ...uvarint(Math.floor(value / 128))];
const number = (field: number, value: number) => [...uvarint(field * 8), ...uvarint(value)];
const bytes = (field: number, ...content: number[][]) => [
  ...uvarint(field * 8 + 2),
  ...uvarint(content.flat().length),
  ...content.flat(),
];
const ipv4 = (...octets: number[]) => [13, ...octets.toReversed()];
const network = bytes(6, bytes(1, ipv4(10, 1, 2, 3)), bytes(2, ipv4(192, 0, 2, 7)), number(3, 10));
const RECORD: Record<string, number[]> = {
  ether: number(1, 2048),
  direction: number(2, 1),
  start: bytes(3, number(1, 1767225540), number(2, 123_456_789)),
  end: bytes(4, number(1, 1767225599)),
  network,
  transport: bytes(7, number(1, 50001), number(2, 443), number(3, 6)),
  bytes: number(8, 1500),
  packets: number(9, 3),
  interface: bytes(
    10,
    [...Buffer.from('eth0')].map((code) => code),
  ),
  agent: bytes(12, ipv4(172, 16, 0, 1)),
  flags: number(13, 16),
  rtt: bytes(24, number(2, 5)),
};
const decodeRecord = (changes: Record<string, number[]> = {}) =>
  decodeMessages(netobserv, [Uint8Array.from(Object.values({ ...RECORD, ...changes }).flat())]);

describe('NetObserv protobuf', () => {
  it('has addresses in messages; unknown fields are passed over', () => {
    const { flows, exporters, rejects } = decodeRecord();
    expect(rejects).toEqual([]);
    expect(exporters).toEqual(['172.16.0.1']);
    expect(endsOf(flows[0]!)).toBe('10.1.2.3:50001 > 192.0.2.7:443 /6');
    expect(flows[0]).toMatchObject({
      startUs: 1767225540123456,
      endUs: 1767225599000000,
      timeQuality: 'OK',
      bytes: 1500,
      packets: 3,
      direction: 'EGRESS',
      tos: 40,
      tcpFlags: 16,
      samplingApplied: 'UNKNOWN',
    });
  });

  it('IPv6, ICMP, ingress', () => {
    const ipv6 = (last: number) => bytes(2, [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    const { flows } = decodeRecord({
      direction: [],
      network: bytes(6, bytes(1, ipv6(1)), bytes(2, ipv6(2))),
      transport: bytes(7, number(3, 58)),
      icmp: number(14, 128),
    });
    expect(endsOf(flows[0]!)).toBe('2001:db8::1:0 > 2001:db8::2:32768 /58');
    expect(flows[0]!.direction).toBe('INGRESS');
  });

  it.each([
    [{ duplicate: number(11, 1) }, 'excluded_by_setting'],
    [{ network: [] }, 'missing_field'],
    [{ network: bytes(6, bytes(1, bytes(2, [1, 2, 3]))) }, 'malformed'],
    [{ network: bytes(6, [10, 9, 1]) }, 'truncated'],
    [{ rtt: [0xc2, 1, 99] }, 'truncated'],
  ])('%# is refused', (changes, reason) => {
    const { rejects } = decodeRecord(changes as Record<string, number[]>);
    expect(rejects.map((reject) => reject.reason)).toEqual([reason]);
  });

  it('is recognised', () => {
    expect(netobserv.sniff(Uint8Array.from(Object.values(RECORD).flat()))).toBe(0.98);
    expect(netobserv.sniff(Uint8Array.from(number(8, 5)))).toBe(0);
  });
});
