import type { FeatureBatch, LateFlow } from '../codec/records.ts';
import type { FlowRecord } from '../flow/flow-record.ts';
import { type PreprocessConfig, windowSettingsOf } from './config.ts';
import { featureBatches } from './feature-rows.ts';
import { FlowRows, flowEntity } from './flow-rows.ts';
import { FlowPart } from './proration.ts';
import { type ExporterWindow, ExporterWindows, type WindowSettings } from './windows.ts';

/** Takes what the preprocessor gives, in order. */
export interface FeatureSink {
  features(batch: FeatureBatch): void;
  late(late: LateFlow): void;
  /** A window closed; its rows follow. */
  closed(window: ExporterWindow): void;
}

export interface Progress {
  /** First record that contributed to a window still open; Infinity where none is. */
  readonly firstOffset: number;
  readonly openWindows: number;
  readonly exporters: number;
  /** Newest of all watermarks; -Infinity before the first flow. */
  readonly watermarkUs: number;
}

interface Exporter {
  readonly name: string;
  readonly windows: ExporterWindows;
  /** Watermark as last reported by `takeChangedWatermarks`. */
  savedWatermarkUs: number;
}

/**
 * From flows to feature rows and late flows, for any number of exporters: no clock, no input or output. The stage and
 * the offline path are two drivers of it.
 */
export class Preprocessor {
  readonly #config: PreprocessConfig;
  readonly #windowSettings: WindowSettings;
  readonly #sink: FeatureSink;
  readonly #exporters = new Map<string, Exporter>();
  readonly #touched = new Set<Exporter>();

  constructor(config: PreprocessConfig, sink: FeatureSink) {
    this.#config = config;
    this.#windowSettings = windowSettingsOf(config);
    this.#sink = sink;
  }

  /** Brings back an exporter known before a restart: what its watermark had passed stays closed. */
  restore(name: string, watermarkUs: number, nowUs: number): void {
    this.#admit(name, watermarkUs, nowUs).savedWatermarkUs = watermarkUs;
  }

  /** Takes flows of one exporter, in the order they came, of the record at `offset`, at processing time `nowUs`. */
  add(name: string, feed: string, flows: readonly FlowRecord[], offset: number, nowUs: number): void {
    if (flows.length === 0) return;
    if (this.#config.featureSets.includes('flow')) this.#emitFlowRows(name, flows);
    const exporter =
      this.#exporters.get(name) ??
      (this.#exporters.size < this.#config.exportersMax
        ? this.#admit(name, Number.NEGATIVE_INFINITY, nowUs)
        : undefined);
    if (!exporter) {
      this.#refuse(name, feed, flows);
      return;
    }
    for (const flow of flows) exporter.windows.add(flow, feed, offset);
    exporter.windows.watermark.arrived(nowUs);
    this.#touched.add(exporter);
  }

  /** Takes flows again whose outputs are out already: only fills windows that are still open. */
  rebuild(name: string, flows: readonly FlowRecord[], offset: number): void {
    const exporter = this.#exporters.get(name);
    if (exporter) for (const flow of flows) exporter.windows.rebuild(flow, offset);
  }

  /** Closes, by the clock, the windows of exporters that have been silent. */
  closeIdle(nowUs: number): void {
    for (const exporter of this.#exporters.values()) {
      if (exporter.windows.openCount === 0) continue;
      const idleUs = exporter.windows.watermark.idleUs(nowUs, this.#config.idleAfterMs * 1000);
      if (idleUs === null) continue;
      exporter.windows.closeUpTo(idleUs);
      this.#touched.add(exporter);
    }
  }

  /** Closes every window: the input has ended. */
  closeAll(): void {
    for (const exporter of this.#exporters.values()) exporter.windows.closeUpTo(Number.MAX_SAFE_INTEGER);
  }

  /** Exporters whose watermark moved since the last call, with the new value. */
  takeChangedWatermarks(): { exporter: string; watermarkUs: number }[] {
    const changed = [];
    for (const exporter of this.#touched) {
      const watermarkUs = exporter.windows.watermark.valueUs;
      if (watermarkUs === exporter.savedWatermarkUs) continue;
      exporter.savedWatermarkUs = watermarkUs;
      changed.push({ exporter: exporter.name, watermarkUs });
    }
    this.#touched.clear();
    return changed;
  }

  progress(): Progress {
    let firstOffset = Number.POSITIVE_INFINITY;
    let watermarkUs = Number.NEGATIVE_INFINITY;
    let openWindows = 0;
    for (const { windows } of this.#exporters.values()) {
      firstOffset = Math.min(firstOffset, windows.firstOffset);
      watermarkUs = Math.max(watermarkUs, windows.watermark.valueUs);
      openWindows += windows.openCount;
    }
    return { firstOffset, openWindows, exporters: this.#exporters.size, watermarkUs };
  }

  #admit(name: string, watermarkUs: number, nowUs: number): Exporter {
    const windows: ExporterWindows = new ExporterWindows(
      this.#windowSettings,
      {
        closed: (window) => this.#emitWindow(name, window),
        late: (flow, feed, lengthUs, part, whole) =>
          this.#sink.late(lateFlow(name, feed, windows.watermark.valueUs, lengthUs, part, whole, flow)),
      },
      watermarkUs,
      nowUs,
    );
    const exporter = { name, windows, savedWatermarkUs: Number.NEGATIVE_INFINITY };
    this.#exporters.set(name, exporter);
    return exporter;
  }

  #emitWindow(exporter: string, window: ExporterWindow): void {
    this.#sink.closed(window);
    const origin = {
      exporter,
      windowStartUs: window.startUs,
      windowEndUs: window.endUs,
      windowSeconds: window.lengthUs / 1e6,
    };
    for (const rows of [window.links, window.hosts]) {
      if (!rows) continue;
      for (const batch of featureBatches(rows, origin, this.#config.chunkBytesMax))
        this.#sink.features(batch);
    }
  }

  #emitFlowRows(exporter: string, flows: readonly FlowRecord[]): void {
    const rows = new FlowRows(flows);
    for (const batch of featureBatches(rows, rows.origin(exporter), this.#config.chunkBytesMax)) {
      this.#sink.features(batch);
    }
  }

  /** One exporter too many: there is no room for its windows, so all its flows are late. */
  #refuse(exporter: string, feed: string, flows: readonly FlowRecord[]): void {
    const part = new FlowPart();
    for (const lengthUs of this.#windowSettings.lengthsUs) {
      for (const flow of flows) {
        part.takeWhole(flow);
        this.#sink.late(lateFlow(exporter, feed, 0, lengthUs, part, true, flow));
      }
    }
  }
}

function lateFlow(
  exporter: string,
  feed: string,
  watermarkUs: number,
  lengthUs: number,
  part: FlowPart,
  whole: boolean,
  flow: FlowRecord,
): LateFlow {
  const windowSeconds = lengthUs / 1e6;
  return {
    id: `${exporter}|${flowEntity(flow)}|${windowSeconds}`,
    exporter,
    feed,
    watermarkUs,
    windowSeconds,
    whole,
    bytes: part.bytes,
    packets: part.packets,
    reverseBytes: part.reverseBytes,
    reversePackets: part.reversePackets,
    flow,
  };
}
