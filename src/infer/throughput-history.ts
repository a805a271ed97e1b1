/** Windows of one state record: a link's update rewrites this many values at most. */
export const SEGMENT_WINDOWS = 64;

/** History begins anew only where a block of this many windows begins: within a block, each window sees one more value and the same beginning. */
export const BLOCK_WINDOWS = 4 * SEGMENT_WINDOWS;

/** The first window of the block that holds a window. Blocks, too, are aligned to the epoch. */
export function blockStartOf(windowIndex: number): number {
  return windowIndex - (windowIndex % BLOCK_WINDOWS);
}

/** The segment that holds a window. Segments are aligned to the epoch, so that a restart cuts history as before. */
export function segmentOf(windowIndex: number): number {
  return Math.floor(windowIndex / SEGMENT_WINDOWS);
}

/**
 * Throughput of one link, window by window: as many windows as asked for before the running block, and that block; gaps are NaN, the first and the last value never are.
 * Windows are numbered from the epoch (start divided by length).
 */
export class ThroughputHistory {
  readonly #windowsMax: number;
  // History is [start, end) of a buffer that only grows to the right; a full one is replaced, not shifted, so that views handed out stay true.
  #buffer = new Float64Array(SEGMENT_WINDOWS);
  #start = 0;
  #end = 0;
  #lastIndex = -1;
  #activeIndex = -1;
  #observed = 0;

  constructor(windowsMax: number) {
    this.#windowsMax = windowsMax;
  }

  /** Newest window; -1 = none. */
  get lastIndex(): number {
    return this.#lastIndex;
  }

  /** Oldest window; above `lastIndex` = none. */
  get firstIndex(): number {
    return this.#lastIndex - (this.#end - this.#start) + 1;
  }

  /** Newest window with traffic, while it is within history; -1 = none. */
  get activeIndex(): number {
    return this.#activeIndex >= this.firstIndex ? this.#activeIndex : -1;
  }

  /** Windows that are not gaps. */
  get observed(): number {
    return this.#observed;
  }

  /** Adds a window newer than the last; those between become gaps. `throughput` is finite. */
  push(windowIndex: number, throughput: number): void {
    if (this.#lastIndex >= 0) {
      const gap = windowIndex - this.#lastIndex - 1;
      if (gap >= this.#windowsMax) this.#clear();
      else for (let i = 0; i < gap; i++) this.#append(Number.NaN);
    }
    this.#append(throughput);
    this.#lastIndex = windowIndex;
    if (throughput > 0) this.#activeIndex = windowIndex;
    this.#trim();
  }

  /** All values, oldest first; a view that later pushes do not change. */
  values(): Float64Array {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** The values of a segment up to the newest window, NaN where there are none. */
  segment(segment: number): Float64Array {
    const first = segment * SEGMENT_WINDOWS;
    const length = Math.min(SEGMENT_WINDOWS, this.#lastIndex - first + 1);
    const values = new Float64Array(length).fill(Number.NaN);
    const offset = Math.max(0, this.firstIndex - first);
    const from = this.#start + first + offset - this.firstIndex;
    values.set(this.#buffer.subarray(from, from + length - offset), offset);
    return values;
  }

  #append(value: number): void {
    if (this.#end === this.#buffer.length) this.#grow();
    this.#buffer[this.#end++] = value;
    if (!Number.isNaN(value)) this.#observed++;
  }

  #grow(): void {
    const length = this.#end - this.#start;
    const capacity = Math.min(2 * length, length + 2 * BLOCK_WINDOWS) + SEGMENT_WINDOWS;
    const buffer = new Float64Array(capacity);
    buffer.set(this.values());
    this.#buffer = buffer;
    this.#start = 0;
    this.#end = length;
  }

  /** Drops what is too old, and gaps in front: the same history whether it was kept or restored. */
  #trim(): void {
    const oldest = blockStartOf(this.#lastIndex) - this.#windowsMax;
    while (this.firstIndex < oldest || Number.isNaN(this.#buffer[this.#start]!)) {
      if (!Number.isNaN(this.#buffer[this.#start]!)) this.#observed--;
      this.#start++;
    }
  }

  #clear(): void {
    this.#start = this.#end;
    this.#observed = 0;
  }
}
