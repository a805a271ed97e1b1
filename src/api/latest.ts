import { createCodec } from '../codec/avro.ts';
import type { Classification, Forecast } from '../codec/records.ts';
import type { CommitLog } from '../commit-log/port.ts';
import { topicName } from '../commit-log/topics.ts';
import type { Component } from '../kernel/lifecycle.ts';

const LINKS_MAX = 10_000;
const ALERTS_MAX = 500;

/** The newest predictions, fed by the output topics: one forecast a link, and the last non-benign classifications. Bounded. */
export class LatestPredictions {
  readonly #forecasts = new Map<string, Forecast>();
  readonly #alerts: Classification[] = [];

  addForecast(forecast: Forecast): void {
    const key = `${forecast.exporter}|${forecast.interface}|${forecast.direction}|${forecast.windowEndUs - forecast.windowStartUs}`;
    if (forecast.role !== 'CHAMPION' || (this.#forecasts.size >= LINKS_MAX && !this.#forecasts.has(key)))
      return;
    this.#forecasts.set(key, forecast);
  }

  addClassification(classification: Classification): void {
    // `unknown` says that the model has no opinion; that is no alert.
    if (classification.benign || classification.class === 'unknown' || classification.role !== 'CHAMPION')
      return;
    this.#alerts.push(classification);
    if (this.#alerts.length > 2 * ALERTS_MAX) this.#alerts.splice(0, ALERTS_MAX);
  }

  /** Newest forecast of each link, busiest link first. */
  forecasts(): Forecast[] {
    return [...this.#forecasts.values()].sort((a, b) => b.observed - a.observed);
  }

  /** Newest first. */
  alerts(): Classification[] {
    return this.#alerts.slice(-ALERTS_MAX).reverse();
  }
}

/** Follows the output topics into `latest` from now on. */
export function createPredictionFeed(log: CommitLog, prefix: string, latest: LatestPredictions): Component {
  const stop = new AbortController();
  const forecastCodec = createCodec('forecast.v1');
  const classificationCodec = createCodec('classification.v1');
  let running: Promise<unknown> = Promise.resolve();

  const follow = async (topic: 'forecasts.v1' | 'classifications.v1') => {
    const records = log.read({
      topic: topicName(prefix, topic),
      from: 'latest',
      until: 'never',
      signal: stop.signal,
    });
    for await (const batch of records) {
      for (const { value } of batch) {
        if (!value) continue;
        if (topic === 'forecasts.v1') {
          const forecast = forecastCodec.decode(value);
          if (forecast) latest.addForecast(forecast);
        } else {
          const classification = classificationCodec.decode(value);
          if (classification) latest.addClassification(classification);
        }
      }
    }
  };
  return {
    name: 'prediction-feed',
    async start() {
      running = Promise.all([follow('forecasts.v1'), follow('classifications.v1')]);
      running.catch(() => {}); // awaited in stop
    },
    async stop() {
      stop.abort();
      await running;
    },
  };
}
