import { bundledModelFolders } from '../../src/cli/model-folders.ts';
import { ClassificationEncoder } from '../../src/codec/classification-encoder.ts';
import { VerdictCache } from '../../src/infer/verdict-cache.ts';
import { Random } from '../../src/kernel/random.ts';
import { readArtefact } from '../../src/model/artefact.ts';
import { openSession } from '../../src/model/runtime.ts';
import { createClassifier } from '../../src/model/tree/classifier.ts';
import { measure, print } from '../measure.ts';

// The bundled host classifier: rows to encoded classifications, and ONNX Runtime alone on the same rows.

const ROWS = 4096;
const RUNS = 100;
const folder = bundledModelFolders().find((path) => path.endsWith('host-classifier'))!;
const artefact = await readArtefact(folder);
const width = artefact.manifest.featureSet.features.length;
const random = new Random(1);
const values = Float32Array.from({ length: ROWS * width }, () => random.uniform() * 10);
const entities = Array.from({ length: ROWS }, (_, i) => `10.0.${i >> 8}.${i & 255}`);

const classifier = await createClassifier(artefact);
const encoder = new ClassificationEncoder();
const verdicts = new VerdictCache(artefact.manifest, 'CHAMPION', encoder);
let bytes = 0;
const classify = async () => {
  for (let run = 0; run < RUNS; run++) {
    const answers = await classifier.classify(values, ROWS);
    const windowEndUs = 60_000_000 * (run + 1);
    encoder.begin({
      exporter: '192.0.2.1',
      entityKind: 'HOST',
      windowStartUs: windowEndUs - 60_000_000,
      windowEndUs,
      emittedUs: windowEndUs,
      idTail: `${run}|60|${verdicts.name}`,
    });
    for (let row = 0; row < ROWS; row++) {
      bytes += encoder.encode(entities[row]!, verdicts.verdictOf(answers, row).bytes, null).value.length;
    }
  }
  return RUNS * ROWS;
};
print(await measure({ scenario: 'infer tree: to classification records', unit: 'rows', run: classify }));
if (bytes === 0) throw new Error('nothing was encoded');
await classifier.close();

const session = await openSession(artefact.onnx);
const input = session.inputs[0]!.name;
const scoreAlone = async () => {
  for (let run = 0; run < RUNS; run++) {
    await session.run({ [input]: { data: values, dims: [ROWS, width] } });
  }
  return RUNS * ROWS;
};
print(await measure({ scenario: 'infer tree: ONNX Runtime alone', unit: 'rows', run: scoreAlone }));
await session.close();
