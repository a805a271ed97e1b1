import { usageError } from '../kernel/errors.ts';

const DAY_MS = 86_400_000;
const BUCKET_MS = 900_000;
const BUCKETS_MAX = 10_000;

/** Turns zone-less local times of one IANA zone into UTC. Offsets are cached: an hour of flows asks the calendar a few times only. */
export class LocalZone {
  readonly #format: Intl.DateTimeFormat | null;
  readonly #offsets = new Map<number, number>();
  #lastBucket = Number.NaN;
  #lastOffsetMs = 0;

  /** Throws a usageError for a name that is no IANA zone. */
  constructor(timeZone: string) {
    try {
      const format = new Intl.DateTimeFormat('en-US', {
        timeZone,
        hourCycle: 'h23',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      });
      this.#format = format.resolvedOptions().timeZone === 'UTC' ? null : format;
    } catch (error) {
      throw usageError(
        'time_zone',
        `${timeZone} is no IANA time zone; write for example Europe/Berlin or UTC`,
        error,
      );
    }
  }

  /**
   * What to subtract from a local time (ms, read as if it were UTC) to get UTC. A time that a clock change repeats is taken
   * as the first of the two, one that it skips as if the clock had not been changed yet (RFC 5545 section 3.3.5).
   */
  offsetMs(localMs: number): number {
    if (this.#format === null) return 0;
    // Zones change their offset on quarters of an hour only.
    const bucket = Math.floor(localMs / BUCKET_MS);
    if (bucket === this.#lastBucket) return this.#lastOffsetMs;
    let offsetMs = this.#offsets.get(bucket);
    if (offsetMs === undefined) {
      offsetMs = this.#findOffsetMs(bucket * BUCKET_MS);
      if (this.#offsets.size >= BUCKETS_MAX) this.#offsets.clear();
      this.#offsets.set(bucket, offsetMs);
    }
    this.#lastBucket = bucket;
    this.#lastOffsetMs = offsetMs;
    return offsetMs;
  }

  #findOffsetMs(localMs: number): number {
    const before = this.#offsetAtMs(localMs - DAY_MS);
    const after = this.#offsetAtMs(localMs + DAY_MS);
    if (before === after || this.#offsetAtMs(localMs - before) === before) return before;
    return this.#offsetAtMs(localMs - after) === after ? after : before;
  }

  /** The zone's offset at an instant of UTC. */
  #offsetAtMs(utcMs: number): number {
    const part: Record<string, number> = {};
    for (const { type, value } of this.#format!.formatToParts(utcMs)) part[type] = Number(value);
    const local = Date.UTC(part.year!, part.month! - 1, part.day!, part.hour!, part.minute!, part.second!);
    return local - Math.floor(utcMs / 1000) * 1000;
  }
}

/** Reads ISO 8601 and its relatives: the last date is remembered, so that a file of one day is cheap. */
export class IsoTimeReader {
  readonly #zone: LocalZone;
  #date = '';
  #dateMs = 0;

  /** `timeZone`: IANA zone of times that name none. */
  constructor(timeZone: string) {
    this.#zone = new LocalZone(timeZone);
  }

  /**
   * Microseconds since the epoch of `2026-01-01T00:59:00.123456789+0100`; NaN when it is not a time. The date may use `/`, the middle
   * may be a space; fraction (any digits, `.` or `,`, cut to microseconds) and zone (`Z`, `+hh`, `+hhmm`, `+hh:mm`) may be missing.
   */
  readUs(text: string): number {
    if (text.length < 19) return Number.NaN;
    const middle = text.charCodeAt(10);
    if (middle !== 0x54 && middle !== 0x20 && middle !== 0x74) return Number.NaN;
    if (text.charCodeAt(13) !== COLON || text.charCodeAt(16) !== COLON) return Number.NaN;
    const hour = twoDigits(text, 11);
    const minute = twoDigits(text, 14);
    const second = twoDigits(text, 17);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return Number.NaN;
    if (!this.#readDate(text)) return Number.NaN;
    const localMs = this.#dateMs + hour * 3_600_000 + minute * 60_000 + second * 1000;
    let at = 19;
    let fractionUs = 0;
    const mark = text.charCodeAt(at);
    if (mark === POINT || mark === 0x2c) {
      const from = ++at;
      let weight = 100_000;
      for (; isDigit(text.charCodeAt(at)); at++) {
        fractionUs += (text.charCodeAt(at) - ZERO) * weight;
        weight = weight > 1 ? weight / 10 : 0;
      }
      if (at === from) return Number.NaN;
    }
    const offsetMs = at === text.length ? this.#zone.offsetMs(localMs) : zoneMs(text, at);
    return (localMs - offsetMs) * 1000 + fractionUs;
  }

  #readDate(text: string): boolean {
    if (this.#date !== '' && text.startsWith(this.#date)) return true;
    const separator = text.charCodeAt(4);
    if ((separator !== MINUS && separator !== SLASH) || text.charCodeAt(7) !== separator) return false;
    const century = twoDigits(text, 0);
    const yearOfCentury = twoDigits(text, 2);
    const month = twoDigits(text, 5);
    const day = twoDigits(text, 8);
    if (century < 0 || yearOfCentury < 0 || month < 1 || month > 12 || day < 1) return false;
    const dateMs = Date.UTC(century * 100 + yearOfCentury, month - 1, day);
    // Date.UTC rolls 31 April over into May.
    if (new Date(dateMs).getUTCDate() !== day) return false;
    this.#date = text.slice(0, 10);
    this.#dateMs = dateMs;
    return true;
  }
}

const ZERO = 0x30;
const POINT = 0x2e;
const COLON = 0x3a;
const MINUS = 0x2d;
const SLASH = 0x2f;

function isDigit(code: number): boolean {
  return code >= ZERO && code <= 0x39;
}

/** The number at `at`, -1 when there are not two digits. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at);
  const ones = text.charCodeAt(at + 1);
  return isDigit(tens) && isDigit(ones) ? (tens - ZERO) * 10 + ones - ZERO : -1;
}

/** Offset written at the end of a time; NaN when it is none. */
function zoneMs(text: string, at: number): number {
  const sign = text.charCodeAt(at);
  const left = text.length - at;
  if (left === 1 && (sign === 0x5a || sign === 0x7a)) return 0;
  if (sign !== MINUS && sign !== 0x2b) return Number.NaN;
  const hasColon = left === 6 && text.charCodeAt(at + 3) === COLON;
  if (left !== 3 && left !== 5 && !hasColon) return Number.NaN;
  const hours = twoDigits(text, at + 1);
  const minutes = left === 3 ? 0 : twoDigits(text, hasColon ? at + 4 : at + 3);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return Number.NaN;
  const ms = hours * 3_600_000 + minutes * 60_000;
  return sign === MINUS ? -ms : ms;
}

/**
 * Microseconds of decimal seconds since the epoch, exactly: `1677577561.000123`. Digits after the sixth are cut. Also for
 * durations. NaN when it is not a plain decimal number (no sign, no exponent) or exceeds 2^53 us.
 */
export function epochTextToUs(text: string): number {
  const length = text.length;
  let seconds = 0;
  let at = 0;
  for (; at < length && isDigit(text.charCodeAt(at)); at++)
    seconds = seconds * 10 + text.charCodeAt(at) - ZERO;
  let digits = at;
  let fractionUs = 0;
  if (at < length) {
    if (text.charCodeAt(at) !== POINT) return Number.NaN;
    let weight = 100_000;
    for (at++; at < length; at++, digits++) {
      const code = text.charCodeAt(at);
      if (!isDigit(code)) return Number.NaN;
      fractionUs += (code - ZERO) * weight;
      weight = weight > 1 ? weight / 10 : 0;
    }
  }
  const us = seconds * 1e6 + fractionUs;
  return digits > 0 && us <= Number.MAX_SAFE_INTEGER ? us : Number.NaN;
}
