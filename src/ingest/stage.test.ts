import { describe, expect, it } from 'vitest';
import { createCodec } from '../codec/avro.ts';
import type { CommitLog, CreateProcessor, Processor, StoredRecord } from '../commit-log/port.ts';
import { ManualClock } from '../kernel/clock.ts';
import { partitionOf } from '../kernel/partition.ts';
import { Health } from '../telemetry/health.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import type { FeedConfig } from './config.ts';
import { createIngest, FILE_HEADER } from './stage.ts';

const T = 1_767_225_600_000_000;
const codec = createCodec('flow-batch.v1');

/** The stage on a log that only hands out its processors. */
async function start(feeds: FeedConfig[], flowsPerBatchMax = 500) {
  const subscribed: { topics: readonly string[]; create: CreateProcessor }[] = [];
  const log = {
    consume: async ({ topics }: { topics: readonly string[] }, create: CreateProcessor) => {
      subscribed.push({ topics, create });
      return { done: new Promise<void>(() => {}), stop: async () => {} };
    },
  } as unknown as CommitLog;
  const metrics = createMetrics();
  const clock = new ManualClock(0);
  const limits = { batchRecordsMax: 10, batchBytesMax: 1e6, commitIntervalMs: 100, tickIntervalMs: 1000 };
  const stage = createIngest({
    log,
    clock,
    logger: silentLogger(),
    metrics,
    health: new Health(new ManualClock(0), 1000),
    config: { feeds, clockSkewMsMax: 60_000, flowsPerBatchMax, ...limits },
    prefix: 'test.',
    partitions: 4,
    onFailure: () => {},
  });
  await stage.start();
  const processor = (topic: string, partition = 0): Promise<Processor> | Processor =>
    subscribed[0]!.create({ topic, partition, state: new Map(), resumeOffset: 0, processedOffset: 0 });
  return { clock, metrics, processor, subscribed };
}

const feed = (values: Partial<FeedConfig> = {}): FeedConfig => ({
  name: 'edge',
  topic: 'raw',
  format: 'auto',
  ...values,
});

function record(offset: number, value: string | null, values: Partial<StoredRecord> = {}): StoredRecord {
  const bytes = value === null ? null : Buffer.from(value);
  const place = { topic: 'raw', partition: 0, offset, key: Buffer.from('k') };
  return { ...place, value: bytes, headers: {}, timestampMs: T / 1000 + 5000, ...values };
}

function flowJson(exporter: string, bytes: number, startUs = T): string {
  const times = `"time_flow_start_ns":${startUs}000,"time_flow_end_ns":${startUs + 1_000_000}000`;
  return `{"sampler_address":"${exporter}","src_addr":"10.0.0.1","dst_addr":"10.0.0.2",${times},"bytes":${bytes},"packets":1}`;
}

describe('flows', () => {
  it('are gathered by exporter, in order, in records of bounded size, on the exporter’s partition', async () => {
    const { processor } = await start([feed()], 2);
    const messages = [1, 2, 3].flatMap((bytes) => [
      flowJson('192.0.2.1', bytes),
      flowJson('192.0.2.2', bytes),
    ]);
    const step = await (await processor('raw')).process(messages.map((text, offset) => record(offset, text)));
    expect(step.resumeOffset).toBe(6);
    const batches = step.outputs.map(({ value }) => codec.decode(value!)!);
    expect(batches.map(({ exporter, flows }) => [exporter, flows.map(({ bytes }) => bytes)])).toEqual([
      ['192.0.2.1', [1, 2]],
      ['192.0.2.2', [1, 2]],
      ['192.0.2.1', [3]],
      ['192.0.2.2', [3]],
    ]);
    for (const output of step.outputs) {
      expect(output.topic).toBe('test.flows.v1');
      expect(output.partition).toBe(partitionOf(output.key!, 4));
    }
    expect(batches[0]).toMatchObject({ feed: 'edge', format: 'goflow2-json', receivedUs: T + 5_000_000 });
  });

  it('of a live topic are received when the message was; those of a file when they ended', async () => {
    const { processor } = await start([feed()]);
    const ahead = flowJson('192.0.2.1', 1, T + 3_600_000_000);
    const file = { headers: { [FILE_HEADER]: '1' }, timestampMs: 0 };
    const step = await (await processor('raw')).process([record(0, ahead), record(1, ahead, file)]);
    const { flows } = codec.decode(step.outputs[0]!.value!)!;
    expect(flows.map(({ endUs, receivedUs, timeQuality }) => [endUs, receivedUs, timeQuality])).toEqual([
      [T + 5_000_000, T + 5_000_000, 'CLAMPED'],
      [T + 3_601_000_000, T + 3_601_000_000, 'OK'],
    ]);
  });

  it('of an old file are published now, so that no retention takes them away at once', async () => {
    const { clock, processor } = await start([feed()]);
    clock.advanceTo(T + 86_400_000_000);
    const file = { headers: { [FILE_HEADER]: '1' }, timestampMs: 0 };
    const step = await (await processor('raw')).process([
      record(0, flowJson('192.0.2.1', 1), file),
      record(1, '{', file),
    ]);
    expect(step.outputs.map(({ timestampMs }) => timestampMs)).toEqual([
      T / 1000 + 86_400_000,
      T / 1000 + 86_400_000,
    ]);
  });

  it('take exporter and sampling rate of the feed where it gives them', async () => {
    const { processor } = await start([feed({ exporter: 'router', samplingRate: 100 })]);
    const step = await (await processor('raw')).process([record(0, flowJson('', 7))]);
    const { exporter, flows } = codec.decode(step.outputs[0]!.value!)!;
    expect([exporter, flows[0]!.bytes, flows[0]!.samplingApplied]).toEqual(['router', 700, 'FLOWCAST']);
  });

  it('a tick gives nothing and moves nothing', async () => {
    const { processor } = await start([feed()]);
    const owned = await processor('raw');
    await owned.process([record(4, flowJson('192.0.2.1', 1))]);
    expect(await owned.process([])).toEqual({ outputs: [], state: [], resumeOffset: 5 });
  });
});

describe('rejects', () => {
  it('carry the original bytes and key, where they came from and why', async () => {
    const { processor, metrics } = await start([feed({ format: 'goflow2-json' })]);
    const step = await (await processor('raw', 6)).process([
      record(41, 'no json', { partition: 6 }),
      record(42, null, { partition: 6 }),
      record(43, '', { partition: 6 }),
      record(44, flowJson('192.0.2.1', 1), { partition: 6 }),
    ]);
    const rejects = step.outputs.filter(({ topic }) => topic === 'test.rejects.v1');
    expect(rejects.map(({ headers }) => headers?.['flowcast-reason'])).toEqual([
      'malformed',
      'tombstone',
      'empty_message',
    ]);
    expect(rejects[0]).toEqual({
      topic: 'test.rejects.v1',
      partition: 2,
      key: Buffer.from('k'),
      value: Buffer.from('no json'),
      timestampMs: T / 1000 + 5000,
      headers: {
        'flowcast-feed': 'edge',
        'flowcast-format': 'goflow2-json',
        'flowcast-reason': 'malformed',
        'flowcast-detail': 'not one JSON object',
        'flowcast-topic': 'raw',
        'flowcast-partition': '6',
        'flowcast-offset': '41',
      },
    });
    expect(step.resumeOffset).toBe(45);
    expect(await metrics.value('flowcast_ingest_rejects_total', { feed: 'edge', reason: 'tombstone' })).toBe(
      1,
    );
    expect(await metrics.value('flowcast_ingest_flows_total', { feed: 'edge' })).toBe(1);
  });

  it('name the row of a table', async () => {
    const { processor } = await start([feed({ format: 'luflow' })]);
    const header =
      'avg_ipt,bytes_in,bytes_out,dest_ip,dest_port,entropy,num_pkts_out,num_pkts_in,proto,src_ip,src_port,time_end,time_start,total_entropy,label,duration';
    const row = '0,10,20,786,80,0,1,1,6,4134,1000,1594252800000000,1594252799000000,0,benign,1';
    const broken = row.replace(',786,', ',786,x');
    const step = await (await processor('raw')).process([
      record(0, `${header}\n${row}\n${broken}\n${row}\n`),
    ]);
    const [flows, reject] = step.outputs;
    expect(codec.decode(flows!.value!)!.flows).toHaveLength(2);
    expect(reject!.value?.toString()).toBe(broken);
    expect(reject!.headers?.['flowcast-position']).toBe('1');
  });

  it('a decoder that throws loses its message only', async () => {
    const { processor } = await start([feed({ format: 'goflow2' })]);
    const bomb = new Proxy(Buffer.from([1, 2, 3]), {
      get: (bytes, key) => {
        if (key === 'length') return 3;
        if (key === '0') throw new Error('boom');
        return Reflect.get(bytes, key);
      },
    });
    const step = await (await processor('raw')).process([record(0, '', { value: bomb }), record(1, 'x')]);
    expect(step.outputs.map(({ headers }) => headers?.['flowcast-reason'])).toEqual([
      'unexpected',
      'truncated',
    ]);
    expect(step.resumeOffset).toBe(2);
  });
});

describe('format auto', () => {
  it('is settled once for all partitions of a feed', async () => {
    const { processor } = await start([feed()]);
    const [first, second] = [await processor('raw', 0), await processor('raw', 1)];
    const before = await first.process([record(0, 'what is this')]);
    expect(before.outputs[0]!.headers?.['flowcast-reason']).toBe('unknown_format');
    await first.process([record(1, flowJson('192.0.2.1', 1))]);
    const after = await second.process([record(0, 'what is this')]);
    expect(after.outputs[0]!.headers?.['flowcast-reason']).toBe('malformed');
  });
});

describe('mistakes in the configuration', () => {
  it.each([
    [[feed({ format: 'netflux' })], /there is no format netflux/],
    [[feed({ timeZone: 'Berlin' })], /Berlin is no IANA time zone/],
    [[feed(), feed({ name: 'other' })], /topic raw belongs to more than one feed/],
  ])('%#', async (feeds, message) => {
    await expect(start(feeds)).rejects.toThrow(message);
  });

  it('without feeds the stage subscribes to nothing', async () => {
    expect((await start([])).subscribed).toEqual([]);
  });
});
