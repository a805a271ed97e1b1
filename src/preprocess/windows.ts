import type { FlowRecord } from '../flow/flow-record.ts';
import { FlowAddresses } from './address-index.ts';
import { HostAccumulator, type HostLimits } from './host-accumulator.ts';
import { LinkAccumulator } from './link-accumulator.ts';
import { FlowPart, lastInstantUs, windowIndexOf } from './proration.ts';
import { Watermark, type WatermarkSettings } from './watermark.ts';

export interface WindowSettings extends WatermarkSettings {
  /** Window lengths, ascending; each flow enters the windows of every length. */
  readonly lengthsUs: readonly number[];
  /** A window stays open this long after the watermark has passed its end. */
  readonly graceUs: number;
  /** Windows of one length that may be open at once. */
  readonly openWindowsMax: number;
  readonly linksMax: number;
  readonly hosts: HostLimits;
  /** What is accumulated. */
  readonly withLinks: boolean;
  readonly withHosts: boolean;
}

/** One exporter's window while it fills, and once more when it closes. */
export interface ExporterWindow {
  readonly lengthUs: number;
  readonly index: number;
  readonly startUs: number;
  readonly endUs: number;
  /** The first record that contributed. */
  readonly firstOffset: number;
  readonly links: LinkAccumulator | null;
  readonly hosts: HostAccumulator | null;
}

/** Takes what one exporter's windows give. */
export interface WindowSink {
  /** A window closed; it is called once for each window, in the order of their ends, shorter ones first. */
  closed(window: ExporterWindow): void;
  /** Part of a flow fell into closed windows of this length. `whole`: all of it did, so it is counted in no window. */
  late(flow: FlowRecord, feed: string, lengthUs: number, part: FlowPart, whole: boolean): void;
}

// Reused for every flow of every exporter: filled and read within one call.
const addresses = new FlowAddresses();
const part = new FlowPart();

/**
 * The open windows of one exporter. A window of index i is open while the watermark is below its end + grace; then it
 * closes, once, and what comes later for it is late. Lateness is decided flow by flow with the watermark as of the flows
 * before it, so the result does not depend on how flows are batched. Windows nobody contributed to are never made.
 */
export class ExporterWindows {
  readonly watermark: Watermark;
  readonly #settings: WindowSettings;
  readonly #sink: WindowSink;
  /** Open windows by index, one map for each length. */
  readonly #open: readonly Map<number, ExporterWindow>[];
  #openCount = 0;
  #nextCloseUs = Number.POSITIVE_INFINITY;
  #firstOffset = Number.POSITIVE_INFINITY;

  constructor(settings: WindowSettings, sink: WindowSink, watermarkUs: number, nowUs: number) {
    this.#settings = settings;
    this.#sink = sink;
    this.watermark = new Watermark(settings, watermarkUs, nowUs);
    this.#open = settings.lengthsUs.map(() => new Map());
  }

  /** Offset of the first record that contributed to a window still open; Infinity where none is. */
  get firstOffset(): number {
    return this.#firstOffset;
  }

  get openCount(): number {
    return this.#openCount;
  }

  /** Takes a flow of the record at `offset`: adds it to its windows, reports what is late, moves the watermark, closes what is due. */
  add(flow: FlowRecord, feed: string, offset: number): void {
    const lastUs = lastInstantUs(flow);
    this.#makeRoom(lastUs);
    addresses.take(flow);
    const { lengthsUs } = this.#settings;
    for (let i = 0; i < lengthsUs.length; i++) {
      const lengthUs = lengthsUs[i]!;
      const firstOpen = this.#firstOpenIndex(lengthUs);
      if (flow.startUs < firstOpen * lengthUs) this.#reportLate(flow, feed, lengthUs, firstOpen, lastUs);
      this.#place(flow, i, firstOpen, lastUs, offset);
    }
    this.watermark.observe(flow.endUs, flow.receivedUs);
    if (this.watermark.valueUs >= this.#nextCloseUs) this.#closeDue();
  }

  /**
   * Takes a flow again after a restart, with the watermark restored: only windows still open are filled, nothing is
   * reported. A window open now was open when the flow first came, so it fills exactly as before.
   */
  rebuild(flow: FlowRecord, offset: number): void {
    const lastUs = lastInstantUs(flow);
    addresses.take(flow);
    const { lengthsUs } = this.#settings;
    for (let i = 0; i < lengthsUs.length; i++) {
      this.#place(flow, i, this.#firstOpenIndex(lengthsUs[i]!), lastUs, offset);
    }
  }

  /**
   * Closes what event time `us` has passed. The watermark moves no further than the windows that closed: an exporter
   * that was quiet loses nothing it has not been told of.
   */
  closeUpTo(us: number): void {
    while (this.#nextCloseUs <= us && this.#openCount > 0) {
      this.watermark.raise(this.#nextCloseUs);
      this.#closeDue();
    }
  }

  /** Index of the first window that is still open for contributions. */
  #firstOpenIndex(lengthUs: number): number {
    return Math.floor((this.watermark.valueUs - this.#settings.graceUs) / lengthUs);
  }

  /** Keeps the span of open windows within the bound by closing the oldest: the watermark moves, so they stay closed. */
  #makeRoom(lastUs: number): void {
    const { lengthsUs, graceUs, openWindowsMax } = this.#settings;
    for (const lengthUs of lengthsUs) {
      const oldest = windowIndexOf(lastUs, lengthUs) - openWindowsMax + 1;
      if (oldest > this.#firstOpenIndex(lengthUs)) this.watermark.raise(oldest * lengthUs + graceUs);
    }
    if (this.watermark.valueUs >= this.#nextCloseUs) this.#closeDue();
  }

  #place(flow: FlowRecord, length: number, firstOpen: number, lastUs: number, offset: number): void {
    const lengthUs = this.#settings.lengthsUs[length]!;
    const from = windowIndexOf(flow.startUs, lengthUs);
    const last = windowIndexOf(lastUs, lengthUs);
    for (let index = Math.max(from, firstOpen); index <= last; index++) {
      if (from === last) part.takeWhole(flow);
      else part.cut(flow, Math.max(flow.startUs, index * lengthUs), (index + 1) * lengthUs);
      const window = this.#open[length]!.get(index) ?? this.#openWindow(length, index, offset);
      window.links?.add(flow, part);
      window.hosts?.add(flow, part, addresses);
    }
  }

  #reportLate(flow: FlowRecord, feed: string, lengthUs: number, firstOpen: number, lastUs: number): void {
    const whole = windowIndexOf(lastUs, lengthUs) < firstOpen;
    if (whole) part.takeWhole(flow);
    else part.cut(flow, flow.startUs, firstOpen * lengthUs);
    if (whole || !part.isEmpty()) this.#sink.late(flow, feed, lengthUs, part, whole);
  }

  #openWindow(length: number, index: number, offset: number): ExporterWindow {
    const { lengthsUs, graceUs, linksMax, hosts, withLinks, withHosts } = this.#settings;
    const lengthUs = lengthsUs[length]!;
    const endUs = (index + 1) * lengthUs;
    const window: ExporterWindow = {
      lengthUs,
      index,
      startUs: index * lengthUs,
      endUs,
      firstOffset: offset,
      links: withLinks ? new LinkAccumulator(linksMax, lengthUs / 1e6) : null,
      hosts: withHosts ? new HostAccumulator(hosts, lengthUs / 1e6) : null,
    };
    this.#open[length]!.set(index, window);
    this.#openCount++;
    this.#nextCloseUs = Math.min(this.#nextCloseUs, endUs + graceUs);
    this.#firstOffset = Math.min(this.#firstOffset, offset);
    return window;
  }

  #closeDue(): void {
    const due: ExporterWindow[] = [];
    this.#nextCloseUs = Number.POSITIVE_INFINITY;
    this.#firstOffset = Number.POSITIVE_INFINITY;
    for (const windows of this.#open) {
      for (const window of windows.values()) {
        const closeUs = window.endUs + this.#settings.graceUs;
        if (closeUs <= this.watermark.valueUs) {
          due.push(window);
          windows.delete(window.index);
        } else {
          this.#nextCloseUs = Math.min(this.#nextCloseUs, closeUs);
          this.#firstOffset = Math.min(this.#firstOffset, window.firstOffset);
        }
      }
    }
    this.#openCount -= due.length;
    due.sort((a, b) => a.endUs - b.endUs || a.lengthUs - b.lengthUs);
    for (const window of due) this.#sink.closed(window);
  }
}
