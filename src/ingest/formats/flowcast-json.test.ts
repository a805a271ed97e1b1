import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMessages } from '../../../test/support/decoding.ts';
import { flowToJson } from '../../flow/flow-json.ts';
import type { FlowRecord } from '../../flow/flow-record.ts';
import { flowcastJson } from './flowcast-json.ts';

const count = fc.maxSafeNat();
const address = fc.uint8Array({ minLength: 16, maxLength: 16 });
const port = fc.nat(65_535);

const anyFlow: fc.Arbitrary<FlowRecord> = fc
  .record({
    startUs: count,
    endUs: count,
    receivedUs: count,
    timeQuality: fc.constantFrom('OK', 'CLAMPED', 'RECEIVED'),
    sourceAddress: address,
    destinationAddress: address,
    sourcePort: port,
    destinationPort: port,
    protocol: fc.nat(255),
    tcpFlags: fc.nat(255),
    tos: fc.nat(255),
    vlan: fc.nat(4095),
    sourceAs: fc.nat(2 ** 31 - 1),
    destinationAs: fc.nat(2 ** 31 - 1),
    inInterface: fc.nat(2 ** 31 - 1),
    outInterface: fc.nat(2 ** 31 - 1),
    direction: fc.constantFrom('UNKNOWN', 'INGRESS', 'EGRESS'),
    bytes: count,
    packets: count,
    rawBytes: count,
    rawPackets: count,
    samplingRate: fc.nat(100_000),
    samplingApplied: fc.constantFrom('NONE', 'SOURCE', 'FLOWCAST', 'UNKNOWN'),
    bidirectional: fc.boolean(),
    reverseBytes: count,
    reversePackets: count,
    outcome: fc.constantFrom('UNKNOWN', 'ESTABLISHED', 'NO_REPLY', 'REJECTED', 'RESET'),
    label: fc.option(fc.string(), { nil: null }),
  })
  .map((flow) => ({ ...flow, endUs: Math.max(flow.startUs, flow.endUs) })) as fc.Arbitrary<FlowRecord>;

const GOOD = flowToJson('edge', fc.sample(anyFlow, { numRuns: 1, seed: 1 })[0]!);

describe('flowcast JSON', () => {
  it('gives back every flow exactly', () => {
    fc.assert(
      fc.property(fc.string(), anyFlow, (exporter, flow) => {
        const decoded = decodeMessages(flowcastJson, [JSON.stringify(flowToJson(exporter, flow))]);
        expect(decoded.rejects).toEqual([]);
        expect(decoded.exporters).toEqual([exporter]);
        expect(decoded.flows).toEqual([flow]);
      }),
    );
  });

  it.each([
    [{ bytes: undefined }, 'missing_field'],
    [{ bytes: 1.5 }, 'invalid_number'],
    [{ bytes: 2 ** 53 }, 'invalid_number'],
    [{ protocol: 256 }, 'invalid_number'],
    [{ sourceAddress: 'x' }, 'invalid_address'],
    [{ direction: 'UP' }, 'malformed'],
    [{ label: 5 }, 'malformed'],
    [{ exporter: undefined }, 'missing_field'],
    [{ startUs: 2, endUs: 1 }, 'invalid_time'],
  ])('refuses %j', (values, reason) => {
    const { flows, rejects } = decodeMessages(flowcastJson, [JSON.stringify({ ...GOOD, ...values })]);
    expect(flows).toEqual([]);
    expect(rejects[0]).toMatchObject({ reason, detail: expect.stringContaining(Object.keys(values)[0]!) });
  });

  it('is recognised', () => expect(flowcastJson.sniff(Buffer.from(`${JSON.stringify(GOOD)}\n`))).toBe(1));
});
