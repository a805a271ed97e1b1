import type { FeatureBatch } from '../codec/records.ts';
import { type ClosedLink, ExporterLinks, type LinkBounds, type LinkCounts } from './exporter-links.ts';
import { decodeNumbers, parseStateKey, type StateChanges } from './link-state.ts';
import { decodePending } from './pending-forecast.ts';
import { SEGMENT_WINDOWS } from './throughput-history.ts';

/** A window of an exporter that has just closed, with all its links. */
export interface ClosedWindow {
  readonly exporter: ExporterLinks;
  readonly windowIndex: number;
  readonly windowStartUs: number;
  readonly windowEndUs: number;
  readonly featureSet: string;
  readonly featureSetVersion: number;
  readonly links: readonly ClosedLink[];
}

export interface StoreBounds extends LinkBounds {
  readonly exportersMax: number;
}

/** Counts of a store; they only grow. */
export interface StoreCounts extends LinkCounts {
  /** Exporters given up for a newcomer. */
  exportersEvicted: number;
  /** Messages of exporters not tracked because all places were taken by exporters that still send. */
  exportersUntracked: number;
  /** Messages of windows that had closed already. */
  repeated: number;
}

/** All links of one partition. */
export class LinkStore {
  readonly counts: StoreCounts = {
    evicted: 0,
    forgotten: 0,
    untracked: 0,
    malformed: 0,
    exportersEvicted: 0,
    exportersUntracked: 0,
    repeated: 0,
  };
  readonly #bounds: StoreBounds;
  readonly #exporters = new Map<string, ExporterLinks>();

  constructor(bounds: StoreBounds) {
    this.#bounds = bounds;
  }

  /** Rebuilds what an earlier owner of the partition had put into the state. */
  static restore(bounds: StoreBounds, state: ReadonlyMap<string, Uint8Array>): LinkStore {
    const store = new LinkStore(bounds);
    const segments: { links: ExporterLinks; entity: string; segment: number; value: Uint8Array }[] = [];
    for (const [text, value] of state) {
      const key = parseStateKey(text);
      if (key === null) continue;
      const links = store.#exporterOf(key.exporter, key.windowSeconds);
      if (key.kind === 'exporter') links.restoreClosedIndex(decodeNumbers(value)[0] ?? -1);
      else if (key.kind === 'history')
        segments.push({ links, entity: key.entity, segment: key.segment, value });
      else links.restoreLink(key.entity)?.pending.push(decodePending(value, key));
    }
    segments.sort((a, b) => a.segment - b.segment);
    for (const { links, entity, segment, value } of segments) {
      const link = links.restoreLink(entity);
      link?.segments.push(segment);
      decodeNumbers(value).forEach((throughput, i) => {
        if (!Number.isNaN(throughput)) link?.history.push(segment * SEGMENT_WINDOWS + i, throughput);
      });
    }
    for (const links of store.#exporters.values()) {
      for (const link of links.links) link.pending.sort(inOrderOfMaking);
    }
    return store;
  }

  /** Takes one message of a window; gives the window when this was its last. Never a window twice. */
  apply(batch: FeatureBatch, windowIndex: number, changes: StateChanges): ClosedWindow | null {
    const links = this.#admit(batch, windowIndex, changes);
    if (links === null) return null;
    if (windowIndex <= links.closedIndex) {
      this.counts.repeated++;
      return null;
    }
    links.applyRows(batch, windowIndex, changes, this.counts);
    if (batch.chunk < batch.chunks - 1) return null;
    return {
      exporter: links,
      windowIndex,
      windowStartUs: batch.windowStartUs,
      windowEndUs: batch.windowEndUs,
      featureSet: batch.featureSet,
      featureSetVersion: batch.version,
      links: links.closeWindow(windowIndex, changes, this.counts),
    };
  }

  /** Puts the touched histories into the state. */
  flush(changes: StateChanges): void {
    for (const links of this.#exporters.values()) links.flush(changes);
  }

  /** Links tracked, over all exporters and window lengths. */
  get linkCount(): number {
    let count = 0;
    for (const links of this.#exporters.values()) count += links.links.length;
    return count;
  }

  #admit(batch: FeatureBatch, windowIndex: number, changes: StateChanges): ExporterLinks | null {
    const present = this.#exporters.get(exporterKey(batch.exporter, batch.windowSeconds));
    if (present) return present;
    if (this.#exporters.size >= this.#bounds.exportersMax) {
      const oldest = [...this.#exporters.values()].reduce((a, b) => (isOlder(b, a) ? b : a));
      // One that sent in the newcomer's last two windows is no less alive than the newcomer.
      const limitSeconds = (windowIndex - 1) * batch.windowSeconds;
      if (closedSeconds(oldest) > limitSeconds) {
        this.counts.exportersUntracked++;
        return null;
      }
      oldest.giveUpAll(changes);
      this.#exporters.delete(exporterKey(oldest.exporter, oldest.windowSeconds));
      this.counts.exportersEvicted++;
    }
    return this.#exporterOf(batch.exporter, batch.windowSeconds);
  }

  #exporterOf(exporter: string, windowSeconds: number): ExporterLinks {
    const key = exporterKey(exporter, windowSeconds);
    let links = this.#exporters.get(key);
    if (!links) {
      links = new ExporterLinks(exporter, windowSeconds, this.#bounds);
      this.#exporters.set(key, links);
    }
    return links;
  }
}

const exporterKey = (exporter: string, windowSeconds: number) => `${windowSeconds}|${exporter}`;

/** End of the last closed window, in seconds since the epoch. */
function closedSeconds(links: ExporterLinks): number {
  return (links.closedIndex + 1) * links.windowSeconds;
}

/** Longest silent first; the names decide between equals, so that a restart changes nothing. */
function isOlder(a: ExporterLinks, b: ExporterLinks): boolean {
  const difference = closedSeconds(a) - closedSeconds(b);
  if (difference !== 0) return difference < 0;
  return exporterKey(a.exporter, a.windowSeconds) < exporterKey(b.exporter, b.windowSeconds);
}

/** Models take turns by name and role (see `ServedModels`), one forecast a window each. */
function inOrderOfMaking(
  a: { baseIndex: number; model: string; role: string; modelVersion: string },
  b: { baseIndex: number; model: string; role: string; modelVersion: string },
): number {
  if (a.baseIndex !== b.baseIndex) return a.baseIndex - b.baseIndex;
  const [left, right] = [`${a.model} ${a.role}`, `${b.model} ${b.role}`];
  return left < right ? -1 : 1;
}
