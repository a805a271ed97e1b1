import type { ClassifierSpec } from '../manifest.ts';

/** Class index of an answer that says: nothing the model knows. */
export const UNKNOWN_INDEX = -1;
/** Its name in records; no class may be called so. */
export const UNKNOWN_CLASS = 'unknown';

/** Turns probabilities into one class, by the rule of a manifest's `classifier` part. */
export class DecisionRule {
  readonly #thresholds: readonly number[];
  readonly #benign: readonly boolean[];
  readonly #unknownBelow: number;

  constructor({ classes, benign, thresholds, unknownBelow }: ClassifierSpec) {
    this.#thresholds = thresholds;
    this.#benign = classes.map((name) => benign.includes(name));
    this.#unknownBelow = unknownBelow;
  }

  /**
   * Unknown where no class is likely enough; else the likeliest attack class that reaches its threshold; else the likeliest benign
   * one (the likeliest of all for a model without benign classes).
   */
  decide(probabilities: Float32Array, offset: number): number {
    let likeliest = 0;
    let attack = -1;
    let harmless = -1;
    for (let k = 0; k < this.#benign.length; k++) {
      const p = probabilities[offset + k]!;
      if (p > probabilities[offset + likeliest]!) likeliest = k;
      if (this.#benign[k]) {
        if (harmless < 0 || p > probabilities[offset + harmless]!) harmless = k;
      } else if (p >= this.#thresholds[k]! && (attack < 0 || p > probabilities[offset + attack]!)) attack = k;
    }
    // Written so that NaN is unknown too.
    if (!(probabilities[offset + likeliest]! >= this.#unknownBelow)) return UNKNOWN_INDEX;
    if (attack >= 0) return attack;
    return harmless >= 0 ? harmless : likeliest;
  }
}
