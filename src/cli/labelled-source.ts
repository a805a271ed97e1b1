import { usageError } from '../kernel/errors.ts';
import type { FlowSource } from './labelled-flows.ts';
import type { TableSource } from './labelled-table.ts';
import { parseDurationMs } from './options.ts';

/** Flags by which `train tree` and `evaluate` are given labelled data. */
export const LABELLED_OPTIONS = {
  data: { type: 'string', multiple: true },
  format: { type: 'string', default: 'auto' },
  window: { type: 'string' },
  table: { type: 'string' },
  label: { type: 'string' },
  'no-header': { type: 'boolean', default: false },
} as const;

/** Their `--help`. */
export const LABELLED_USAGE = `  --data FILE…         flow files with labels, gzipped or not, all of one or several days
  --format F           format of the flow files (default: auto)
  --window 1m          window length of the host feature set (default: 1m, or what the model was trained on)
  --table FILE.csv     any labelled table instead of flow files, with
  --label COLUMN         its label column, by name or by number from 0
  --no-header            its first line is already data (columns are c0, c1, …)`;

interface LabelledFlags {
  readonly data?: string[] | undefined;
  readonly format: string;
  readonly window?: string | undefined;
  readonly table?: string | undefined;
  readonly label?: string | undefined;
  readonly 'no-header': boolean;
}

export type LabelledSource = { readonly flows: FlowSource } | { readonly table: TableSource };

/** What the flags name: either flow files (`--data A B C` leaves B and C as positionals) or a table. */
export function labelledSource(
  flags: LabelledFlags,
  positionals: readonly string[],
  rows: Pick<FlowSource, 'featureSet' | 'windowSeconds'>,
  ignore: readonly string[] = [],
): LabelledSource {
  const files = [...(flags.data ?? []), ...positionals];
  if (flags.table !== undefined) {
    if (files.length > 0)
      throw usageError('flag_data', `give either --data or --table, not both (${files[0]})`);
    if (flags.label === undefined) {
      throw usageError('flag_label', 'name the label column of the table: --label COLUMN');
    }
    return { table: { file: flags.table, label: flags.label, hasHeader: !flags['no-header'], ignore } };
  }
  if (files.length === 0)
    throw usageError('flag_data', 'give labelled data: --data FILE… or --table FILE.csv');
  const windowSeconds =
    flags.window === undefined ? rows.windowSeconds : parseDurationMs(flags.window, 'window') / 1000;
  return { flows: { files, format: flags.format, featureSet: rows.featureSet, windowSeconds } };
}

/** Names of the files, for manifest and card. */
export function filesOf(source: LabelledSource): readonly string[] {
  return 'flows' in source ? source.flows.files : [source.table.file];
}
