import Value from 'typebox/value';
import { type LabelledTable, TableBuilder } from '../model/tree/table.ts';
import { PreprocessConfig } from '../preprocess/config.ts';
import { specOf } from '../preprocess/feature-sets/feature-set.ts';
import { FLOW_FEATURES, flowFeatures } from '../preprocess/feature-sets/flow.ts';
import { HOST_FEATURES } from '../preprocess/feature-sets/host.ts';
import { featureTableOf } from '../preprocess/feature-table.ts';
import { type ExportedFlow, type FeatureOutput, featuresOf } from '../preprocess/offline.ts';
import { classOf } from '../preprocess/row-labels.ts';
import type { CommandIo } from './command.ts';
import { FILE_SETTINGS, readFlows } from './flow-files.ts';

/** Flow files with labels inside, and what rows to make of them. */
export interface FlowSource {
  readonly files: readonly string[];
  readonly format: string;
  readonly featureSet: 'flow' | 'host';
  /** Window length of the host feature set. */
  readonly windowSeconds: number;
}

/** The feature set as training and manifests know it. */
export function declaredFeatureSet(name: FlowSource['featureSet']): LabelledTable['featureSet'] {
  const set = name === 'flow' ? FLOW_FEATURES : HOST_FEATURES;
  return { name: set.name, version: set.version, features: set.features.map(specOf) };
}

/** Reads flow files into labelled rows in order of time; flows without a label are passed over. All harmless labels are the one class `benign`. */
export async function readLabelledFlows(source: FlowSource, io: CommandIo): Promise<LabelledTable> {
  const flows = exportedFlows(source, io);
  return source.featureSet === 'flow' ? flowRows(flows) : hostRows(flows, source.windowSeconds);
}

async function* exportedFlows({ files, format }: FlowSource, io: CommandIo): AsyncGenerator<ExportedFlow> {
  let rejects = 0;
  for await (const batch of readFlows(files, { format, stdin: io.stdin, settings: FILE_SETTINGS })) {
    rejects += batch.rejects.length;
    for (const [i, flow] of batch.flows.entries()) yield { exporter: batch.exporters[i]!, flow };
  }
  if (rejects > 0) io.stderr.write(`${rejects} records refused; "flowcast decode" says why\n`);
}

async function flowRows(flows: AsyncIterable<ExportedFlow>): Promise<LabelledTable> {
  const builder = new TableBuilder(declaredFeatureSet('flow'), []);
  for await (const { flow } of flows) {
    if (flow.label === null) continue;
    const { values, offset } = builder.add(classOf(flow.label), flow.endUs);
    flowFeatures(flow, values, offset);
  }
  return builder.build();
}

async function hostRows(flows: AsyncIterable<ExportedFlow>, windowSeconds: number): Promise<LabelledTable> {
  // A data set's files are not in order of export; judged as a live stream, most of their flows would be late.
  const sorted: ExportedFlow[] = [];
  for await (const flow of flows) sorted.push(flow);
  sorted.sort((a, b) => a.flow.endUs - b.flow.endUs);
  const config = {
    ...Value.Create(PreprocessConfig),
    featureSets: ['host' as const],
    windowSeconds: [windowSeconds],
  };
  const table = await featureTableOf('host', batchesOf(featuresOf(sorted, config)));
  const builder = new TableBuilder(declaredFeatureSet('host'), [windowSeconds]);
  const width = table.featureSet.features.length;
  table.labels?.forEach((label, row) => {
    if (label === '') return;
    const { values, offset } = builder.add(label, table.windowEndUs[row]!);
    values.set(table.values.subarray(row * width, (row + 1) * width), offset);
  });
  return builder.build();
}

async function* batchesOf(outputs: AsyncIterable<FeatureOutput>) {
  for await (const output of outputs) if (output.kind === 'features') yield output.batch;
}
