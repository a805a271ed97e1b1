import type { FeatureBatch, LateFlow } from '../codec/records.ts';
import type { FlowRecord } from '../flow/flow-record.ts';
import type { PreprocessConfig } from './config.ts';
import { Preprocessor } from './preprocessor.ts';

/** A flow and who observed it. */
export interface ExportedFlow {
  readonly exporter: string;
  readonly flow: FlowRecord;
}

export type FeatureOutput =
  | { readonly kind: 'features'; readonly batch: FeatureBatch }
  | { readonly kind: 'late'; readonly late: LateFlow };

/** Successive flows of one exporter that are taken together. */
const RUN_FLOWS_MAX = 256;

/**
 * The features of flows that are at hand, in the order given, by the very code that serves; at the end all windows
 * close. Late flows are judged as in a live stream: give flows in the order a probe would have exported them.
 */
export async function* featuresOf(
  flows: Iterable<ExportedFlow> | AsyncIterable<ExportedFlow>,
  config: PreprocessConfig,
  feed = 'file',
): AsyncGenerator<FeatureOutput> {
  const outputs: FeatureOutput[] = [];
  const preprocessor = new Preprocessor(config, {
    features: (batch) => outputs.push({ kind: 'features', batch }),
    late: (late) => outputs.push({ kind: 'late', late }),
    closed: () => {},
  });
  let exporter = '';
  let run: FlowRecord[] = [];
  for await (const next of flows) {
    if (next.exporter !== exporter || run.length === RUN_FLOWS_MAX) {
      preprocessor.add(exporter, feed, run, 0, 0);
      if (outputs.length > 0) yield* outputs.splice(0);
      exporter = next.exporter;
      run = [];
    }
    run.push(next.flow);
  }
  preprocessor.add(exporter, feed, run, 0, 0);
  preprocessor.closeAll();
  yield* outputs;
}
