import type { LatestPredictions } from '../api/latest.ts';
import type { CommitLog } from '../commit-log/port.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Component } from '../kernel/lifecycle.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** A text stream that may be a terminal. */
export interface Screen {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface TerminalSummaryDependencies {
  readonly screen: Screen;
  readonly log: CommitLog;
  readonly groups: readonly string[];
  readonly metrics: Metrics;
  readonly latest: LatestPredictions;
  readonly clock: Clock;
  /** What stands at the top, for example where the page is. */
  readonly title: () => string;
}

const TERMINAL_INTERVAL_MS = 1000;
const PLAIN_INTERVAL_MS = 5000;
const LINKS_SHOWN = 8;
const HOSTS_SHOWN = 8;

/** The live view of `start`: redrawn in place on a terminal, a few lines every five seconds elsewhere. */
export function createTerminalSummary(dependencies: TerminalSummaryDependencies): Component {
  const { screen, clock } = dependencies;
  const stop = new AbortController();
  let running: Promise<void> = Promise.resolve();
  let linesDrawn = 0;

  const loop = async () => {
    let flowsBefore = 0;
    let beforeUs = clock.nowUs();
    while (!stop.signal.aborted) {
      await clock.sleep(screen.isTTY ? TERMINAL_INTERVAL_MS : PLAIN_INTERVAL_MS, stop.signal);
      const flows = await dependencies.metrics.value('flowcast_ingest_flows_total');
      const nowUs = clock.nowUs();
      const flowsPerSecond = ((flows - flowsBefore) / Math.max(1, nowUs - beforeUs)) * 1e6;
      [flowsBefore, beforeUs] = [flows, nowUs];
      const lines = await summaryLines(dependencies, flowsPerSecond);
      if (stop.signal.aborted) return;
      if (screen.isTTY && linesDrawn > 0) screen.write(`\x1b[${linesDrawn}A\x1b[0J`);
      const width = screen.isTTY ? (screen.columns ?? 120) : Number.POSITIVE_INFINITY;
      screen.write(`${lines.map((line) => line.slice(0, width)).join('\n')}\n`);
      linesDrawn = lines.length;
    }
  };
  return {
    name: 'terminal-summary',
    async start() {
      running = loop();
    },
    async stop() {
      stop.abort();
      await running;
    },
  };
}

async function summaryLines(
  dependencies: TerminalSummaryDependencies,
  flowsPerSecond: number,
): Promise<string[]> {
  const { metrics, latest, log, groups, title } = dependencies;
  const lag = await Promise.all(
    groups.map(async (group) => sum((await log.lag(group)).map((p) => p.records))),
  );
  const late = await metrics.value('flowcast_preprocess_late_flows_total');
  const rejects = await metrics.value('flowcast_ingest_rejects_total');
  const forecasts = latest.forecasts().slice(0, LINKS_SHOWN);
  const alerts = latest.alerts().slice(0, HOSTS_SHOWN);
  const head = `${title()}  ${Math.round(flowsPerSecond)} flows/s  lag ${lag.join('/')}  late ${late}  rejects ${rejects}`;
  const watermark = forecasts[0]
    ? `  watermark ${clockTime(Math.max(...forecasts.map((f) => f.windowEndUs)))}`
    : '';
  return [
    head + watermark,
    ...(forecasts.length > 0
      ? ['link                          now          forecast     interval']
      : ['no forecast yet: links need some closed windows']),
    ...forecasts.map(forecastLine),
    ...(alerts.length > 0 ? ['hosts that stand out'] : []),
    ...alerts.map(
      (c) =>
        `${clockTime(c.windowEndUs)} ${c.entity.padEnd(15)} ${c.class.padEnd(16)} ${Math.round(100 * c.probability)} %  ${c.path}`,
    ),
  ];
}

function forecastLine(forecast: ReturnType<LatestPredictions['forecasts']>[number]): string {
  const horizon = forecast.horizons.at(-1)!;
  const levels = horizon.quantiles;
  const median = levels.reduce((best, q) =>
    Math.abs(q.level - 0.5) < Math.abs(best.level - 0.5) ? q : best,
  );
  const link = `${forecast.exporter} ${forecast.interface} ${forecast.direction.toLowerCase()}`;
  const interval = `${bitRate(levels[0]!.value)} – ${bitRate(levels.at(-1)!.value)}`;
  return `${link.padEnd(28)}  ${bitRate(forecast.observed).padEnd(11)}  ${bitRate(median.value).padEnd(11)}  ${interval} at ${clockTime(horizon.windowEndUs)}`;
}

/** 1234567 -> "1.23 Mbit/s". */
export function bitRate(bitsPerSecond: number): string {
  const units = ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s'];
  let value = bitsPerSecond;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${units[unit]}`;
}

function clockTime(us: number): string {
  return new Date(us / 1000).toISOString().slice(11, 19);
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
