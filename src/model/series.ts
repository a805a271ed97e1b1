import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { messageOf, usageError } from '../kernel/errors.ts';
import type { LinkHistory } from './forecast/history.ts';

/** A regular time series: one value each `stepSeconds`, NaN where none was measured. */
export interface Series {
  /** The file's name and, where it has several, the column. */
  readonly name: string;
  readonly stepSeconds: number;
  /** Start of the first step in microseconds since the epoch; 0 where the file has no times (see `timed`). */
  readonly startUs: number;
  /** Whether the steps are those of a clock: only then are midnight and Monday known. */
  readonly timed: boolean;
  readonly values: Float64Array;
}

/** A series as the forecaster takes it. */
export function historyOfSeries({ startUs, stepSeconds, values }: Series): LinkHistory {
  return { stepSeconds, lastWindowStartUs: startUs + (values.length - 1) * stepSeconds * 1e6, values };
}

/** What is fitted on, and what is forecast after `trainSteps`. */
export interface JoinedSeries {
  readonly name: string;
  readonly series: Series;
  /** The series that is fitted on where it is another than the beginning of `series`. */
  readonly training: Series | null;
  readonly trainSteps: number;
}

/**
 * Two series as training and test part: the second continues the first where its times begin after the first's end (what lies between
 * is a gap), or where neither has times; otherwise it is a series of its own, forecast from its second step on. Usage error where their steps differ.
 */
export function joinSeries(first: Series, second: Series): JoinedSeries {
  if (first.stepSeconds !== second.stepSeconds) {
    throw usageError(
      'series_interval',
      `${first.name} has a value each ${first.stepSeconds} s and ${second.name} each ${second.stepSeconds} s; train and test need the same interval`,
    );
  }
  const stepUs = first.stepSeconds * 1e6;
  const trainSteps = first.values.length;
  const bothTimed = first.timed && second.timed;
  const offset = bothTimed ? Math.round((second.startUs - first.startUs) / stepUs) : trainSteps;
  const name = `${first.name} -> ${second.name}`;
  if (
    first.timed !== second.timed ||
    offset < trainSteps ||
    offset > trainSteps + CONTINUATION_GAP_SHARE_MAX * trainSteps
  ) {
    return { name, series: second, training: first, trainSteps: 1 };
  }
  const values = new Float64Array(offset + second.values.length).fill(Number.NaN);
  values.set(first.values);
  values.set(second.values, offset);
  return { name, series: { ...first, name, values }, training: null, trainSteps: offset };
}

/** A gap longer than the first series says that the second is no continuation of it. */
const CONTINUATION_GAP_SHARE_MAX = 1;

/** A wrong interval would turn a file of thousands of rows into millions of holes. */
const STEPS_MAX = 20_000_000;

/**
 * Reads `FILE` or `FILE:COLUMN`, gzipped or not: CSV with a header and, if there is one, a time column (first of that look), or one value a line.
 * With times, each value goes to its step and steps without one are NaN; the interval is the commonest difference unless given.
 * Usage errors say what is wrong with the file.
 */
export async function readSeries(specification: string, stepSeconds: number | undefined): Promise<Series> {
  const { text, column, path } = await load(specification);
  const name = column === undefined ? basename(path) : `${basename(path)}:${column}`;
  const series = parseSeries(text, name, column, stepSeconds);
  if (!series.values.some((value) => Number.isFinite(value))) {
    throw usageError(
      'series_empty',
      `${specification} holds no numbers; give FILE.csv:COLUMN or a file of one value a line`,
    );
  }
  return series;
}

async function load(
  specification: string,
): Promise<{ text: string; path: string; column: string | undefined }> {
  const colon = specification.lastIndexOf(':');
  const attempts: [string, string | undefined][] = [[specification, undefined]];
  if (colon > 0) attempts.push([specification.slice(0, colon), specification.slice(colon + 1)]);
  let failure: unknown;
  for (const [path, column] of attempts) {
    try {
      const bytes = await readFile(path);
      const zipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
      return { text: (zipped ? gunzipSync(bytes) : bytes).toString('utf8'), path, column };
    } catch (error) {
      failure = error;
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') break;
    }
  }
  throw usageError('series_read', `cannot read the series ${specification}: ${messageOf(failure)}`, failure);
}

/** The same from text already read. */
export function parseSeries(
  text: string,
  name: string,
  column: string | undefined,
  stepSeconds: number | undefined,
): Series {
  const lines = text.split(/\r?\n/);
  while (lines.length > 0 && lines[lines.length - 1]!.trim() === '') lines.pop();
  const first = splitRow(lines[0] ?? '');
  if (first.length === 1 && Number.isFinite(parseNumber(first[0]!))) {
    const values = Float64Array.from(lines, parseNumber);
    return { name, stepSeconds: requireStep(name, stepSeconds), startUs: 0, timed: false, values };
  }
  const rows = lines.slice(1).map(splitRow);
  const timeColumn = first.findIndex(
    (_, i) => rows.length > 0 && Number.isFinite(parseTimeUs(rows[0]![i] ?? '', first[i]!)),
  );
  const valueColumn = findColumn(first, column, timeColumn, name);
  const values = rows.map((row) => parseNumber(row[valueColumn] ?? ''));
  if (timeColumn < 0) {
    return {
      name,
      stepSeconds: requireStep(name, stepSeconds),
      startUs: 0,
      timed: false,
      values: Float64Array.from(values),
    };
  }
  const timesUs = rows.map((row) => parseTimeUs(row[timeColumn] ?? '', first[timeColumn]!));
  return onGrid(name, timesUs, values, stepSeconds ?? commonestStep(timesUs, name));
}

function findColumn(
  header: readonly string[],
  column: string | undefined,
  timeColumn: number,
  name: string,
): number {
  if (column === undefined) return header.findIndex((_, i) => i !== timeColumn);
  const index = header.indexOf(column);
  if (index >= 0) return index;
  const names = header.filter((_, i) => i !== timeColumn);
  const listed = names.slice(0, 30).join(', ') + (names.length > 30 ? ', ...' : '');
  throw usageError('series_column', `${name}: there is no column ${column}; the file has ${listed}`);
}

function onGrid(
  name: string,
  timesUs: readonly number[],
  values: readonly number[],
  stepSeconds: number,
): Series {
  const stepUs = Math.round(stepSeconds * 1e6);
  let fromUs = Number.POSITIVE_INFINITY;
  let toUs = Number.NEGATIVE_INFINITY;
  for (const time of timesUs) {
    if (!Number.isFinite(time)) continue;
    fromUs = Math.min(fromUs, time);
    toUs = Math.max(toUs, time);
  }
  const steps = Math.round((toUs - fromUs) / stepUs) + 1;
  if (!(steps > 0 && steps <= STEPS_MAX)) {
    throw usageError(
      'series_interval',
      `${name}: its times span ${steps} steps of ${stepSeconds} s; check --interval`,
    );
  }
  const grid = new Float64Array(steps).fill(Number.NaN);
  timesUs.forEach((time, i) => {
    if (Number.isFinite(time)) grid[Math.round((time - fromUs) / stepUs)] = values[i]!;
  });
  return { name, stepSeconds, startUs: fromUs, timed: true, values: grid };
}

function commonestStep(timesUs: readonly number[], name: string): number {
  const counts = new Map<number, number>();
  for (let i = 1; i < timesUs.length; i++) {
    const differenceUs = timesUs[i]! - timesUs[i - 1]!;
    if (differenceUs > 0) counts.set(differenceUs, (counts.get(differenceUs) ?? 0) + 1);
  }
  const [commonest] = [...counts].sort((a, b) => b[1] - a[1]);
  if (!commonest) throw usageError('series_interval', `${name}: its times do not advance; give --interval`);
  return commonest[0] / 1e6;
}

function requireStep(name: string, stepSeconds: number | undefined): number {
  if (stepSeconds !== undefined) return stepSeconds;
  throw usageError(
    'series_interval',
    `${name} has no time column; say how far apart its values are with --interval, such as 5m`,
  );
}

/** Cells of a CSV row; the separator is the comma, or the semicolon where there is no comma. */
function splitRow(line: string): string[] {
  if (!line.includes('"')) return line.split(line.includes(',') ? ',' : ';').map((cell) => cell.trim());
  const cells: string[] = [];
  for (const match of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) {
    cells.push((match[1]?.replaceAll('""', '"') ?? match[2] ?? '').trim());
  }
  return cells;
}

function parseNumber(text: string): number {
  const trimmed = text.trim();
  return trimmed === '' ? Number.NaN : Number(trimmed);
}

const GERMAN_TIME = /^(\d{2})\.(\d{2})\.(\d{4}) (\d{2}):(\d{2})(?::(\d{2}))?$/;
const ISO_TIME = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:?\d{2})?)?$/;
const TIME_HEADER = /^(time|timestamp|date|datetime|epoch|ts)$/i;

/** ISO, `DD.MM.YYYY HH:MM`, or an epoch (seconds to nanoseconds, only under a heading that says time); without a zone UTC. NaN = no time. */
function parseTimeUs(text: string, header: string): number {
  const german = GERMAN_TIME.exec(text);
  if (german) {
    const [, day, month, year, hour, minute, second = '0'] = german;
    return Date.UTC(+year!, +month! - 1, +day!, +hour!, +minute!, +second) * 1000;
  }
  const iso = ISO_TIME.exec(text);
  if (iso) return Date.parse(`${iso[1]}T${iso[2] ?? '00:00'}${iso[3] ?? 'Z'}`) * 1000;
  const epoch = TIME_HEADER.test(header.trim()) ? parseNumber(text) : Number.NaN;
  if (!(epoch > 0)) return Number.NaN;
  if (epoch < 1e11) return epoch * 1e6;
  if (epoch < 1e14) return epoch * 1e3;
  return epoch < 1e17 ? epoch : epoch / 1e3;
}
