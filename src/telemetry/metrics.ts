import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Where metrics are made and rendered. One per process, handed to every stage; never prom-client's global registry. */
export interface Metrics {
  counter<L extends string = never>(name: string, help: string, labels?: readonly L[]): CounterMetric<L>;
  gauge<L extends string = never>(name: string, help: string, labels?: readonly L[]): GaugeMetric<L>;
  /** `buckets` in the metric's own unit, ascending. */
  histogram<L extends string = never>(
    name: string,
    help: string,
    buckets: readonly number[],
    labels?: readonly L[],
  ): HistogramMetric<L>;
  /** The Prometheus text exposition of everything registered. */
  render(): Promise<string>;
  /** Current value of one series, for summaries and tests; 0 where it never moved. */
  value(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
}

/** Label values come from closed sets or bounded configuration, never from traffic (no addresses). */
export type LabelValues<L extends string> = Readonly<Record<L, string>>;

export interface CounterMetric<L extends string> {
  add(amount: number, labels?: LabelValues<L>): void;
}
export interface GaugeMetric<L extends string> {
  set(value: number, labels?: LabelValues<L>): void;
}
export interface HistogramMetric<L extends string> {
  observe(value: number, labels?: LabelValues<L>): void;
}

/** Asking twice for a name gives the same metric, so two stages in one process may share one. `processMetrics` adds CPU, memory and event loop. */
export function createMetrics(options: { processMetrics?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (options.processMetrics) collectDefaultMetrics({ register: registry });
  const find = <T>(name: string, make: () => T): T =>
    (registry.getSingleMetric(name) as T | undefined) ?? make();

  return {
    counter(name, help, labelNames = []) {
      const metric = find(name, () => new Counter({ name, help, labelNames, registers: [registry] }));
      return { add: (amount, labels) => metric.inc(labels ?? {}, amount) };
    },
    gauge(name, help, labelNames = []) {
      const metric = find(name, () => new Gauge({ name, help, labelNames, registers: [registry] }));
      return { set: (value, labels) => metric.set(labels ?? {}, value) };
    },
    histogram(name, help, buckets, labelNames = []) {
      const make = () =>
        new Histogram({ name, help, labelNames, buckets: [...buckets], registers: [registry] });
      const metric = find(name, make);
      return { observe: (value, labels) => metric.observe(labels ?? {}, value) };
    },
    render: () => registry.metrics(),
    async value(name, labels = {}) {
      const metric = await registry.getSingleMetric(name)?.get();
      const wanted = Object.entries(labels);
      const series = metric?.values.filter((s) => wanted.every(([k, v]) => String(s.labels[k]) === v)) ?? [];
      return series.reduce((sum, s) => sum + s.value, 0);
    },
  };
}
