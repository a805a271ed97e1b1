import { describe, inject, it } from 'vitest';
import type { CommitLog } from '../../src/commit-log/port.ts';
import { fatalError } from '../../src/kernel/errors.ts';
import { openTestLog } from '../kafka/open.ts';
import { describeCommitLog } from './commit-log.contract.ts';
import type { ContractDriver, OpenOptions } from './harness.ts';

const reason = inject('kafkaReason');

if (reason !== '') {
  describe('commit log: Kafka', () => it.skip(reason, () => {}));
} else {
  describeCommitLog('Kafka', () => Promise.resolve(new KafkaDriver()), [
    {
      reason: 'the brokers remove and compact in their own time, and take no regard of groups',
      tests: [
        'compacts to the newest value of each key',
        'removes records older than the retention, and no newer ones',
        'goes on counting offsets when retention has removed everything',
        'removes the oldest records beyond the size bound',
        'keeps what a running group still has to read, whatever its age',
      ],
    },
  ]);
}

class KafkaDriver implements ContractDriver {
  #writesLeft = Number.POSITIVE_INFINITY;
  #moment: 'before' | 'after' = 'before';

  open({ handoverMsMax }: OpenOptions): Promise<CommitLog> {
    this.#writesLeft = Number.POSITIVE_INFINITY;
    return openTestLog(
      {},
      {
        writeFault: (moment) => this.#fault(moment),
        ...(handoverMsMax === undefined ? {} : { handoverMsMax }),
      },
    );
  }

  dieAtWrite(n: number, moment: 'before' | 'after'): void {
    this.#writesLeft = n;
    this.#moment = moment;
  }

  /** A dead log can commit nothing any more; what its transactions have sent stays behind, open. */
  crash(log: CommitLog): Promise<void> {
    this.dieAtWrite(0, 'before');
    return log.close();
  }

  dispose(): Promise<void> {
    return Promise.resolve();
  }

  #fault(moment: 'before' | 'after'): void {
    if (moment === 'before') this.#writesLeft--;
    const isDead = this.#writesLeft < 0 || (this.#writesLeft === 0 && moment === this.#moment);
    if (isDead) throw fatalError('test_death', 'killed on purpose');
  }
}
