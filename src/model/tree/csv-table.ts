import { usageError } from '../../kernel/errors.ts';
import type { FeatureSpec } from '../manifest.ts';

/** A text table in memory: names and rows of fields. */
export interface CsvTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Values a text column is told apart by; rarer ones share "none of these". */
const CATEGORIES_MAX = 64;
/** Stands for a missing number: counters and rates are never negative, so that it can be told apart. */
const MISSING = -1;
const FLOAT32_MAX = 3.4028234663852886e38;

/** Reads comma, semicolon, bar or tab separated text (RFC 4180 quotes). Without a header, columns are named c0, c1 … Usage error `table.row` for a row of another length. */
export function parseCsv(text: string, hasHeader: boolean): CsvTable {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const first = lines[0];
  if (first === undefined) throw usageError('table.empty', 'the table is empty');
  const delimiter = [',', '\t', ';', '|'].reduce((best, d) =>
    first.split(d).length > first.split(best).length ? d : best,
  );
  const rows = lines.map((line) => splitRow(line, delimiter));
  const width = rows[0]!.length;
  const wrong = rows.findIndex((row) => row.length !== width);
  if (wrong >= 0) {
    throw usageError(
      'table.row',
      `line ${wrong + 1} has ${rows[wrong]!.length} fields, the first has ${width}`,
    );
  }
  if (!hasHeader) return { columns: rows[0]!.map((_, i) => `c${i}`), rows };
  return { columns: rows[0]!.map((name) => name.trim()), rows: rows.slice(1) };
}

function splitRow(line: string, delimiter: string): string[] {
  if (!line.includes('"')) return line.split(delimiter);
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const c = line[i]!;
    if (quoted) {
      if (c !== '"') field += c;
      else if (line[i + 1] === '"') field += line[++i]!;
      else quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === delimiter) {
      fields.push(field);
      field = '';
    } else field += c;
  }
  fields.push(field);
  return fields;
}

/** The column a person means by its name, or without a header by its number from 0. Usage error `table.column`. */
export function findColumn(table: CsvTable, wanted: string): number {
  const exact = table.columns.indexOf(wanted);
  if (exact >= 0) return exact;
  const folded = table.columns.findIndex((name) => name.toLowerCase() === wanted.toLowerCase());
  if (folded >= 0) return folded;
  const number = Number(wanted);
  if (Number.isInteger(number) && number >= 0 && number < table.columns.length) return number;
  throw usageError('table.column', `the table has no column ${wanted}; it has ${table.columns.join(', ')}`);
}

/**
 * Features of the given columns: a column of numbers is one, a column of text is one yes-or-no feature `column=value` for each of its
 * commonest values. The names alone say how to compute them, so a manifest needs no more.
 */
export function tableFeatures(table: CsvTable, columns: readonly number[]): FeatureSpec[] {
  return columns.flatMap((column): FeatureSpec[] => {
    const name = table.columns[column]!;
    if (table.rows.every((row) => isNumeric(row[column]!))) return [{ name, unit: '', transform: 'none' }];
    return commonest(table, column).map((value) => ({
      name: `${name}=${value}`,
      unit: '1',
      transform: 'none',
    }));
  });
}

function commonest(table: CsvTable, column: number): string[] {
  const counts = new Map<string, number>();
  for (const row of table.rows) {
    const value = row[column]!.trim();
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const byCount = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return byCount.slice(0, CATEGORIES_MAX).map(([value]) => value);
}

/** Writes a row's features by the names that `tableFeatures` gave. */
export type RowEncoder = (row: readonly string[], into: Float32Array, at: number) => void;

/** Usage error `table.column` where the table lacks a column of a feature. */
export function tableEncoder(table: CsvTable, features: readonly FeatureSpec[]): RowEncoder {
  const plans = features.map(({ name }) => {
    const column = table.columns.indexOf(name);
    if (column >= 0) return { column, value: null };
    const equals = name.indexOf('=');
    return {
      column: findColumn(table, equals > 0 ? name.slice(0, equals) : name),
      value: name.slice(equals + 1),
    };
  });
  return (row, into, at) => {
    for (let f = 0; f < plans.length; f++) {
      const { column, value } = plans[f]!;
      const field = row[column]!.trim();
      into[at + f] = value === null ? toNumber(field) : field === value ? 1 : 0;
    }
  };
}

const MISSING_WORDS = new Set(['', '-', '?', 'nan', 'null', 'na']);
const INFINITIES: Readonly<Record<string, number>> = {
  infinity: FLOAT32_MAX,
  inf: FLOAT32_MAX,
  '-infinity': -FLOAT32_MAX,
  '-inf': -FLOAT32_MAX,
};

function isNumeric(text: string): boolean {
  const field = text.trim().toLowerCase();
  return MISSING_WORDS.has(field) || field in INFINITIES || Number.isFinite(Number(field));
}

function toNumber(field: string): number {
  const number = Number(field);
  if (field !== '' && Number.isFinite(number)) return Math.max(-FLOAT32_MAX, Math.min(FLOAT32_MAX, number));
  return INFINITIES[field.toLowerCase()] ?? MISSING;
}
