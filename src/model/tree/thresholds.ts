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
 * A threshold for each class, lowered class by class to where the validation rows still keep the false-alarm budget: each time the
 * step that detects the most attacks for a false alarm. Benign classes get 0.
 */
export function chooseThresholds(tree: TreeNodes, options: ThresholdOptions): number[] {
  const { isBenign, validationCounts, falseAlarmRateMax } = options;
  const classes = isBenign.length;
  let benignRows = 0;
  for (let k = 0; k < classes; k++) if (isBenign[k]) benignRows += validationCounts[k]!;
  const ladders = isBenign.map((benign, k) => (benign ? [] : callingLevels(tree, options, k)));
  const called = new Array<number>(classes).fill(0);
  let budget = falseAlarmRateMax * benignRows;
  for (let step = bestStep(ladders, called, budget); step; step = bestStep(ladders, called, budget)) {
    called[step.k] = step.called;
    budget -= step.falseAlarms;
  }
  return ladders.map((levels, k) => {
    if (isBenign[k]) return 0;
    return called[k] === levels.length
      ? options.probabilityMin
      : between(levels[called[k]! - 1]?.probability ?? 1, levels[called[k]!]!.probability);
  });
}

/** The leaves of one attack class that have the same probability of any attack, hence are called or not together. */
interface Level {
  readonly probability: number;
  falseAlarms: number;
  detected: number;
}

/** The levels of attack class `k`, surest first. */
function callingLevels(tree: TreeNodes, options: ThresholdOptions, k: number): Level[] {
  const { probabilities, validationCounts, isBenign, probabilityMin } = options;
  const classes = isBenign.length;
  const levels = new Map<number, Level>();
  tree.feature.forEach((feature, node) => {
    if (feature >= 0) return;
    const at = node * classes;
    const leaf = { probability: 0, falseAlarms: 0, detected: 0 };
    let likeliest = -1;
    for (let j = 0; j < classes; j++) {
      if (isBenign[j]) {
        leaf.falseAlarms += validationCounts[at + j]!;
        continue;
      }
      leaf.detected += validationCounts[at + j]!;
      leaf.probability += probabilities[at + j]!;
      if (likeliest < 0 || probabilities[at + j]! > probabilities[at + likeliest]!) likeliest = j;
    }
    if (likeliest !== k || leaf.probability < probabilityMin) return;
    const level = levels.get(leaf.probability);
    if (!level) levels.set(leaf.probability, leaf);
    else {
      level.falseAlarms += leaf.falseAlarms;
      level.detected += leaf.detected;
    }
  });
  return [...levels.values()].sort((a, b) => b.probability - a.probability);
}

interface Step {
  readonly k: number;
  /** Levels called after it. */
  readonly called: number;
  readonly falseAlarms: number;
  readonly detectedPerAlarm: number;
}

/** The affordable step, over any number of levels of one class, with the most detections a false alarm; of equals the longest. */
function bestStep(ladders: readonly Level[][], called: readonly number[], budget: number): Step | null {
  let best: Step | null = null;
  ladders.forEach((levels, k) => {
    let falseAlarms = 0;
    let detected = 0;
    for (let i = called[k]!; i < levels.length; i++) {
      falseAlarms += levels[i]!.falseAlarms;
      detected += levels[i]!.detected;
      if (falseAlarms > budget) return;
      const detectedPerAlarm = falseAlarms === 0 ? Number.POSITIVE_INFINITY : detected / falseAlarms;
      if (
        !best || best.k !== k
          ? detectedPerAlarm > (best?.detectedPerAlarm ?? -1)
          : detectedPerAlarm >= best.detectedPerAlarm
      ) {
        best = { k, called: i + 1, falseAlarms, detectedPerAlarm };
      }
    }
  });
  return best;
}

/** Halfway, so that rounding to float32 cannot tip a leaf over. */
function between(called: number, refused: number): number {
  return (called + refused) / 2;
}
