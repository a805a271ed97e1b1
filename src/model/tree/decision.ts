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
   * Unknown where no class is likely enough; else the likeliest attack class, if the attack classes together reach its threshold (which
   * attack it is may be open while it is certain that it is one); else the likeliest benign class (the likeliest of all for a model
   * without benign classes).
   */
  decide(probabilities: Float32Array, offset: number): number {
    let attack = -1;
    let harmless = -1;
    let attackTotal = 0;
    for (let k = 0; k < this.#benign.length; k++) {
      const p = probabilities[offset + k]!;
      if (this.#benign[k]) {
        if (harmless < 0 || p > probabilities[offset + harmless]!) harmless = k;
      } else {
        attackTotal += p;
        if (attack < 0 || p > probabilities[offset + attack]!) attack = k;
      }
    }
    const certainty = Math.max(attackTotal, harmless < 0 ? 0 : probabilities[offset + harmless]!);
    // Written so that NaN is unknown too.
    if (!(certainty >= this.#unknownBelow)) return UNKNOWN_INDEX;
    if (attack >= 0 && (harmless < 0 || attackTotal >= this.#thresholds[attack]!)) return attack;
    return harmless;
  }
}
