import type { TreeNodes } from './tree.ts';

export interface ThresholdOptions {
  /** nodes x classes. */
  readonly probabilities: Float32Array;
  /** nodes x classes: validation rows that pass each node. */
  readonly validationCounts: Float64Array;
  readonly isBenign: readonly boolean[];
  /** Share of benign rows that may be called an attack. */
  readonly falseAlarmRateMax: number;
  /** No attack is called on a lower probability than this, however much of the budget is left. */
  readonly probabilityMin: number;
}

/**
 * A threshold for each class: the lowest probability at which the validation rows keep the false-alarm budget. The budget is
 * shared out evenly, classes with the least need first, so that what they leave goes to the others. Benign classes get 0.
 */
export function chooseThresholds(tree: TreeNodes, options: ThresholdOptions): number[] {
  const { isBenign, validationCounts, falseAlarmRateMax } = options;
  const classes = isBenign.length;
  let benignRows = 0;
  for (let k = 0; k < classes; k++) if (isBenign[k]) benignRows += validationCounts[k]!;
  const attacks = isBenign.flatMap((benign, k) =>
    benign ? [] : [{ k, leaves: callingLeaves(tree, options, k) }],
  );
  attacks.sort((a, b) => totalAlarms(a.leaves) - totalAlarms(b.leaves) || a.k - b.k);
  let budget = falseAlarmRateMax * benignRows;
  const thresholds = new Array<number>(classes).fill(0);
  attacks.forEach(({ k, leaves }, i) => {
    const { threshold, spent } = spend(leaves, budget / (attacks.length - i), options.probabilityMin);
    thresholds[k] = threshold;
    budget -= spent;
  });
  return thresholds;
}

interface CallingLeaf {
  readonly probability: number;
  readonly falseAlarms: number;
}

/** The leaves whose likeliest attack class is `k`, by the probability of any attack, surest first. */
function callingLeaves(tree: TreeNodes, options: ThresholdOptions, k: number): CallingLeaf[] {
  const { probabilities, validationCounts, isBenign, probabilityMin } = options;
  const classes = isBenign.length;
  const leaves: CallingLeaf[] = [];
  tree.feature.forEach((feature, node) => {
    if (feature >= 0) return;
    const at = node * classes;
    let probability = 0;
    let falseAlarms = 0;
    let likeliest = -1;
    for (let j = 0; j < classes; j++) {
      if (isBenign[j]) falseAlarms += validationCounts[at + j]!;
      else {
        probability += probabilities[at + j]!;
        if (likeliest < 0 || probabilities[at + j]! > probabilities[at + likeliest]!) likeliest = j;
      }
    }
    if (likeliest === k && probability >= probabilityMin) leaves.push({ probability, falseAlarms });
  });
  return leaves.sort((a, b) => b.probability - a.probability);
}

function totalAlarms(leaves: readonly CallingLeaf[]): number {
  return leaves.reduce((sum, leaf) => sum + leaf.falseAlarms, 0);
}

function spend(
  leaves: readonly CallingLeaf[],
  budget: number,
  floor: number,
): { threshold: number; spent: number } {
  let spent = 0;
  for (let i = 0; i < leaves.length; ) {
    const { probability } = leaves[i]!;
    let alarms = 0;
    let next = i;
    while (next < leaves.length && leaves[next]!.probability === probability)
      alarms += leaves[next++]!.falseAlarms;
    if (spent + alarms > budget) {
      // Halfway to the leaves that are still called, so that rounding to float32 cannot tip it.
      const called = i === 0 ? 1 : leaves[i - 1]!.probability;
      return { threshold: (called + probability) / 2, spent };
    }
    spent += alarms;
    i = next;
  }
  return { threshold: floor, spent };
}
