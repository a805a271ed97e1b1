import { expect } from 'vitest';
import type { StoredRecord } from '../../src/commit-log/port.ts';
import { appendNumbers, eventually, type Harness, readAll, readValues, record, text } from './harness.ts';

const numbers = (count: number) => Array.from({ length: count }, (_, i) => String(i));

/** Writing and reading without a group. */
export function appendAndReadCases(harness: Harness): void {
  harness.it('keeps the order of a partition, with growing offsets', async () => {
    const topic = harness.name('order');
    const log = await harness.openWith([{ name: topic, partitions: 3 }]);
    await appendNumbers(log, topic, 3, 250, 13);
    expect(await readValues(log, topic)).toEqual({ 0: numbers(250), 1: numbers(250), 2: numbers(250) });
    for (const partition of [0, 1, 2]) {
      const offsets = (await readAll(log, topic))
        .filter((r) => r.partition === partition)
        .map((r) => r.offset);
      expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
      expect(new Set(offsets).size).toBe(250);
    }
  });

  harness.it('keeps the order of one call among many at once', async () => {
    const topic = harness.name('concurrent');
    const log = await harness.openWith([{ name: topic }]);
    const calls = Array.from({ length: 20 }, (_, call) =>
      log.append(Array.from({ length: 5 }, (_, i) => record(topic, 0, `${call}:${i}`))),
    );
    await Promise.all(calls);
    const values = (await readValues(log, topic))[0]!;
    expect(values.length).toBe(100);
    for (let call = 0; call < 20; call++) {
      const own = values.filter((value) => value!.startsWith(`${call}:`));
      expect(own).toEqual([0, 1, 2, 3, 4].map((i) => `${call}:${i}`));
    }
  });

  harness.it('has what was appended after a crash', async () => {
    const topic = harness.name('durable');
    const log = await harness.openWith([{ name: topic, partitions: 2 }]);
    await appendNumbers(log, topic, 2, 30);
    await harness.driver.crash(log);
    const again = await harness.open();
    expect(await readValues(again, topic)).toEqual({ 0: numbers(30), 1: numbers(30) });
    await again.append([record(topic, 0, '30')]);
    expect((await readValues(again, topic))[0]).toEqual(numbers(31));
  });

  harness.it('keeps key, value, headers and timestamp, empty and null apart', async () => {
    const topic = harness.name('fields');
    const log = await harness.openWith([{ name: topic }]);
    const written = [
      {
        key: Buffer.from('k'),
        value: Buffer.from([0, 255, 128]),
        headers: { reason: 'zu kurz ✓', empty: '' },
      },
      { key: null, value: Buffer.alloc(0), headers: {} },
      { key: Buffer.alloc(0), value: null, headers: { a: 'b' } },
      { key: Buffer.alloc(300, 1), value: Buffer.alloc(100_000, 2), headers: {} },
    ].map((fields, i) => ({
      ...fields,
      topic,
      partition: 0,
      timestampMs: 1_600_000_000_000 + i * 86_400_000,
    }));
    await log.append(written);
    const read = await readAll(log, topic);
    expect(read.map(plain)).toEqual(written.map(plain));
  });

  harness.it('reads from the latest, from the earliest and from given offsets', async () => {
    const topic = harness.name('from');
    const log = await harness.openWith([{ name: topic, partitions: 2 }]);
    await appendNumbers(log, topic, 2, 20, 6);
    const all = await readAll(log, topic);
    const offsetOf = (value: string) => all.find((r) => r.partition === 1 && text(r.value) === value)!.offset;
    const from = new Map([[1, offsetOf('13')]]);
    const read: StoredRecord[] = [];
    for await (const batch of log.read({ topic, from, until: 'end' })) read.push(...batch);
    const valuesOf = (partition: number) =>
      read.filter((r) => r.partition === partition).map((r) => text(r.value));
    expect(valuesOf(0)).toEqual(numbers(20));
    expect(valuesOf(1)).toEqual(numbers(20).slice(13));
    for await (const batch of log.read({ topic, from: 'latest', until: 'end' })) expect(batch).toEqual([]);
  });

  harness.it('gives batches of one partition', async () => {
    const topic = harness.name('batches');
    const log = await harness.openWith([{ name: topic, partitions: 3 }]);
    await appendNumbers(log, topic, 3, 40);
    for await (const batch of log.read({ topic, from: 'earliest', until: 'end' })) {
      expect(batch.length).toBeGreaterThan(0);
      expect(new Set(batch.map((r) => r.partition)).size).toBe(1);
    }
  });

  harness.it('ends a bounded read at what there was when it began', async () => {
    const topic = harness.name('bounded');
    const log = await harness.openWith([{ name: topic }]);
    await appendNumbers(log, topic, 1, 3000, 500);
    const values: (string | null)[] = [];
    for await (const batch of log.read({ topic, from: 'earliest', until: 'end' })) {
      if (values.length === 0) await log.append([record(topic, 0, 'later')]);
      values.push(...batch.map((r) => text(r.value)));
    }
    expect(values).toEqual(numbers(3000));
  });

  harness.it('follows until told to stop', async () => {
    const topic = harness.name('follow');
    const log = await harness.openWith([{ name: topic, partitions: 2 }]);
    await appendNumbers(log, topic, 2, 5);
    const stop = new AbortController();
    const seen: string[] = [];
    const following = (async () => {
      for await (const batch of log.read({ topic, from: 'latest', until: 'never', signal: stop.signal })) {
        seen.push(...batch.map((r) => `${r.partition}:${text(r.value)}`));
      }
    })();
    // A reader from the latest may need a moment to find out where that is.
    await eventually(async () => {
      await log.append([record(topic, 1, 'knock')]);
      expect(seen).toContain('1:knock');
    });
    await log.append([record(topic, 0, 'new')]);
    await eventually(() => expect(seen).toContain('0:new'));
    expect(seen.filter((value) => /:\d/.test(value))).toEqual([]);
    stop.abort();
    await following;
  });

  harness.it('ends followers when it closes', async () => {
    const topic = harness.name('close-follow');
    const log = await harness.openWith([{ name: topic }]);
    await appendNumbers(log, topic, 1, 5);
    let seen = 0;
    const following = (async () => {
      for await (const batch of log.read({ topic, from: 'earliest', until: 'never' })) seen += batch.length;
    })();
    await eventually(() => expect(seen).toBe(5));
    await log.close();
    await following;
  });

  harness.it('names the unknown topic and the command that creates it', async () => {
    const topic = harness.name('nowhere');
    const log = await harness.open();
    const refusal = {
      disposition: 'usage',
      message: expect.stringMatching(`${topic}.*flowcast topics create`),
    };
    await expect(log.append([record(topic, 0, 'x')])).rejects.toMatchObject(refusal);
    await expect(readAll(log, topic)).rejects.toMatchObject(refusal);
  });

  harness.it('appends all records of a call or none', async () => {
    const topic = harness.name('all-or-none');
    const log = await harness.openWith([{ name: topic }]);
    const records = [record(topic, 0, 'good'), record(topic, 7, 'bad partition')];
    await expect(log.append(records)).rejects.toMatchObject({ disposition: 'usage' });
    await log.append([record(topic, 0, 'after')]);
    expect(await readValues(log, topic)).toEqual({ 0: ['after'] });
  });
}

/** A record without its offset, its bytes as text that can be compared. */
function plain({ topic, partition, key, value, headers, timestampMs }: Omit<StoredRecord, 'offset'>) {
  const hex = (bytes: Uint8Array | null) => bytes && Buffer.from(bytes).toString('hex');
  return { topic, partition, key: hex(key), value: hex(value), headers, timestampMs };
}
