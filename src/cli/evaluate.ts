import { parseArgs } from 'node:util';
import { isBenignLabel } from '../flow/label.ts';
import { usageError } from '../kernel/errors.ts';
import { checkFeatures, readArtefact } from '../model/artefact.ts';
import { Evaluation, type EvaluationReport } from '../model/evaluation.ts';
import type { Manifest } from '../model/manifest.ts';
import { type Classifier, createClassifier } from '../model/tree/classifier.ts';
import type { LabelledTable } from '../model/tree/table.ts';
import type { Command, CommandIo } from './command.ts';
import { declaredFeatureSet, readLabelledFlows } from './labelled-flows.ts';
import { LABELLED_OPTIONS, LABELLED_USAGE, type LabelledSource, labelledSource } from './labelled-source.ts';
import { readTableFor, TABLE_FEATURE_SET } from './labelled-table.ts';

/** Rows scored at once; bounds the memory of a call whatever the data's size. */
const BATCH_ROWS = 65_536;

export const evaluateCommand: Command = {
  name: 'evaluate',
  summary: 'score a classifier on labelled data',
  usage: `usage: flowcast evaluate --model DIR --data FILE… [options]
       flowcast evaluate --model DIR --table FILE.csv --label COLUMN

Prints one JSON document: rows, accuracy, macroF1, falseAlarmRate (share of benign rows called an attack), attackRecall (share of attack
rows called any attack), unknownRate, perClass (precision, recall, f1, support) and calibrationError.

  --model DIR          a model folder, as train makes it
${LABELLED_USAGE}`,
  async run(args, io) {
    const { values, positionals } = parseArgs({
      args,
      options: { ...LABELLED_OPTIONS, model: { type: 'string' } },
      allowPositionals: true,
    });
    if (values.model === undefined) throw usageError('flag_model', 'say which model: --model DIR');
    const artefact = await readArtefact(values.model);
    const { featureSet, windowSeconds } = artefact.manifest;
    const source = labelledSource(values, positionals, {
      featureSet: featureSet.name === 'host' ? 'host' : 'flow',
      windowSeconds: windowSeconds[0] ?? 60,
    });
    const classifier = await createClassifier(artefact);
    try {
      const table = await readRowsFor(artefact.manifest, source, io);
      io.stdout.write(`${JSON.stringify(await evaluateTable(classifier, table))}\n`);
    } finally {
      await classifier.close();
    }
    return 0;
  },
};

async function readRowsFor(
  manifest: Manifest,
  source: LabelledSource,
  io: CommandIo,
): Promise<LabelledTable> {
  const isTableModel = manifest.featureSet.name === TABLE_FEATURE_SET;
  if ('table' in source) {
    if (!isTableModel) {
      throw usageError(
        'flag_table',
        `model ${manifest.name} reads ${manifest.featureSet.name} features: give --data FILE…`,
      );
    }
    return readTableFor(source.table, manifest.featureSet.features);
  }
  if (isTableModel) {
    throw usageError(
      'flag_data',
      `model ${manifest.name} was trained on a table: give --table FILE.csv --label COLUMN`,
    );
  }
  checkFeatures(manifest, declaredFeatureSet(source.flows.featureSet));
  const table = await readLabelledFlows(source.flows, io);
  if (table.labels.length === 0)
    throw usageError('evaluate_rows', 'no labelled rows; give data whose flows carry labels');
  return table;
}

async function evaluateTable(classifier: Classifier, table: LabelledTable): Promise<EvaluationReport> {
  const spec = classifier.manifest.classifier!;
  const evaluation = new Evaluation(spec.classes, spec.benign);
  const isBenign = table.classes.map((name) => isBenignLabel(name));
  const width = table.featureSet.features.length;
  for (let start = 0; start < table.labels.length; start += BATCH_ROWS) {
    const rows = Math.min(BATCH_ROWS, table.labels.length - start);
    const values = table.values.subarray(start * width, (start + rows) * width);
    const { classIndex, probabilities } = await classifier.classify(values, rows);
    for (let row = 0; row < rows; row++) {
      const label = table.labels[start + row]!;
      evaluation.add(
        table.classes[label]!,
        isBenign[label]!,
        classIndex[row]!,
        probabilities,
        row * spec.classes.length,
      );
    }
  }
  return evaluation.report();
}
