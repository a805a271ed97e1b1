import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedLog } from '../../src/commit-log/embedded/embedded-log.ts';
import type { CommitLog } from '../../src/commit-log/port.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { fatalError } from '../../src/kernel/errors.ts';
import { describeCommitLog } from './commit-log.contract.ts';
import type { ContractDriver, OpenOptions } from './harness.ts';

describeCommitLog(
  'embedded',
  async () => new EmbeddedDriver(await mkdtemp(join(tmpdir(), 'flowcast-contract-'))),
);

class EmbeddedDriver implements ContractDriver {
  readonly #directory: string;
  #writesLeft = Number.POSITIVE_INFINITY;
  #moment: 'before' | 'after' = 'before';

  constructor(directory: string) {
    this.#directory = directory;
  }

  open({ handoverMsMax, isTidy }: OpenOptions): Promise<CommitLog> {
    this.#writesLeft = Number.POSITIVE_INFINITY;
    return openEmbeddedLog({
      directory: this.#directory,
      clock: systemClock(),
      fsync: 'never',
      maintenanceIntervalMs: isTidy ? 10 : null,
      tombstoneRetentionMs: 0,
      ...(handoverMsMax === undefined ? {} : { handoverMsMax }),
      writeFault: (moment) => this.#fault(moment),
    });
  }

  dieAtWrite(n: number, moment: 'before' | 'after'): void {
    this.#writesLeft = n;
    this.#moment = moment;
  }

  /** In one process the lock goes only with the store, so the dead log is closed; it can write nothing any more. */
  crash(log: CommitLog): Promise<void> {
    this.dieAtWrite(0, 'before');
    return log.close();
  }

  dispose(): Promise<void> {
    return rm(this.#directory, { recursive: true, force: true });
  }

  #fault(moment: 'before' | 'after'): void {
    if (moment === 'before') this.#writesLeft--;
    const isDead = this.#writesLeft < 0 || (this.#writesLeft === 0 && moment === this.#moment);
    if (isDead) throw fatalError('test_death', 'the disk died on purpose');
  }
}
