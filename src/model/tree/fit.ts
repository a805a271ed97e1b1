import { usageError } from '../../kernel/errors.ts';
import { type ManifestDraft, sealManifest } from '../artefact.ts';
import { Evaluation, type EvaluationReport } from '../evaluation.ts';
import type { ClassifierSpec, ModelArtefact } from '../manifest.ts';
import { balancedWeights, evenPrior } from './balance.ts';
import { cartTrainer } from './cart.ts';
import { DecisionRule } from './decision.ts';
import { featureImportance } from './importance.ts';
import { mlCartTrainer } from './ml-cart-trainer.ts';
import { pruneTree } from './prune.ts';
import { type LabelledTable, splitByTime, type TimeSplit, tableFingerprint } from './table.ts';
import { chooseThresholds } from './thresholds.ts';
import { treeToOnnx } from './to-onnx.ts';
import type { TreeTrainer } from './trainer.ts';
import { countRows, type DecisionTree, leafCount, leafOf, nodeProbabilities } from './tree.ts';

export const TREE_TRAINERS: readonly TreeTrainer[] = [cartTrainer, mlCartTrainer];

/** What may be tuned; the defaults are what `train tree` uses. All of it is recorded in the manifest. */
export interface FitParameters {
  readonly depthMax: number;
  readonly leafRowsMin: number;
  readonly leavesMax: number;
  /** Share of each class's latest rows kept for pruning and thresholds. */
  readonly validationShare: number;
  /** 0: every row weighs the same; 1: every class does; between them a power. */
  readonly classBalance: number;
  /** Rows that a leaf's parent counts for in its probabilities. */
  readonly priorRows: number;
  /** Share of benign rows that may be called an attack. */
  readonly falseAlarmRateMax: number;
  readonly attackProbabilityMin: number;
  readonly unknownBelow: number;
}

export const FIT_DEFAULTS: FitParameters = {
  depthMax: 20,
  leafRowsMin: 5,
  leavesMax: 1000,
  validationShare: 0.2,
  classBalance: 0,
  priorRows: 20,
  falseAlarmRateMax: 0.002,
  attackProbabilityMin: 0.3,
  unknownBelow: 0.6,
};

export interface FitRequest {
  readonly table: LabelledTable;
  readonly isBenign: (label: string) => boolean;
  readonly trainer: TreeTrainer;
  readonly seed: number;
  readonly name: string;
  readonly codeVersion: string;
  /** Names of the data sets, for the manifest. */
  readonly data: readonly string[];
  readonly parameters: FitParameters;
  readonly onProgress: (done: number) => void;
}

export interface FitResult {
  readonly artefact: ModelArtefact;
  readonly tree: DecisionTree;
  /** On the validation part. */
  readonly validation: EvaluationReport;
  /** Share of the impurity removed by each feature, largest first; features never tested are left out. */
  readonly importance: readonly { readonly feature: string; readonly share: number }[];
}

/**
 * Grows on the earlier rows, prunes and sets thresholds on the later ones, and writes the model. Deterministic: the same table, seed and
 * parameters give the same bytes. Usage errors `train.rows`, `train.classes` where there is nothing to tell apart.
 */
export function fitTree(request: FitRequest): FitResult {
  const { table, parameters, trainer } = request;
  refuseUnlearnable(table);
  const split = splitByTime(table, parameters.validationShare);
  const classWeights = balancedWeights(split.training.labels, table.classes.length, parameters.classBalance);
  const { depthMax, leafRowsMin, leavesMax } = parameters;
  const isBenign = table.classes.map(request.isBenign);
  const full = trainer.train(split.training, { depthMax, leafRowsMin, classWeights }, request.onProgress);
  const pruned = pruneTree(full, {
    classWeights,
    validationCounts: countValidation(full, split),
    isBenign,
    leavesMax,
  });
  const validationCounts = countValidation(pruned.tree, split);
  // The latest rows have done their part in choosing the tree; its leaves may learn from them.
  const tree = { ...pruned.tree, counts: pruned.tree.counts.map((count, i) => count + validationCounts[i]!) };
  const probabilities = nodeProbabilities(tree, evenPrior(isBenign), parameters.priorRows);
  const classifier = classifierSpec(request, tree, probabilities, validationCounts);
  const validation = evaluateTree(tree, probabilities, classifier, split);
  const onnx = treeToOnnx({ nodes: tree, classes: tree.classes, probabilities }, split.training.width);
  const metrics = {
    ...numbersOf(validation),
    leaves: leafCount(tree),
    leavesBeforePruning: leafCount(full),
    pruningAlpha: pruned.chosen.alpha,
  };
  return {
    artefact: { manifest: sealManifest(draftOf(request, split, classifier, metrics), onnx), onnx },
    tree,
    validation,
    importance: featureImportance(tree, table.featureSet.features, classWeights),
  };
}

function refuseUnlearnable({ labels, classes }: LabelledTable): void {
  if (labels.length === 0)
    throw usageError('train.rows', 'no labelled rows; give data whose flows carry labels');
  if (classes.length < 2) {
    throw usageError('train.classes', `all rows are ${classes[0]}; give data of at least two classes`);
  }
}

function countValidation(tree: DecisionTree, { validation }: TimeSplit): Float64Array {
  return countRows(tree, validation.values, validation.width, validation.labels, validation.classes);
}

function classifierSpec(
  { table, isBenign, parameters }: FitRequest,
  tree: DecisionTree,
  probabilities: Float32Array,
  validationCounts: Float64Array,
): ClassifierSpec {
  const benign = table.classes.filter(isBenign);
  const thresholds = chooseThresholds(tree, {
    probabilities,
    validationCounts,
    isBenign: table.classes.map(isBenign),
    falseAlarmRateMax: parameters.falseAlarmRateMax,
    probabilityMin: parameters.attackProbabilityMin,
  });
  return { classes: [...table.classes], benign, thresholds, unknownBelow: parameters.unknownBelow };
}

function evaluateTree(
  tree: DecisionTree,
  probabilities: Float32Array,
  spec: ClassifierSpec,
  { validation }: TimeSplit,
): EvaluationReport {
  const rule = new DecisionRule(spec);
  const evaluation = new Evaluation(spec.classes, spec.benign);
  const isBenign = spec.classes.map((name) => spec.benign.includes(name));
  validation.labels.forEach((label, row) => {
    const offset = leafOf(tree, validation.values, row * validation.width) * tree.classes;
    evaluation.add(
      spec.classes[label]!,
      isBenign[label]!,
      rule.decide(probabilities, offset),
      probabilities,
      offset,
    );
  });
  return evaluation.report();
}

function numbersOf(report: EvaluationReport): Record<string, number> {
  return Object.fromEntries(Object.entries(report).filter((entry) => typeof entry[1] === 'number'));
}

function draftOf(
  { table, trainer, seed, name, codeVersion, data, parameters }: FitRequest,
  split: TimeSplit,
  classifier: ClassifierSpec,
  metrics: Record<string, number>,
): ManifestDraft {
  const { featureSet } = table;
  return {
    name,
    kind: 'classifier',
    featureSet: {
      name: featureSet.name,
      version: featureSet.version,
      features: featureSet.features.map(({ name, unit, transform }) => ({ name, unit, transform })),
    },
    windowSeconds: [...table.windowSeconds],
    classifier,
    training: {
      trainer: trainer.name,
      seed,
      codeVersion,
      data: [...data],
      dataFingerprint: tableFingerprint(table),
      rows: table.labels.length,
      trainRangeUs: split.trainRangeUs,
      validationRangeUs: split.validationRangeUs,
      parameters: { ...parameters },
    },
    metrics,
  };
}
