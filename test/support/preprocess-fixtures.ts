import fc from 'fast-check';
import Value from 'typebox/value';
import { COUNTER_COLUMNS, type FeatureBatch, type LateFlow } from '../../src/codec/records.ts';
import { parseAddress } from '../../src/flow/address.ts';
import type { FlowRecord } from '../../src/flow/flow-record.ts';
import { PreprocessConfig } from '../../src/preprocess/config.ts';

// Shared by the tests of src/preprocess.

export const MINUTE_US = 60_000_000;
/** 2020-07-09T00:00:00Z, on a boundary of every window length used. */
export const T0_US = 1_594_252_800_000_000;

export function testConfig(overrides: Partial<PreprocessConfig> = {}): PreprocessConfig {
  return { ...Value.Create(PreprocessConfig), ...overrides } as PreprocessConfig;
}

/** A TCP flow of one second at T0 from 10.0.0.1, received as it ended; say what differs. */
export function testFlow(overrides: Partial<FlowRecord> = {}): FlowRecord {
  const startUs = overrides.startUs ?? T0_US;
  const endUs = overrides.endUs ?? startUs + 1_000_000;
  return {
    startUs,
    endUs,
    receivedUs: endUs,
    timeQuality: 'OK',
    sourceAddress: parseAddress('10.0.0.1')!,
    destinationAddress: parseAddress('192.0.2.1')!,
    sourcePort: 40_000,
    destinationPort: 443,
    protocol: 6,
    tcpFlags: 0x1b,
    tos: 0,
    vlan: 0,
    sourceAs: 0,
    destinationAs: 0,
    inInterface: 0,
    outInterface: 0,
    direction: 'UNKNOWN',
    bytes: 1000,
    packets: 10,
    rawBytes: 1000,
    rawPackets: 10,
    samplingRate: 1,
    samplingApplied: 'NONE',
    bidirectional: true,
    reverseBytes: 500,
    reversePackets: 5,
    outcome: 'ESTABLISHED',
    label: null,
    ...overrides,
  };
}

export function addressOf(number: number): Uint8Array {
  return parseAddress(`10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`)!;
}

/** Any flow within some minutes of T0, short or long, out of order. */
export const anyFlow: fc.Arbitrary<FlowRecord> = fc
  .record({
    endMs: fc.integer({ min: 0, max: 30 * 60_000 }),
    durationMs: fc.oneof(
      fc.constant(0),
      fc.integer({ min: 1, max: 5000 }),
      fc.integer({ min: 1, max: 3_600_000 }),
    ),
    source: fc.integer({ min: 0, max: 12 }),
    destination: fc.integer({ min: 0, max: 30 }),
    destinationPort: fc.constantFrom(22, 53, 443, 8080, 50_000),
    protocol: fc.constantFrom(6, 17, 1, 47),
    bytes: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 2 ** 40 })),
    packets: fc.integer({ min: 0, max: 2 ** 24 }),
    reverse: fc.integer({ min: 0, max: 2 ** 20 }),
    label: fc.constantFrom(null, 'benign', 'scan'),
  })
  .map(
    ({ endMs, durationMs, source, destination, destinationPort, protocol, bytes, packets, reverse, label }) =>
      testFlow({
        startUs: T0_US + (endMs - durationMs) * 1000,
        endUs: T0_US + endMs * 1000,
        sourceAddress: addressOf(source),
        destinationAddress: addressOf(destination),
        destinationPort,
        protocol,
        bytes,
        packets,
        reverseBytes: reverse * 7,
        reversePackets: reverse,
        label,
      }),
  );

export interface Sums {
  flows: number;
  bytes: number;
  packets: number;
  reverseBytes: number;
  reversePackets: number;
}

/** Counters of all rows, added up. */
export function sumOfBatches(batches: readonly FeatureBatch[]): Sums {
  const sums = [0, 0, 0, 0, 0];
  for (const batch of batches) {
    for (let i = 0; i < batch.entities.length * COUNTER_COLUMNS.length; i++) {
      sums[i % COUNTER_COLUMNS.length]! += batch.counters.readDoubleLE(i * 8);
    }
  }
  const [flows, bytes, packets, reverseBytes, reversePackets] = sums as [
    number,
    number,
    number,
    number,
    number,
  ];
  return { flows, bytes, packets, reverseBytes, reversePackets };
}

export function sumOfFlows(flows: readonly FlowRecord[]): Sums {
  return addUp(flows.map((flow) => ({ flows: 1, ...flow })));
}

export function sumOfLate(late: readonly LateFlow[]): Sums {
  return addUp(late.map((flow) => ({ flows: flow.whole ? 1 : 0, ...flow })));
}

export function addUp(parts: readonly Sums[]): Sums {
  const sums: Sums = { flows: 0, bytes: 0, packets: 0, reverseBytes: 0, reversePackets: 0 };
  for (const part of parts) {
    for (const key of Object.keys(sums) as (keyof Sums)[]) sums[key] += part[key];
  }
  return sums;
}
