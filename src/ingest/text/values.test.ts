import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatAddress, parseAddress } from '../../flow/address.ts';
import { parseAddressBytes, parseCount, parsePaddedEpoch, parseSecondsUs, secondsUs } from './values.ts';

const encoder = new TextEncoder();
/** The value lies inside a longer buffer, as it does in a message. */
function parsed<T>(parse: (bytes: Uint8Array, start: number, end: number) => T, text: string): T {
  const bytes = encoder.encode(`9${text}9`);
  return parse(bytes, 1, bytes.length - 1);
}

test('counts: integers, integral floats, nothing else', () => {
  expect(parsed(parseCount, '0')).toBe(0);
  expect(parsed(parseCount, '9007199254740991')).toBe(Number.MAX_SAFE_INTEGER);
  expect(parsed(parseCount, '12.0')).toBe(12);
  expect(parsed(parseCount, '1.2E3')).toBe(1200);
  for (const text of [
    '',
    ' ',
    '-1',
    '1.5',
    'x',
    '1x',
    '9007199254740992',
    '99999999999999999999',
    'Infinity',
    '0x',
  ])
    expect(parsed(parseCount, text), text).toBeNaN();
});

test('seconds become microseconds exactly', () => {
  fc.assert(
    fc.property(fc.nat(4_000_000_000), fc.nat(999_999), (seconds, us) => {
      const text = `${seconds}.${String(us).padStart(6, '0')}`;
      const exact = seconds * 1_000_000 + us;
      expect(parsed(parseSecondsUs, text)).toBe(exact);
      expect(parsed(parseSecondsUs, text.replace(/0+$/, ''))).toBe(exact);
      expect(secondsUs(Number(text))).toBe(exact);
    }),
  );
});

test('seconds: rounding, exponents, signs and rubbish', () => {
  expect(parsed(parseSecondsUs, '0.09628199999999865')).toBe(96_282);
  expect(parsed(parseSecondsUs, '0.9999995')).toBe(1_000_000);
  expect(parsed(parseSecondsUs, '0.9999994')).toBe(999_999);
  expect(parsed(parseSecondsUs, '5.9E-5')).toBe(59);
  expect(parsed(parseSecondsUs, '1e-06')).toBe(1);
  expect(parsed(parseSecondsUs, '.5')).toBe(500_000);
  expect(parsed(parseSecondsUs, '7')).toBe(7_000_000);
  expect(parsed(parseSecondsUs, '-1.5')).toBe(-1_500_000);
  for (const text of ['', '-', 'abc', '1.2.3', '1,2', '99999999999999'])
    expect(parsed(parseSecondsUs, text), text).toBeNaN();
});

test('a padded epoch gets its dropped zeros back', () => {
  const padded = (text: string) =>
    parsed((bytes, start, end) => parsePaddedEpoch(bytes, start, end, 16), text);
  expect(padded('159416823142178')).toBe(1_594_168_231_421_780);
  expect(padded('1594168229367522')).toBe(1_594_168_229_367_522);
  expect(padded('15941682293')).toBe(1_594_168_229_300_000);
  for (const text of ['', '159', '15941682293675221', '1594168229.5']) expect(padded(text), text).toBeNaN();
});

test('addresses from bytes equal addresses from text', () => {
  const same = (text: string) => {
    const address = parsed(parseAddressBytes, text);
    expect(address, text).toEqual(parseAddress(text));
    return address;
  };
  for (const text of [
    '10.0.2.15',
    '0.0.0.0',
    '255.255.255.255',
    'fe80::1cf4:44d2:904a:14f7',
    '::',
    '::ffff:1.2.3.4',
  ])
    expect(same(text)).not.toBeNull();
  for (const text of [
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '1..2.3',
    'a.b.c.d',
    '00:15:17:2c:e5:2d',
    '1.2.3.4 ',
  ])
    expect(same(text), text).toBeNull();
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      expect(same(text)).not.toBeNull();
    }),
  );
  expect(formatAddress(parsed(parseAddressBytes, '192.168.1.9')!)).toBe('192.168.1.9');
});
