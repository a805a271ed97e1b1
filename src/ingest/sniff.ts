import type { Format } from './format.ts';
import { formatsNamed } from './formats/registry.ts';

/** Less than this is a guess. */
const CONFIDENCE_MIN = 0.3;
/** Two formats nearer to each other than this cannot be told apart. */
const MARGIN = 0.05;

/** Bytes of a file's head that formats are shown. */
export const SNIFF_BYTES_MAX = 65_536;

/** The format found; or the two between which the bytes do not decide; or null twice when none knows them. */
export type Sniffed =
  | { readonly format: Format; readonly rivals: null }
  | { readonly format: null; readonly rivals: readonly [Format, Format] | null };

/**
 * Picks the format that is surest of the beginning of a file or message. A single candidate is not asked: whoever named it
 * is believed, and its decoder tells what is wrong.
 */
export function sniff(sample: Uint8Array, candidates: readonly Format[]): Sniffed {
  if (candidates.length === 1) return { format: candidates[0]!, rivals: null };
  const ranked = candidates
    .map((format) => ({ format, confidence: format.sniff(sample) }))
    .filter(({ confidence }) => confidence >= CONFIDENCE_MIN)
    .sort((a, b) => b.confidence - a.confidence);
  const [first, second] = ranked;
  if (first === undefined) return { format: null, rivals: null };
  if (second !== undefined && first.confidence - second.confidence < MARGIN) {
    return { format: null, rivals: [first.format, second.format] };
  }
  return { format: first.format, rivals: null };
}

/** The format of a message under a feed's `format` setting (a name, a family or `auto`); null when the message does not tell. */
export function chooseFormat(name: string, message: Uint8Array): Format | null {
  return sniff(message, formatsNamed(name)).format;
}
