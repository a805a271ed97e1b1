import type { ForecastValues } from '../model/forecast/forecaster.ts';
import { offsetOf } from '../model/forecast/history.ts';
import type { ClosedLink } from './exporter-links.ts';
import type { ClosedWindow } from './link-store.ts';
import type { LinkForecaster } from './served-models.ts';
import { blockStartOf } from './throughput-history.ts';

/**
 * Windows of one link in one block, oldest first. Their histories begin with the same value, so one preparation, by far the
 * dearest part of a forecast, does for all of them: a model that catches up prepares a link once for 256 windows.
 */
export interface Stretch {
  readonly stepSeconds: number;
  /** How many values lie before the block. What a forecast takes from the history as a whole is taken from these: the same however the input was cut into batches. */
  readonly settled: number;
  readonly links: ClosedLink[];
  lastWindowStartUs: number;
}

/** Cuts windows into stretches; links with fewer observed windows than `observedMin` are left out. */
export function stretchesOf(windows: readonly ClosedWindow[], observedMin: number): Stretch[] {
  const stretches: Stretch[] = [];
  const running = new Map<ClosedLink['link'], Stretch>();
  for (const window of windows) {
    const blockStart = blockStartOf(window.windowIndex);
    for (const closed of window.links) {
      if (closed.observed < observedMin) continue;
      const settled = Math.max(0, blockStart - closed.firstIndex);
      let stretch = running.get(closed.link);
      if (!stretch || settled === 0 || stretch.settled !== settled || blockOfLast(stretch) !== blockStart) {
        stretch = {
          stepSeconds: window.exporter.windowSeconds,
          settled,
          links: [],
          lastWindowStartUs: 0,
        };
        stretches.push(stretch);
        running.set(closed.link, stretch);
      }
      stretch.links.push(closed);
      stretch.lastWindowStartUs = window.windowStartUs;
    }
  }
  return stretches;
}

/** One forecast for each window of a stretch. */
export function forecastStretch(model: LinkForecaster, stretch: Stretch): Promise<ForecastValues[]> {
  const { stepSeconds, settled, links, lastWindowStartUs } = stretch;
  const surplus = Math.max(0, settled - model.historySteps);
  const values = links.at(-1)!.values.subarray(surplus);
  const offset = settled > 0 ? offsetOf(values.subarray(0, settled - surplus)) : offsetOf(values);
  const prepared = model.prepare({ stepSeconds, lastWindowStartUs, values }, offset);
  return model.forecastFrom(
    prepared,
    links.map((closed) => closed.values.length - surplus - 1),
  );
}

function blockOfLast({ links }: Stretch): number {
  const { firstIndex, values } = links.at(-1)!;
  return blockStartOf(firstIndex + values.length - 1);
}
