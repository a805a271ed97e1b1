import { expect, test } from 'vitest';
import { decodeMessages, endsOf } from '../../../test/support/decoding.ts';
import { zeekTsv } from './zeek-tsv.ts';

const FIELDS =
  'ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tlocal_orig\tlocal_resp\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\ttunnel_parents';
const directives = (fields: string) =>
  [
    '#separator \\x09',
    '#set_separator\t,',
    '#empty_field\t(empty)',
    '#unset_field\t-',
    '#path\tconn',
    '#open\t2019-03-15-14-50-49',
    `#fields\t${fields}`,
    '#types\ttime\tstring',
  ].join('\n');
const CONN =
  '1545403816.962094\tCrDn63WjJEmrWGjqf\t192.168.1.195\t41040\t185.244.25.235\t80\ttcp\t-\t3.139211\t0\t0\tS0\t-\t-\t0\tS\t3\t180\t0\t0\t(empty)';
const DNS =
  '1258531221.486539\tPii6cUUq1v4\tfe80::1\t5353\tff02::fb\t5353\tudp\tdns\t-\t301\t300\tSF\t-\t-\t0\tDd\t1\t329\t1\t328\t(empty)';

const message = (fields: string, ...rows: string[]) => `${directives(fields)}\n${rows.join('\n')}\n`;

test('a connection: IP bytes of both directions, exact times, state and history', () => {
  const { flows, rejects, exporters } = decodeMessages(zeekTsv, [message(FIELDS, CONN, DNS)]);
  expect(rejects).toEqual([]);
  expect(exporters).toEqual(['feed', 'feed']);
  expect(flows.map(endsOf)).toEqual([
    '192.168.1.195:41040 > 185.244.25.235:80 /6',
    'fe80::1:5353 > ff02::fb:5353 /17',
  ]);
  expect(flows[0]).toMatchObject({
    startUs: 1_545_403_816_962_094,
    endUs: 1_545_403_820_101_305,
    timeQuality: 'OK',
    tcpFlags: 0x02,
    outcome: 'NO_REPLY',
    bytes: 180,
    packets: 3,
    reverseBytes: 0,
    bidirectional: true,
    samplingApplied: 'NONE',
    label: null,
  });
  expect(flows[1]).toMatchObject({
    startUs: flows[1]!.endUs,
    bytes: 329,
    reverseBytes: 328,
    tcpFlags: 0,
    outcome: 'ESTABLISHED',
  });
});

test('without IP bytes the payload counts', () => {
  const fields = FIELDS.replace('\torig_ip_bytes', '').replace('\tresp_ip_bytes', '');
  const row = DNS.replace('\t329', '').replace('\t328', '');
  expect(decodeMessages(zeekTsv, [message(fields, row)]).flows[0]).toMatchObject({
    bytes: 301,
    reverseBytes: 300,
  });
  const unset = DNS.replace('\t329', '\t-').replace('\t328', '\t-');
  expect(decodeMessages(zeekTsv, [message(FIELDS, unset)]).flows[0]).toMatchObject({
    bytes: 301,
    reverseBytes: 300,
  });
});

test('IoT-23: tunnel_parents, label and detailed label are one field joined by three blanks', () => {
  const fields = `${FIELDS}   label   detailed-label`;
  const labelOf = (labels: string) => {
    const row = CONN.replace('(empty)', `-   ${labels}`);
    return decodeMessages(zeekTsv, [message(fields, row).replaceAll('\n', '\r\n')]).flows[0]!.label;
  };
  expect(labelOf('Malicious   PartOfAHorizontalPortScan')).toBe('PartOfAHorizontalPortScan');
  expect(labelOf('Malicious   C&C-Torii')).toBe('C&C-Torii');
  expect(labelOf('Malicious   -')).toBe('Malicious');
  expect(labelOf('malicious   ')).toBe('Malicious');
  expect(labelOf('Benign   -')).toBe('Benign');
  expect(labelOf('benign   -')).toBe('Benign');
  expect(labelOf('-   -')).toBeNull();
});

test('IoT-23 re-exported with | and labels split in the wrong place', () => {
  const fields = `${FIELDS}\tlabel\tdetailed-label`.replaceAll('\t', '|');
  const labelOf = (labels: string) => {
    const row = `${CONN.replaceAll('\t', '|').replace('(empty)', '-')}|${labels}`;
    const { flows, rejects } = decodeMessages(zeekTsv, [`${fields}\n${row}\n`]);
    expect(rejects).toEqual([]);
    expect(flows[0]!.bytes).toBe(180);
    return flows[0]!.label;
  };
  expect(labelOf('Benign|-')).toBe('Benign');
  expect(labelOf('Malicious|C&C')).toBe('C&C');
  expect(labelOf('Malicious   C&C|Torii')).toBe('C&C-Torii');
  expect(labelOf('Malicious   C&C|')).toBe('C&C');
  expect(labelOf('Malicious|-')).toBe('Malicious');
});

test('labels in proper columns, at the end or not', () => {
  const atEnd = message(
    `${FIELDS}\tlabel\tdetailedlabel`,
    `${CONN}\tMalicious\tDDoS`,
    `${DNS}\tBenign\tfrom-lab`,
  );
  expect(decodeMessages(zeekTsv, [atEnd]).flows.map(({ label }) => label)).toEqual(['DDoS', 'Benign']);
  const between = message(`label\tdetailed-label\t${FIELDS}`, `Malicious\tDDoS\t${CONN}`, `-\t-\t${DNS}`);
  expect(decodeMessages(zeekTsv, [between]).flows.map(({ label }) => label)).toEqual(['DDoS', null]);
  const alone = message(`${FIELDS}\tlabel`, `${CONN}\tMalicious`);
  expect(decodeMessages(zeekTsv, [alone]).flows.map(({ label }) => label)).toEqual(['Malicious']);
});

test('without directives the default fields hold, with or without local_resp', () => {
  const old = CONN.split('\t').toSpliced(13, 1).join('\t');
  const { flows } = decodeMessages(zeekTsv, [CONN, old]);
  expect(flows).toHaveLength(2);
  expect(flows[1]).toEqual(flows[0]);
});

test('separator and unset word are those of the directives', () => {
  const text = message(FIELDS, CONN).replace('\\x09', '\\x3b').replace('unset_field\t-', 'unset_field\tNULL');
  const semicolons = text.replaceAll('\t', ';').replaceAll(';-;', ';NULL;').replaceAll(';-;', ';NULL;');
  const { flows, rejects } = decodeMessages(zeekTsv, [semicolons, message(FIELDS, CONN)]);
  expect(rejects).toEqual([]);
  expect(flows[1]).toEqual(flows[0]);
});

test('ICMP: type and code in the place of ports; the answering type is no code', () => {
  const icmp = (orig: string, type: number, code: number) =>
    message(
      FIELDS,
      `1.5\tC1\t${orig}\t${type}\t${orig}\t${code}\ticmp\t-\t-\t-\t-\tOTH\t-\t-\t0\t-\t1\t72\t0\t0\t-`,
    );
  const portOf = (text: string) => {
    const flow = decodeMessages(zeekTsv, [text]).flows[0]!;
    return [flow.protocol, flow.sourcePort, flow.destinationPort];
  };
  expect(portOf(icmp('10.0.0.1', 3, 3))).toEqual([1, 0, 771]);
  expect(portOf(icmp('10.0.0.1', 8, 0))).toEqual([1, 0, 2048]);
  expect(portOf(icmp('10.0.0.1', 13, 14))).toEqual([1, 0, 3328]);
  expect(portOf(icmp('fe80::1', 135, 136))).toEqual([58, 0, 34560]);
});

test('a capture that counts from its own beginning keeps its clock', () => {
  const relative = CONN.replace('1545403816.962094', '9702.917586');
  expect(decodeMessages(zeekTsv, [message(FIELDS, relative)]).flows[0]).toMatchObject({
    startUs: 9_702_917_586,
    endUs: 9_706_056_797,
    timeQuality: 'OK',
  });
});

test('refusals name the row; other logs of Zeek are no flows', () => {
  const bad = [
    CONN.replace('1545403816.962094', '-'),
    CONN.replace('192.168.1.195', 'host'),
    CONN.replace('\t180', '\tmany'),
    'half a row',
    CONN.replace('3.139211', '-3'),
  ];
  const { flows, rejects } = decodeMessages(zeekTsv, [`${message(FIELDS, ...bad, DNS)}#close\t2019-12-05`]);
  expect(flows).toHaveLength(1);
  expect(rejects.map(({ reason, position, row }) => [reason, position, row])).toEqual([
    ['invalid_time', 0, bad[0]],
    ['invalid_address', 1, bad[1]],
    ['invalid_number', 2, bad[2]],
    ['truncated', 3, bad[3]],
    ['invalid_time', 4, bad[4]],
  ]);
  const dns = message(FIELDS, CONN).replace('#path\tconn', '#path\tdns');
  expect(decodeMessages(zeekTsv, [dns])).toMatchObject({ flows: [], rejects: [{ reason: 'not_a_flow' }] });
  const short = message('ts\tuid', '1\tx');
  expect(decodeMessages(zeekTsv, [short])).toMatchObject({
    flows: [],
    rejects: [{ reason: 'missing_field' }],
  });
});
