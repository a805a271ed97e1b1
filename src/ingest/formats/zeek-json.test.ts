import { expect, test } from 'vitest';
import { decodeMessages, endsOf } from '../../../test/support/decoding.ts';
import { zeekJson } from './zeek-json.ts';

// The example of zeek-kafka's conn records.
const CONN = {
  ts: 1767225540.123456,
  uid: 'CX7a1b2c3d4',
  'id.orig_h': '10.1.2.3',
  'id.orig_p': 50001,
  'id.resp_h': '192.0.2.7',
  'id.resp_p': 443,
  proto: 'tcp',
  service: 'ssl',
  duration: 12.5,
  orig_bytes: 1200,
  resp_bytes: 5400,
  conn_state: 'SF',
  missed_bytes: 0,
  history: 'ShADadFf',
  orig_pkts: 12,
  orig_ip_bytes: 1836,
  resp_pkts: 10,
  resp_ip_bytes: 5932,
};

const decode = (record: object) => decodeMessages(zeekJson, [JSON.stringify(record)]);

test('the record of zeek-kafka', () => {
  const { flows, rejects } = decode(CONN);
  expect(rejects).toEqual([]);
  expect(endsOf(flows[0]!)).toBe('10.1.2.3:50001 > 192.0.2.7:443 /6');
  expect(flows[0]).toMatchObject({
    startUs: 1_767_225_540_123_456,
    endUs: 1_767_225_552_623_456,
    timeQuality: 'OK',
    bytes: 1836,
    packets: 12,
    reverseBytes: 5932,
    reversePackets: 10,
    rawBytes: 1836,
    samplingRate: 1,
    samplingApplied: 'NONE',
    bidirectional: true,
    tcpFlags: 0x13,
    outcome: 'ESTABLISHED',
    label: null,
  });
});

test('nested id, wrapping by path, ISO times, milliseconds and seconds as text give the same flow', () => {
  const {
    'id.orig_h': orig_h,
    'id.orig_p': orig_p,
    'id.resp_h': resp_h,
    'id.resp_p': resp_p,
    ...rest
  } = CONN;
  const [plain] = decode(CONN).flows;
  expect(decode({ ...rest, id: { orig_h, orig_p, resp_h, resp_p } }).flows).toEqual([plain]);
  expect(decode({ conn: CONN, sensor: 'a' }).flows).toEqual([plain]);
  expect(decode({ ...CONN, ts: '2025-12-31T23:59:00.123456Z' }).flows).toEqual([plain]);
  expect(decode({ ...CONN, ts: '1767225540.123456' }).flows).toEqual([plain]);
  const [millis] = decode({ ...CONN, ts: 1767225540123 }).flows;
  expect(millis).toMatchObject({
    startUs: 1_767_225_540_123_000,
    endUs: 1_767_225_552_623_000,
    timeQuality: 'OK',
  });
});

test('what is absent: duration, IP bytes, answer', () => {
  const { duration, orig_ip_bytes, resp_ip_bytes, history, ...rest } = CONN;
  expect(decode({ ...rest, conn_state: 'S0', resp_pkts: 0, resp_bytes: 0 }).flows[0]).toMatchObject({
    startUs: 1_767_225_540_123_456,
    endUs: 1_767_225_540_123_456,
    bytes: orig_ip_bytes - 636,
    reverseBytes: 0,
    outcome: 'NO_REPLY',
    tcpFlags: 0,
  });
  expect([duration, resp_ip_bytes, history]).toBeDefined();
});

test('durations with the noise of doubles, relative clocks, IPv6', () => {
  const { flows } = decode({
    ...CONN,
    ts: 22.335172,
    duration: 0.09628199999999865,
    'id.orig_h': 'FE80::1CF4:44D2:904A:14F7',
    'id.resp_h': 'ff02::1:3',
    proto: 'udp',
  });
  expect(flows[0]).toMatchObject({ startUs: 22_335_172, endUs: 22_431_454, timeQuality: 'OK', tcpFlags: 0 });
  expect(endsOf(flows[0]!)).toBe('fe80::1cf4:44d2:904a:14f7:50001 > ff02::1:3:443 /17');
});

test('labels', () => {
  const labelOf = (label: string, detail?: string) =>
    decode({ ...CONN, label, ...(detail === undefined ? {} : { 'detailed-label': detail }) }).flows[0]!.label;
  expect(labelOf('Malicious', 'C&C')).toBe('C&C');
  expect(labelOf('Malicious', '-')).toBe('Malicious');
  expect(labelOf('malicious')).toBe('Malicious');
  expect(labelOf('benign', 'whatever')).toBe('Benign');
  expect(labelOf('Background')).toBe('Background');
});

test('unknown_transport is told by ip_proto where it is there', () => {
  const protocol = (more: object) =>
    decode({ ...CONN, proto: 'unknown_transport', ...more }).flows[0]!.protocol;
  expect(protocol({ ip_proto: 47 })).toBe(47);
  expect(protocol({})).toBe(255);
});

test('what is no connection is refused', () => {
  const reasonOf = (message: string) =>
    decodeMessages(zeekJson, [message]).rejects.map(({ reason }) => reason);
  const { 'id.orig_h': _, ...noOrigin } = CONN;
  expect(reasonOf('')).toEqual(['empty_message']);
  expect(reasonOf('{"ts":1,')).toEqual(['malformed']);
  expect(reasonOf('[1]')).toEqual(['malformed']);
  expect(reasonOf('{"dns":{"ts":1,"id.orig_h":"1.2.3.4"}}')).toEqual(['not_a_flow']);
  expect(reasonOf('{"ts":1767225540.1,"uid":"C","id.orig_h":"1.2.3.4","proto":"udp","query":"x"}')).toEqual([
    'not_a_flow',
  ]);
  expect(reasonOf(JSON.stringify({ ...CONN, _path: 'ssl' }))).toEqual(['not_a_flow']);
  expect(reasonOf(JSON.stringify(noOrigin))).toEqual(['missing_field']);
  expect(reasonOf(JSON.stringify({ ...CONN, 'id.resp_h': 'x' }))).toEqual(['invalid_address']);
  expect(reasonOf(JSON.stringify({ ...CONN, ts: 'yesterday' }))).toEqual(['invalid_time']);
  expect(reasonOf(JSON.stringify({ ...CONN, duration: -1 }))).toEqual(['invalid_time']);
  expect(reasonOf(JSON.stringify({ ...CONN, orig_ip_bytes: 2 ** 60 }))).toEqual(['counter_out_of_range']);
  expect(reasonOf(JSON.stringify({ ...CONN, orig_pkts: 1.5 }))).toEqual(['invalid_number']);
});
