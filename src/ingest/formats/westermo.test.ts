import { expect, test } from 'vitest';
import { decodeMessages, endsOf } from '../../../test/support/decoding.ts';
import { westermo } from './westermo.ts';

const HEADER =
  'sAddress,rAddress,sMACs,rMACs,sIPs,rIPs,protocol,startDate,endDate,start,end,startOffset,endOffset,duration,sPackets,rPackets,sBytesSum,rBytesSum,sBytesMax,rBytesMax,sBytesMin,rBytesMin,sBytesAvg,rBytesAvg,sLoad,rLoad,sPayloadSum,rPayloadSum,sPayloadMax,rPayloadMax,sPayloadMin,rPayloadMin,sPayloadAvg,rPayloadAvg,sInterPacketAvg,rInterPacketAvg,sttl,rttl,sAckRate,rAckRate,sUrgRate,rUrgRate,sFinRate,rFinRate,sPshRate,rPshRate,sSynRate,rSynRate,sRstRate,rRstRate,sWinTCP,rWinTCP,sFragmentRate,rFragmentRate,sAckDelayMax,rAckDelayMax,sAckDelayMin,rAckDelayMin,sAckDelayAvg,rAckDelayAvg,IT_B_Label,IT_M_Label,NST_B_Label,NST_M_Label';
const TCP =
  '198.18.134.11,198.18.134.12,b8:27:eb:6d:4f:4b,b8:27:eb:5b:50:19,198.18.134.11,198.18.134.12,IPV4-TCP,2023-03-10 10:29:34.085540,2023-03-10 10:29:34.565764,1678440574.08554,1678440574.565764,0.006717,0.486941,0.480225,42,30,2478,1866,65,65,52,52,59.0,62.2,41280.659,31085.436,294,306,13,13,0,0,7.0,10.2,0.011692971718020556,0.016545345043313914,64.0,64.0,1.0,1.0,0.0,0.0,0.0,0.0,0.571,0.8,0.0,0.0,0.0,0.0,503.0,506.2,0.0,0.0,0.198,0.2,0.0,0.0,0.020279,0.028912,1,BAD-MITM,0,Normal';
const ARP =
  'b8:27:eb:15:88:9c,ff:ff:ff:ff:ff:ff,b8:27:eb:15:88:9c,ff:ff:ff:ff:ff:ff,,,ARP,2023-03-10 10:29:34.078823,2023-03-10 10:29:34.078827,1678440574.078823,1678440574.078827,0.0,4e-06,5e-06,3,0,180,0,60,,60,,60.0,,299084224.938,0.0,0,0,0,,0,,0.0,,1.9073486328125e-06,,,,,,,,,,,,,,,,,,,,,,,,,,0,Normal,0,Normal';
const IGMP =
  '198.18.134.99,224.0.0.22,00:24:9b:6d:b8:89,01:00:5e:00:00:16,198.18.134.99,224.0.0.22,IPV4-2,2023-03-10 10:29:34.966040,2023-03-10 10:29:34.966040,1678440574.96604,1678440574.96604,0.887215,0.887215,1e-06,1,0,40,0,40,,40,,40.0,,320000000.0,0.0,8,0,8,,8,,8.0,,,,,,,,,,,,,,,,,,,,0.0,,,,,,,,0,Normal,0,Normal';

const decodeRows = (...rows: string[]) => decodeMessages(westermo, [[HEADER, ...rows, ''].join('\r\n')]);

test('a TCP row: rates become flags, the attacker-only label counts', () => {
  const { flows, rejects } = decodeRows(TCP);
  expect(rejects).toEqual([]);
  expect(endsOf(flows[0]!)).toBe('198.18.134.11:0 > 198.18.134.12:0 /6');
  expect(flows[0]).toMatchObject({
    startUs: 1_678_440_574_085_540,
    endUs: 1_678_440_574_565_764,
    tcpFlags: 0x18,
    outcome: 'ESTABLISHED',
    bytes: 2478,
    packets: 42,
    reverseBytes: 1866,
    reversePackets: 30,
    bidirectional: true,
    label: 'Normal',
  });
});

test('rows that are not IP have no addresses; unnamed protocols keep their number', () => {
  const { flows } = decodeRows(ARP, IGMP);
  expect(flows.map(endsOf)).toEqual([':::0 > :::0 /255', '198.18.134.99:0 > 224.0.0.22:0 /2']);
  expect(flows[0]).toMatchObject({
    packets: 3,
    bytes: 180,
    tcpFlags: 0,
    outcome: 'UNKNOWN',
    bidirectional: true,
  });
});

test('a SYN without answer and a refused one', () => {
  const syn = TCP.replace(
    ',1.0,1.0,0.0,0.0,0.0,0.0,0.571,0.8,0.0,0.0,0.0,0.0,',
    ',0.0,1.0,,0.0,,0.0,,0.0,1.0,0.0,0.0,1.0,',
  );
  const silent = syn.replace(',0.0,1.0,,0.0,,0.0,,0.0,1.0,0.0,0.0,1.0,', ',0.0,,,,,,,,1.0,,0.0,,');
  expect(decodeRows(syn, silent).flows.map(({ tcpFlags, outcome }) => [tcpFlags, outcome])).toEqual([
    [0x16, 'REJECTED'],
    [0x02, 'NO_REPLY'],
  ]);
});

test('unreadable rows are refused', () => {
  const { rejects } = decodeRows(
    TCP.replaceAll('198.18.134.11', '198.18.134.311'),
    ARP.replace('1678440574.078823', 'x'),
  );
  expect(rejects.map(({ reason, position }) => [reason, position])).toEqual([
    ['invalid_address', 0],
    ['invalid_time', 1],
  ]);
});
