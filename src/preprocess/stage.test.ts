import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  anyFlow,
  MINUTE_US,
  sumOfBatches,
  T0_US,
  testConfig,
  testFlow,
} from '../../test/support/preprocess-fixtures.ts';
import type { Assignment, CommitLog, OutputRecord, StoredRecord, Subscription } from '../commit-log/port.ts';
import type { FlowRecord } from '../flow/flow-record.ts';
import { ManualClock } from '../kernel/clock.ts';
import { Health } from '../telemetry/health.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import type { PreprocessConfig } from './config.ts';
import { createPreprocessMetrics } from './metrics.ts';
import { createPreprocess, createPreprocessCodecs, PreprocessProcessor } from './stage.ts';

const codecs = createPreprocessCodecs();
const TOPIC = 'flowcast.flows.v1';
const NOW_US = T0_US + 1e12;

function recordOf(offset: number, exporter: string, flows: FlowRecord[], timestampMs = 0): StoredRecord {
  const value = codecs.flowBatches.encode({
    exporter,
    feed: 'test',
    format: 'test',
    receivedUs: T0_US,
    flows,
  });
  return { topic: TOPIC, partition: 3, offset, key: Buffer.from(exporter), value, headers: {}, timestampMs };
}

/** Drives a processor as a driver does: commits each step, and makes a new processor from what is committed when it `crashes`. */
class FakeDriver {
  readonly outputs: OutputRecord[] = [];
  readonly clock = new ManualClock(NOW_US);
  readonly metrics = createMetrics();
  readonly state = new Map<string, Uint8Array>();
  resumeOffset = 0;
  processedOffset = 0;
  readonly #records: readonly StoredRecord[];
  readonly #config: PreprocessConfig;
  #processor: PreprocessProcessor;
  #position = 0;

  constructor(records: readonly StoredRecord[], config: PreprocessConfig) {
    this.#records = records;
    this.#config = config;
    this.#processor = this.#create();
  }

  /** Hands over the next `count` records and commits, unless it is to die before the commit. Returns whether there are more. */
  step(count: number, commit = true): boolean {
    const batch = this.#records.filter((record) => record.offset >= this.#position).slice(0, count);
    const step = this.#processor.process(batch);
    this.#position = batch.at(-1) ? batch.at(-1)!.offset + 1 : this.#position;
    if (!commit) return true;
    expect(step.resumeOffset).toBeGreaterThanOrEqual(this.resumeOffset);
    expect(step.resumeOffset).toBeLessThanOrEqual(this.#position);
    if (this.#position <= this.processedOffset && batch.length > 0) {
      expect(step.outputs).toEqual([]);
      expect(step.state).toEqual([]);
    }
    this.outputs.push(...step.outputs);
    for (const { key, value } of step.state) {
      expect(Buffer.from(this.state.get(key) ?? [])).not.toEqual(Buffer.from(value!));
      this.state.set(key, value!);
    }
    this.resumeOffset = step.resumeOffset;
    this.processedOffset = Math.max(this.processedOffset, this.#position);
    return this.#position <= this.#records.at(-1)!.offset;
  }

  crash(): void {
    this.#processor = this.#create();
    this.#position = this.resumeOffset;
  }

  /** Lets every exporter be silent until all its windows have closed. */
  silence(): void {
    this.clock.advance(3 * 3600 * 1e6);
    this.step(0);
  }

  #create(): PreprocessProcessor {
    const assignment: Assignment = {
      topic: TOPIC,
      partition: 3,
      state: new Map(this.state),
      resumeOffset: this.resumeOffset,
      processedOffset: this.processedOffset,
    };
    return new PreprocessProcessor({
      assignment,
      clock: this.clock,
      logger: silentLogger(),
      metrics: createPreprocessMetrics(this.metrics),
      codecs,
      config: this.#config,
      prefix: 'flowcast.',
      beat: () => {},
    });
  }
}

const anyRecords = fc
  .array(
    fc.tuple(
      fc.constantFrom('a', 'b', 'c'),
      fc.array(anyFlow, { maxLength: 6 }),
      fc.integer({ min: 1, max: 3 }),
    ),
    {
      minLength: 1,
      maxLength: 15,
    },
  )
  .map((parts) => {
    let offset = 0;
    return parts.map(([exporter, flows, gap]) => {
      offset += gap;
      return recordOf(offset, exporter, flows);
    });
  });

const config = testConfig({
  featureSets: ['link', 'host', 'flow'],
  windowSeconds: [60, 300],
  outOfOrdernessMs: 60_000,
  graceMs: 10_000,
  openWindowsMax: 8,
  hostsPerWindowMax: 6,
  distinctExactMax: 4,
});

describe('PreprocessProcessor', () => {
  it('gives the same records whatever restarts', () => {
    const anySteps = fc.array(
      fc.record({
        count: fc.integer({ min: 1, max: 4 }),
        crash: fc.constantFrom('no', 'after commit', 'before commit', 'tick'),
      }),
      { minLength: 1, maxLength: 30 },
    );
    fc.assert(
      fc.property(anyRecords, anySteps, (records, steps) => {
        const undisturbed = new FakeDriver(records, config);
        while (undisturbed.step(100));
        undisturbed.silence();

        const disturbed = new FakeDriver(records, config);
        for (const { count, crash } of steps) {
          if (crash === 'tick') disturbed.step(0);
          disturbed.step(count, crash !== 'before commit');
          if (crash === 'after commit' || crash === 'before commit') disturbed.crash();
        }
        while (disturbed.step(2));
        disturbed.silence();

        expect(disturbed.outputs).toEqual(undisturbed.outputs);
        expect(disturbed.resumeOffset).toBe(records.at(-1)!.offset + 1);
      }),
      { numRuns: 60 },
    );
  });

  it('writes to the partition it reads, keyed by exporter, stamped with the time of publication', () => {
    const driver = new FakeDriver([recordOf(0, 'router', [testFlow()])], testConfig());
    driver.step(1);
    expect(driver.outputs).toEqual([]);
    expect(driver.resumeOffset).toBe(0);
    driver.silence();
    expect(
      driver.outputs.map(({ topic, partition, key, timestampMs }) => [
        topic,
        partition,
        String(key),
        timestampMs,
      ]),
    ).toEqual(
      ['link', 'host'].map((set) => [
        `flowcast.features.${set}.v1`,
        3,
        'router',
        driver.clock.nowUs() / 1000,
      ]),
    );
    expect(driver.resumeOffset).toBe(1);
  });

  it('closes the windows of a quiet exporter on ticks, once its event time has passed them', () => {
    const driver = new FakeDriver([recordOf(0, 'quiet', [testFlow({ endUs: T0_US + 30e6 })])], testConfig());
    driver.step(1);
    // Window end + grace - watermark: 60 s + 30 s - (30 s - 60 s) = 120 s.
    driver.clock.advance(119e6);
    driver.step(0);
    expect(driver.outputs).toEqual([]);
    driver.clock.advance(1e6);
    driver.step(0);
    expect(driver.outputs).toHaveLength(2);
    const { state } = driver;
    expect(String(Buffer.from(state.get('quiet')!))).toBe(String(T0_US + 90e6));
  });

  it('closes the windows of a quiet exporter beside a busy one, but not while a backlog is read', () => {
    const config = testConfig({ featureSets: ['host'] });
    const nowMs = NOW_US / 1000;
    const busy = (offset: number, timestampMs: number) => recordOf(offset, 'busy', [testFlow()], timestampMs);
    const driver = new FakeDriver(
      [recordOf(0, 'quiet', [testFlow()], nowMs), busy(1, nowMs), busy(2, nowMs + 600_000)],
      config,
    );
    driver.step(1);
    driver.clock.advance(600e6);
    driver.step(1);
    expect(driver.outputs).toEqual([]);
    driver.step(1);
    expect(driver.outputs.map(({ key }) => String(key))).toEqual(['quiet']);
  });

  it('passes over records that are no flow batch and counts them', async () => {
    const bad = { ...recordOf(0, 'router', []), value: Buffer.from('no flows') };
    const driver = new FakeDriver(
      [bad, { ...bad, offset: 1, value: null }, recordOf(2, 'router', [testFlow()])],
      testConfig(),
    );
    driver.step(3);
    driver.silence();
    expect(driver.outputs).toHaveLength(2);
    expect(await driver.metrics.value('flowcast_preprocess_undecodable_records_total')).toBe(2);
    expect(await driver.metrics.value('flowcast_preprocess_flows_total')).toBe(1);
  });

  it('sends what is late to late.v1 and counts it', async () => {
    const flows = [testFlow({ startUs: T0_US + 60 * MINUTE_US }), testFlow()];
    const driver = new FakeDriver([recordOf(0, 'router', flows)], testConfig());
    driver.step(1);
    driver.silence();
    const late = driver.outputs.find(({ topic }) => topic === 'flowcast.late.v1')!;
    expect(codecs.lateFlows.decode(late.value!)).toMatchObject({
      whole: true,
      bytes: 1000,
      feed: 'test',
    });
    expect(await driver.metrics.value('flowcast_preprocess_late_flows_total')).toBe(1);
    const hosts = driver.outputs.filter(({ topic }) => topic === 'flowcast.features.host.v1');
    expect(sumOfBatches(hosts.map(({ value }) => codecs.featureBatches.decode(value!)!)).flows).toBe(1);
  });

  it('refuses a state it cannot read', () => {
    const driver = new FakeDriver([recordOf(0, 'router', [testFlow()])], testConfig());
    driver.state.set('router', Buffer.from('soon'));
    expect(() => driver.crash()).toThrow(/stored watermark of exporter router/);
  });
});

describe('createPreprocess', () => {
  it('subscribes, and tells its owner when the log fails', async () => {
    const failure = Promise.withResolvers<never>();
    const subscriptions: Subscription[] = [];
    let stopped = 0;
    const log = {
      consume: async (subscription: Subscription) => {
        subscriptions.push(subscription);
        return { done: failure.promise, stop: async () => void stopped++ };
      },
    } as unknown as CommitLog;
    const clock = new ManualClock(NOW_US);
    const failures: unknown[] = [];
    const health = new Health(clock, 1000);
    const stage = createPreprocess({
      log,
      clock,
      logger: silentLogger(),
      metrics: createMetrics(),
      health,
      config: testConfig(),
      prefix: 'p.',
      onFailure: (error) => failures.push(error),
    });
    expect(subscriptions).toEqual([]);
    await stage.start();
    expect(subscriptions).toMatchObject([
      { group: 'p.preprocess', topics: ['p.flows.v1'], stateTopic: 'p.preprocess.state' },
    ]);
    expect(health.report().ready).toBe(true);
    failure.reject(new Error('log lost'));
    await new Promise(setImmediate);
    expect(failures).toEqual([new Error('log lost')]);
    expect(health.report().ready).toBe(false);
    await stage.stop();
    expect(stopped).toBe(1);
  });
});
