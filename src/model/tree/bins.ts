import { orderedBits, sortFloats } from './float-order.ts';
import type { TrainingRows } from './trainer.ts';

const SAMPLE_ROWS_MAX = 65_536;
/** A column's values fall into at most this many bins. */
const BINS_MAX = 256;

/** Every column cut into bins: a bin b holds the values in (edges[b-1], edges[b]]. */
export interface BinnedRows {
  /** Upper edges of each column's bins but the last; a split after bin b has edge b as its threshold. */
  readonly edges: readonly Float32Array[];
  /** rows x width: bin * classes + label, so that one read finds the histogram cell; the codes of one row share a cache line. */
  readonly codes: Uint16Array;
}

/**
 * Cuts every column at its quantiles, or between all its values where they are few. The quantiles are those of an evenly
 * spaced sample of rows. `classes` must not exceed 256.
 */
export function binRows({ values, width, labels, classes }: TrainingRows): BinnedRows {
  const rows = labels.length;
  const step = Math.max(1, Math.floor(rows / SAMPLE_ROWS_MAX));
  const sample = new Float32Array(Math.ceil(rows / step));
  const columns: ColumnBins[] = [];
  for (let column = 0; column < width; column++) {
    for (let i = 0; i < sample.length; i++) sample[i] = values[i * step * width + column]!;
    columns.push(new ColumnBins(columnEdges(sortFloats(sample))));
  }
  const codes = new Uint16Array(rows * width);
  for (let row = 0, at = 0; row < rows; row++) {
    const label = labels[row]!;
    for (let column = 0; column < width; column++, at++) {
      codes[at] = columns[column]!.binOf(values[at]!) * classes + label;
    }
  }
  return { edges: columns.map(({ edges }) => edges), codes };
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

/** Finds the bin of a value: its upper bits tell almost exactly where it lies among the edges, the rest is a step or two. */
class ColumnBins {
  readonly edges: Float32Array;
  /** How many edges have a lower key. */
  readonly #first = new Uint16Array(65_537);

  constructor(edges: Float32Array) {
    this.edges = edges;
    for (const edge of edges) this.#first[(orderedBits(edge) >>> 16) + 1]! += 1;
    for (let key = 1; key <= 65_536; key++) this.#first[key]! += this.#first[key - 1]!;
  }

  binOf(value: number): number {
    const { edges } = this;
    let bin = this.#first[orderedBits(value) >>> 16]!;
    while (bin < edges.length && value > edges[bin]!) bin++;
    return bin;
  }
}
