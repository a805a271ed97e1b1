import Value from 'typebox/value';
import { createCodec } from '../../src/codec/avro.ts';
import { FlowBatchEncoder } from '../../src/codec/flow-batch-encoder.ts';
import type { FlowBatch } from '../../src/flow/flow-record.ts';
import { PreprocessConfig } from '../../src/preprocess/config.ts';
import { Preprocessor } from '../../src/preprocess/preprocessor.ts';
import { measure, print } from '../measure.ts';
import { asBatches, simulatedFlows } from '../traffic.ts';

// Flow batches to feature batches in memory (link and host features, windows of a minute), and Avro on the way in.

const batches = asBatches(simulatedFlows(300_000));
const flows = batches.reduce((sum, batch) => sum + batch.flows.length, 0);
const codec = createCodec('flow-batch.v1');
const encoder = new FlowBatchEncoder();
const config = Value.Create(PreprocessConfig) as PreprocessConfig;

function toFeatures(source: Iterable<FlowBatch>): number {
  let late = 0;
  const nothing = () => {};
  const preprocessor = new Preprocessor(config, {
    features: nothing,
    late: () => void late++,
    closed: nothing,
  });
  let offset = 0;
  for (const batch of source) preprocessor.add(batch.exporter, batch.feed, batch.flows, offset++, 0);
  preprocessor.closeAll();
  if (late > flows / 100) throw new Error(`${late} late flows`);
  return flows;
}

print(await measure({ scenario: 'preprocess', unit: 'flows', run: () => toFeatures(batches) }));

let encoded: Buffer[] = [];
const encode = () => {
  encoded = batches.map((batch) => encoder.encode(batch));
  return flows;
};
print(await measure({ scenario: 'flow batches to Avro', unit: 'flows', run: encode }));

const decode = () => {
  for (const bytes of encoded) if (codec.decode(bytes) === null) throw new Error('unreadable batch');
  return flows;
};
print(await measure({ scenario: 'flow batches from Avro', unit: 'flows', run: decode }));

function* decoded(): Generator<FlowBatch> {
  for (const bytes of encoded) yield codec.decode(bytes)!;
}
print(
  await measure({ scenario: 'preprocess with Avro decode', unit: 'flows', run: () => toFeatures(decoded()) }),
);
