import { ADDRESS_BYTES, parseAddress } from '../../flow/address.ts';

const ZERO = 0x30;
const DOT = 0x2e;
const MINUS = 0x2d;

/** Powers of ten that are exact in a double and matter here. */
const POWER_OF_TEN = [
  1, 10, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
];

function numberBetween(bytes: Uint8Array, start: number, end: number): number {
  let text = '';
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!);
  return text.trim() === '' ? Number.NaN : Number(text);
}

/**
 * A counter, port or other non-negative integer; also written as an integral float (`12.0`, `1.2E3`).
 * NaN where the bytes are no such number or it is not exact in a double.
 */
export function parseCount(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - ZERO;
    if (digit < 0 || digit > 9) return integralFloat(numberBetween(bytes, start, end));
    value = value * 10 + digit;
  }
  return start < end && value <= Number.MAX_SAFE_INTEGER ? value : Number.NaN;
}

/** The number itself where it is a whole number from 0 to 2^53 - 1, else NaN. */
export function integralFloat(value: number): number {
  return Number.isSafeInteger(value) && value >= 0 ? value : Number.NaN;
}

/**
 * Decimal seconds to whole microseconds, digit by digit, so that `1545403816.962094` is 1545403816962094 and not a
 * neighbour. Further digits round half up. NaN where the bytes are no number or the result passes 2^53.
 */
export function parseSecondsUs(bytes: Uint8Array, start: number, end: number): number {
  const negative = bytes[start] === MINUS;
  let at = negative ? start + 1 : start;
  const first = at;
  let us = 0;
  for (; at < end && bytes[at] !== DOT; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) return secondsUs(numberBetween(bytes, start, end));
    us = us * 10 + digit;
  }
  if (at === end && at === first) return Number.NaN;
  let places = 0;
  for (at++; at < end; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) return secondsUs(numberBetween(bytes, start, end));
    if (places < 6) us = us * 10 + digit;
    else if (places === 6 && digit >= 5) us++;
    places++;
  }
  if (places < 6) us *= POWER_OF_TEN[6 - places]!;
  if (us > Number.MAX_SAFE_INTEGER) return Number.NaN;
  return negative ? -us : us;
}

/** Seconds to the nearest microsecond; exact for six decimals up to the year 2242, where doubles get coarser than that. */
export function secondsUs(seconds: number): number {
  const us = Math.round(seconds * 1e6);
  return Number.isSafeInteger(us) ? us : Number.NaN;
}

/**
 * An epoch whose trailing zeros were dropped, padded back to `digits` digits: `159416823142178` of a 16-digit clock is
 * 1594168231421780. NaN for other text, for more digits, and for so few that seconds would be missing (under ten).
 */
export function parsePaddedEpoch(bytes: Uint8Array, start: number, end: number, digits: number): number {
  const length = end - start;
  if (length < 10 || length > digits) return Number.NaN;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value * POWER_OF_TEN[digits - length]!;
}

/** As `parseAddress`, from bytes and without a string for IPv4; null where it is neither IPv4 nor IPv6. */
export function parseAddressBytes(bytes: Uint8Array, start: number, end: number): Uint8Array | null {
  const address = new Uint8Array(ADDRESS_BYTES);
  let index = 12;
  let value = -1;
  for (let i = start; i <= end; i++) {
    const code = i < end ? bytes[i]! : DOT;
    if (code === DOT) {
      if (value < 0 || index > 15) return null;
      address[index++] = value;
      value = -1;
    } else if (code >= ZERO && code <= 0x39) {
      value = (value < 0 ? 0 : value * 10) + code - ZERO;
      if (value > 255) return textAddress(bytes, start, end);
    } else return textAddress(bytes, start, end);
  }
  if (index !== 16) return null;
  address[10] = 0xff;
  address[11] = 0xff;
  return address;
}

function textAddress(bytes: Uint8Array, start: number, end: number): Uint8Array | null {
  if (end - start > 64) return null;
  let text = '';
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!);
  return parseAddress(text);
}
