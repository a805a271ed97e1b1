import type { ClassificationEncoder } from '../codec/classification-encoder.ts';
import type { Role } from '../codec/records.ts';
import type { ClassifierSpec, Manifest } from '../model/manifest.ts';
import type { ClassifiedRows } from '../model/tree/classifier.ts';
import { UNKNOWN_CLASS } from '../model/tree/decision.ts';

/** What a model says of a row, and its bytes for the record. */
export interface CachedVerdict {
  readonly class: string;
  readonly benign: boolean;
  readonly bytes: Uint8Array;
  readonly classIndex: number;
  readonly probabilities: Float32Array;
}

/** Leaves remembered at most; a model without paths takes one place. */
const VERDICTS_MAX = 100_000;

/** The verdicts of one model, one for each decision path: rows of one leaf say the same and are encoded once. */
export class VerdictCache {
  readonly manifest: Manifest;
  readonly role: Role;
  /** `<model>@<version>`, as in the ids of records. */
  readonly name: string;
  readonly #spec: ClassifierSpec;
  readonly #encoder: ClassificationEncoder;
  readonly #verdicts = new Map<string, CachedVerdict>();

  constructor(manifest: Manifest, role: Role, encoder: ClassificationEncoder) {
    this.manifest = manifest;
    this.role = role;
    this.name = `${manifest.name}@${manifest.version}`;
    this.#spec = manifest.classifier!;
    this.#encoder = encoder;
  }

  verdictOf(answers: ClassifiedRows, row: number): CachedVerdict {
    const path = answers.pathOf(row);
    const present = this.#verdicts.get(path);
    if (present && sameAnswer(present, answers, row)) return present;
    const verdict = this.#make(answers, row, path);
    if (this.#verdicts.size >= VERDICTS_MAX) this.#verdicts.clear();
    this.#verdicts.set(path, verdict);
    return verdict;
  }

  #make(answers: ClassifiedRows, row: number, path: string): CachedVerdict {
    const { classes, benign, thresholds, unknownBelow } = this.#spec;
    const classIndex = answers.classIndex[row]!;
    const probabilities = answers.probabilities.slice(row * classes.length, (row + 1) * classes.length);
    const isKnown = classIndex >= 0;
    const name = isKnown ? classes[classIndex]! : UNKNOWN_CLASS;
    const isBenign = isKnown && benign.includes(name);
    const bytes = this.#encoder.verdict({
      class: name,
      benign: isBenign,
      // Of the class answered; where none was, of the likeliest.
      probability: isKnown ? probabilities[classIndex]! : Math.max(...probabilities),
      probabilities: Object.fromEntries(classes.map((key, i) => [key, probabilities[i]!])),
      path,
      threshold: isKnown ? thresholds[classIndex]! : unknownBelow,
      model: this.manifest.name,
      modelVersion: this.manifest.version,
      role: this.role,
      featureSet: this.manifest.featureSet.name,
      featureSetVersion: this.manifest.featureSet.version,
    });
    return { class: name, benign: isBenign, bytes, classIndex, probabilities };
  }
}

function sameAnswer(verdict: CachedVerdict, answers: ClassifiedRows, row: number): boolean {
  if (verdict.classIndex !== answers.classIndex[row]) return false;
  const { probabilities } = verdict;
  const offset = row * probabilities.length;
  for (let k = 0; k < probabilities.length; k++) {
    if (!Object.is(probabilities[k], answers.probabilities[offset + k])) return false;
  }
  return true;
}
