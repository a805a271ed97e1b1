import { describe, expect, test } from 'vitest';
import { decodeMessages, endsOf } from '../../../test/support/decoding.ts';
import { nfdumpCsv } from './nfdump-csv.ts';
import { nfdumpJson, nfdumpNdjson } from './nfdump-json.ts';
import { nfdumpText } from './nfdump-text.ts';

const berlin = { timeZone: 'Europe/Berlin' };
const START_US = 1_767_225_540_123_000;

describe('JSON', () => {
  const RECORD = {
    cnt: 1,
    type: 'FLOW',
    export_sysid: 1,
    first: '2026-01-01T00:59:00.123',
    last: '2026-01-01T00:59:12.623',
    received: '2026-01-01T01:00:00.100',
    in_packets: 12000,
    in_bytes: 1836000,
    proto: 6,
    tcp_flags: '...AP.SF',
    src_port: 50001,
    dst_port: 443,
    src4_addr: '10.1.2.3',
    dst4_addr: '192.0.2.7',
    input_snmp: 7,
    output_snmp: 9,
    ip4_router: '172.16.0.1',
    sampled: 1,
  };
  const decode = (record: object) => decodeMessages(nfdumpNdjson, [JSON.stringify(record)], berlin);

  test('local times in the zone of the feed, counters scaled by the source, exporter from the record', () => {
    const { flows, exporters, rejects } = decode(RECORD);
    expect(rejects).toEqual([]);
    expect(exporters).toEqual(['172.16.0.1']);
    expect(endsOf(flows[0]!)).toBe('10.1.2.3:50001 > 192.0.2.7:443 /6');
    expect(flows[0]).toMatchObject({
      startUs: START_US,
      endUs: START_US + 12_500_000,
      receivedUs: START_US + 59_977_000,
      timeQuality: 'OK',
      bytes: 1_836_000,
      rawBytes: 1_836_000,
      packets: 12_000,
      samplingRate: 0,
      samplingApplied: 'SOURCE',
      tcpFlags: 0x1b,
      inInterface: 7,
      outInterface: 9,
      direction: 'UNKNOWN',
      bidirectional: false,
    });
  });

  test('the hour that the clock repeats is the first of the two', () => {
    const { flows } = decode({
      ...RECORD,
      first: '2025-10-26T02:30:00.000',
      last: '2025-10-26T02:30:01.000',
      received: '',
    });
    expect(flows[0]!.startUs).toBe(Date.parse('2025-10-26T00:30:00Z') * 1000);
  });

  test('unsampled, direction, reverse counters, IPv6, ICMP, unspecified router', () => {
    const { src4_addr, dst4_addr, ...rest } = RECORD;
    const { flows, exporters } = decode({
      ...rest,
      sampled: 0,
      direction: 1,
      out_packets: 3,
      out_bytes: 333,
      src6_addr: '2001:db8::1',
      dst6_addr: '2001:db8::2',
      proto: 58,
      icmp_type: 128,
      icmp_code: 0,
      ip4_router: '0.0.0.0',
    });
    expect([src4_addr, dst4_addr]).toBeDefined();
    expect(exporters).toEqual(['feed']);
    expect(endsOf(flows[0]!)).toBe('2001:db8::1:0 > 2001:db8::2:32768 /58');
    expect(flows[0]).toMatchObject({
      samplingRate: 1,
      samplingApplied: 'NONE',
      direction: 'EGRESS',
      bidirectional: true,
      reverseBytes: 333,
      reversePackets: 3,
      tcpFlags: 0,
    });
  });

  test('an array over many lines, and lines', () => {
    const array = JSON.stringify([RECORD, { ...RECORD, type: 'EVENT' }, 5, RECORD], null, 2);
    const fromArray = decodeMessages(nfdumpJson, [array], berlin);
    expect(fromArray.flows).toHaveLength(2);
    expect(fromArray.rejects).toMatchObject([
      { reason: 'not_a_flow', position: 1 },
      { reason: 'malformed', position: 2, row: '5' },
    ]);
    const lines = `${JSON.stringify(RECORD)}\n{"cnt":\n${JSON.stringify(RECORD)}\n`;
    const fromLines = decodeMessages(nfdumpNdjson, [lines], berlin);
    expect(fromLines.flows).toEqual(fromArray.flows);
    expect(fromLines.rejects).toMatchObject([{ reason: 'malformed', position: 1, row: '{"cnt":' }]);
    expect(decodeMessages(nfdumpJson, ['[]'])).toMatchObject({ flows: [], rejects: [] });
  });

  test('refusals', () => {
    const reasonOf = (record: object) => decode(record).rejects.map(({ reason }) => reason);
    expect(reasonOf({ ...RECORD, first: 'now' })).toEqual(['invalid_time']);
    expect(reasonOf({ ...RECORD, src4_addr: '10.1.2' })).toEqual(['invalid_address']);
    expect(reasonOf({ ...RECORD, src4_addr: undefined })).toEqual(['missing_field']);
    expect(reasonOf({ ...RECORD, in_bytes: -1 })).toEqual(['counter_out_of_range']);
    expect(reasonOf({ ...RECORD, src_port: 65536 })).toEqual(['invalid_number']);
    expect(decodeMessages(nfdumpJson, ['[{"cnt":1}']).rejects).toMatchObject([{ reason: 'truncated' }]);
    expect(decodeMessages(nfdumpJson, [' \n']).rejects).toMatchObject([{ reason: 'empty_message' }]);
  });
});

describe('CSV', () => {
  const FAST =
    'cnt,af,firstSeen,lastSeen,proto,srcAddr,srcPort,dstAddr,dstPort,srcAS,dstAS,input,output,flags,srcTos,packets,bytes';
  const ROW =
    '1,4,2026-01-01 00:59:00.123,2026-01-01 00:59:12.623,6,10.1.2.3,50001,192.0.2.7,443,64500,64501,7,9,...AP.SF,8,12000,1836000';
  const LONG =
    'ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt,in,out,sas,das,smk,dmk,dtos,dir,nh,nhb,svln,dvln,ismc,odmc,idmc,osmc,mpls1,mpls2,mpls3,mpls4,mpls5,mpls6,mpls7,mpls8,mpls9,mpls10,cl,sl,al,ra,eng,exid,tr';
  const long = (start: string, end: string, protocol: string, dp: string) =>
    `${start},${end},12.500,10.1.2.3,192.0.2.7,50001,${dp},${protocol},...AP.SF,0,8,12000,1836000,0,0,7,9,64500,64501,0,0,0,0,0.0.0.0,0.0.0.0,5,0,00:00:00:00:00:00,00:00:00:00:00:00,00:00:00:00:00:00,00:00:00:00:00:00,0-0-0,0-0-0,0-0-0,0-0-0,0-0-0,0-0-0,0-0-0,0-0-0,0-0-0,0-0-0,    0.000,    0.000,    0.000,172.16.0.1,0/0,1,2026-01-01 01:00:00.100`;

  test('the header of 1.7 and the older one give the same flow', () => {
    const fast = decodeMessages(nfdumpCsv, [`${FAST}\n${ROW}\n`], berlin);
    expect(fast.rejects).toEqual([]);
    expect(endsOf(fast.flows[0]!)).toBe('10.1.2.3:50001 > 192.0.2.7:443 /6');
    expect(fast.flows[0]).toMatchObject({
      startUs: START_US,
      endUs: START_US + 12_500_000,
      bytes: 1_836_000,
      packets: 12_000,
      samplingApplied: 'SOURCE',
      tcpFlags: 0x1b,
      tos: 8,
      sourceAs: 64500,
      destinationAs: 64501,
      inInterface: 7,
      outInterface: 9,
      bidirectional: false,
    });
    const row = long('2026-01-01 00:59:00.123', '2026-01-01 00:59:12.623', 'TCP', '443');
    const older = decodeMessages(nfdumpCsv, [`${LONG}\n${row}\n`], berlin);
    expect(older.exporters).toEqual(['172.16.0.1']);
    expect(older.flows).toEqual([{ ...fast.flows[0]!, vlan: 5 }]);
  });

  test('whole seconds, ICMP type.code, the summary at the end', () => {
    const row = long('2026-01-01 00:59:00', '2026-01-01 00:59:12', 'ICMP', '3.1');
    const text = `${LONG}\n${row}\nSummary\nflows,bytes,packets,avg_bps,avg_pps,avg_bpp\n1,2,3,4,5,6\n`;
    const { flows, rejects } = decodeMessages(nfdumpCsv, [text], berlin);
    expect(rejects).toEqual([]);
    expect(flows).toHaveLength(1);
    expect(flows[0]).toMatchObject({
      startUs: START_US - 123_000,
      protocol: 1,
      sourcePort: 0,
      destinationPort: 769,
    });
  });

  test('refusals name the row', () => {
    const rows = [
      ROW.replace('00:59:00.123', '25:59:00'),
      ROW.replace('10.1.2.3', '2001:..1'),
      '1,4',
      ROW.replace(',6,', ',hm,'),
    ];
    const { flows, rejects } = decodeMessages(nfdumpCsv, [[FAST, ...rows, ROW].join('\n')]);
    expect(flows).toHaveLength(1);
    expect(rejects.map(({ reason, position, row }) => [reason, position, row])).toEqual([
      ['invalid_time', 0, rows[0]],
      ['invalid_address', 1, rows[1]],
      ['truncated', 2, rows[2]],
      ['invalid_number', 3, rows[3]],
    ]);
    expect(decodeMessages(nfdumpCsv, [ROW]).rejects).toMatchObject([{ reason: 'malformed' }]);
  });
});

describe('text', () => {
  test('TABs or blanks, with and without flags and label, rounded counters, ICMP and IPv6', () => {
    const text = [
      'Date flow start\tDuration\tProto\tSrc\tIP\tAddr:Port\tDst\tIP\tAddr:Port\tFlags\tTos\tPackets\tBytes\tFlows',
      '2013-07-09\t01:04:33.868\t0.097\tTCP\t10.0.0.150:3128\t->\t10.0.0.152:49700\t.AP.SF\t0\t6\t539\t1',
      '2013-07-09 01:04:29.845\t\t0.240 UDP\t10.0.0.151:3702\t-> 10.0.0.152:57999        ......   0     2 2502   1  Test-Label',
      '2013-07-09 01:04:29.845     0.240 ICMP       10.0.0.151:0     ->       10.0.0.152:8.0           12    1.2 M     1',
      '2013-07-09 01:04:29.845     0.240 UDP   2001:db8::1.53     ->       2001:db8::2.5353           12    99     1',
      'Summary: total flows: 4, total bytes: 1.2 M',
      'nonsense',
    ].join('\n');
    const { flows, rejects } = decodeMessages(nfdumpText, [text]);
    expect(flows.map(endsOf)).toEqual([
      '10.0.0.150:3128 > 10.0.0.152:49700 /6',
      '10.0.0.151:3702 > 10.0.0.152:57999 /17',
      '10.0.0.151:0 > 10.0.0.152:2048 /1',
      '2001:db8::1:53 > 2001:db8::2:5353 /17',
    ]);
    expect(flows[0]).toMatchObject({
      startUs: Date.parse('2013-07-09T01:04:33.868Z') * 1000,
      endUs: Date.parse('2013-07-09T01:04:33.965Z') * 1000,
      tcpFlags: 0x1b,
      packets: 6,
      bytes: 539,
      label: null,
    });
    expect(flows[1]!.label).toBe('Test-Label');
    expect(flows[2]!.bytes).toBe(1_200_000);
    expect(rejects).toMatchObject([{ reason: 'malformed', row: 'nonsense' }]);
  });
});
