import type { FeatureBatch } from '../codec/records.ts';
import { COUNTER_COLUMNS } from '../codec/records.ts';
import type { Direction } from '../flow/flow-record.ts';
import { parseLinkName } from './link-name.ts';
import { encodeNumbers, type StateChanges } from './link-state.ts';
import { encodePending, type PendingForecast } from './pending-forecast.ts';
import { segmentOf, ThroughputHistory } from './throughput-history.ts';

/** A link with its history and the forecasts of it that wait for their truth, oldest first. */
export interface Link {
  readonly entity: string;
  readonly interface: number;
  readonly direction: Direction;
  readonly history: ThroughputHistory;
  readonly pending: PendingForecast[];
  /** False once it was given up: then nothing of it enters the state any more. */
  isTracked: boolean;
  /** Segments in the state, ascending. */
  readonly segments: number[];
  /** Segments to be written with this step. */
  readonly dirtySegments: Set<number>;
}

/** A link as it was when a window closed. */
export interface ClosedLink {
  readonly link: Link;
  /** History up to and with the window, oldest first, bit/s, NaN = missing. */
  readonly values: Float64Array;
  /** The window of the first of them. */
  readonly firstIndex: number;
  /** How many of them are not missing. */
  readonly observed: number;
}

/** What happened to links, for the metrics. */
export interface LinkCounts {
  /** Given up for a newcomer. */
  evicted: number;
  /** Given up because their whole history was silent. */
  forgotten: number;
  /** Rows not tracked because all places were taken by links with recent traffic. */
  untracked: number;
  /** Rows whose entity is no link. */
  malformed: number;
}

export interface LinkBounds {
  readonly historyWindowsMax: number;
  readonly linksPerExporterMax: number;
}

const ROW_BYTES = COUNTER_COLUMNS.length * 8;
const BYTES_OFFSET = COUNTER_COLUMNS.indexOf('bytes') * 8;
const SECOND_US = 1_000_000;

/** The links of one exporter at one window length, in the order of their names: the same after a restart. */
export class ExporterLinks {
  readonly exporter: string;
  readonly windowSeconds: number;
  readonly #bounds: LinkBounds;
  readonly #links: Link[] = [];
  readonly #byEntity = new Map<string, Link>();
  #closedIndex = -1;

  constructor(exporter: string, windowSeconds: number, bounds: LinkBounds) {
    this.exporter = exporter;
    this.windowSeconds = windowSeconds;
    this.#bounds = bounds;
  }

  get links(): readonly Link[] {
    return this.#links;
  }

  /** Number of the last closed window; -1 = none. */
  get closedIndex(): number {
    return this.#closedIndex;
  }

  restoreClosedIndex(windowIndex: number): void {
    this.#closedIndex = windowIndex;
  }

  /** The link of this name, made if there is none; for restoring. null where the text names no link. */
  restoreLink(entity: string): Link | null {
    return this.#byEntity.get(entity) ?? this.#add(entity);
  }

  /** Takes the rows of one message of a window that is newer than the last closed one. */
  applyRows(batch: FeatureBatch, windowIndex: number, changes: StateChanges, counts: LinkCounts): void {
    const bitsPerByteSecond = 8 / this.windowSeconds;
    for (let row = 0; row < batch.entities.length; row++) {
      const entity = batch.entities[row]!;
      const link = this.#byEntity.get(entity) ?? this.#admit(entity, windowIndex, changes, counts);
      if (link === null || link.history.lastIndex >= windowIndex) continue;
      const bytes = batch.counters.readDoubleLE(row * ROW_BYTES + BYTES_OFFSET);
      this.#push(link, windowIndex, bytes * bitsPerByteSecond);
    }
  }

  /** After the last message of a window: links without a row were silent, not missing. Gives every link as it now is. */
  closeWindow(windowIndex: number, changes: StateChanges, counts: LinkCounts): ClosedLink[] {
    this.#closedIndex = windowIndex;
    changes.set(this.#key(), encodeNumbers(Float64Array.of(windowIndex)));
    const closed: ClosedLink[] = [];
    for (const link of [...this.#links]) {
      const { history } = link;
      if (history.lastIndex < windowIndex) this.#push(link, windowIndex, 0);
      if (history.activeIndex < 0) {
        this.#giveUp(link, changes);
        counts.forgotten++;
      } else
        closed.push({
          link,
          values: history.values(),
          firstIndex: history.firstIndex,
          observed: history.observed,
        });
    }
    return closed;
  }

  addPending(link: Link, forecast: PendingForecast, changes: StateChanges): void {
    link.pending.push(forecast);
    if (link.isTracked) changes.add(this.#pendingKey(link, forecast), encodePending(forecast));
  }

  removePending(link: Link, position: number, changes: StateChanges): void {
    const [forecast] = link.pending.splice(position, 1);
    if (forecast && link.isTracked) changes.remove(this.#pendingKey(link, forecast));
  }

  /** Puts the touched segments into the state and takes those out that history has left behind. */
  flush(changes: StateChanges): void {
    for (const link of this.#links) {
      for (const segment of link.dirtySegments) {
        if (segment < segmentOf(link.history.firstIndex)) continue;
        if (link.segments.at(-1) !== segment) link.segments.push(segment);
        changes.set(this.#segmentKey(link, segment), encodeNumbers(link.history.segment(segment)));
      }
      link.dirtySegments.clear();
      while (link.segments.length > 0 && link.segments[0]! < segmentOf(link.history.firstIndex)) {
        changes.remove(this.#segmentKey(link, link.segments.shift()!));
      }
    }
  }

  /** Takes everything out of the state. */
  giveUpAll(changes: StateChanges): void {
    for (const link of [...this.#links]) this.#giveUp(link, changes);
    changes.remove(this.#key());
  }

  #push(link: Link, windowIndex: number, throughput: number): void {
    link.history.push(windowIndex, throughput);
    link.dirtySegments.add(segmentOf(windowIndex));
  }

  /** A place for a new link; the link silent for longest makes room unless it, too, had traffic in this window or the one before. */
  #admit(entity: string, windowIndex: number, changes: StateChanges, counts: LinkCounts): Link | null {
    if (parseLinkName(entity) === null) {
      counts.malformed++;
      return null;
    }
    if (this.#links.length >= this.#bounds.linksPerExporterMax) {
      const silent = this.#links.reduce((a, b) => (b.history.activeIndex < a.history.activeIndex ? b : a));
      if (silent.history.activeIndex >= windowIndex - 1) {
        counts.untracked++;
        return null;
      }
      this.#giveUp(silent, changes);
      counts.evicted++;
    }
    return this.#add(entity);
  }

  #add(entity: string): Link | null {
    const name = parseLinkName(entity);
    if (name === null) return null;
    const link: Link = {
      entity,
      interface: name.interface,
      direction: name.direction,
      history: new ThroughputHistory(this.#bounds.historyWindowsMax),
      pending: [],
      isTracked: true,
      segments: [],
      dirtySegments: new Set(),
    };
    const next = this.#links.findIndex((other) => other.entity > entity);
    this.#links.splice(next < 0 ? this.#links.length : next, 0, link);
    this.#byEntity.set(entity, link);
    return link;
  }

  #giveUp(link: Link, changes: StateChanges): void {
    for (const segment of link.segments) changes.remove(this.#segmentKey(link, segment));
    for (const forecast of link.pending) changes.remove(this.#pendingKey(link, forecast));
    link.isTracked = false;
    this.#links.splice(this.#links.indexOf(link), 1);
    this.#byEntity.delete(link.entity);
  }

  #key() {
    return { kind: 'exporter' as const, windowSeconds: this.windowSeconds, exporter: this.exporter };
  }

  #segmentKey(link: Link, segment: number) {
    const { windowSeconds, exporter } = this;
    return { kind: 'history' as const, windowSeconds, exporter, entity: link.entity, segment };
  }

  #pendingKey(link: Link, { baseIndex, model, modelVersion }: PendingForecast) {
    const { windowSeconds, exporter } = this;
    return {
      kind: 'pending' as const,
      windowSeconds,
      exporter,
      entity: link.entity,
      baseIndex,
      model,
      modelVersion,
    };
  }
}

/** The number of a batch's window from the epoch; null where the batch is not windowed or not aligned. */
export function windowIndexOf(batch: FeatureBatch): number | null {
  if (batch.windowSeconds <= 0) return null;
  const index = batch.windowStartUs / (batch.windowSeconds * SECOND_US);
  return Number.isInteger(index) && index >= 0 ? index : null;
}
