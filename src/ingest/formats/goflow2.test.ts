import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { decodeMessages, endsOf } from '../../../test/support/decoding.ts';
import { formatAddress } from '../../flow/address.ts';
import { goflow2 } from './goflow2.ts';

// Built with protobufjs against flow.proto: one length byte and 88 bytes.
const VECTOR = Buffer.from(
  '58080418e807202a32040a0102033a04c000020748dc0b50035a04ac100001900107980109a00106a801d18603b001bb' +
    '03d00118f0018010f006959ad7aa9fca9cc318f80680d0caadbfc89cc318800780ecfc929bca9cc318',
  'hex',
);
const PLAIN = VECTOR.subarray(1);
const NS = 1_767_225_600_000_000_000n;

type Value = number | bigint | Uint8Array;

/** A message of these fields (number -> value), without length. */
function encode(fields: Readonly<Record<number, Value>>): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const [field, value] of Object.entries(fields)) {
    if (value instanceof Uint8Array) writer.uint32(Number(field) * 8 + 2).bytes(value);
    else writer.uint32(Number(field) * 8).uint64(String(value));
  }
  return writer.finish();
}

const BASE = {
  1: 4,
  6: Uint8Array.of(10, 0, 0, 1),
  7: Uint8Array.of(10, 0, 0, 2),
  110: NS,
  111: NS,
  112: NS,
};
const decode = (fields: Readonly<Record<number, Value>>) => decodeMessages(goflow2, [encode(fields)]);

describe('goflow2 protobuf', () => {
  it.each([
    ['with a length', VECTOR],
    ['without', PLAIN],
  ])('reads the test vector %s', (_how, message) => {
    const { flows, exporters, rejects } = decodeMessages(goflow2, [message]);
    expect(rejects).toEqual([]);
    expect(exporters).toEqual(['172.16.0.1']);
    expect(endsOf(flows[0]!)).toBe('10.1.2.3:50001 > 192.0.2.7:443 /6');
    expect(flows[0]).toMatchObject({
      startUs: 1767225540000000,
      endUs: 1767225599000000,
      receivedUs: 1767225600123456,
      timeQuality: 'OK',
      tcpFlags: 0x18,
      inInterface: 7,
      outInterface: 9,
      direction: 'UNKNOWN',
      bytes: 1_500_000,
      packets: 3000,
      rawBytes: 1500,
      rawPackets: 3,
      samplingRate: 1000,
      samplingApplied: 'FLOWCAST',
      bidirectional: false,
    });
  });

  it('passes over fields of later versions and of mapping.yaml', () => {
    const later = {
      16: 24,
      70: 5,
      80: 3,
      82: Uint8Array.of(1),
      103: Uint8Array.of(0, 1),
      2000: Uint8Array.of(7),
      536870911: 1,
    };
    expect(decode({ ...BASE, ...later }).flows).toEqual(decode(BASE).flows);
  });

  it('takes the direction of mapping.yaml, and leaves the rate unknown where it is 0', () => {
    expect(decode({ ...BASE, 42: 0 }).flows[0]!.direction).toBe('INGRESS');
    expect(decode({ ...BASE, 42: 1 }).flows[0]!.direction).toBe('EGRESS');
    expect(decode({ ...BASE, 9: 100 }).flows[0]).toMatchObject({
      bytes: 100,
      samplingRate: 0,
      samplingApplied: 'UNKNOWN',
    });
  });

  it('reads IPv6, mapped IPv4 and flows that are not IP', () => {
    const six = Uint8Array.from({ length: 16 }, (_, i) => i);
    const mapped = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 9);
    const [flow] = decode({ ...BASE, 6: six, 7: mapped }).flows;
    expect(formatAddress(flow!.sourceAddress)).toBe('1:203:405:607:809:a0b:c0d:e0f');
    expect(formatAddress(flow!.destinationAddress)).toBe('10.0.0.9');
    const sampler = decodeMessages(goflow2, [encode({ ...BASE, 11: six })]);
    expect(sampler.exporters).toEqual(['1:203:405:607:809:a0b:c0d:e0f']);
    expect(decode({ 1: 1, 30: 0x0806, 110: NS, 111: NS, 112: NS }).flows[0]!.protocol).toBe(255);
  });

  it('gives ICMP its type and code as destination port', () => {
    expect(decode({ ...BASE, 20: 1, 31: 3, 32: 1 }).flows[0]!.destinationPort).toBe(769);
  });

  it('knows v1 by field 2: seconds, or milliseconds beside them, and field 38 is a time', () => {
    const v1 = { 1: 3, 2: 1_767_225_600, 5: 1_767_225_590, 6: BASE[6], 7: BASE[7], 38: 1_767_225_580 };
    expect(decode(v1).flows[0]).toMatchObject({
      startUs: 1_767_225_580_000_000,
      endUs: 1_767_225_590_000_000,
      receivedUs: 1_767_225_600_000_000,
      timeQuality: 'OK',
    });
    const withMs = { ...v1, 63: 1_767_225_580_123n, 64: 1_767_225_590_456n };
    expect(decode(withMs).flows[0]).toMatchObject({
      startUs: 1_767_225_580_123_000,
      endUs: 1_767_225_590_456_000,
    });
  });

  it('v2 has ip_flags in field 38', () => {
    expect(decode({ ...BASE, 38: 2 }).flows[0]!.startUs).toBe(1_767_225_600_000_000);
  });

  it('a template without times has those of receipt', () => {
    const { 111: _start, 112: _end, ...received } = BASE;
    expect(decode(received).flows[0]).toMatchObject({
      startUs: 1_767_225_600_000_000,
      timeQuality: 'RECEIVED',
    });
  });

  it.each([
    ['a counter beyond 2^53', { ...BASE, 9: 2n ** 53n }, 'counter_out_of_range'],
    ['a counter beyond 2^53 when scaled', { ...BASE, 3: 1000, 9: 2n ** 52n }, 'counter_out_of_range'],
    ['a port beyond 65535', { ...BASE, 21: 65_536 }, 'invalid_number'],
    ['an address of 5 bytes', { ...BASE, 6: new Uint8Array(5) }, 'invalid_address'],
    ['a sampler of 3 bytes', { ...BASE, 11: new Uint8Array(3) }, 'invalid_address'],
    ['no time at all', { 1: 4, 6: BASE[6], 7: BASE[7] }, 'missing_field'],
    ['times in 1970', { ...BASE, 110: 0, 111: 5_000_000_000, 112: 6_000_000_000 }, 'invalid_time'],
  ])('refuses %s', (_what, fields, reason) => {
    const { flows, rejects } = decode(fields);
    expect(flows).toEqual([]);
    expect(rejects.map((reject) => reject.reason)).toEqual([reason]);
  });

  it('no cut of a message with its length is taken for a flow', () => {
    for (let length = 1; length < VECTOR.length; length++) {
      expect(decodeMessages(goflow2, [VECTOR.subarray(0, length)]).flows).toEqual([]);
    }
    const { rejects } = decodeMessages(goflow2, [
      Buffer.alloc(0),
      VECTOR.subarray(0, 40),
      PLAIN.subarray(0, 40),
    ]);
    expect(rejects.map(({ reason }) => reason)).toEqual(['empty_message', 'truncated', 'truncated']);
    expect(
      decodeMessages(goflow2, [Buffer.concat([VECTOR, Buffer.from('00', 'hex')])]).rejects[0]!.reason,
    ).toBe('malformed');
  });

  it('gives one flow or one reject for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        const { flows, rejects } = decodeMessages(goflow2, [bytes]);
        expect(flows.length + rejects.length).toBe(1);
      }),
    );
  });

  it('keeps nothing of one message for the next, and no hold on its bytes', () => {
    const first = Buffer.from(VECTOR);
    const { flows } = decodeMessages(goflow2, [first, encode(BASE)]);
    first.fill(0);
    expect(endsOf(flows[0]!)).toBe('10.1.2.3:50001 > 192.0.2.7:443 /6');
    expect(flows[1]).toEqual(decode(BASE).flows[0]);
  });

  it('is recognised with and without length, alone and in a file; other things are not', () => {
    expect(goflow2.sniff(VECTOR)).toBeGreaterThan(0.9);
    expect(goflow2.sniff(PLAIN)).toBeGreaterThan(0.9);
    expect(goflow2.sniff(Buffer.concat([VECTOR, VECTOR, VECTOR.subarray(0, 30)]))).toBeGreaterThan(0.9);
    for (const other of ['', 'a text file\nof lines\n', '{"a":1}', '\u0008\u0004'])
      expect(goflow2.sniff(Buffer.from(other))).toBe(0);
  });
});
