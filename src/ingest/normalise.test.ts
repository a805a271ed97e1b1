import { describe, expect, it } from 'vitest';
import type { FlowRecord } from '../flow/flow-record.ts';
import type { FeedSettings } from './format.ts';
import { FlowReading, Normaliser, type Refusal } from './normalise.ts';

const SETTINGS: FeedSettings = {
  exporter: 'feed',
  samplingRate: null,
  timeZone: 'UTC',
  clockSkewMsMax: 60_000,
};
const T = 1_767_225_600_000_000;

function normalise(
  values: Partial<FlowReading>,
  receivedUs = 0,
  settings: Partial<FeedSettings> = {},
): { flow?: FlowRecord; exporter?: string; refusal: Refusal | null } {
  const reading = Object.assign(new FlowReading(), { startUs: T, endUs: T + 5 }, values);
  const found: { flow?: FlowRecord; exporter?: string } = {};
  const refusal = new Normaliser({ ...SETTINGS, ...settings }).emit(reading, '', receivedUs, {
    flow: (exporter, flow) => Object.assign(found, { exporter, flow }),
    reject: () => expect.unreachable('the caller rejects'),
  });
  return { ...found, refusal };
}

describe('time', () => {
  const times = (values: Partial<FlowReading>, receivedUs = 0) => {
    const { flow } = normalise(values, receivedUs);
    return flow && [flow.startUs, flow.endUs, flow.receivedUs, flow.timeQuality];
  };

  it('is kept where it is plausible; a file has no receipt, the end stands in', () => {
    expect(times({})).toEqual([T, T + 5, T + 5, 'OK']);
    expect(times({}, T + 9)).toEqual([T, T + 5, T + 9, 'OK']);
    expect(times({ receivedUs: T + 7 }, T + 9)).toEqual([T, T + 5, T + 7, 'OK']);
  });

  it('start after end is clamped', () =>
    expect(times({ startUs: T + 9 })).toEqual([T + 5, T + 5, T + 5, 'CLAMPED']));

  it.each([
    ['s', 1e-6],
    ['ms', 1e-3],
    ['ns', 1e3],
  ])('in %s is recognised', (_unit, factor) =>
    expect(times({ startUs: T * factor, endUs: T * factor, guessTimeUnit: true })).toEqual([
      T,
      T,
      T,
      'CLAMPED',
    ]),
  );

  it('is never guessed where the source writes dates', () => {
    expect(normalise({ startUs: 1000e6, endUs: 1001e6 }).refusal?.reason).toBe('invalid_time');
  });

  it('of a capture that counts from its own beginning is kept in a file, not in live traffic', () => {
    expect(times({ startUs: 0, endUs: 5e6, allowsRelativeTime: true })).toEqual([0, 5e6, 5e6, 'OK']);
    expect(times({ startUs: 9, endUs: 5, allowsRelativeTime: true })).toEqual([9, 9, 9, 'CLAMPED']);
    expect(times({ startUs: 0, endUs: 5e6, allowsRelativeTime: true }, T)).toEqual([T, T, T, 'RECEIVED']);
  });

  it('one missing: the other stands in', () => {
    expect(times({ startUs: 0 })).toEqual([T + 5, T + 5, T + 5, 'CLAMPED']);
    expect(times({ endUs: 0 })).toEqual([T, T, T, 'CLAMPED']);
    expect(times({ endUs: 3600e6 })).toEqual([T, T, T, 'CLAMPED']);
  });

  it('both missing or in 1970: receipt stands in, and without it the flow is refused', () => {
    expect(times({ startUs: 0, endUs: 0 }, T)).toEqual([T, T, T, 'RECEIVED']);
    expect(times({ startUs: 40e6, endUs: 41e6 }, T)).toEqual([T, T, T, 'RECEIVED']);
    expect(times({ startUs: Number.NaN, endUs: Number.NaN }, T)).toEqual([T, T, T, 'RECEIVED']);
    expect(normalise({ startUs: 0, endUs: 0 }).refusal?.reason).toBe('missing_field');
    expect(normalise({ startUs: 40e6, endUs: 41e6 }).refusal?.reason).toBe('invalid_time');
    expect(normalise({ startUs: 5e15, endUs: 5e15 }).refusal?.reason).toBe('invalid_time');
  });

  it('a clock within the allowed skew is believed, one ahead of it is moved back with its duration', () => {
    expect(times({ startUs: T, endUs: T + 60e6 }, T)).toEqual([T, T + 60e6, T, 'OK']);
    expect(times({ startUs: T + 3600e6, endUs: T + 3601e6 }, T)).toEqual([T - 1e6, T, T, 'CLAMPED']);
    expect(times({ startUs: T - 1e6, endUs: T + 3601e6 }, T)).toEqual([T - 1e6, T, T, 'CLAMPED']);
  });
});

describe('counters', () => {
  const counted = (values: Partial<FlowReading>, settings: Partial<FeedSettings> = {}) => {
    const { flow } = normalise({ bytes: 1500, packets: 3, ...values }, 0, settings);
    return (
      flow && [
        flow.bytes,
        flow.packets,
        flow.rawBytes,
        flow.rawPackets,
        flow.samplingRate,
        flow.samplingApplied,
      ]
    );
  };

  it.each([
    [{ counters: 'raw', samplingRate: 1000 }, null, [1_500_000, 3000, 1500, 3, 1000, 'FLOWCAST']],
    [{ counters: 'raw', samplingRate: 0 }, null, [1500, 3, 1500, 3, 0, 'UNKNOWN']],
    [{ counters: 'raw', samplingRate: 1 }, null, [1500, 3, 1500, 3, 1, 'NONE']],
    [{ counters: 'raw', samplingRate: 1000 }, 10, [15_000, 30, 1500, 3, 10, 'FLOWCAST']],
    [{ counters: 'raw', samplingRate: 1000 }, 1, [1500, 3, 1500, 3, 1, 'NONE']],
    [{ counters: 'scaled', samplingRate: 0 }, null, [1500, 3, 1500, 3, 0, 'SOURCE']],
    [{ counters: 'scaled', samplingRate: 0 }, 10, [1500, 3, 1500, 3, 10, 'SOURCE']],
    [{ counters: 'unsampled', samplingRate: 77 }, null, [1500, 3, 1500, 3, 1, 'NONE']],
    [{ counters: 'unsampled' }, 10, [15_000, 30, 1500, 3, 10, 'FLOWCAST']],
  ] as const)('%j, override %s', (values, samplingRate, expected) =>
    expect(counted(values, { samplingRate })).toEqual(expected),
  );

  it('scale both directions', () => {
    const { flow } = normalise({ bidirectional: true, reverseBytes: 7, reversePackets: 1, samplingRate: 10 });
    expect([flow?.reverseBytes, flow?.reversePackets]).toEqual([70, 10]);
  });

  it.each([
    [{ bytes: -1 }, 'counter_out_of_range'],
    [{ bytes: 2 ** 53 }, 'counter_out_of_range'],
    [{ reversePackets: Number.POSITIVE_INFINITY }, 'counter_out_of_range'],
    [{ bytes: 2 ** 52, samplingRate: 1000 }, 'counter_out_of_range'],
    [{ packets: 1.5 }, 'invalid_number'],
    [{ bytes: Number.NaN }, 'invalid_number'],
    [{ sourcePort: 65_536 }, 'invalid_number'],
    [{ destinationPort: -1 }, 'invalid_number'],
    [{ protocol: 256 }, 'invalid_number'],
    [{ inInterface: 2 ** 32 }, 'invalid_number'],
    [{ sourceAs: Number.NaN }, 'invalid_number'],
    [{ samplingRate: -5 }, 'invalid_number'],
  ])('%j is refused: %s', (values, reason) => {
    const { flow, refusal } = normalise(values);
    expect(flow).toBeUndefined();
    expect(refusal?.reason).toBe(reason);
    expect(refusal?.detail).toMatch(/\w+ .+/);
  });
});

it('names the feed as exporter where the source names none', () =>
  expect(normalise({}).exporter).toBe('feed'));

it('clear sets every field back', () => {
  const reading = new FlowReading();
  for (const key of Object.keys(reading)) (reading as unknown as Record<string, unknown>)[key] = 'used';
  reading.clear();
  expect(reading).toEqual(new FlowReading());
});
