import { expect, test } from 'vitest';
import { decodeMessages, endsOf } from '../../../test/support/decoding.ts';
import { argus } from './argus.ts';

const HEADER =
  'StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,Label';
const LONG =
  '2011/08/16 10:01:46.972101,3599.986572,tcp,88.176.79.163,49213,  <?>,147.32.84.172,18250,A_PA,0,0,414671,415389446,10150692,flow=Background';
const ICMP =
  '2011/08/16 10:02:13.313446,0.000000,icmp,147.32.84.138,0x0303,   ->,147.32.80.13,0xae0b,URP,0,,3355,1865505,1865505,flow=To-Background-CVUT-Proxy';
const prague = { timeZone: 'Europe/Prague' };

const decodeRows = (...rows: string[]) => decodeMessages(argus, [[HEADER, ...rows].join('\n')], prague);

test('local time in the zone of the feed, both directions, flags of either side', () => {
  const { flows, rejects } = decodeRows(LONG);
  expect(rejects).toEqual([]);
  const startUs = Date.parse('2011-08-16T08:01:46.972Z') * 1000 + 101;
  expect(endsOf(flows[0]!)).toBe('88.176.79.163:49213 > 147.32.84.172:18250 /6');
  expect(flows[0]).toMatchObject({
    startUs,
    endUs: startUs + 3_599_986_572,
    tcpFlags: 0x18,
    outcome: 'ESTABLISHED',
    bytes: 10_150_692,
    reverseBytes: 405_238_754,
    bidirectional: true,
    label: 'flow=Background',
  });
  expect(flows[0]!.packets + flows[0]!.reversePackets).toBe(414_671);
  expect(flows[0]!.packets).toBe(10_133);
});

test('packets without SrcPkts: a direction with bytes has one at least, one without has none', () => {
  const split = (packets: number, bytes: number, sourceBytes: number) => {
    const row = `2011/08/16 10:01:46.9,0,udp,1.1.1.1,1,<->,2.2.2.2,2,CON,0,0,${packets},${bytes},${sourceBytes},x`;
    const [flow] = decodeRows(row).flows;
    return [flow!.packets, flow!.reversePackets];
  };
  expect(split(2, 100_000, 1)).toEqual([1, 1]);
  expect(split(2, 100_000, 99_999)).toEqual([1, 1]);
  expect(split(7, 500, 0)).toEqual([0, 7]);
  expect(split(7, 500, 500)).toEqual([7, 0]);
  expect(split(7, 0, 0)).toEqual([7, 0]);
});

test('SrcPkts where there is, TAB and CRLF, uni-directional tables', () => {
  const tab =
    'StartTime\tDur\tProto\tSrcAddr\tSport\tDir\tDstAddr\tDport\tState\tsTos\tdTos\tTotPkts\tTotBytes\tSrcBytes\tSrcPkts\tLabel\r\n1970/01/01 01:02:24.151363\t0.455768\ttcp\t10.0.2.15\t49267\t   ->\t23.253.126.58\t80\tFSPA_FSPA\t0\t0\t10\t1023\t550\t5\tflow=Malware-TCP\r\n';
  expect(decodeMessages(argus, [tab], prague).flows[0]).toMatchObject({
    startUs: 144_151_363,
    timeQuality: 'OK',
    packets: 5,
    reversePackets: 5,
    bytes: 550,
    reverseBytes: 473,
    label: 'flow=Malware-TCP',
  });
  const uni =
    'StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes\n1970/01/0101:00:08.522360,4.004234,udp,10.0.2.103,61726,->,8.8.8.8,53,INT,0,,2,152\n';
  expect(decodeMessages(argus, [uni], prague).flows[0]).toMatchObject({
    startUs: 8_522_360,
    endUs: 12_526_594,
    packets: 2,
    reversePackets: 0,
    bidirectional: false,
    outcome: 'NO_REPLY',
    label: null,
  });
});

test('ICMP type and code are in the source port, low byte first; other ports may be hex', () => {
  const port = (row: string) => endsOf(decodeRows(row).flows[0]!);
  expect(port(ICMP)).toBe(`147.32.84.138:0 > 147.32.80.13:${3 * 256 + 3} /1`);
  expect(port(ICMP.replace('0x0303', '0x0103'))).toBe(`147.32.84.138:0 > 147.32.80.13:${3 * 256 + 1} /1`);
  expect(port(ICMP.replace('0x0303', ''))).toBe('147.32.84.138:0 > 147.32.80.13:0 /1');
  expect(port(LONG.replace('49213', '0xc03d'))).toContain('88.176.79.163:49213 >');
});

test('what is not IP: ARP keeps addresses, MAC addresses are none, management records are no flows', () => {
  const rows = [
    '2011/08/16 10:01:47.788774,3596.680908,arp,147.32.87.78,,  who,147.32.87.78,,INT,,,655,39300,39300,flow=Background',
    '2011/08/16 10:01:47.649052,3594.202881,ipx/spx,00:15:17:2c:e5:2d,,   ->,ff:ff:ff:ff:ff:ff,,INT,,,568,52705,52705,flow=Background',
    '2018/05/10 10:52:47.283479,0.045010,man,0,0,,0,0,STA,,,0,0,0,',
    '2011/08/16 10:02:13.313446,0.1,rtp,2001:718::1,5004,->,2001:718::2,5004,INT,0,,7,602,602,',
  ];
  const { flows, rejects } = decodeRows(...rows);
  expect(flows.map(endsOf)).toEqual([
    '147.32.87.78:0 > 147.32.87.78:0 /255',
    ':::0 > :::0 /255',
    '2001:718::1:5004 > 2001:718::2:5004 /17',
  ]);
  expect(flows[2]!.label).toBeNull();
  expect(rejects).toMatchObject([{ reason: 'not_a_flow', position: 2, row: rows[2] }]);
});

test('states', () => {
  const outcome = (state: string) => decodeRows(LONG.replace('A_PA', state)).flows[0]!.outcome;
  expect(['S_', 'S_RA', 'SR_SA', 'FSPA_FSPA', 'INT', 'CON', 'RST', 'TIM'].map(outcome)).toEqual([
    'NO_REPLY',
    'REJECTED',
    'RESET',
    'ESTABLISHED',
    'NO_REPLY',
    'ESTABLISHED',
    'RESET',
    'UNKNOWN',
  ]);
});

test('rows that contradict themselves are refused', () => {
  const { rejects } = decodeRows(
    LONG.replace('10150692', '515389446'),
    LONG.replace('3599.986572', '-1'),
    LONG.replace('2011/08/16', '2011/13/16'),
    LONG.replace('88.176.79.163', 'somewhere'),
  );
  expect(rejects.map(({ reason }) => reason)).toEqual([
    'counter_out_of_range',
    'invalid_time',
    'invalid_time',
    'invalid_address',
  ]);
});
