import { describe } from 'vitest';
import { appendAndReadCases } from './append-read.cases.ts';
import { groupCases } from './group.cases.ts';
import { type ContractDriver, Harness, type Skip } from './harness.ts';
import { housekeepingCases } from './housekeeping.cases.ts';
import { onceCases } from './once.cases.ts';

/**
 * The definition of a correct commit log. `createDriver` makes a fresh installation for each test; `skips` names the
 * tests that the driver cannot pass, each with the reason.
 */
export function describeCommitLog(
  name: string,
  createDriver: () => Promise<ContractDriver>,
  skips: readonly Skip[] = [],
): void {
  describe(`commit log: ${name}`, () => {
    const harness = new Harness(createDriver, skips);
    describe('append and read', () => appendAndReadCases(harness));
    describe('once', () => onceCases(harness));
    describe('groups', () => groupCases(harness));
    describe('housekeeping', () => housekeepingCases(harness));
  });
}
