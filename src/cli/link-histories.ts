import Value from 'typebox/value';
import type { NamedHistory } from '../model/forecast/parameters.ts';
import { PreprocessConfig } from '../preprocess/config.ts';
import { featureTableOf } from '../preprocess/feature-table.ts';
import { type ExportedFlow, featuresOf } from '../preprocess/offline.ts';
import type { CommandIo } from './command.ts';
import { FILE_SETTINGS, readFlows } from './flow-files.ts';

/** Flow files and the window length to forecast. */
export interface LinkSource {
  readonly files: readonly string[];
  readonly format: string;
  readonly windowSeconds: number;
}

/** The throughput of every link that the files' flows went over, window by window, as the forecaster will see it live. */
export async function readLinkHistories(source: LinkSource, io: CommandIo): Promise<NamedHistory[]> {
  const flows: ExportedFlow[] = [];
  const options = { format: source.format, stdin: io.stdin, settings: FILE_SETTINGS };
  for await (const batch of readFlows(source.files, options)) {
    for (const [i, flow] of batch.flows.entries()) flows.push({ exporter: batch.exporters[i]!, flow });
  }
  // Files are not in order of export; judged as a live stream, many of their flows would be late.
  flows.sort((a, b) => a.flow.endUs - b.flow.endUs);
  const config = {
    ...Value.Create(PreprocessConfig),
    featureSets: ['link' as const],
    windowSeconds: [source.windowSeconds],
  };
  const table = await featureTableOf('link', batchesOf(flows, config));
  const rowsByLink = Map.groupBy(
    Array.from({ length: table.rows }, (_, row) => row),
    (row) => `${table.exporters[row]}|${table.entities[row]}`,
  );
  const width = table.featureSet.features.length;
  const throughputOf = (row: number) => Math.expm1(table.values[row * width]!);
  return [...rowsByLink].map(([name, rows]) => ({
    name,
    history: historyOf(rows, table.windowStartUs, throughputOf, source.windowSeconds),
  }));
}

async function* batchesOf(flows: readonly ExportedFlow[], config: PreprocessConfig) {
  for await (const output of featuresOf(flows, config)) if (output.kind === 'features') yield output.batch;
}

function historyOf(
  rows: readonly number[],
  windowStartUs: Float64Array,
  throughputOf: (row: number) => number,
  windowSeconds: number,
): NamedHistory['history'] {
  const starts = rows.map((row) => windowStartUs[row]!);
  const firstUs = Math.min(...starts);
  const lastWindowStartUs = Math.max(...starts);
  const windowUs = windowSeconds * 1e6;
  const values = new Float64Array(Math.round((lastWindowStartUs - firstUs) / windowUs) + 1).fill(Number.NaN);
  for (const row of rows) values[Math.round((windowStartUs[row]! - firstUs) / windowUs)] = throughputOf(row);
  return { stepSeconds: windowSeconds, lastWindowStartUs, values };
}
