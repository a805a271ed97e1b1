import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { isBenignLabel } from '../flow/label.ts';
import { usageError } from '../kernel/errors.ts';
import { refuseForeignFolder, writeArtefact } from '../model/artefact.ts';
import { treeCard } from '../model/tree/card.ts';
import { FIT_DEFAULTS, fitTree, TREE_TRAINERS } from '../model/tree/fit.ts';
import type { LabelledTable } from '../model/tree/table.ts';
import type { TreeTrainer } from '../model/tree/trainer.ts';
import { createProgress } from '../telemetry/progress.ts';
import { codeVersion } from './code-version.ts';
import type { Command, CommandIo } from './command.ts';
import { readLabelledFlows } from './labelled-flows.ts';
import {
  filesOf,
  LABELLED_OPTIONS,
  LABELLED_USAGE,
  type LabelledSource,
  labelledSource,
} from './labelled-source.ts';
import { readTrainingTable } from './labelled-table.ts';

const FEATURE_SETS = ['flow', 'host'] as const;

export const trainTreeCommand: Command = {
  name: 'train tree',
  summary: 'train a decision tree on labelled flows or any labelled table',
  usage: `usage: flowcast train tree --data FILE… --out DIR [options]
       flowcast train tree --table FILE.csv --label COLUMN --out DIR [options]

Grows on the earlier rows of each class, prunes and sets thresholds on the latest fifth, and writes model.onnx, manifest.json
and card.md. The same data and seed give the same bytes.

${LABELLED_USAGE}
  --ignore COLUMN        a column that is no feature; may be repeated
  --feature-set NAME   flow or host (default: flow)
  --trainer NAME       ${TREE_TRAINERS.map(({ name }) => name).join(' or ')} (default: ${TREE_TRAINERS[0]!.name})
  --false-alarms X     share of benign rows that may be called an attack (default: ${FIT_DEFAULTS.falseAlarmRateMax})
  --class-balance X    0: every row weighs the same; 1: every class does (default: ${FIT_DEFAULTS.classBalance})
  --name NAME          the model's name (default: tree-FEATURE-SET)
  --seed N             recorded in the manifest (default: 1)
  --out DIR            new, empty, or a model to replace`,
  async run(args, io) {
    const options = parse(args);
    await refuseForeignFolder(resolve(options.out), options.out);
    const table = await readRows(options.source, io);
    io.stderr.write(`train tree: ${table.labels.length} labelled rows of ${table.classes.length} classes\n`);
    const progress = createProgress(io.stderr, 'train tree');
    const fit = fitTree({
      table,
      isBenign: isBenignLabel,
      trainer: options.trainer,
      seed: options.seed,
      name: options.name,
      codeVersion: codeVersion(),
      data: filesOf(options.source).map((file) => basename(file)),
      parameters: {
        ...FIT_DEFAULTS,
        falseAlarmRateMax: options.falseAlarmRateMax,
        classBalance: options.classBalance,
      },
      onProgress: wholePercents((share) => progress.update(share, 'of the rows in leaves')),
    });
    const { manifest } = fit.artefact;
    await writeArtefact(options.out, fit.artefact, treeCard(fit, `flowcast train tree ${args.join(' ')}`));
    progress.done(
      `${manifest.name} ${manifest.version}, ${manifest.metrics.leaves} leaves, in ${options.out}`,
    );
    io.stdout.write(
      `${JSON.stringify({ name: manifest.name, version: manifest.version, ...fit.validation })}\n`,
    );
    return 0;
  },
};

function parse(args: string[]) {
  const { values, positionals } = parseArgs({
    args,
    options: {
      ...LABELLED_OPTIONS,
      ignore: { type: 'string', multiple: true, default: [] },
      'feature-set': { type: 'string', default: 'flow' },
      trainer: { type: 'string', default: TREE_TRAINERS[0]!.name },
      'false-alarms': { type: 'string', default: String(FIT_DEFAULTS.falseAlarmRateMax) },
      'class-balance': { type: 'string', default: String(FIT_DEFAULTS.classBalance) },
      name: { type: 'string' },
      seed: { type: 'string', default: '1' },
      out: { type: 'string' },
    },
    allowPositionals: true,
  });
  if (values.out === undefined) throw usageError('flag_out', 'say where the model goes: --out DIR');
  const featureSet = FEATURE_SETS.find((name) => name === values['feature-set']);
  if (!featureSet)
    throw usageError('flag_feature_set', `--feature-set is flow or host, not ${values['feature-set']}`);
  const source = labelledSource(values, positionals, { featureSet, windowSeconds: 60 }, values.ignore);
  return {
    source,
    trainer: trainerNamed(values.trainer),
    falseAlarmRateMax: shareOf(values, 'false-alarms'),
    classBalance: shareOf(values, 'class-balance'),
    name: modelName(values.name ?? `tree-${'flows' in source ? featureSet : 'table'}`),
    seed: seedOf(values.seed),
    out: values.out,
  };
}

function trainerNamed(name: string): TreeTrainer {
  const trainer = TREE_TRAINERS.find((candidate) => candidate.name === name);
  if (trainer) return trainer;
  const names = TREE_TRAINERS.map((candidate) => candidate.name).join(' or ');
  throw usageError('flag_trainer', `--trainer is ${names}, not ${name}`);
}

function modelName(name: string): string {
  if (/^[a-z0-9][a-z0-9-]*$/.test(name)) return name;
  throw usageError('flag_name', `--name takes small letters, digits and hyphens, not ${name}`);
}

function shareOf<F extends string>(flags: Readonly<Record<F, string>>, flag: F): number {
  const text = flags[flag];
  const value = Number(text);
  if (text !== '' && value >= 0 && value <= 1) return value;
  throw usageError('flag_share', `--${flag} takes a number from 0 to 1, not ${text}`);
}

function seedOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw usageError('flag_seed', `--seed takes a whole number, not ${text}`);
}

function readRows(source: LabelledSource, io: CommandIo): Promise<LabelledTable> {
  return 'flows' in source ? readLabelledFlows(source.flows, io) : readTrainingTable(source.table);
}

/** Passes on only what moves the bar. */
function wholePercents(report: (share: number) => void): (share: number) => void {
  let last = -1;
  return (done) => {
    const percent = Math.floor(done * 100);
    if (percent > last) report(done);
    last = Math.max(last, percent);
  };
}
