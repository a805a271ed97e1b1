import type { Codec } from '../codec/avro.ts';
import { createCodec } from '../codec/avro.ts';
import type { FeatureBatch, Forecast, Quality } from '../codec/records.ts';
import type { Assignment, OutputRecord, Processor, Step, StoredRecord } from '../commit-log/port.ts';
import { topicName } from '../commit-log/topics.ts';
import { type Clock, startStopwatch } from '../kernel/clock.ts';
import { messageOf } from '../kernel/errors.ts';
import type { ForecastValues } from '../model/forecast/forecaster.ts';
import type { Manifest } from '../model/manifest.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { AccuracyBoard } from './accuracy-board.ts';
import type { InferConfig } from './config.ts';
import { type ClosedLink, windowIndexOf } from './exporter-links.ts';
import { readFeatureBatch } from './feature-batch.ts';
import { type ForecastOrigin, forecastRecord, isFiniteForecast, qualityRecord } from './forecast-record.ts';
import { StateChanges } from './link-state.ts';
import { type ClosedWindow, LinkStore, type StoreCounts } from './link-store.ts';
import type { InferMetrics } from './metrics.ts';
import { lastTargetOf, scoreForecast } from './pending-forecast.ts';
import type { LinkForecaster, ModelSource, Served } from './served-models.ts';
import { forecastStretch, type Stretch, stretchesOf } from './stretch.ts';

export interface ForecastDependencies {
  readonly models: ModelSource;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: InferMetrics;
  readonly board: AccuracyBoard;
  readonly config: InferConfig;
  readonly prefix: string;
}

/** The forecasts of one model in one step, by window and link. */
interface Run {
  readonly origin: ForecastOrigin;
  readonly forecasts: Map<ClosedLink, ForecastValues>;
}

/**
 * One partition of the link features: keeps the links' history, forecasts each link at each closed window, and scores
 * earlier forecasts when their window has come. What comes out does not depend on how the input was cut into batches.
 */
export class ForecastProcessor implements Processor {
  readonly #dependencies: ForecastDependencies;
  readonly #partition: number;
  readonly #store: LinkStore;
  readonly #changes = new StateChanges();
  readonly #reported: StoreCounts;
  readonly #forecastCodec: Codec<Forecast> = createCodec('forecast.v1');
  readonly #qualityCodec: Codec<Quality> = createCodec('quality.v1');
  readonly #featureCodec: Codec<FeatureBatch> = createCodec('feature-batch.v1');
  #resumeOffset: number;

  constructor(assignment: Assignment, dependencies: ForecastDependencies) {
    this.#dependencies = dependencies;
    this.#partition = assignment.partition;
    this.#resumeOffset = assignment.resumeOffset;
    this.#store = LinkStore.restore(dependencies.config, assignment.state);
    this.#reported = { ...this.#store.counts };
  }

  async process(records: readonly StoredRecord[]): Promise<Step> {
    const last = records.at(-1);
    if (last === undefined) return { outputs: [], state: [], resumeOffset: this.#resumeOffset };
    const lease = this.#dependencies.models.lease();
    try {
      const windows = this.#closeWindows(records);
      const runs: Run[] = [];
      for (const served of lease.forecasters) runs.push(await this.#run(served, windows));
      const outputs: OutputRecord[] = [];
      const nowUs = this.#dependencies.clock.nowUs();
      for (const window of windows) {
        this.#score(window, nowUs, outputs);
        for (const run of runs) this.#emit(run, window, nowUs, outputs);
      }
      this.#store.flush(this.#changes);
      this.#report();
      this.#resumeOffset = last.offset + 1;
      return { outputs, state: this.#changes.take(), resumeOffset: this.#resumeOffset };
    } finally {
      lease.release();
    }
  }

  #closeWindows(records: readonly StoredRecord[]): ClosedWindow[] {
    const windows: ClosedWindow[] = [];
    for (const record of records) {
      const batch = readFeatureBatch(this.#featureCodec, record);
      const windowIndex = batch && windowIndexOf(batch);
      if (batch === null || windowIndex === null) {
        this.#dependencies.metrics.batchesSkipped.add(1, { reason: batch ? 'shape' : 'unreadable' });
        continue;
      }
      const window = this.#store.apply(batch, windowIndex, this.#changes);
      if (window) windows.push(window);
    }
    return windows;
  }

  /** Forecasts all links of all windows that this model serves. */
  async #run({ model, role }: Served<LinkForecaster>, windows: readonly ClosedWindow[]): Promise<Run> {
    const { manifest } = model;
    const run: Run = { origin: { manifest, spec: manifest.forecaster!, role }, forecasts: new Map() };
    const served = windows.filter((window) => serves(manifest, window));
    for (const stretch of stretchesOf(served, this.#dependencies.config.observedWindowsMin)) {
      const forecasts = await this.#forecast(model, stretch);
      forecasts.forEach((forecast, i) => {
        run.forecasts.set(stretch.links[i]!, forecast);
      });
    }
    return run;
  }

  /** A run that fails must not hold up the partition: the windows are then without a forecast of this model. */
  async #forecast(model: LinkForecaster, stretch: Stretch): Promise<ForecastValues[]> {
    const { metrics, logger } = this.#dependencies;
    const { name, version } = model.manifest;
    const seconds = startStopwatch();
    try {
      return await forecastStretch(model, stretch);
    } catch (error) {
      metrics.runsFailed.add(1, { model: name, version });
      logger.error({ model: name, version, error: messageOf(error) }, 'forecast failed');
      return [];
    } finally {
      metrics.runSeconds.observe(seconds(), { model: name });
    }
  }

  /** The window is the truth of what was forecast for it. */
  #score(window: ClosedWindow, nowUs: number, outputs: OutputRecord[]): void {
    const { board, metrics } = this.#dependencies;
    for (const { link, values } of window.links) {
      const truth = values[values.length - 1]!;
      for (let i = 0; i < link.pending.length; ) {
        const forecast = link.pending[i]!;
        const score = scoreForecast(forecast, window.windowIndex, truth);
        if (score) {
          board.add(forecast, score);
          const quality = qualityRecord(forecast, score, window, link.entity);
          outputs.push(
            this.#output(
              'quality.v1',
              quality.exporter,
              quality.entity,
              this.#qualityCodec.encode(quality),
              Math.max(nowUs, window.windowEndUs),
            ),
          );
        }
        if (lastTargetOf(forecast) > window.windowIndex) i++;
        else {
          if (!score) metrics.pendingDropped.add(1, { reason: 'missing_window' });
          window.exporter.removePending(link, i, this.#changes);
        }
      }
    }
  }

  #emit(run: Run, window: ClosedWindow, nowUs: number, outputs: OutputRecord[]): void {
    const { metrics, config } = this.#dependencies;
    const { manifest, spec, role } = run.origin;
    const [model, version] = [manifest.name, manifest.version];
    const emittedUs = Math.max(nowUs, window.windowEndUs);
    for (const closed of window.links) {
      const forecast = run.forecasts.get(closed);
      if (!forecast) continue;
      if (!isFiniteForecast(forecast)) {
        metrics.forecastsWithheld.add(1, { model, version });
        continue;
      }
      const { link } = closed;
      const record = forecastRecord(run.origin, window, closed, forecast, emittedUs);
      outputs.push(
        this.#output(
          'forecasts.v1',
          record.exporter,
          link.entity,
          this.#forecastCodec.encode(record),
          emittedUs,
        ),
      );
      metrics.forecasts.add(1, { model, version, role });
      if (link.pending.length >= config.pendingPerLinkMax) {
        metrics.pendingDropped.add(1, { reason: 'too_many' });
        window.exporter.removePending(link, 0, this.#changes);
      }
      const { horizons, quantiles: levels } = spec;
      const { quantiles, persistence, seasonal } = forecast;
      window.exporter.addPending(
        link,
        {
          baseIndex: window.windowIndex,
          model,
          modelVersion: version,
          role,
          horizons,
          levels,
          quantiles,
          persistence,
          seasonal,
        },
        this.#changes,
      );
    }
  }

  #output(
    topic: 'forecasts.v1' | 'quality.v1',
    exporter: string,
    entity: string,
    value: Buffer,
    emittedUs: number,
  ): OutputRecord {
    return {
      topic: topicName(this.#dependencies.prefix, topic),
      partition: this.#partition,
      key: Buffer.from(`${exporter}|${entity}`),
      value,
      timestampMs: Math.floor(emittedUs / 1000),
    };
  }

  /** Adds to the metrics what the store has counted since the last step. */
  #report(): void {
    const { metrics, board } = this.#dependencies;
    board.publish();
    metrics.links.set(this.#store.linkCount, { partition: String(this.#partition) });
    for (const [name, metric, reason] of COUNTS) {
      const grown = this.#store.counts[name] - this.#reported[name];
      if (grown > 0) metrics[metric].add(grown, { reason });
      this.#reported[name] += grown;
    }
  }
}

const COUNTS = [
  ['evicted', 'linksGivenUp', 'evicted'],
  ['forgotten', 'linksGivenUp', 'silent'],
  ['exportersEvicted', 'linksGivenUp', 'exporter_evicted'],
  ['untracked', 'linkRowsSkipped', 'no_place'],
  ['malformed', 'linkRowsSkipped', 'no_link'],
  ['exportersUntracked', 'batchesSkipped', 'no_place'],
  ['repeated', 'batchesSkipped', 'window_closed'],
] as const;

function serves({ featureSet, windowSeconds }: Manifest, window: ClosedWindow): boolean {
  return (
    featureSet.name === window.featureSet &&
    featureSet.version === window.featureSetVersion &&
    windowSeconds.includes(window.exporter.windowSeconds)
  );
}
