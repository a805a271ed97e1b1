import { describe, expect, it } from 'vitest';
import { decodeMessages, endsOf, hasData, readData } from '../../../test/support/decoding.ts';
import { suricata } from './suricata.ts';
import { suricataNetflow } from './suricata-netflow.ts';

// The user guide's example.
const FLOW = {
  timestamp: '2023-09-18T06:14:14.000000+0000',
  flow_id: 1234567890123,
  event_type: 'flow',
  src_ip: '192.168.100.237',
  src_port: 49175,
  dest_ip: '142.11.240.191',
  dest_port: 35361,
  proto: 'TCP',
  app_proto: 'http',
  flow: {
    pkts_toserver: 3869,
    pkts_toclient: 1523,
    bytes_toserver: 3536402,
    bytes_toclient: 94102,
    start: '2023-09-18T06:13:33.324862+0000',
    end: '2023-09-18T06:14:13.752399+0000',
    age: 40,
    state: 'closed',
    reason: 'shutdown',
    alerted: true,
  },
  tcp: { tcp_flags: '1e', tcp_flags_ts: '1a', tcp_flags_tc: '1e', syn: true, rst: true },
};
const NETFLOW = {
  timestamp: '2025-12-31T23:59:13.000000+0000',
  event_type: 'netflow',
  src_ip: '10.1.2.3',
  src_port: 50001,
  dest_ip: '192.0.2.7',
  dest_port: 443,
  proto: 'TCP',
  netflow: {
    pkts: 12,
    bytes: 1836,
    start: '2025-12-31T23:59:00.123456+0000',
    end: '2025-12-31T23:59:12.623456+0000',
    age: 12,
  },
};
const decode = (...events: object[]) =>
  decodeMessages(
    suricata,
    events.map((event) => JSON.stringify(event)),
  );

describe('Suricata flow events', () => {
  it('count both directions, every packet', () => {
    const { flows, exporters } = decode(FLOW);
    expect(exporters).toEqual(['feed']);
    expect(endsOf(flows[0]!)).toBe('192.168.100.237:49175 > 142.11.240.191:35361 /6');
    expect(flows[0]).toMatchObject({
      startUs: 1695017613324862,
      endUs: 1695017653752399,
      timeQuality: 'OK',
      bidirectional: true,
      bytes: 3536402,
      packets: 3869,
      reverseBytes: 94102,
      reversePackets: 1523,
      samplingRate: 1,
      samplingApplied: 'NONE',
      tcpFlags: 0x1e,
      outcome: 'RESET',
    });
  });

  it('may be wrapped by a shipper, name a host, have VLANs and uncompressed IPv6', () => {
    const event = {
      ...FLOW,
      host: 'sensor1',
      vlan: [61, 7],
      src_ip: 'fe80:0000:0000:0000:0000:0000:0000:0001',
    };
    const { flows, exporters } = decode(
      { message: JSON.stringify(event), '@timestamp': 'x' },
      { ...event, vlan: 61 },
    );
    expect(exporters).toEqual(['sensor1', 'sensor1']);
    expect(flows.map(({ vlan }) => vlan)).toEqual([61, 61]);
    expect(endsOf(flows[0]!)).toMatch(/^fe80::1:49175/);
  });

  const text = JSON.stringify(FLOW);
  it.each([
    { '@timestamp': 'x', '@metadata': { beat: 'filebeat' }, message: text },
    { '@timestamp': 'x', event: { original: text } },
    { '@timestamp': 'x', suricata: { eve: FLOW } },
    { '@timestamp': 'x', json: FLOW },
    { source_type: 'file', file: '/var/log/suricata/eve.json', message: text },
    { source_type: 'file', message: FLOW },
    { date: 1695017654.1, log: text },
    { date: 1695017654.1, ...FLOW },
  ])('%# is a shipper’s envelope', (envelope) => {
    expect(suricata.sniff(Buffer.from(JSON.stringify(envelope)))).toBe(0.9);
    const { flows, rejects } = decode(envelope);
    expect(rejects).toEqual([]);
    expect(flows[0]!.bytes).toBe(3536402);
  });

  it('an envelope around something else is refused', () => {
    const { rejects } = decode({ message: 'kernel: up' }, { message: '{}' }, { log: '[1' });
    expect(rejects.map(({ reason }) => reason)).toEqual(['malformed', 'not_a_flow', 'malformed']);
  });

  it('ICMP has type and code for a port; silence is no reply', () => {
    const icmp = {
      ...FLOW,
      proto: 'IPv6-ICMP',
      icmp_type: 128,
      icmp_code: 0,
      src_port: undefined,
      tcp: undefined,
    };
    expect(decode(icmp).flows[0]).toMatchObject({
      protocol: 58,
      destinationPort: 32768,
      outcome: 'ESTABLISHED',
    });
    const unanswered = { ...icmp, flow: { ...FLOW.flow, pkts_toclient: 0, bytes_toclient: 0 } };
    expect(decode(unanswered).flows[0]!.outcome).toBe('NO_REPLY');
  });

  it.each([
    [NETFLOW, 'excluded_by_setting'],
    [{ ...FLOW, event_type: 'dns' }, 'not_a_flow'],
    [{ ...FLOW, flow: undefined }, 'missing_field'],
    [{ ...FLOW, src_ip: 'nobody' }, 'invalid_address'],
    [{ ...FLOW, flow: { ...FLOW.flow, start: 'x', end: 'y' } }, 'invalid_time'],
    [{ ...FLOW, flow: { ...FLOW.flow, bytes_toserver: -1 } }, 'counter_out_of_range'],
    [[], 'malformed'],
  ])('%# is refused', (event, reason) => {
    expect(decode(event).rejects.map((reject) => reject.reason)).toEqual([reason]);
  });

  const file = 'formats/suricata/slips-test6.eve.json.gz';
  it.skipIf(!hasData(file))(
    'a real log: 3,512 flows among 5,000 events, counters exact (skipped without the data)',
    () => {
      const lines = Buffer.from(readData(file)).toString().trimEnd().split('\n');
      const { flows, rejects } = decodeMessages(suricata, lines);
      expect([flows.length, rejects.length]).toEqual([3512, 1488]);
      expect(new Set(rejects.map(({ reason }) => reason))).toEqual(new Set(['not_a_flow']));
      const events = lines.map((line) => JSON.parse(line)).filter((event) => event.event_type === 'flow');
      const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
      expect(sum(flows.map(({ bytes }) => bytes))).toBe(sum(events.map(({ flow }) => flow.bytes_toserver)));
      expect(sum(flows.map((flow) => flow.reversePackets))).toBe(
        sum(events.map(({ flow }) => flow.pkts_toclient)),
      );
      expect(flows.every(({ timeQuality }) => timeQuality === 'OK')).toBe(true);
    },
  );
});

describe('Suricata netflow events', () => {
  it('count one direction', () => {
    const { flows, rejects } = decodeMessages(
      suricataNetflow,
      [NETFLOW, FLOW].map((event) => JSON.stringify(event)),
    );
    expect(flows[0]).toMatchObject({
      startUs: 1767225540123456,
      endUs: 1767225552623456,
      bidirectional: false,
      bytes: 1836,
      packets: 12,
      samplingApplied: 'NONE',
    });
    expect(rejects.map(({ reason }) => reason)).toEqual(['excluded_by_setting']);
  });
});

describe('recognition', () => {
  const confidences = (...events: object[]) => {
    const sample = Buffer.from(events.map((event) => JSON.stringify(event)).join('\n'));
    return [suricata.sniff(sample), suricataNetflow.sniff(sample)];
  };

  it('takes flow events unless several events show that there are only netflow ones', () => {
    expect(confidences(FLOW, NETFLOW)).toEqual([0.9, 0.2]);
    expect(confidences({ event_type: 'dns' })).toEqual([0.9, 0.2]);
    expect(confidences(NETFLOW)).toEqual([0.9, 0.2]);
    expect(confidences(NETFLOW, NETFLOW)).toEqual([0.2, 1]);
    expect(confidences({ ts: 1 })).toEqual([0, 0]);
  });
});
