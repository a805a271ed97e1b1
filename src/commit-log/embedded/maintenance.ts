import type { Clock } from '../../kernel/clock.ts';
import type { Alarm, Ticker } from '../ticker.ts';
import type { Catalogue } from './catalogue.ts';
import { compact, isCompactionDue } from './compaction.ts';
import type { Partition } from './partition.ts';
import { removeExpired } from './retention.ts';
import type { Store } from './store.ts';
import type { Writer } from './writer.ts';

export interface MaintenanceOptions {
  readonly store: Store;
  readonly writer: Writer;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly ticker: Ticker;
  readonly intervalMs: number;
  readonly tombstoneRetentionMs: number;
  /** The lowest offset of a partition that a running group still needs; infinite where there is none. */
  readonly neededFrom: (partition: Partition) => number;
}

/** Retention and compaction, in passes of bounded work at an interval. */
export class Maintenance {
  readonly #options: MaintenanceOptions;
  #alarm: Alarm | null = null;
  #pass: Promise<void> = Promise.resolve();
  #isStopping = false;

  constructor(options: MaintenanceOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock, ticker, intervalMs } = this.#options;
    this.#alarm = ticker.at(clock.nowUs() + intervalMs * 1000, () => {
      // A pass that fails leaves the log as it was; a disk that fails is told to whoever writes next.
      this.#pass = this.#run()
        .catch(() => {})
        .finally(() => {
          if (!this.#isStopping) this.start();
        });
    });
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#alarm?.cancel();
    await this.#pass;
  }

  async #run(): Promise<void> {
    const { store, writer, catalogue, clock, tombstoneRetentionMs, neededFrom } = this.#options;
    const nowMs = clock.nowUs() / 1000;
    for (const { spec, partitions } of catalogue.topics()) {
      for (const partition of partitions) {
        if (this.#isStopping) return;
        if (partition.endOffset === partition.startOffset) continue;
        if (spec.cleanup === 'compact') {
          if (isCompactionDue(partition))
            await compact(store, writer, partition, { nowMs, tombstoneRetentionMs });
        } else if (spec.retentionMs !== undefined || spec.retentionBytes !== undefined) {
          await removeExpired(store, writer, partition, spec, nowMs, neededFrom(partition));
        }
      }
    }
  }
}
