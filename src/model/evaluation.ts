/** Counts of one class, as scikit-learn's classification_report defines them. */
export interface ClassScore {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly support: number;
}

/** The document that `evaluate` prints. A rate whose denominator is empty (no benign rows, no attacks) is null. */
export interface EvaluationReport {
  readonly rows: number;
  readonly accuracy: number;
  /** Mean F1 of the classes that occur in the data. */
  readonly macroF1: number;
  /** Share of benign rows called an attack. `unknown` is no alarm. */
  readonly falseAlarmRate: number | null;
  /** Share of attack rows called any attack. */
  readonly attackRecall: number | null;
  readonly unknownRate: number;
  /** Classes that occur or were answered. Those the model was never taught have recall 0. */
  readonly perClass: Readonly<Record<string, ClassScore>>;
  /** Mean gap between the probability of the likeliest class and how often it is right, over ten equal bins (Guo et al. 2017). */
  readonly calibrationError: number;
}

const CALIBRATION_BINS = 10;

/** Sums up answers of a model with the given classes against the truth; labels that differ in case only are one class. */
export class Evaluation {
  readonly #modelClasses: number;
  readonly #benign: ReadonlySet<number>;
  readonly #indexOf: Map<string, number>;
  /** Names by index: the model's classes, then what else occurs. */
  readonly #names: string[];
  readonly #support: number[];
  readonly #answered: number[];
  readonly #correct: number[];
  #rows = 0;
  #unknown = 0;
  #benignRows = 0;
  #falseAlarms = 0;
  #attackRows = 0;
  #detected = 0;
  readonly #binConfidence = new Float64Array(CALIBRATION_BINS);
  readonly #binCorrect = new Float64Array(CALIBRATION_BINS);

  constructor(classes: readonly string[], benign: readonly string[]) {
    this.#modelClasses = classes.length;
    this.#benign = new Set(benign.map((name) => classes.indexOf(name)));
    this.#indexOf = new Map(classes.map((name, index) => [name.toLowerCase(), index]));
    this.#names = [...classes];
    this.#support = classes.map(() => 0);
    this.#answered = classes.map(() => 0);
    this.#correct = classes.map(() => 0);
  }

  /** One row: the truth in the data's own words, the answered class index (-1 = unknown), and the probabilities from `offset` on. */
  add(
    truth: string,
    truthIsBenign: boolean,
    answer: number,
    probabilities: Float32Array,
    offset: number,
  ): void {
    const actual = this.#classIndex(truth);
    const calledAttack = answer >= 0 && !this.#benign.has(answer);
    this.#rows++;
    this.#support[actual]! += 1;
    if (answer < 0) this.#unknown++;
    else this.#answered[answer]! += 1;
    if (answer === actual) this.#correct[actual]! += 1;
    if (truthIsBenign) {
      this.#benignRows++;
      if (calledAttack) this.#falseAlarms++;
    } else {
      this.#attackRows++;
      if (calledAttack) this.#detected++;
    }
    this.#addCalibration(actual, probabilities, offset);
  }

  #addCalibration(actual: number, probabilities: Float32Array, offset: number): void {
    let likeliest = 0;
    for (let k = 1; k < this.#modelClasses; k++) {
      if (probabilities[offset + k]! > probabilities[offset + likeliest]!) likeliest = k;
    }
    const confidence = probabilities[offset + likeliest]!;
    const bin = Math.min(CALIBRATION_BINS - 1, Math.floor(confidence * CALIBRATION_BINS));
    this.#binConfidence[bin]! += confidence;
    if (likeliest === actual) this.#binCorrect[bin]! += 1;
  }

  #classIndex(name: string): number {
    const key = name.toLowerCase();
    let index = this.#indexOf.get(key);
    if (index === undefined) {
      index = this.#names.push(name) - 1;
      this.#indexOf.set(key, index);
      this.#support.push(0);
      this.#answered.push(0);
      this.#correct.push(0);
    }
    return index;
  }

  report(): EvaluationReport {
    const scores = this.#names.map((name, k) => [name, this.#score(k)] as const);
    const occurring = scores.filter(([, { support }]) => support > 0);
    const correct = this.#correct.reduce((sum, count) => sum + count, 0);
    return {
      rows: this.#rows,
      accuracy: ratio(correct, this.#rows),
      macroF1: ratio(
        occurring.reduce((sum, [, { f1 }]) => sum + f1, 0),
        occurring.length,
      ),
      falseAlarmRate: this.#benignRows === 0 ? null : this.#falseAlarms / this.#benignRows,
      attackRecall: this.#attackRows === 0 ? null : this.#detected / this.#attackRows,
      unknownRate: ratio(this.#unknown, this.#rows),
      perClass: Object.fromEntries(scores.filter(([, s], k) => s.support > 0 || this.#answered[k]! > 0)),
      calibrationError: this.#calibrationError(),
    };
  }

  #score(k: number): ClassScore {
    const precision = ratio(this.#correct[k]!, this.#answered[k]!);
    const recall = ratio(this.#correct[k]!, this.#support[k]!);
    const f1 = ratio(2 * this.#correct[k]!, this.#answered[k]! + this.#support[k]!);
    return { precision, recall, f1, support: this.#support[k]! };
  }

  #calibrationError(): number {
    let error = 0;
    for (let bin = 0; bin < CALIBRATION_BINS; bin++) {
      error += Math.abs(this.#binConfidence[bin]! - this.#binCorrect[bin]!);
    }
    return ratio(error, this.#rows);
  }
}

/** 0 / 0 is 0, as precision without answers is by convention. */
function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
