import { describe, expect, it } from 'vitest';
import { decodeMessages, endsOf } from '../../../test/support/decoding.ts';
import { fastnetmon } from './fastnetmon.ts';
import { fastnetmonJson } from './fastnetmon-json.ts';

const FLOW = {
  timestamp: 1767225600,
  ip_version: 'ipv4',
  source_ip: '10.1.2.3',
  destination_ip: '192.0.2.7',
  source_asn: 0,
  destination_asn: 0,
  input_interface: 7,
  output_interface: 9,
  source_port: 50001,
  destination_port: 443,
  agent_address: '172.16.0.1',
  tcp_flags: 'psh,ack',
  packets: 1,
  length: 1500,
  ttl: 62,
  sample_ratio: 1000,
  protocol: 'tcp',
};
const decode = (...flows: object[]) =>
  decodeMessages(
    fastnetmonJson,
    flows.map((flow) => JSON.stringify(flow)),
  );

describe('FastNetMon JSON', () => {
  it('is a packet with its sampling rate', () => {
    const { flows, exporters } = decode(FLOW);
    expect(exporters).toEqual(['172.16.0.1']);
    expect(endsOf(flows[0]!)).toBe('10.1.2.3:50001 > 192.0.2.7:443 /6');
    expect(flows[0]).toMatchObject({
      startUs: 1767225600000000,
      endUs: 1767225600000000,
      timeQuality: 'OK',
      bytes: 1_500_000,
      rawBytes: 1500,
      packets: 1000,
      samplingRate: 1000,
      samplingApplied: 'FLOWCAST',
      tcpFlags: 0x18,
      inInterface: 7,
      outInterface: 9,
    });
  });

  it('rate 0 is unknown; no flags, no ports, an unknown protocol', () => {
    const { flows } = decode({
      ...FLOW,
      sample_ratio: 0,
      tcp_flags: '-',
      protocol: 'unknown',
      source_port: undefined,
    });
    expect(flows[0]).toMatchObject({
      bytes: 1500,
      samplingApplied: 'UNKNOWN',
      tcpFlags: 0,
      protocol: 255,
      sourcePort: 0,
    });
  });

  it('milliseconds in the place of seconds are recognised', () => {
    expect(decode({ ...FLOW, timestamp: 1767225600000 }).flows[0]).toMatchObject({
      startUs: 1767225600000000,
      timeQuality: 'CLAMPED',
    });
  });

  it.each([
    [{ a: 1 }, 'not_a_flow'],
    [{ ...FLOW, source_ip: 'x' }, 'invalid_address'],
    [{ ...FLOW, destination_ip: undefined }, 'missing_field'],
    [{ ...FLOW, length: 2 ** 60 }, 'counter_out_of_range'],
    [{ ...FLOW, source_port: 'http' }, 'invalid_number'],
  ])('%# is refused', (flow, reason) => {
    expect(decode(flow).rejects.map((reject) => reject.reason)).toEqual([reason]);
  });

  it('is recognised', () => {
    expect(fastnetmonJson.sniff(Buffer.from(JSON.stringify(FLOW)))).toBe(1);
    expect(fastnetmonJson.sniff(Buffer.from('{"a":1}'))).toBe(0);
  });
});

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
// 1 time, 6 rate 1000, 7 TCP, 8/9 addresses, 10/11 ports, 12 one packet, 13 1500 octets, 15 flags, 18/19 interfaces, 22 agent.
const TIME = '08 80b0d7ca06';
const BODY =
  '30 e807 38 06 42 04 0a010203 4a 04 c0000207 50 d18603 58 bb03 60 01 68 dc0b 78 18 9001 07 9801 09 b201 04 ac100001';

describe('FastNetMon protobuf', () => {
  it('is a packet with its sampling rate; unknown fields are passed over', () => {
    const { flows, exporters, rejects } = decodeMessages(fastnetmon, [hex(`${TIME}${BODY} ba0f 02 0102`)]);
    expect(rejects).toEqual([]);
    expect(exporters).toEqual(['172.16.0.1']);
    expect(endsOf(flows[0]!)).toBe('10.1.2.3:50001 > 192.0.2.7:443 /6');
    expect(flows[0]).toMatchObject({
      bytes: 1_500_000,
      packets: 1000,
      tcpFlags: 0x18,
      inInterface: 7,
      outInterface: 9,
      timeQuality: 'OK',
    });
  });

  it('milliseconds are added, and without a time the receipt stands in', () => {
    const [withMs] = decodeMessages(fastnetmon, [hex(`${TIME} 10 05 ${BODY}`)]).flows;
    const [plain] = decodeMessages(fastnetmon, [hex(`${TIME}${BODY}`)]).flows;
    expect(withMs!.startUs - plain!.startUs).toBe(5000);
    const { flows } = decodeMessages(fastnetmon, [hex(BODY)], {}, 1767225600000000);
    expect(flows[0]).toMatchObject({ endUs: 1767225600000000, timeQuality: 'RECEIVED' });
  });

  it.each([
    ['', 'empty_message'],
    [`${TIME}30`, 'truncated'],
    ['4203 0a0102', 'invalid_address'],
    [TIME, 'missing_field'],
    ['00', 'malformed'],
  ])('%s is refused: %s', (bytes, reason) => {
    expect(decodeMessages(fastnetmon, [hex(bytes)]).rejects.map((reject) => reject.reason)).toEqual([reason]);
  });
});
