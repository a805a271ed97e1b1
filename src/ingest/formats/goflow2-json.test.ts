import { describe, expect, it } from 'vitest';
import { decodeMessages, endsOf } from '../../../test/support/decoding.ts';
import { formatAddress } from '../../flow/address.ts';
import { goflow2Json } from './goflow2-json.ts';

// goflow2's README, abridged.
const README = {
  type: 'SFLOW_5',
  time_received_ns: 1681583295157626000n,
  sequence_num: 2999,
  sampling_rate: 100,
  sampler_address: '192.168.0.1',
  time_flow_start_ns: 1681583295157626000n,
  time_flow_end_ns: 1681583295157626000n,
  bytes: 1500,
  packets: 1,
  src_addr: 'fd01::1',
  dst_addr: 'fd01::2',
  etype: 'IPv6',
  proto: 'TCP',
  src_port: 443,
  dst_port: 50001,
};

/** JSON with bigints as bare integers, as goflow2 writes them. */
function json(values: Readonly<Record<string, unknown>>): string {
  const members = Object.entries({ ...README, ...values })
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `"${key}":${typeof value === 'bigint' ? value : JSON.stringify(value)}`);
  return `{${members.join(',')}}`;
}

const decode = (values: Readonly<Record<string, unknown>>) => decodeMessages(goflow2Json, [json(values)]);
const flowOf = (values: Readonly<Record<string, unknown>>) => decode(values).flows[0];

describe('goflow2 JSON', () => {
  it('reads the example of the README', () => {
    const { flows, exporters } = decode({});
    expect(exporters).toEqual(['192.168.0.1']);
    expect(endsOf(flows[0]!)).toBe('fd01::1:443 > fd01::2:50001 /6');
    expect(flows[0]).toMatchObject({
      startUs: 1681583295157626,
      endUs: 1681583295157626,
      receivedUs: 1681583295157626,
      timeQuality: 'OK',
      bytes: 150_000,
      packets: 100,
      samplingApplied: 'FLOWCAST',
    });
  });

  it('keeps nanoseconds exact where JSON.parse rounds, as numbers and as strings', () => {
    // The double next to it is …159232, a microsecond away.
    const end = {
      time_received_ns: 1681583295157159999n,
      time_flow_end_ns: 1681583295157159999n,
      time_flow_start_ns: 1681583295157000001n,
    };
    expect(Math.floor(Number(end.time_flow_end_ns) / 1000)).not.toBe(1681583295157159);
    expect(flowOf(end)).toMatchObject({ endUs: 1681583295157159, startUs: 1681583295157000 });
    expect(flowOf({ ...end, time_flow_end_ns: '1681583295157159999' })!.endUs).toBe(1681583295157159);
  });

  it('reads times rendered as RFC3339Nano', () => {
    const times = {
      time_received_ns: '2023-04-15T18:28:15.157626123Z',
      time_flow_start_ns: '2023-04-15T18:28:14Z',
    };
    expect(flowOf({ ...times, time_flow_end_ns: '2023-04-15T18:28:15.1Z' })).toMatchObject({
      startUs: 1681583294000000,
      endUs: 1681583295100000,
      receivedUs: 1681583295157626,
    });
  });

  it('reads v1: seconds, numbers as strings', () => {
    const v1 = { time_received_ns: undefined, time_flow_start_ns: undefined, time_flow_end_ns: undefined };
    const seconds = {
      time_received: 1681583295,
      time_flow_start: '1681583290',
      time_flow_end: 1681583294,
      bytes: '1500',
    };
    expect(flowOf({ ...v1, ...seconds })).toMatchObject({
      startUs: 1681583290000000,
      endUs: 1681583294000000,
      rawBytes: 1500,
    });
  });

  it.each([
    [
      { proto: 'IPv6-ICMP', icmp_type: 135 },
      { protocol: 58, destinationPort: 50001 },
    ],
    [
      { proto: 'ICMP', dst_port: 0, icmp_type: 3, icmp_code: 1 },
      { protocol: 1, destinationPort: 769 },
    ],
    [{ proto: 17 }, { protocol: 17 }],
    [{ proto: 'unassigned' }, { protocol: 255 }],
    [{ etype: 'ARP', proto: '' }, { protocol: 255 }],
    [{ flow_direction: 1 }, { direction: 'EGRESS' }],
    [{ src_vlan: 12 }, { vlan: 12 }],
    [{ sampling_rate: 0 }, { samplingRate: 0, samplingApplied: 'UNKNOWN', bytes: 1500 }],
    [
      { in_if: 7, out_if: 9, src_as: 4200000000 },
      { inInterface: 7, outInterface: 9, sourceAs: 4200000000 },
    ],
  ])('%j', (values, expected) => expect(flowOf(values)).toMatchObject(expected));

  it('takes "" for no address', () => {
    expect(formatAddress(flowOf({ src_addr: '' })!.sourceAddress)).toBe('::');
  });

  it.each([
    ['not JSON', 'malformed'],
    ['[1]', 'malformed'],
    ['{"hello":"world"}', 'not_a_flow'],
    [json({ src_addr: '10.0.0.256' }), 'invalid_address'],
    [json({ bytes: 9007199254740993n }), 'counter_out_of_range'],
    [json({ bytes: -1 }), 'counter_out_of_range'],
    [json({ bytes: 'many' }), 'invalid_number'],
    [json({ src_port: 70000 }), 'invalid_number'],
    [
      json({ time_received_ns: undefined, time_flow_start_ns: 'soon', time_flow_end_ns: 'later' }),
      'invalid_time',
    ],
    ['', 'empty_message'],
  ])('refuses %s', (text, reason) => {
    expect(decodeMessages(goflow2Json, [text]).rejects.map((reject) => reject.reason)).toEqual([reason]);
  });

  it('is recognised', () => {
    expect(goflow2Json.sniff(Buffer.from(`${json({})}\n${json({}).slice(0, 40)}`))).toBe(1);
    expect(goflow2Json.sniff(Buffer.from('{"event_type":"flow"}'))).toBe(0);
  });
});
