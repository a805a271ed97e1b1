import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressFromBytes, formatAddress, parseAddress } from './address.ts';

const canonical = (text: string) => {
  const address = parseAddress(text);
  return address && formatAddress(address);
};

describe('parseAddress and formatAddress', () => {
  it.each([
    ['10.1.2.3', '10.1.2.3'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['fe80:0000:0000:0000:0000:0000:0000:0001%eth0', 'fe80::1'],
    ['::', '::'],
    ['1::', '1::'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ])('%s is %s', (input, expected) => expect(canonical(input)).toBe(expected));

  it.each(['', '1.2.3', '1.2.3.4.5', '256.1.1.1', ':::', '1::2::3', '12345::', 'host', '1:2:3:4:5:6:7:8:9'])(
    'refuses %j',
    (input) => expect(parseAddress(input)).toBeNull(),
  );

  it('round-trips every 16 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const text = formatAddress(bytes);
        expect(isIP(text)).not.toBe(0);
        expect(parseAddress(text)).toEqual(bytes);
      }),
    );
  });

  it('maps 4 bytes and refuses other lengths', () => {
    expect(formatAddress(addressFromBytes(Uint8Array.of(10, 1, 2, 3))!)).toBe('10.1.2.3');
    expect(addressFromBytes(new Uint8Array(5))).toBeNull();
  });
});
