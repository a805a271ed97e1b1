import { AccuracyTracker } from './accuracy.ts';
import type { InferMetrics } from './metrics.ts';
import type { PendingForecast, Score } from './pending-forecast.ts';

interface Entry {
  readonly labels: { readonly model: string; readonly version: string; readonly steps: string };
  readonly tracker: AccuracyTracker;
  isStale: boolean;
}

/** Accuracy per model version and horizon over all partitions of this process, shown as metrics. Not restored after a restart: quality.v1 has it all. */
export class AccuracyBoard {
  readonly #metrics: InferMetrics;
  readonly #halfLifeScores: number;
  readonly #entries = new Map<string, Entry>();

  constructor(metrics: InferMetrics, halfLifeScores: number) {
    this.#metrics = metrics;
    this.#halfLifeScores = halfLifeScores;
  }

  add({ model, modelVersion: version }: PendingForecast, score: Score): void {
    const key = `${model}@${version}|${score.steps}`;
    let entry = this.#entries.get(key);
    if (!entry) {
      const labels = { model, version, steps: String(score.steps) };
      entry = { labels, tracker: new AccuracyTracker(this.#halfLifeScores), isStale: true };
      this.#entries.set(key, entry);
    }
    entry.tracker.add(score);
    entry.isStale = true;
    this.#metrics.scores.add(1, { model, version });
  }

  /** Brings the gauges up to date; a figure that cannot be said is left out. */
  publish(): void {
    for (const entry of this.#entries.values()) {
      if (!entry.isStale) continue;
      entry.isStale = false;
      const accuracy = entry.tracker.accuracy();
      for (const name of FIGURES) {
        if (Number.isFinite(accuracy[name])) this.#metrics[name].set(accuracy[name], entry.labels);
      }
    }
  }
}

const FIGURES = ['wape', 'pinball', 'coverage', 'skillOverPersistence', 'skillOverSeasonal'] as const;
