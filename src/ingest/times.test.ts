import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epochTextToUs, IsoTimeReader } from './times.ts';

const us = (text: string) => Date.parse(text) * 1000;

describe('IsoTimeReader', () => {
  const berlin = new IsoTimeReader('Europe/Berlin');

  it.each([
    ['2023-09-18T06:13:33.324862+0000', us('2023-09-18T06:13:33Z') + 324862],
    ['2026-01-01T00:59:00.123+01:00', us('2025-12-31T23:59:00.123Z')],
    ['2026-01-01T00:59:00-0530', us('2026-01-01T06:29:00Z')],
    ['2026-01-01T00:59:00+01', us('2025-12-31T23:59:00Z')],
    ['2026-01-01T00:00:00.123456789Z', us('2026-01-01T00:00:00Z') + 123456],
    ['2026-01-01 00:59:00.123', us('2025-12-31T23:59:00.123Z')],
    ['2011/08/16 10:01:46.97', us('2011-08-16T08:01:46.970Z')],
    ['2024-02-29T12:00:00', us('2024-02-29T11:00:00Z')],
    // Clock forward on 2026-03-29 at 02:00 CET: 02:30 does not exist and is read as CET.
    ['2026-03-29 01:59:59', us('2026-03-29T00:59:59Z')],
    ['2026-03-29 02:30:00', us('2026-03-29T01:30:00Z')],
    ['2026-03-29 03:00:00', us('2026-03-29T01:00:00Z')],
    // Clock back on 2026-10-25 at 03:00 CEST: 02:30 happens twice, the first is meant.
    ['2026-10-25 02:30:00', us('2026-10-25T00:30:00Z')],
    ['2026-10-25 03:00:00', us('2026-10-25T02:00:00Z')],
  ])('%s', (text, expected) => expect(berlin.readUs(text)).toBe(expected));

  it.each([
    '',
    '2026-01-01',
    '2026-02-30T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:00:00.Z',
    '2026-01-01T00:00:00+1',
    '2026-01-01T00:00:00 GMT',
    '2026-01-01X00:00:00',
    '2026-01-0aT00:00:00',
    'not a time at all, no',
  ])('refuses %j', (text) => expect(berlin.readUs(text)).toBeNaN());

  it('reads what toISOString writes', () => {
    const reader = new IsoTimeReader('America/New_York');
    const day = fc.date({ min: new Date('1990-01-01'), max: new Date('2099-01-01'), noInvalidDate: true });
    fc.assert(fc.property(day, (date) => reader.readUs(date.toISOString()) === date.getTime() * 1000));
  });

  it('knows zones that change by half an hour and zones without DST', () => {
    // Lord Howe: +11:00 in summer, +10:30 in winter; Kathmandu: +05:45.
    expect(new IsoTimeReader('Australia/Lord_Howe').readUs('2026-07-01 10:30:00')).toBe(
      us('2026-07-01T00:00:00Z'),
    );
    expect(new IsoTimeReader('Asia/Kathmandu').readUs('2026-07-01 05:45:00')).toBe(
      us('2026-07-01T00:00:00Z'),
    );
  });

  it('names the zone it does not know', () => {
    expect(() => new IsoTimeReader('Mars/Olympus')).toThrow(/Mars\/Olympus is no IANA time zone/);
  });
});

describe('epochTextToUs', () => {
  it.each([
    ['1677577561.000123', 1677577561000123],
    ['1677577561.1', 1677577561100000],
    ['1677577561', 1677577561000000],
    ['1767225600.123456789', 1767225600123456],
    ['0.000001', 1],
    ['.5', 500000],
    ['5.', 5000000],
  ])('%s', (text, expected) => expect(epochTextToUs(text)).toBe(expected));

  it.each(['', '.', '-1', '1e9', '12a', '1.2.3', '99999999999999999'])('refuses %j', (text) =>
    expect(epochTextToUs(text)).toBeNaN(),
  );

  it('is exact where doubles are not', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4e9 }),
        fc.integer({ min: 0, max: 999_999 }),
        (seconds, micros) => {
          const text = `${seconds}.${String(micros).padStart(6, '0')}`;
          expect(epochTextToUs(text)).toBe(seconds * 1e6 + micros);
        },
      ),
    );
  });
});
