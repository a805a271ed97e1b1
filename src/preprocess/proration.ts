import type { FlowRecord } from '../flow/flow-record.ts';

/**
 * The last instant a flow occupies. Windows are half-open [k * length, (k + 1) * length); a flow that ends exactly on a
 * boundary belongs to the window before it and does not open the next one. A flow without duration occupies its start.
 */
export function lastInstantUs(flow: FlowRecord): number {
  return flow.endUs > flow.startUs ? flow.endUs - 1 : flow.startUs;
}

/** Index of the epoch-aligned tumbling window that holds an instant. */
export function windowIndexOf(instantUs: number, lengthUs: number): number {
  return Math.floor(instantUs / lengthUs);
}

/**
 * How much of `total` falls into the first `elapsedUs` of a flow of `durationUs`: an integer that never decreases with
 * `elapsedUs` and ends at `total`, so that differences between successive cuts add up to `total` exactly.
 */
export function countUpTo(total: number, elapsedUs: number, durationUs: number): number {
  if (elapsedUs <= 0) return 0;
  return elapsedUs >= durationUs ? total : Math.floor(total * (elapsedUs / durationUs));
}

/** The part of a flow that falls into one window. One object is reused for all flows: read it before the next cut. */
export class FlowPart {
  bytes = 0;
  packets = 0;
  reverseBytes = 0;
  reversePackets = 0;
  /** Whether the flow ends in here: it is counted in this window and no other. */
  isEnd = false;

  /** Takes the whole flow. */
  takeWhole(flow: FlowRecord): void {
    this.bytes = flow.bytes;
    this.packets = flow.packets;
    this.reverseBytes = flow.reverseBytes;
    this.reversePackets = flow.reversePackets;
    this.isEnd = true;
  }

  /** Takes what lies in [fromUs, toUs). */
  cut(flow: FlowRecord, fromUs: number, toUs: number): void {
    const duration = flow.endUs - flow.startUs;
    const from = fromUs - flow.startUs;
    const to = toUs - flow.startUs;
    this.bytes = countUpTo(flow.bytes, to, duration) - countUpTo(flow.bytes, from, duration);
    this.packets = countUpTo(flow.packets, to, duration) - countUpTo(flow.packets, from, duration);
    this.reverseBytes =
      countUpTo(flow.reverseBytes, to, duration) - countUpTo(flow.reverseBytes, from, duration);
    this.reversePackets =
      countUpTo(flow.reversePackets, to, duration) - countUpTo(flow.reversePackets, from, duration);
    this.isEnd = to >= duration;
  }

  /** True when nothing at all falls into the part. */
  isEmpty(): boolean {
    return this.bytes + this.packets + this.reverseBytes + this.reversePackets === 0;
  }
}
