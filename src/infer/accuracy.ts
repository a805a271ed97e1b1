import type { Score } from './pending-forecast.ts';

/** How well a model does at one horizon, over its recent scores; NaN where nothing can be said. */
export interface Accuracy {
  /** Sum of absolute errors over the sum of truths. */
  readonly wape: number;
  /** Mean pinball loss, bit/s. */
  readonly pinball: number;
  /** Share of truths within the outermost quantiles. */
  readonly coverage: number;
  /** 1 - error / error of "same as now"; above 0 the model is worth its name. */
  readonly skillOverPersistence: number;
  /** 1 - error / error of "same as a day or week before", over the scores for which that is known. */
  readonly skillOverSeasonal: number;
}

/** Exponentially decayed sums over scores: a score counts half after `halfLifeScores` further ones. */
export class AccuracyTracker {
  readonly #decay: number;
  #scores = 0;
  #truth = 0;
  #error = 0;
  #pinball = 0;
  #intervals = 0;
  #covered = 0;
  #persistenceError = 0;
  #seasonalError = 0;
  #errorWhereSeasonal = 0;

  constructor(halfLifeScores: number) {
    this.#decay = 0.5 ** (1 / halfLifeScores);
  }

  add(score: Score): void {
    const decay = this.#decay;
    this.#scores = this.#scores * decay + 1;
    this.#truth = this.#truth * decay + score.truth;
    this.#error = this.#error * decay + score.absoluteError;
    this.#pinball = this.#pinball * decay + score.pinball;
    this.#intervals = this.#intervals * decay + (score.covered === null ? 0 : 1);
    this.#covered = this.#covered * decay + (score.covered ? 1 : 0);
    this.#persistenceError = this.#persistenceError * decay + score.persistenceError;
    const hasSeasonal = score.seasonalError !== null;
    this.#seasonalError = this.#seasonalError * decay + (score.seasonalError ?? 0);
    this.#errorWhereSeasonal = this.#errorWhereSeasonal * decay + (hasSeasonal ? score.absoluteError : 0);
  }

  accuracy(): Accuracy {
    return {
      wape: ratio(this.#error, this.#truth),
      pinball: ratio(this.#pinball, this.#scores),
      coverage: ratio(this.#covered, this.#intervals),
      skillOverPersistence: 1 - ratio(this.#error, this.#persistenceError),
      skillOverSeasonal: 1 - ratio(this.#errorWhereSeasonal, this.#seasonalError),
    };
  }
}

function ratio(part: number, whole: number): number {
  return whole > 0 ? part / whole : Number.NaN;
}
