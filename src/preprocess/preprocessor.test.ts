import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addressOf,
  addUp,
  anyFlow,
  MINUTE_US,
  sumOfBatches,
  sumOfFlows,
  sumOfLate,
  T0_US,
  testConfig,
  testFlow,
} from '../../test/support/preprocess-fixtures.ts';
import { COUNTER_COLUMNS, type FeatureBatch, type LateFlow } from '../codec/records.ts';
import type { FlowRecord } from '../flow/flow-record.ts';
import type { PreprocessConfig } from './config.ts';
import type { FeatureSetName } from './feature-sets/feature-set.ts';
import { FEATURE_SETS } from './feature-sets/registry.ts';
import { Preprocessor } from './preprocessor.ts';

interface Result {
  batches: FeatureBatch[];
  late: LateFlow[];
  evicted: number;
}

/** Runs flows of several exporters through a preprocessor, `batch` at a time, and closes all. */
function run(
  flows: readonly { exporter: string; flow: FlowRecord }[],
  config: PreprocessConfig,
  batch = 1,
): Result {
  const result: Result = { batches: [], late: [], evicted: 0 };
  const preprocessor = new Preprocessor(config, {
    features: (features) => result.batches.push(features),
    late: (late) => result.late.push(late),
    closed: (window) => {
      result.evicted += (window.hosts?.evicted ?? 0) + (window.links?.evicted ?? 0);
    },
  });
  for (let i = 0; i < flows.length; ) {
    const { exporter } = flows[i]!;
    const taken: FlowRecord[] = [];
    while (i < flows.length && taken.length < batch && flows[i]!.exporter === exporter)
      taken.push(flows[i++]!.flow);
    preprocessor.add(exporter, 'test', taken, i, 0);
  }
  preprocessor.closeAll();
  return result;
}

const ofOne = (flows: readonly FlowRecord[]) => flows.map((flow) => ({ exporter: 'router', flow }));
const hostRows = (result: Result) => result.batches.filter((batch) => batch.featureSet === 'host');
const linkRows = (result: Result) => result.batches.filter((batch) => batch.featureSet === 'link');
const keyOf = (batch: FeatureBatch) =>
  `${batch.featureSet} ${batch.exporter} ${batch.windowSeconds} ${batch.windowStartUs}`;

function feature(batch: FeatureBatch, row: number, name: string): number {
  const { features } = FEATURE_SETS[batch.featureSet as FeatureSetName];
  const column = features.findIndex((candidate) => candidate.name === name);
  expect(column, name).toBeGreaterThanOrEqual(0);
  return batch.values.readFloatLE((row * features.length + column) * 4);
}

describe('conservation', () => {
  it('features + late = flows in, to the byte, in any order and any windows', () => {
    fc.assert(
      fc.property(
        fc.array(anyFlow, { minLength: 1, maxLength: 60 }),
        fc.constantFrom<number[]>([60], [7, 60], [30, 300, 3600]),
        fc.constantFrom(2, 5, 64),
        fc.constantFrom(0, 5000, 90_000),
        (flows, windowSeconds, openWindowsMax, outOfOrdernessMs) => {
          const config = testConfig({
            windowSeconds,
            openWindowsMax,
            outOfOrdernessMs,
            hostsPerWindowMax: 5,
            distinctExactMax: 3,
          });
          const result = run(ofOne(flows), config);
          for (const seconds of windowSeconds) {
            const late = sumOfLate(result.late.filter((one) => one.windowSeconds === seconds));
            const hosts = sumOfBatches(hostRows(result).filter((batch) => batch.windowSeconds === seconds));
            expect(addUp([hosts, late])).toEqual(sumOfFlows(flows));
            const links = sumOfBatches(linkRows(result).filter((batch) => batch.windowSeconds === seconds));
            expect(links.bytes).toBe(hosts.bytes + hosts.reverseBytes);
            expect(links.packets).toBe(hosts.packets + hosts.reversePackets);
            expect(links.flows).toBe(hosts.flows);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('spreads a 30-minute flow over 30 windows, to the byte', () => {
    const flow = testFlow({ startUs: T0_US, endUs: T0_US + 30 * MINUTE_US, bytes: 1_000_003, packets: 1001 });
    const batches = hostRows(run(ofOne([flow]), testConfig()));
    expect(batches.map((batch) => batch.windowStartUs)).toEqual(
      Array.from({ length: 30 }, (_, i) => T0_US + i * MINUTE_US),
    );
    const bytes = batches.map((batch) => sumOfBatches([batch]).bytes);
    expect(Math.max(...bytes) - Math.min(...bytes)).toBeLessThanOrEqual(1);
    expect(sumOfBatches(batches)).toEqual(sumOfFlows([flow]));
    expect(batches.map((batch) => sumOfBatches([batch]).flows)).toEqual([...Array(29).fill(0), 1]);
  });

  it('calls the oldest part of a flow late that spans more windows than may be open', () => {
    const flow = testFlow({ startUs: T0_US - 1e15, endUs: T0_US, bytes: 1e9 });
    const result = run(ofOne([flow]), testConfig({ openWindowsMax: 10 }));
    expect(hostRows(result)).toHaveLength(10);
    expect(result.late).toMatchObject([
      { whole: false, id: `router|10.0.0.1:40000>192.0.2.1:443/6@${T0_US - 1e15}|60` },
    ]);
    expect(addUp([sumOfBatches(hostRows(result)), sumOfLate(result.late)])).toEqual(sumOfFlows([flow]));
  });
});

describe('windows', () => {
  it('close once, in order, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(anyFlow, { maxLength: 60 }), (flows) => {
        const result = run(
          ofOne(flows),
          testConfig({ outOfOrdernessMs: 1000, graceMs: 0, windowSeconds: [60, 120] }),
        );
        const keys = result.batches.map(keyOf);
        expect(new Set(keys).size).toBe(keys.length);
        const ends = result.batches.map((batch) => batch.windowEndUs);
        expect(ends).toEqual(ends.toSorted((a, b) => a - b));
      }),
    );
  });

  it('do not depend on how flows are batched', () => {
    fc.assert(
      fc.property(fc.array(anyFlow, { maxLength: 60 }), fc.integer({ min: 2, max: 50 }), (flows, batch) => {
        const config = testConfig({ outOfOrdernessMs: 20_000, graceMs: 10_000 });
        expect(run(ofOne(flows), config, batch)).toEqual(run(ofOne(flows), config, 1));
      }),
    );
  });

  it('keep an exporter whose clock is an hour ahead from making others late', () => {
    const flows = Array.from({ length: 200 }, (_, i) => ({
      exporter: i % 2 === 0 ? 'right' : 'ahead',
      flow: testFlow({ startUs: T0_US + i * 1e6 + (i % 2) * 3600e6, receivedUs: T0_US + (i + 1) * 1e6 }),
    }));
    const result = run(flows, testConfig({ outOfOrdernessMs: 0, graceMs: 0 }));
    expect(result.late).toEqual([]);
    expect(sumOfBatches(hostRows(result).filter((batch) => batch.exporter === 'right')).flows).toBe(100);
  });

  it('hold a watermark back to receipt + skew when a flow claims to end in the future', () => {
    const config = testConfig({ outOfOrdernessMs: 0, graceMs: 0, allowedSkewMs: 1000 });
    const future = testFlow({ startUs: T0_US + 20 * MINUTE_US, receivedUs: T0_US });
    const result = run(ofOne([future, testFlow({ startUs: T0_US + 2e6 })]), config);
    expect(result.late).toEqual([]);
  });

  it('put a flow that ends on a boundary into the window that ends there', () => {
    const flow = testFlow({ startUs: T0_US + MINUTE_US - 1e6, endUs: T0_US + MINUTE_US });
    expect(hostRows(run(ofOne([flow]), testConfig())).map((batch) => batch.windowStartUs)).toEqual([T0_US]);
  });

  it('call all flows of an exporter too many late', () => {
    const flows = ['a', 'b', 'c'].map((exporter) => ({ exporter, flow: testFlow() }));
    const result = run(flows, testConfig({ exportersMax: 2 }));
    expect(result.late.map((late) => [late.exporter, late.whole])).toEqual([['c', true]]);
    expect(sumOfBatches(hostRows(result)).flows).toBe(2);
  });
});

describe('links', () => {
  const links = (overrides: Partial<FlowRecord>, config = testConfig()) =>
    Object.fromEntries(
      linkRows(run(ofOne([testFlow(overrides)]), config)).flatMap((batch) =>
        batch.entities.map((entity, row) => [
          entity,
          batch.counters.readDoubleLE((row * COUNTER_COLUMNS.length + COUNTER_COLUMNS.indexOf('bytes')) * 8),
        ]),
      ),
    );

  it.each<[string, Partial<FlowRecord>, Record<string, number>]>([
    ['neither interface', {}, { '0/UNKNOWN': 1500 }],
    [
      'both, seen on ingress',
      { inInterface: 1, outInterface: 2, direction: 'INGRESS' },
      { '1/INGRESS': 1000, '2/EGRESS': 1000, '2/INGRESS': 500, '1/EGRESS': 500 },
    ],
    [
      'both, seen on egress',
      { inInterface: 1, outInterface: 2, direction: 'EGRESS' },
      { '2/EGRESS': 1000, '2/INGRESS': 500 },
    ],
    [
      'in only',
      { inInterface: 4_294_967_295, reverseBytes: 0, reversePackets: 0 },
      { '4294967295/INGRESS': 1000 },
    ],
    ['in only, seen on egress', { inInterface: 1, direction: 'EGRESS' }, { '0/UNKNOWN': 1500 }],
  ])('%s', (_, overrides, expected) => expect(links(overrides)).toEqual(expected));

  it('folds links beyond the bound into 0/UNKNOWN and counts them', () => {
    const flows = Array.from({ length: 10 }, (_, i) =>
      testFlow({ inInterface: i + 1, reverseBytes: 0, reversePackets: 0 }),
    );
    const result = run(ofOne(flows), testConfig({ linksPerWindowMax: 4 }));
    expect(linkRows(result)[0]!.entities).toEqual([
      '1/INGRESS',
      '2/INGRESS',
      '3/INGRESS',
      '4/INGRESS',
      '0/UNKNOWN',
    ]);
    expect(sumOfBatches(linkRows(result)).bytes).toBe(10_000);
    expect(result.evicted).toBe(6);
  });
});

describe('hosts', () => {
  it('describe a scan as a scan', () => {
    const flows = Array.from({ length: 3000 }, (_, i) =>
      testFlow({
        startUs: T0_US + i * 10_000,
        endUs: T0_US + i * 10_000,
        destinationAddress: addressOf(i),
        destinationPort: 23,
        tcpFlags: 2,
        packets: 1,
        bytes: 40,
        reverseBytes: 0,
        reversePackets: 0,
        outcome: 'NO_REPLY',
      }),
    );
    const [batch] = hostRows(run(ofOne(flows), testConfig()));
    const distinct = Math.expm1(feature(batch!, 0, 'distinct_destinations'));
    expect(Math.abs(distinct / 3000 - 1)).toBeLessThan(0.05);
    expect(Math.expm1(feature(batch!, 0, 'distinct_dst_ports'))).toBeCloseTo(1);
    expect(feature(batch!, 0, 'destination_entropy')).toBeCloseTo(1);
    expect(feature(batch!, 0, 'dst_port_entropy')).toBe(0);
    expect(feature(batch!, 0, 'top_dst_port_share')).toBe(1);
    for (const name of ['syn_share', 'failed_share', 'unanswered_share', 'login_share', 'small_flow_share']) {
      expect(feature(batch!, 0, name), name).toBe(1);
    }
    expect(feature(batch!, 0, 'periodicity')).toBeCloseTo(1);
    expect(Math.expm1(feature(batch!, 0, 'flow_rate'))).toBeCloseTo(50);
  });

  it('take the attack as label when a tenth of the labelled flows is one', () => {
    const labels = (...labels: (string | null)[]) =>
      hostRows(run(ofOne(labels.map((label) => testFlow({ label }))), testConfig()))[0]!.labels;
    expect(labels(null, null)).toEqual([]);
    expect(labels('benign', 'Normal', null)).toEqual(['benign']);
    expect(labels('benign', 'scan', 'flood', 'flood')).toEqual(['flood']);
    expect(labels(...Array(9).fill('benign'), 'scan')).toEqual(['scan']);
    expect(labels(...Array(10).fill('benign'), 'scan')).toEqual(['benign']);
  });

  it('cuts large windows into messages below the bound', () => {
    const flows = Array.from({ length: 500 }, (_, i) => testFlow({ sourceAddress: addressOf(i) }));
    const batches = hostRows(run(ofOne(flows), testConfig({ chunkBytesMax: 20_000 })));
    expect(batches.length).toBeGreaterThan(4);
    expect(batches.map((batch) => [batch.chunk, batch.chunks])).toEqual(
      batches.map((_, i) => [i, batches.length]),
    );
    for (const batch of batches) expect(batch.values.length + batch.counters.length).toBeLessThan(20_000);
    expect(batches.flatMap((batch) => batch.entities)).toEqual(
      flows.map((_, i) => `10.0.${i >> 8}.${i & 255}`),
    );
  });

  it('stay within their bound with a million hosts in one window', () => {
    const hosts = 1_000_000;
    const source = addressOf(0).slice();
    const flow = testFlow({ sourceAddress: source });
    const before = process.memoryUsage();
    let rows = 0;
    let evicted = 0;
    const sums: FeatureBatch[] = [];
    const preprocessor = new Preprocessor(testConfig({ featureSets: ['host'] }), {
      features: (batch) => {
        rows += batch.entities.length;
        sums.push({ ...batch, values: Buffer.alloc(0) });
      },
      late: () => expect.unreachable(),
      closed: (window) => {
        evicted += window.hosts!.evicted;
      },
    });
    for (let i = 0; i < hosts; i++) {
      source[13] = i >> 16;
      source[14] = i >> 8;
      source[15] = i;
      preprocessor.add('router', 'test', [flow], i, 0);
    }
    const after = process.memoryUsage();
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(150e6);
    expect(after.heapUsed - before.heapUsed).toBeLessThan(50e6);
    preprocessor.closeAll();
    expect(rows).toBe(100_001);
    expect(sumOfBatches(sums)).toMatchObject({ flows: hosts, bytes: hosts * 1000 });
    expect(Math.abs(evicted / 900_000 - 1)).toBeLessThan(0.05);
  });
});
