import type { EvaluationReport } from '../evaluation.ts';
import type { FitResult } from './fit.ts';
import { leafCount } from './tree.ts';

/** The model card: what it is, from what, how good, its limits, and the call that makes it again. Markdown. */
export function treeCard(
  { artefact: { manifest }, tree, validation, importance }: FitResult,
  call: string,
): string {
  const { training, featureSet } = manifest;
  const spec = manifest.classifier!;
  return [
    `# ${manifest.name} ${manifest.version}`,
    '',
    `A decision tree of ${leafCount(tree)} leaves (trainer \`${training.trainer}\`) that classifies rows of the feature set ` +
      `\`${featureSet.name}\` v${featureSet.version} as ${spec.classes.join(', ')} or unknown.`,
    '',
    '## Data',
    '',
    ...training.data.map((name) => `- ${name}`),
    '',
    `${training.rows} labelled rows, SHA-256 ${training.dataFingerprint}. The licence of the data is that of its source; ` +
      'this model holds thresholds and counts, no record of it.',
    '',
    '## On later rows of the same data',
    '',
    `The latest ${training.parameters.validationShare} of each class's rows were kept from growing and served to prune the tree, to settle its ` +
      'probabilities and to set the thresholds: the figures are better than those on data of another day or network will be.',
    '',
    ...metricLines(validation),
    '',
    '## What it looks at',
    '',
    ...importance.slice(0, 15).map(({ feature, share }) => `- ${feature}: ${percent(share)}`),
    '',
    '## Limits',
    '',
    'It knows the behaviours of its training data and nothing else. Where it is not sure it answers unknown. It sees no ' +
      'payload, and of flows never addresses, AS numbers, source ports, TTL or absolute time. Evaluate it on labelled traffic of your own network before you act on it.',
    '',
    '## Made by',
    '',
    '```',
    call,
    '```',
    '',
    `flowcast ${training.codeVersion}; the same data, seed and version give the same bytes.`,
    '',
  ].join('\n');
}

function metricLines(report: EvaluationReport): string[] {
  return [
    `False alarms ${percent(report.falseAlarmRate)}, attack recall ${percent(report.attackRecall)}, unknown ${percent(report.unknownRate)}, ` +
      `macro-F1 ${report.macroF1.toFixed(3)}, calibration error ${report.calibrationError.toFixed(3)}.`,
    '',
    '| class | precision | recall | F1 | rows |',
    '|---|---:|---:|---:|---:|',
    ...Object.entries(report.perClass).map(
      ([name, { precision, recall, f1, support }]) =>
        `| ${name} | ${precision.toFixed(3)} | ${recall.toFixed(3)} | ${f1.toFixed(3)} | ${support} |`,
    ),
  ];
}

function percent(share: number | null): string {
  return share === null ? 'not measurable' : `${(share * 100).toFixed(2)} %`;
}
