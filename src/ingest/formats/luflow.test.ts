import { expect, test } from 'vitest';
import { decodeMessages } from '../../../test/support/decoding.ts';
import { NO_ADDRESS } from '../../flow/address.ts';
import { luflow } from './luflow.ts';

const HEADER =
  'avg_ipt,bytes_in,bytes_out,dest_ip,dest_port,entropy,num_pkts_out,num_pkts_in,proto,src_ip,src_port,time_end,time_start,total_entropy,label,duration';

test('a TCP flow: AS numbers in place of addresses, both directions counted', () => {
  const row =
    '0,406,41037,786,9092,0.893127,16,11,6,786,57148,1608172489722398,1608172489719312,37013.844,benign,0.003086';
  const { flows, rejects } = decodeMessages(luflow, [`${HEADER}\n${row}\n`]);
  expect(rejects).toEqual([]);
  expect(flows).toHaveLength(1);
  expect(flows[0]).toMatchObject({
    startUs: 1_608_172_489_719_312,
    endUs: 1_608_172_489_722_398,
    timeQuality: 'OK',
    sourceAddress: NO_ADDRESS,
    destinationAddress: NO_ADDRESS,
    sourceAs: 786,
    destinationAs: 786,
    sourcePort: 57148,
    destinationPort: 9092,
    protocol: 6,
    bytes: 406,
    packets: 11,
    reverseBytes: 41037,
    reversePackets: 16,
    bidirectional: true,
    samplingRate: 1,
    samplingApplied: 'NONE',
    label: 'benign',
  });
});

test('quirks: dropped zeros of the epoch, ports of ICMP as "", floats', () => {
  const rows = [
    '0,56,56,786,"",1.020244,1,1,1,55960,"",1594168231421839,159416823142178,114.267365,outlier,5.9E-5',
    '0.0,270.0,191.0,786,445,4.5,6.0,6,6,47331,56965,15941682293,1594168228968772,2115.3,malicious,0.39',
  ];
  const { flows, rejects } = decodeMessages(luflow, [`${HEADER}\r\n${rows.join('\r\n')}`]);
  expect(rejects).toEqual([]);
  expect(flows[0]).toMatchObject({
    startUs: 1_594_168_231_421_780,
    sourcePort: 0,
    destinationPort: 0,
    protocol: 1,
  });
  expect(flows[1]).toMatchObject({
    endUs: 1_594_168_229_300_000,
    bytes: 270,
    reversePackets: 6,
    label: 'malicious',
  });
});

test('columns are found by name; each message brings its own header', () => {
  const one = `${HEADER}\n0,1,2,3,4,0,5,6,17,7,8,1608172489722398,1608172489719312,0,benign,0\n`;
  const other =
    'time_start,time_end,src_ip,dest_ip,src_port,dest_port,proto,bytes_in,bytes_out,num_pkts_in,num_pkts_out\n1608172489719312,1608172489722398,7,3,8,4,17,1,2,6,5\n';
  const { flows } = decodeMessages(luflow, [one, other, one]);
  expect(flows.map((flow) => flow.label)).toEqual(['benign', null, 'benign']);
  expect({ ...flows[1], label: 'benign' }).toEqual(flows[0]);
  expect(flows[2]).toEqual(flows[0]);
});

test('what cannot be read is refused with its row, the rest goes on', () => {
  const good = '0,1,2,3,4,0,5,6,17,7,8,1608172489722398,1608172489719312,0,benign,0';
  const bad = [
    good.replace('1608172489719312', ''),
    good.replace('1608172489722398', 'soon'),
    good.replace(',1,2,', ',x,2,'),
    good.replace(',1,2,', ',-1,2,'),
    good.replace(',7,8,', ',7,70000,'),
    '0,1,2,3',
  ];
  const { flows, rejects } = decodeMessages(luflow, [[HEADER, good, ...bad, good].join('\n')]);
  expect(flows).toHaveLength(2);
  expect(rejects.map((reject) => [reject.position, reject.reason, reject.row])).toEqual([
    [1, 'invalid_time', bad[0]],
    [2, 'invalid_time', bad[1]],
    [3, 'invalid_number', bad[2]],
    [4, 'invalid_number', bad[3]],
    [5, 'invalid_number', bad[4]],
    [6, 'truncated', bad[5]],
  ]);
});

test('a message without the header is refused whole, and says why', () => {
  const rows = '0,1,2,3,4,0,5,6,17,7,8,1608172489722398,1608172489719312,0,benign,0\n';
  const reasonOf = (message: string) =>
    decodeMessages(luflow, [message]).rejects.map((reject) => reject.reason);
  expect(reasonOf(rows)).toEqual(['malformed']);
  expect(reasonOf(HEADER.replace('bytes_in', 'x'))).toEqual(['missing_field']);
  expect(reasonOf('\n\n')).toEqual(['empty_message']);
  expect(decodeMessages(luflow, [`${HEADER}\n`])).toMatchObject({ flows: [], rejects: [] });
});
