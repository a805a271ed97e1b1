import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { joinSeries, parseSeries, readSeries } from './series.ts';

describe('parseSeries', () => {
  it('reads one value a line', () => {
    const series = parseSeries('1\n2.5\n\n4\n', 'a.txt', undefined, 300);
    expect([...series.values]).toEqual([1, 2.5, Number.NaN, 4]);
    expect(series.timed).toBe(false);
    expect(() => parseSeries('1\n2\n', 'a.txt', undefined, undefined)).toThrow(/--interval/);
  });

  it('puts values on their steps and leaves holes', () => {
    const text =
      'time,total,out\n2004-03-01T00:00:00Z,1,10\n2004-03-01T00:05:00Z,,\n2004-03-01T00:10:00Z,3,30\n2004-03-01T00:25:00Z,6,60\n';
    const series = parseSeries(text, 'x.csv', 'out', undefined);
    expect(series.stepSeconds).toBe(300);
    expect(series.startUs).toBe(Date.UTC(2004, 2, 1) * 1000);
    expect([...series.values]).toEqual([10, Number.NaN, 30, Number.NaN, Number.NaN, 60]);
    expect([...parseSeries(text, 'x.csv', undefined, 300).values][0]).toBe(1);
  });

  it.each([
    ['24.10.2019 02:05', Date.UTC(2019, 9, 24, 2, 5)],
    ['2005-06-07 07:00:00', Date.UTC(2005, 5, 7, 7)],
    ['2005-06-07T07:00:00+02:00', Date.UTC(2005, 5, 7, 5)],
    ['1118127600', 1118127600000],
    ['1118127600000', 1118127600000],
    ['1118127600000000', 1118127600000],
  ])('understands the time %s', (time, expectedMs) => {
    const series = parseSeries(`Time,v\n${time},5\n`, 'x.csv', 'v', 60);
    expect(series.startUs).toBe(expectedMs * 1000);
    expect([...series.values]).toEqual([5]);
  });

  it('reads quoted cells', () => {
    const series = parseSeries(
      '"Time","bits, total"\n"2005-06-07 07:00:00",5\n"2005-06-07 08:00:00",7\n',
      'q',
      undefined,
      undefined,
    );
    expect([...series.values]).toEqual([5, 7]);
    expect(series.stepSeconds).toBe(3600);
  });

  it('names the columns there are', () => {
    expect(() => parseSeries('time,a,b\n2004-03-01,1,2\n', 'x.csv', 'c', 60)).toThrow(/no column c.*a, b/);
  });
});

describe('readSeries', () => {
  it('opens gzip and takes the column after the colon', async () => {
    const path = join(await mkdtemp(join(tmpdir(), 'series-')), 'x.csv.gz');
    await writeFile(path, gzipSync('time,a,b\n2004-03-01T00:00:00Z,1,2\n2004-03-01T01:00:00Z,3,4\n'));
    expect([...(await readSeries(`${path}:b`, undefined)).values]).toEqual([2, 4]);
    await expect(readSeries('/nowhere/x.csv:b', 60)).rejects.toThrow(/cannot read the series/);
  });

  it('refuses a file without numbers', async () => {
    const path = join(await mkdtemp(join(tmpdir(), 'series-')), 'x.csv');
    await writeFile(path, 'hello\nworld\n');
    await expect(readSeries(path, 60)).rejects.toThrow(/no numbers/);
  });
});

describe('joinSeries', () => {
  const timed = (start: string, values: string[]) =>
    parseSeries(
      `time,v\n${values.map((v, i) => `${start}T0${i}:00:00Z,${v}`).join('\n')}\n`,
      start,
      'v',
      3600,
    );

  it('continues a series where its times say so, the time between a gap', () => {
    const first = timed('2004-03-01', ['1', '2', '3', '4', '5', '6']);
    const second = timed('2004-03-01', ['9', '9', '9', '9', '9', '9', '9', '8']);
    const later = { ...second, startUs: second.startUs + 7 * 3600e6, values: Float64Array.of(7, 8) };
    const joined = joinSeries(first, later);
    expect([...joined.series.values]).toEqual([1, 2, 3, 4, 5, 6, Number.NaN, 7, 8]);
    expect(joined.trainSteps).toBe(7);
    expect(joined.training).toBeNull();
    expect(joinSeries(first, second).training).toBe(first);
  });

  it('appends values without times and refuses different intervals', () => {
    const first = parseSeries('1\n2\n', 'a', undefined, 60);
    const second = parseSeries('3\n4\n', 'b', undefined, 60);
    expect([...joinSeries(first, second).series.values]).toEqual([1, 2, 3, 4]);
    expect(() => joinSeries(first, { ...second, stepSeconds: 300 })).toThrow(/same interval/);
  });
});
