import { describe, expect, it } from 'vitest';
import type { FlowRecord } from '../../src/flow/flow-record.ts';
import type { FeedSettings, Format } from '../../src/ingest/format.ts';
import { FORMATS } from '../../src/ingest/formats/registry.ts';
import { createEncoder, ENCODERS } from '../../src/simulate/encoders/table.ts';
import { presetScenario } from '../../src/simulate/scenarios.ts';
import { createSimulation, type Simulation } from '../../src/simulate/simulation.ts';

const SETTINGS: FeedSettings = {
  exporter: 'default-exporter',
  samplingRate: null,
  timeZone: 'UTC',
  clockSkewMsMax: 60_000,
};

type Field = keyof FlowRecord;
type Carried = Partial<FlowRecord> & { exporter: string };

const ENDPOINTS: readonly Field[] = [
  'sourceAddress',
  'destinationAddress',
  'sourcePort',
  'destinationPort',
  'protocol',
];
const ROUTING: readonly Field[] = ['tos', 'sourceAs', 'destinationAs', 'inInterface', 'outInterface'];
const TIMES: readonly Field[] = ['startUs', 'endUs', 'receivedUs'];
const COUNTERS: readonly Field[] = [
  'bytes',
  'packets',
  'rawBytes',
  'rawPackets',
  'samplingRate',
  'samplingApplied',
];

/** Part of the record as it is. */
function pick(flow: FlowRecord, ...groups: (readonly Field[])[]): Partial<FlowRecord> {
  return Object.fromEntries(groups.flat().map((field) => [field, flow[field]]));
}

/** Sources whose counters are scaled or unsampled know nothing of raw ones. */
function counted(flow: FlowRecord): Partial<FlowRecord> {
  const { bytes, packets, reverseBytes, reversePackets } = flow;
  return { bytes, packets, rawBytes: bytes, rawPackets: packets, reverseBytes, reversePackets };
}

/** Both directions in one record, every packet looked at. */
function tracked(flow: FlowRecord): Partial<FlowRecord> {
  return { ...counted(flow), bidirectional: true, samplingRate: 1, samplingApplied: 'NONE' };
}

const toMs = (us: number) => Math.floor(us / 1000) * 1000;

/** For each format, what of a simulated flow it carries, as its decoder must give it back. */
const CARRIED: Readonly<Record<string, (exporter: string, flow: FlowRecord) => Carried>> = {
  'flowcast-json': (exporter, flow) => ({ exporter, ...flow }),
  goflow2: (exporter, flow) => ({
    exporter,
    ...pick(flow, ENDPOINTS, ROUTING, TIMES, COUNTERS, [
      'tcpFlags',
      'vlan',
      'direction',
      'outcome',
      'bidirectional',
    ]),
  }),
  'goflow2-json': (exporter, flow) => ({
    exporter,
    ...pick(flow, ENDPOINTS, ROUTING, TIMES, COUNTERS, ['tcpFlags', 'vlan', 'outcome', 'bidirectional']),
  }),
  'nfdump-ndjson': (exporter, flow) => ({
    exporter,
    ...pick(flow, ENDPOINTS, ROUTING, ['tcpFlags', 'vlan', 'direction']),
    ...counted(flow),
    startUs: toMs(flow.startUs),
    endUs: toMs(flow.endUs),
    receivedUs: toMs(flow.receivedUs),
  }),
  'nfdump-csv': (_exporter, flow) => ({
    exporter: SETTINGS.exporter,
    ...pick(flow, ENDPOINTS, ROUTING, ['tcpFlags']),
    ...counted(flow),
    startUs: toMs(flow.startUs),
    endUs: toMs(flow.endUs),
  }),
  'zeek-json': (_exporter, flow) => ({
    exporter: SETTINGS.exporter,
    ...pick(flow, ENDPOINTS, ['startUs', 'endUs', 'outcome']),
    ...tracked(flow),
  }),
  'zeek-tsv': (_exporter, flow) => ({
    exporter: SETTINGS.exporter,
    ...pick(flow, ENDPOINTS, ['startUs', 'endUs', 'outcome']),
    ...tracked(flow),
  }),
  suricata: (_exporter, flow) => ({
    exporter: SETTINGS.exporter,
    ...pick(flow, ENDPOINTS, ['startUs', 'endUs', 'tcpFlags', 'vlan']),
    ...tracked(flow),
    outcome: flow.protocol === 6 ? flow.outcome : expect.any(String),
  }),
};

/** Decodes everything; a reject fails the test. */
function decode(format: Format, messages: readonly Uint8Array[]): Carried[] {
  const decoder = format.createDecoder(SETTINGS);
  const found: Carried[] = [];
  const sink = {
    flow: (exporter: string, flow: FlowRecord) => void found.push({ exporter, ...flow }),
    reject: (reason: string, detail: string) => {
      throw new Error(`${reason}: ${detail}`);
    },
  };
  for (const message of messages) decoder.decode(message, 0, sink);
  return found;
}

/** The training traffic: what is sent is a second of it, long enough in that many behaviours are going on. */
function traffic(bidirectional: boolean): Simulation {
  const startUs = Date.UTC(2026, 2, 29) * 1000;
  return createSimulation({ ...presetScenario('training', { startUs }), bidirectional }, 9);
}

describe.each(Object.keys(ENCODERS))('%s', (name) => {
  const encoder = createEncoder(name);
  const simulation = traffic(encoder.bidirectional);
  const sent = simulation.tick(2400);
  const format = FORMATS.find((candidate) => candidate.name === name)!;
  const { header } = encoder;
  const messages = sent.map(({ exporter, flow }) => {
    const record = encoder.encode(exporter, flow);
    return header ? Buffer.concat([header, record]) : record;
  });

  it('decodes to what was encoded, in all fields that the format carries', () => {
    const decoded = decode(format, messages);
    expect(decoded).toHaveLength(sent.length);
    sent.forEach(({ exporter, flow }, i) => {
      expect(decoded[i]).toMatchObject(CARRIED[name]!(exporter, flow));
    });
  });

  it('is recognised by its format, framed alike', () => {
    expect(format.framing).toBe(encoder.framing);
    const mine = format.sniff(messages[0]!);
    expect(mine).toBeGreaterThan(0.5);
    for (const other of FORMATS) if (other !== format) expect(other.sniff(messages[0]!)).toBeLessThan(mine);
  });
});
