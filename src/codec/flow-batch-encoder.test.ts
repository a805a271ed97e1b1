import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { FlowBatch, FlowRecord } from '../flow/flow-record.ts';
import { createCodec } from './avro.ts';
import { FlowBatchEncoder } from './flow-batch-encoder.ts';

const codec = createCodec('flow-batch.v1');
const encoder = new FlowBatchEncoder();
// Half of the range: negative numbers have a bit less. Ports, flags and the like are ints.
const long = fc.oneof(
  fc.integer({ min: -1000, max: 1000 }),
  fc.maxSafeInteger().map((n) => Math.trunc(n / 2)),
);
const int = fc.integer();
const address = fc.uint8Array({ minLength: 16, maxLength: 16 });

const flow: fc.Arbitrary<FlowRecord> = fc.record({
  startUs: long,
  endUs: long,
  receivedUs: long,
  timeQuality: fc.constantFrom('OK', 'CLAMPED', 'RECEIVED'),
  sourceAddress: address,
  destinationAddress: address,
  sourcePort: int,
  destinationPort: int,
  protocol: int,
  tcpFlags: int,
  tos: int,
  vlan: int,
  sourceAs: long,
  destinationAs: long,
  inInterface: long,
  outInterface: long,
  direction: fc.constantFrom('UNKNOWN', 'INGRESS', 'EGRESS'),
  bytes: long,
  packets: long,
  rawBytes: long,
  rawPackets: long,
  samplingRate: long,
  samplingApplied: fc.constantFrom('NONE', 'SOURCE', 'FLOWCAST', 'UNKNOWN'),
  bidirectional: fc.boolean(),
  reverseBytes: long,
  reversePackets: long,
  outcome: fc.constantFrom('UNKNOWN', 'ESTABLISHED', 'NO_REPLY', 'REJECTED', 'RESET'),
  label: fc.option(fc.string({ unit: 'grapheme' })),
});

const batch: fc.Arbitrary<FlowBatch> = fc.record({
  exporter: fc.string(),
  feed: fc.string({ unit: 'grapheme' }),
  format: fc.string(),
  receivedUs: long,
  flows: fc.array(flow, { maxLength: 5 }),
});

it('writes the bytes of the general codec', () => {
  fc.assert(
    fc.property(batch, (value) => {
      expect(encoder.encode(value).equals(codec.encode(value))).toBe(true);
    }),
  );
});

it('grows for batches of any size, and its bytes are the caller’s', () => {
  const [one] = fc.sample(flow, { numRuns: 1, seed: 1 });
  const large: FlowBatch = {
    exporter: 'e',
    feed: 'f',
    format: 'x',
    receivedUs: 1,
    flows: Array(5000).fill(one),
  };
  const bytes = encoder.encode(large);
  encoder.encode({ ...large, flows: [] });
  expect(bytes.equals(codec.encode(large))).toBe(true);
});

it('holds the largest numbers, and an empty batch', () => {
  const empty: FlowBatch = {
    exporter: '',
    feed: '',
    format: '',
    receivedUs: Math.floor(Number.MAX_SAFE_INTEGER / 2),
    flows: [],
  };
  expect(codec.decode(encoder.encode(empty))).toEqual(empty);
});

it.each([
  ['an address that is not 16 bytes long', { sourceAddress: new Uint8Array(4) }, 'not 16 bytes'],
  ['a fraction', { bytes: 0.5 }, 'no safe integer'],
  ['what is no number', { startUs: Number.NaN }, 'no safe integer'],
])('refuses %s', (_, change, message) => {
  const [one] = fc.sample(flow, { numRuns: 1, seed: 1 });
  const bad = { ...one!, ...change };
  expect(() => encoder.encode({ exporter: '', feed: '', format: '', receivedUs: 0, flows: [bad] })).toThrow(
    message,
  );
});
