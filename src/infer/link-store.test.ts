import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linkBatch, MINUTE_US, MONDAY_US } from '../../test/support/infer-fixtures.ts';
import type { FeatureBatch } from '../codec/records.ts';
import { windowIndexOf } from './exporter-links.ts';
import { StateChanges } from './link-state.ts';
import { type ClosedWindow, LinkStore } from './link-store.ts';
import { BLOCK_WINDOWS, SEGMENT_WINDOWS } from './throughput-history.ts';

const BOUNDS = { historyWindowsMax: 200, linksPerExporterMax: 3, exportersMax: 2 };

class Partition {
  readonly state = new Map<string, Uint8Array>();
  store = new LinkStore(BOUNDS);

  /** One step with these messages; the state is committed. */
  step(...batches: FeatureBatch[]): ClosedWindow[] {
    const changes = new StateChanges();
    const windows = batches.flatMap((batch) => this.store.apply(batch, windowIndexOf(batch)!, changes) ?? []);
    this.store.flush(changes);
    for (const { key, value } of changes.take()) {
      if (value === null) this.state.delete(key);
      else this.state.set(key, value);
    }
    return windows;
  }

  restart(): void {
    this.store = LinkStore.restore(BOUNDS, new Map([...this.state].reverse()));
  }
}

const linksOf = (windows: readonly ClosedWindow[]) =>
  windows.map(({ links }) => Object.fromEntries(links.map(({ link, values }) => [link.entity, [...values]])));

describe('LinkStore', () => {
  it('takes a link without a row for silent, a window without a message for missing', () => {
    const partition = new Partition();
    partition.step(linkBatch(0, { '1/INGRESS': 10, '2/EGRESS': 20 }));
    partition.step(linkBatch(1, { '1/INGRESS': 11 }));
    expect(linksOf(partition.step(linkBatch(3, { '1/INGRESS': 13 })))).toEqual([
      { '1/INGRESS': [10, 11, Number.NaN, 13], '2/EGRESS': [20, 0, Number.NaN, 0] },
    ]);
  });

  it('closes a window with its last message, in whatever steps they come', () => {
    const partition = new Partition();
    partition.step(linkBatch(0, { '1/INGRESS': 10, '2/INGRESS': 20, '3/INGRESS': 30 }));
    expect(partition.step(linkBatch(1, { '1/INGRESS': 11 }, { chunk: 0, chunks: 2 }))).toEqual([]);
    partition.restart();
    expect(linksOf(partition.step(linkBatch(1, { '2/INGRESS': 21 }, { chunk: 1, chunks: 2 })))).toEqual([
      { '1/INGRESS': [10, 11], '2/INGRESS': [20, 21], '3/INGRESS': [30, 0] },
    ]);
  });

  it('takes a message without rows for a silent window', () => {
    const partition = new Partition();
    partition.step(linkBatch(0, { '1/INGRESS': 10 }));
    expect(linksOf(partition.step(linkBatch(1, {})))).toEqual([{ '1/INGRESS': [10, 0] }]);
  });

  it('never closes a window twice', () => {
    const partition = new Partition();
    partition.step(linkBatch(1, { '1/INGRESS': 10 }));
    expect(partition.step(linkBatch(1, { '1/INGRESS': 99 }), linkBatch(0, { '1/INGRESS': 98 }))).toEqual([]);
    partition.restart();
    expect(partition.step(linkBatch(1, { '1/INGRESS': 99 }))).toEqual([]);
    expect(partition.store.counts.repeated).toBe(1);
  });

  it('keeps exporters and window lengths apart', () => {
    const partition = new Partition();
    partition.step(linkBatch(0, { '1/INGRESS': 10 }));
    const five = { windowSeconds: 300, windowStartUs: MONDAY_US, windowEndUs: MONDAY_US + 5 * MINUTE_US };
    expect(linksOf(partition.step(linkBatch(0, { '1/INGRESS': 10 }, five)))).toEqual([{ '1/INGRESS': [2] }]);
  });

  it('gives the place of the link silent for longest to a newcomer', () => {
    const partition = new Partition();
    partition.step(linkBatch(0, { '1/INGRESS': 1, '2/INGRESS': 1, '3/INGRESS': 1 }));
    partition.step(
      linkBatch(1, { '1/INGRESS': 1, '3/INGRESS': 1 }),
      linkBatch(2, { '1/INGRESS': 1, '3/INGRESS': 1 }),
    );
    const [window] = linksOf(
      partition.step(linkBatch(3, { '1/INGRESS': 1, '3/INGRESS': 1, '4/INGRESS': 7 })),
    );
    expect(Object.keys(window!)).toEqual(['1/INGRESS', '3/INGRESS', '4/INGRESS']);
    expect(partition.store.counts.evicted).toBe(1);
    expect([...partition.state.keys()].filter((key) => key.includes('2/INGRESS'))).toEqual([]);
  });

  it('turns a newcomer away when every other link is busy', () => {
    const partition = new Partition();
    partition.step(linkBatch(0, { '1/INGRESS': 1, '2/INGRESS': 1, '3/INGRESS': 1 }));
    const crowd = { '0/INGRESS': 1, '1/INGRESS': 1, '2/INGRESS': 1, '3/INGRESS': 1, '4/INGRESS': 1 };
    const [window] = linksOf(partition.step(linkBatch(1, crowd)));
    expect(Object.keys(window!)).toEqual(['1/INGRESS', '2/INGRESS', '3/INGRESS']);
    expect(partition.store.counts).toMatchObject({ evicted: 0, untracked: 2 });
  });

  it('forgets a link that was silent for its whole history', () => {
    const partition = new Partition();
    partition.step(linkBatch(0, { '1/INGRESS': 1, '2/INGRESS': 1 }));
    for (let minute = 1; minute <= 200 + BLOCK_WINDOWS; minute++)
      partition.step(linkBatch(minute, { '1/INGRESS': 1 }));
    expect(partition.store.linkCount).toBe(1);
    expect(partition.store.counts.forgotten).toBe(1);
    expect([...partition.state.keys()].filter((key) => key.includes('2/INGRESS'))).toEqual([]);
  });

  it('bounds exporters, and the state with them', () => {
    const partition = new Partition();
    for (const [minute, exporter] of [
      [0, 'a'],
      [1, 'b'],
      [2, 'c'],
      [3, 'd'],
    ] as const) {
      partition.step(linkBatch(minute, { '1/INGRESS': 1 }, { exporter }));
    }
    // c and d each find one that has sent nothing for two windows.
    expect(partition.store.counts).toMatchObject({ exportersEvicted: 2, exportersUntracked: 0 });
    expect([...partition.state.keys()].filter((key) => /\|[ab]$/.test(key))).toEqual([]);
  });

  it('refuses rows that name no link', () => {
    const partition = new Partition();
    expect(linksOf(partition.step(linkBatch(0, { '192.0.2.1': 1, '1/INGRESS': 1 })))).toEqual([
      { '1/INGRESS': [1] },
    ]);
    expect(partition.store.counts.malformed).toBe(1);
  });

  it('writes a bounded state in small pieces', () => {
    const partition = new Partition();
    for (let minute = 0; minute < 1000; minute++)
      partition.step(linkBatch(minute, { '1/INGRESS': minute + 1 }));
    expect(partition.state.size).toBeLessThanOrEqual((200 + BLOCK_WINDOWS) / SEGMENT_WINDOWS + 3);
    expect(Math.max(...[...partition.state.values()].map(({ length }) => length))).toBeLessThanOrEqual(512);
  });

  it('goes on after a restart as if there had been none', () => {
    const links = fc.dictionary(
      fc.constantFrom('1/INGRESS', '2/EGRESS', '3/INGRESS', '4/EGRESS', '0/UNKNOWN'),
      fc.nat(9),
      {
        noNullPrototype: true,
      },
    );
    const step = fc.record({
      gap: fc.oneof(
        { weight: 9, arbitrary: fc.integer({ min: 1, max: 3 }) },
        { weight: 1, arbitrary: fc.integer({ min: 60, max: 260 }) },
      ),
      links,
      restart: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const disturbed = new Partition();
        const undisturbed = new Partition();
        let minute = 0;
        for (const { gap, links: rows, restart } of steps) {
          minute += gap;
          if (restart) disturbed.restart();
          expect(linksOf(disturbed.step(linkBatch(minute, rows)))).toEqual(
            linksOf(undisturbed.step(linkBatch(minute, rows))),
          );
        }
        expect(disturbed.state).toEqual(undisturbed.state);
      }),
    );
  });
});
