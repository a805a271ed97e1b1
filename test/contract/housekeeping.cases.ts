import { expect } from 'vitest';
import type { TopicSpec } from '../../src/commit-log/port.ts';
import { consume, eventually, type Harness, readAll, readValues, record, text } from './harness.ts';
import { runningSums } from './processors.ts';

/** Topics, retention, compaction and the end. */
export function housekeepingCases(harness: Harness): void {
  harness.it('creates what is missing and never alters what is there', async () => {
    const log = await harness.open();
    const spec: TopicSpec = {
      name: harness.name('made'),
      partitions: 3,
      cleanup: 'delete',
      retentionMs: 3_600_000,
    };
    expect(await log.ensureTopics([spec])).toMatchObject([spec]);
    expect(await log.ensureTopics([{ ...spec, partitions: 5 }])).toMatchObject([spec]);
    await log.append([record(spec.name, 2, 'x')]);
    await log.close();
    const again = await harness.open();
    const added: TopicSpec = { name: harness.name('added'), partitions: 1, cleanup: 'compact' };
    expect(await again.ensureTopics([{ ...spec, cleanup: 'compact' }, added])).toMatchObject([spec, added]);
    expect(await readValues(again, spec.name)).toEqual({ 2: ['x'] });
  });

  harness.it('closes once, however often it is told, and refuses work afterwards', async () => {
    const topic = harness.name('closed');
    const output = harness.name('closed-out');
    const group = harness.name('group');
    const log = await harness.openWith([{ name: topic }, { name: output }, { name: `${group}.state` }]);
    const consumer = await consume(log, group, [topic], runningSums(output));
    await Promise.all([log.close(), log.close()]);
    await log.close();
    await consumer.done;
    await expect(log.append([record(topic, 0, 'late')])).rejects.toThrow('closed');
  });

  harness.it('compacts to the newest value of each key', async () => {
    const topic = harness.name('compacted');
    const log = await harness.openWith([{ name: topic, cleanup: 'compact' }], { isTidy: true });
    for (let round = 0; round < 5; round++) {
      await log.append(['a', 'b', 'c'].map((key) => record(topic, 0, `${key}${round}`, key)));
    }
    await log.append([record(topic, 0, null, 'b'), record(topic, 0, 'c5', 'c')]);
    await eventually(async () => expect((await readValues(log, topic))[0]).toEqual(['a4', 'c5']));
    const before = await readAll(log, topic);
    await log.close();
    const again = await harness.open();
    expect((await readAll(again, topic)).map((r) => [r.offset, text(r.value)])).toEqual(
      before.map((r) => [r.offset, text(r.value)]),
    );
    await again.append([record(topic, 0, 'd0', 'd')]);
    expect((await readValues(again, topic))[0]).toEqual(['a4', 'c5', 'd0']);
  });

  harness.it('removes records older than the retention, and no newer ones', async () => {
    const topic = harness.name('aged');
    const log = await harness.openWith([{ name: topic, retentionMs: 3_600_000 }], { isTidy: true });
    const at = (value: string, timestampMs: number) => ({ ...record(topic, 0, value), timestampMs });
    for (let i = 0; i < 5; i++) await log.append([at(`old ${i}`, Date.now() - 7_200_000)]);
    for (let i = 0; i < 5; i++) await log.append([at(`new ${i}`, Date.now())]);
    const kept = ['new 0', 'new 1', 'new 2', 'new 3', 'new 4'];
    await eventually(async () => expect((await readValues(log, topic))[0]).toEqual(kept));
    await log.close();
    const again = await harness.open();
    expect((await readAll(again, topic)).map((r) => r.offset)).toEqual([5, 6, 7, 8, 9]);
    await again.append([at('newer', Date.now())]);
    expect((await readValues(again, topic))[0]).toEqual([...kept, 'newer']);
  });

  harness.it('goes on counting offsets when retention has removed everything', async () => {
    const topic = harness.name('emptied');
    const log = await harness.openWith([{ name: topic, retentionMs: 1000 }], { isTidy: true });
    await log.append([record(topic, 0, 'old')]);
    await eventually(async () => expect(await readAll(log, topic)).toEqual([]));
    await log.close();
    const again = await harness.open();
    await again.append([{ ...record(topic, 0, 'new'), timestampMs: Date.now() }]);
    expect((await readAll(again, topic)).map((r) => [r.offset, text(r.value)])).toEqual([[1, 'new']]);
  });

  harness.it('removes the oldest records beyond the size bound', async () => {
    const topic = harness.name('sized');
    const log = await harness.openWith([{ name: topic, retentionBytes: 5000 }], { isTidy: true });
    for (let i = 0; i < 20; i++) await log.append([record(topic, 0, String(i).padStart(1000, '0'))]);
    await eventually(async () => {
      const values = (await readValues(log, topic))[0]!.map(Number);
      expect(values.at(-1)).toBe(19);
      expect(values.length).toBeLessThanOrEqual(5);
      expect(values.length).toBeGreaterThanOrEqual(3);
    });
  });

  harness.it('keeps what a running group still has to read, whatever its age', async () => {
    const [topic, output, group] = [harness.name('held'), harness.name('held-out'), harness.name('group')];
    const log = await harness.openWith([{ name: topic, retentionMs: 1000 }, { name: output }], {
      isTidy: true,
    });
    const gate = Promise.withResolvers<void>();
    const before = () => gate.promise;
    const consumer = await consume(log, group, [topic], runningSums(output, { before }), {
      batchRecordsMax: 1,
    });
    for (let i = 0; i < 5; i++) await log.append([record(topic, 0, String(i))]);
    gate.resolve();
    await eventually(async () => expect((await readValues(log, output))[0]?.length).toBe(5));
    await eventually(async () => expect(await readAll(log, topic)).toEqual([]));
    await consumer.stop();
  });
}
