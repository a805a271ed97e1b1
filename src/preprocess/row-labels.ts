import { isBenignLabel } from '../flow/label.ts';

/** Class of everything that a labelled data set calls harmless, in whatever words. */
export const BENIGN = 'benign';

/** A row counts as an attack when at least this share of its labelled flows does; a few strays do not make a host hostile. */
export const ATTACK_SHARE_MIN = 0.1;

/** Different labels told apart in one window; a data set has some dozens. Further ones are left out. */
const LABELS_MAX = 4096;

/** The class of a single flow: its data set's own word, or `benign` for all that is harmless; '' = unlabelled. */
export function classOf(label: string | null): string {
  if (label === null) return '';
  return isBenignLabel(label) ? BENIGN : label;
}

/** Labels of the flows of each row of one window. */
export class RowLabels {
  readonly #numberOf = new Map<string, number>();
  readonly #labels: string[] = [];
  readonly #flows = new Map<number, Map<number, number>>();

  get isLabelled(): boolean {
    return this.#labels.length > 0;
  }

  add(row: number, label: string): void {
    let number = this.#numberOf.get(label);
    if (number === undefined) {
      if (this.#labels.length === LABELS_MAX) return;
      number = this.#labels.push(classOf(label)) - 1;
      this.#numberOf.set(label, number);
    }
    let flows = this.#flows.get(row);
    if (!flows) {
      flows = new Map();
      this.#flows.set(row, flows);
    }
    flows.set(number, (flows.get(number) ?? 0) + 1);
  }

  /**
   * The row's class: of its non-benign labels the one with the most flows (the first seen where equal) when at least
   * ATTACK_SHARE_MIN of its labelled flows are not benign, else `benign`; '' where no flow was labelled.
   */
  labelOf(row: number): string {
    const flows = this.#flows.get(row);
    if (!flows) return '';
    let total = 0;
    let attacks = 0;
    let most = 0;
    let answer = BENIGN;
    for (const [number, count] of flows) {
      const label = this.#labels[number]!;
      total += count;
      if (label === BENIGN) continue;
      attacks += count;
      if (count > most) {
        most = count;
        answer = label;
      }
    }
    return attacks >= total * ATTACK_SHARE_MIN ? answer : BENIGN;
  }
}
