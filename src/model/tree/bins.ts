import type { TrainingRows } from './trainer.ts';

const SAMPLE_ROWS_MAX = 65_536;
/** A column's values fall into at most this many bins. */
const BINS_MAX = 256;

/** Every column cut into bins: a bin b holds the values in (edges[b-1], edges[b]]. */
export interface BinnedRows {
  /** Upper edges of each column's bins but the last; a split after bin b has edge b as its threshold. */
  readonly edges: readonly Float32Array[];
  /** Column-major: bin * classes + label of each row, so that one read finds the histogram cell. */
  readonly codes: Uint16Array;
}

/**
 * Cuts every column at its quantiles, or between all its values where they are few. The quantiles are those of an evenly
 * spaced sample of rows. `classes` must not exceed 256.
 */
export function binRows({ values, width, labels, classes }: TrainingRows): BinnedRows {
  const rows = labels.length;
  const codes = new Uint16Array(rows * width);
  const step = Math.max(1, Math.floor(rows / SAMPLE_ROWS_MAX));
  const sample = new Float32Array(Math.ceil(rows / step));
  const edges: Float32Array[] = [];
  for (let column = 0; column < width; column++) {
    for (let i = 0; i < sample.length; i++) sample[i] = values[i * step * width + column]!;
    const cuts = columnEdges(sample.sort());
    edges.push(cuts);
    encodeColumn(
      values,
      width,
      column,
      cuts,
      labels,
      classes,
      codes.subarray(column * rows, (column + 1) * rows),
    );
  }
  return { edges, codes };
}

function columnEdges(sorted: Float32Array): Float32Array {
  const distinct: number[] = [];
  for (let i = 0; i < sorted.length && distinct.length <= BINS_MAX; i++) {
    if (i === 0 || sorted[i] !== sorted[i - 1]) distinct.push(sorted[i]!);
  }
  const edges: number[] = [];
  if (distinct.length <= BINS_MAX) {
    for (let i = 1; i < distinct.length; i++) edges.push(between(distinct[i - 1]!, distinct[i]!));
    return Float32Array.from(edges);
  }
  for (let bin = 1; bin < BINS_MAX; bin++) {
    let at = Math.floor((bin * sorted.length) / BINS_MAX);
    while (at < sorted.length && sorted[at] === sorted[at - 1]) at++;
    if (at >= sorted.length) break;
    const edge = between(sorted[at - 1]!, sorted[at]!);
    if (edges.length === 0 || edge > edges.at(-1)!) edges.push(edge);
  }
  return Float32Array.from(edges);
}

/** The float32 nearest the middle that still has `lower` at or below it and `upper` above. */
function between(lower: number, upper: number): number {
  const middle = Math.fround(lower + (upper - lower) / 2);
  return middle < upper ? middle : lower;
}

/** Orders float32 bit patterns like the numbers they stand for. */
function sortKey(bits: number): number {
  return (bits & 0x80000000 ? ~bits : bits | 0x80000000) >>> 16;
}

function encodeColumn(
  values: Float32Array,
  width: number,
  column: number,
  edges: Float32Array,
  labels: Int32Array,
  classes: number,
  into: Uint16Array,
): void {
  // The upper 16 bits of a value tell almost exactly where it lies among the edges; the rest is a step or two.
  const first = new Uint16Array(65_537);
  const edgeBits = new Uint32Array(edges.buffer, edges.byteOffset, edges.length);
  for (const bits of edgeBits) first[sortKey(bits) + 1]! += 1;
  for (let key = 1; key <= 65_536; key++) first[key]! += first[key - 1]!;
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let row = 0, at = column; row < into.length; row++, at += width) {
    const value = values[at]!;
    // -0 and +0 have different bits but are equal, so the zero key must be looked up as +0.
    let bin = first[value === 0 ? 0x8000 : sortKey(bits[at]!)]!;
    while (bin < edges.length && value > edges[bin]!) bin++;
    into[row] = bin * classes + labels[row]!;
  }
}
