import { describe, expect, it } from 'vitest';
import { decodeMessages, endsOf } from '../../../test/support/decoding.ts';
import { pmacctJson } from './pmacct-json.ts';

// pmacct tests/103…, abridged.
const FLOW = {
  event_type: 'purge',
  label: '',
  peer_ip_src: '172.21.1.101',
  iface_in: 995,
  iface_out: 841,
  ip_src: '10.231.65.56',
  ip_dst: '10.192.12.213',
  port_src: 17000,
  port_dst: 17000,
  tcp_flags: [],
  ip_proto: 'udp',
  tos: 184,
  timestamp_start: '1677577561.000000',
  timestamp_end: '1677577572.000000',
  packets: 2,
  bytes: 220,
  writer_id: 'nfacctd_kafka',
};
const json = (...flows: object[]) => flows.map((flow) => JSON.stringify(flow));
const decode = (...flows: object[]) => decodeMessages(pmacctJson, json(...flows));

describe('pmacct JSON', () => {
  it('has epoch times as text', () => {
    const { flows, exporters } = decode(FLOW);
    expect(exporters).toEqual(['172.21.1.101']);
    expect(endsOf(flows[0]!)).toBe('10.231.65.56:17000 > 10.192.12.213:17000 /17');
    expect(flows[0]).toMatchObject({
      startUs: 1677577561000000,
      endUs: 1677577572000000,
      timeQuality: 'OK',
      bytes: 220,
      packets: 2,
      tos: 184,
      inInterface: 995,
      outInterface: 841,
      samplingApplied: 'UNKNOWN',
    });
  });

  it('holds several objects in one message, each refused by itself', () => {
    const { flows, rejects } = decodeMessages(pmacctJson, [
      `${json(FLOW, FLOW).join('\n')}\n{"bytes"\n${json({ ...FLOW, bytes: 7 })}\n`,
    ]);
    expect(flows.map(({ bytes }) => bytes)).toEqual([220, 220, 7]);
    expect(rejects.map(({ reason, position, row }) => [reason, position, row])).toEqual([
      ['malformed', 2, '{"bytes"'],
    ]);
  });

  it('marks its batches, which are no flows', () => {
    const { rejects } = decode(
      { event_type: 'purge_init', writer_id: 'x' },
      { event_type: 'purge_close', purged_entries: 3, total_entries: 3, duration: 0 },
    );
    expect(rejects.map(({ reason }) => reason)).toEqual(['not_a_flow', 'not_a_flow']);
  });

  it('local times are those of the feed’s zone, also across a clock change', () => {
    const local = {
      ...FLOW,
      timestamp_start: '2026-03-29 01:59:59.500000',
      timestamp_end: '2026-03-29 03:00:00',
    };
    const { flows } = decodeMessages(pmacctJson, json(local), { timeZone: 'Europe/Berlin' });
    expect(flows[0]!.endUs - flows[0]!.startUs).toBe(500_000);
    expect(flows[0]!.endUs).toBe(Date.UTC(2026, 2, 29, 1) * 1000);
    expect(decode({ ...local, timestamp_start: '2026-03-29T01:59:59.5Z' }).flows[0]!.timeQuality).toBe('OK');
  });

  it('without times of the flow the bin stands in; 1970 is no time', () => {
    const binned = {
      ...FLOW,
      timestamp_start: '1970-01-01 01:00:00.000000',
      timestamp_end: '0.000000',
      stamp_inserted: '2026-01-01 00:00:00',
      stamp_updated: '2026-01-01 00:01:00',
    };
    expect(decode(binned).flows[0]).toMatchObject({
      startUs: 1767225600000000,
      endUs: 1767225660000000,
    });
    const { flows } = decodeMessages(
      pmacctJson,
      json({ event_type: 'purge', packets: 1, bytes: 2 }),
      {},
      1767225600000000,
    );
    expect(flows[0]).toMatchObject({ bytes: 2, timeQuality: 'RECEIVED' });
  });

  it('rate, direction, flags by name, other ether types', () => {
    const { flows } = decode(
      { ...FLOW, sampling_rate: 100, sampling_direction: 'e', ip_proto: 'tcp', tcp_flags: ['ACK', 'PSH'] },
      { ...FLOW, sampling_rate: 1, sampling_direction: 'i', tcp_flags: 2 },
      { ...FLOW, etype: '806', sampling_direction: 'u' },
    );
    expect(flows.map((flow) => [flow.bytes, flow.samplingApplied, flow.direction, flow.tcpFlags])).toEqual([
      [22_000, 'FLOWCAST', 'EGRESS', 0x18],
      [220, 'NONE', 'INGRESS', 2],
      [220, 'UNKNOWN', 'UNKNOWN', 0],
    ]);
    expect(flows[2]!.protocol).toBe(255);
  });

  it.each([
    [{ ...FLOW, ip_src: 'x' }, 'invalid_address'],
    [{ ...FLOW, timestamp_start: 'yesterday' }, 'invalid_time'],
    [{ event_type: 'purge', ip_src: '10.0.0.1' }, 'missing_field'],
    [{ ...FLOW, bytes: 2 ** 60 }, 'counter_out_of_range'],
  ])('%# is refused', (flow, reason) => {
    expect(decode(flow).rejects.map((reject) => reject.reason)).toEqual([reason]);
  });

  it('is recognised, whatever comes first', () => {
    expect(pmacctJson.sniff(Buffer.from(json(FLOW).join('')))).toBe(1);
    expect(pmacctJson.sniff(Buffer.from('{"event_type":"purge_init"}'))).toBe(1);
    expect(pmacctJson.sniff(Buffer.from('{"event_type":"flow"}'))).toBe(0);
  });
});
