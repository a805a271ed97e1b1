import { describe, expect, it } from 'vitest';
import { decodeMessages, endsOf } from '../../../test/support/decoding.ts';
import { nprobe } from './nprobe.ts';

// ntop/nProbe issue 364.
const FLOW = {
  INPUT_SNMP: 0,
  OUTPUT_SNMP: 0,
  IPV4_SRC_ADDR: '192.168.2.222',
  IPV4_DST_ADDR: '192.168.2.225',
  L4_SRC_PORT: 57016,
  L4_DST_PORT: 9092,
  IPV6_SRC_ADDR: '::',
  IP_PROTOCOL_VERSION: 4,
  PROTOCOL: 6,
  L7_PROTO: '0',
  IN_BYTES: 129,
  IN_PKTS: 2,
  OUT_BYTES: 1459,
  OUT_PKTS: 1,
  FIRST_SWITCHED: 1560962598,
  LAST_SWITCHED: 1560962598,
  EXPORTER_IPV4_ADDRESS: '127.0.0.1',
};
const decode = (...flows: object[]) =>
  decodeMessages(
    nprobe,
    flows.map((flow) => JSON.stringify(flow)),
  );

describe('nProbe', () => {
  it('counts both directions', () => {
    const { flows, exporters } = decode(FLOW);
    expect(exporters).toEqual(['127.0.0.1']);
    expect(endsOf(flows[0]!)).toBe('192.168.2.222:57016 > 192.168.2.225:9092 /6');
    expect(flows[0]).toMatchObject({
      startUs: 1560962598000000,
      endUs: 1560962598000000,
      bidirectional: true,
      bytes: 129,
      packets: 2,
      reverseBytes: 1459,
      reversePackets: 1,
      samplingApplied: 'UNKNOWN',
      timeQuality: 'OK',
    });
  });

  it('elements may be numbers, addresses IPv6, times milliseconds', () => {
    const { flows } = decode({
      27: '2001:db8::1',
      28: '2001:db8::2',
      4: 17,
      7: '53',
      11: 5353,
      1: 100,
      2: 1,
      152: 1560962598123,
      153: 1560962598456,
      34: 10,
    });
    expect(endsOf(flows[0]!)).toBe('2001:db8::1:53 > 2001:db8::2:5353 /17');
    expect(flows[0]).toMatchObject({
      bytes: 1000,
      startUs: 1560962598123000,
      endUs: 1560962598456000,
      bidirectional: false,
    });
  });

  it('a start after the end is clamped, a missing exporter is the feed', () => {
    const { flows, exporters } = decode({
      ...FLOW,
      FIRST_SWITCHED: 1560962600,
      EXPORTER_IPV4_ADDRESS: '0.0.0.0',
    });
    expect(exporters).toEqual(['feed']);
    expect(flows[0]).toMatchObject({ startUs: 1560962598000000, timeQuality: 'CLAMPED' });
  });

  it.each([
    [{ a: 1 }, 'not_a_flow'],
    [{ ...FLOW, IPV4_SRC_ADDR: 'x' }, 'invalid_address'],
    [{ ...FLOW, IPV4_DST_ADDR: undefined }, 'missing_field'],
    [{ ...FLOW, PROTOCOL: 256 }, 'invalid_number'],
  ])('%# is refused', (flow, reason) => {
    expect(decode(flow).rejects.map((reject) => reject.reason)).toEqual([reason]);
  });

  it('is recognised by names and by numbers', () => {
    expect(nprobe.sniff(Buffer.from(JSON.stringify(FLOW)))).toBe(1);
    expect(nprobe.sniff(Buffer.from('{"8":"10.0.0.1","12":"10.0.0.2","1":5}'))).toBe(1);
    expect(nprobe.sniff(Buffer.from('{"1":5}'))).toBe(0);
  });
});
