import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { messageOf, usageError } from '../kernel/errors.ts';
import type { FeatureSpec } from '../model/manifest.ts';
import { type CsvTable, findColumn, parseCsv, tableEncoder, tableFeatures } from '../model/tree/csv-table.ts';
import { type LabelledTable, TableBuilder } from '../model/tree/table.ts';

/** A labelled table file and how to read it. */
export interface TableSource {
  readonly file: string;
  /** Name of the label column, or its number from 0. */
  readonly label: string;
  readonly hasHeader: boolean;
  /** Columns that are no features: identifiers, further labels. */
  readonly ignore: readonly string[];
}

/** Name of the feature set of models trained on a table of one's own. */
export const TABLE_FEATURE_SET = 'table';

/** Reads a table to learn from: every column but the label and the ignored ones is a feature. Rows count as in order of time. */
export async function readTrainingTable(source: TableSource): Promise<LabelledTable> {
  const table = await readCsv(source);
  const label = findColumn(table, source.label);
  const left = new Set([label, ...source.ignore.map((name) => findColumn(table, name))]);
  const columns = table.columns.flatMap((_, column) => (left.has(column) ? [] : [column]));
  return encode(table, label, tableFeatures(table, columns));
}

/** Reads a table to be classified by a model of these features. */
export async function readTableFor(
  source: TableSource,
  features: readonly FeatureSpec[],
): Promise<LabelledTable> {
  const table = await readCsv(source);
  return encode(table, findColumn(table, source.label), features);
}

function encode(table: CsvTable, label: number, features: readonly FeatureSpec[]): LabelledTable {
  const builder = new TableBuilder({ name: TABLE_FEATURE_SET, version: 1, features }, []);
  const encoder = tableEncoder(table, features);
  for (const row of table.rows) {
    const { values, offset } = builder.add(row[label]!.trim(), 0);
    encoder(row, values, offset);
  }
  return builder.build();
}

async function readCsv({ file, hasHeader }: TableSource): Promise<CsvTable> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = gunzipSync(bytes);
  } catch (error) {
    throw usageError('table.read', `cannot read ${file}: ${messageOf(error)}`, error);
  }
  return parseCsv(bytes.toString('utf8'), hasHeader);
}
