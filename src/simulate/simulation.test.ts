import { describe, expect, it } from 'vitest';
import { formatAddress } from '../flow/address.ts';
import type { FlowRecord } from '../flow/flow-record.ts';
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../flow/protocol.ts';
import { TCP_ACK, TCP_SYN } from '../flow/tcp-flags.ts';

import { BEHAVIOUR_NAMES, type BehaviourName, type BehaviourSpec, type Scenario } from './scenario.ts';
import { historyOf, presetScenario } from './scenarios.ts';
import { createSimulation, type Simulation } from './simulation.ts';

/** A Monday. */
const START_US = Date.UTC(2026, 0, 5) * 1000;
const HOUR = 3600;

const preset = (name: string) => presetScenario(name, { startUs: START_US });

function flowsOf(simulation: Simulation, from: number, to: number): FlowRecord[] {
  const flows: FlowRecord[] = [];
  for (let tick = from; tick < to; tick++) for (const { flow } of simulation.tick(tick)) flows.push(flow);
  return flows;
}

/** Only one behaviour, again and again, on the demo network. */
function only(
  name: BehaviourName,
  over: Partial<BehaviourSpec> = {},
  scenario: Partial<Scenario> = {},
): Simulation {
  const spec = {
    name,
    everySeconds: 100,
    durationSeconds: [60, 90],
    ratePerSecond: [20, 20],
    ...over,
  } as const;
  return createSimulation({ ...preset('demo'), flowsPerSecond: 5, ...scenario, behaviours: [spec] }, 3);
}

const labelled = (simulation: Simulation, label: string, seconds = 1200) =>
  flowsOf(simulation, 0, seconds).filter((flow) => flow.label === label);

const distinct = <T>(items: readonly T[]) => new Set(items).size;
const share = (flows: readonly FlowRecord[], holds: (flow: FlowRecord) => boolean) =>
  flows.filter(holds).length / flows.length;
const source = (flow: FlowRecord) => formatAddress(flow.sourceAddress);
const destination = (flow: FlowRecord) => formatAddress(flow.destinationAddress);

describe('ticks', () => {
  it.each(['demo', 'training', 'load'])('%s: a tick alone equals the tick after all before it', (name) => {
    const scenario = name === 'load' ? { ...preset(name), flowsPerSecond: 500 } : preset(name);
    const walked = createSimulation(scenario, 7);
    const from = 5 * HOUR;
    const inOrder = Array.from({ length: 22 }, (_, i) => walked.tick(from + i));
    for (const i of [21, 0, 17]) expect(createSimulation(scenario, 7).tick(from + i)).toEqual(inOrder[i]);
    expect(walked.tick(from + 17)).toEqual(inOrder[17]);
  });

  it('another seed is another network', () => {
    const one = createSimulation(preset('demo'), 1).tick(1000);
    const other = createSimulation(preset('demo'), 2).tick(1000);
    expect(one.map(({ flow }) => flow.bytes)).not.toEqual(other.map(({ flow }) => flow.bytes));
  });

  it.each([true, false])('count is the length of the tick (bidirectional %s)', (bidirectional) => {
    const simulation = createSimulation({ ...preset('training'), bidirectional }, 5);
    for (let tick = 4000; tick < 4100; tick++)
      expect(simulation.count(tick)).toBe(simulation.tick(tick).length);
  });

  it('flows come in the order of export, within the tick, as valid records', () => {
    const simulation = createSimulation(preset('training'), 5);
    for (let tick = 4000; tick < 4006; tick++) {
      let previous = simulation.tickStartUs(tick);
      for (const { flow } of simulation.tick(tick)) {
        expect(flow.receivedUs).toBeGreaterThanOrEqual(previous);
        previous = flow.receivedUs;
        expect(flow.endUs).toBeGreaterThanOrEqual(flow.startUs);
        for (const value of [flow.startUs, flow.endUs, flow.bytes, flow.packets, flow.reverseBytes])
          expect(Number.isSafeInteger(value)).toBe(true);
        expect(flow.packets).toBeGreaterThan(0);
        expect(flow.bytes).toBeGreaterThanOrEqual(28 * flow.packets);
        expect(flow.bytes).toBeLessThanOrEqual(1501 * flow.packets);
        expect(flow.inInterface).not.toBe(0);
        expect(flow.sourcePort).toBeLessThan(65_536);
        expect(flow.destinationPort).toBeLessThan(65_536);
      }
      expect(previous).toBeLessThan(simulation.tickStartUs(tick + 1));
    }
  });

  it('the background rate is the one asked for', () => {
    const scenario = { ...preset('demo'), flowsPerSecond: 40, behaviours: [], tickSeconds: 60 };
    const simulation = createSimulation(scenario, 1);
    let records = 0;
    for (let tick = 0; tick < 7 * 1440; tick++) records += simulation.count(tick);
    expect(records / (7 * 86_400) / 40).toBeGreaterThan(0.9);
    expect(records / (7 * 86_400) / 40).toBeLessThan(1.05);
  });
});

/** Bits per second towards the hosts of a link (interface 3 of the first exporter), from ticks of a minute. */
function levelOf(simulation: Simulation, fromMinute: number, minutes: number): number {
  let bytes = 0;
  for (let tick = fromMinute; tick < fromMinute + minutes; tick++) {
    for (const { exporter, flow } of simulation.tick(tick)) {
      if (exporter === '192.0.2.1' && flow.outInterface === 3) bytes += flow.bytes;
    }
  }
  return (bytes * 8) / (minutes * 60);
}

describe('levels', () => {
  const quiet = { ...preset('demo'), behaviours: [] };

  it('has a daily cycle: residential evenings carry several times the small hours', () => {
    const simulation = createSimulation(historyOf(quiet, 4), 1);
    for (let day = 0; day < 3; day++) {
      const night = levelOf(simulation, day * 1440 + 210, 60);
      const evening = levelOf(simulation, day * 1440 + 1200, 60);
      expect(evening / night).toBeGreaterThan(2.5);
    }
  });

  it('keeps its level whatever the granularity', () => {
    const coarse = levelOf(createSimulation(historyOf(quiet, 2), 1), 600, 60);
    const fine = levelOf(createSimulation(historyOf(quiet, 60), 1), 600, 60);
    expect(coarse / fine).toBeGreaterThan(0.97);
    expect(coarse / fine).toBeLessThan(1.03);
  });

  it('never exceeds a capacity in any minute, attacks included', () => {
    const scenario = preset('demo');
    const simulation = createSimulation(scenario, 2);
    const minuteUs = 60_000_000;
    const bits = new Map<string, number>();
    for (const tick of Array.from({ length: 3 * HOUR }, (_, i) => 19 * HOUR + i)) {
      for (const { exporter, flow } of simulation.tick(tick)) {
        const minute = Math.floor(flow.endUs / minuteUs);
        const key = `${exporter} ${flow.outInterface} ${minute}`;
        bits.set(key, (bits.get(key) ?? 0) + flow.bytes * 8);
      }
    }
    for (const exporter of scenario.exporters) {
      for (const link of exporter.links) {
        const peak = Math.max(
          ...[...bits]
            .filter(([key]) => key.startsWith(`${exporter.address} ${link.ifIndex} `))
            .map(([, value]) => value / 60),
        );
        expect(peak).toBeGreaterThan(0.1 * link.capacityBitsPerSecond);
        // Flows of a minute and more that end in this one bring bytes of the one before.
        expect(peak).toBeLessThan(1.1 * link.capacityBitsPerSecond);
      }
    }
  });

  it('flow sizes are heavy-tailed: a tenth of the flows carries most of the bytes', () => {
    const sizes = flowsOf(createSimulation(quiet, 1), 36_000, 36_600)
      .map((flow) => flow.bytes)
      .sort((a, b) => b - a);
    const sum = (part: readonly number[]) => part.reduce((total, size) => total + size, 0);
    expect(sum(sizes.slice(0, sizes.length / 10)) / sum(sizes)).toBeGreaterThan(0.6);
  });

  it('a sampling exporter reports raw counters and scaled ones', () => {
    const flows = createSimulation(quiet, 1).network.exporters[2]!.spec;
    expect(flows.samplingRate).toBe(16);
    const sampled = flowsOf(createSimulation(quiet, 1), 36_000, 36_120).filter(
      (flow) => flow.samplingRate === 16,
    );
    expect(sampled.length).toBeGreaterThan(20);
    for (const flow of sampled) {
      expect(flow.packets).toBe(flow.rawPackets * 16);
      expect(flow.bytes).toBe(flow.rawBytes * 16);
    }
  });

  it("shows each exporter's clock in its flows' times and nowhere else", () => {
    const simulation = createSimulation({ ...quiet, flowsPerSecond: 200 }, 1);
    const lead = new Map<string, number>();
    for (let tick = 36_000; tick < 36_060; tick++) {
      for (const { exporter, flow } of simulation.tick(tick))
        lead.set(exporter, Math.max(lead.get(exporter) ?? -1e9, flow.endUs - flow.receivedUs));
    }
    expect(lead.get('192.0.2.1')! / 1000).toBeCloseTo(0, -2);
    expect(lead.get('192.0.2.2')! / 1000).toBeCloseTo(700, -2);
    expect(lead.get('2001:db8::3')! / 1000).toBeCloseTo(-400, -2);
  });

  it('falls silent in an outage, and no flow reaches back over it', () => {
    const exporters = quiet.exporters.map((spec) => ({ ...spec, clockSkewMs: 0, outagesPerWeek: 28 }));
    const simulation = createSimulation({ ...historyOf(quiet, 20), exporters }, 1);
    const { links } = simulation.network;
    const silentTick = Array.from({ length: 360 }, (_, i) => i).find((i) =>
      links[0]!.outages.silentAt(simulation.tickStartUs(i) + 30e6),
    )!;
    const of = (tick: number) =>
      simulation
        .tick(tick)
        .filter(
          ({ exporter, flow }) =>
            exporter === '192.0.2.1' && (flow.inInterface === 2 || flow.outInterface === 2),
        );
    expect(of(silentTick)).toHaveLength(0);
    let back = silentTick;
    while (of(back).length === 0) back++;
    const firstUs = Math.min(...of(back).map(({ flow }) => flow.startUs));
    expect(firstUs).toBeGreaterThanOrEqual(simulation.tickStartUs(silentTick + 1) - 60e6);
  });
});

describe('behaviours', () => {
  it('every behaviour appears in training, each attack with many attackers', () => {
    const episodes = createSimulation(preset('training'), 1).episodes(START_US, START_US + 6 * HOUR * 1e6);
    expect(distinct(episodes.map(({ name }) => name))).toBe(BEHAVIOUR_NAMES.length);
    for (const label of ['horizontal_scan', 'brute_force', 'beaconing', 'exfiltration']) {
      const attackers = episodes
        .filter((e) => e.label === label)
        .flatMap((e) => e.sources.map(formatAddress));
      expect(distinct(attackers)).toBeGreaterThan(15);
    }
  });

  it('demo shows a first attack within a minute and several in half an hour', () => {
    const simulation = createSimulation(preset('demo'), 1);
    expect(flowsOf(simulation, 0, 400).some((flow) => flow.label !== 'benign')).toBe(true);
    expect(distinct(flowsOf(simulation, 0, 1800).map((flow) => flow.label))).toBeGreaterThanOrEqual(7);
  });

  it('horizontal scan: one source, very many targets, one or two ports, hardly an answer', () => {
    const flows = labelled(only('horizontal_scan', {}, { bidirectional: true }), 'horizontal_scan', 90);
    expect(distinct(flows.map(source))).toBe(1);
    expect(distinct(flows.map(destination))).toBeGreaterThan(100);
    expect(distinct(flows.map((flow) => flow.destinationPort))).toBeLessThanOrEqual(2);
    expect(share(flows, (flow) => flow.outcome === 'NO_REPLY')).toBeGreaterThan(0.5);
    expect(Math.max(...flows.map((flow) => flow.packets))).toBeLessThanOrEqual(48);
  });

  it('vertical scan: one or two targets, very many ports', () => {
    const flows = labelled(only('vertical_scan'), 'vertical_scan', 90);
    expect(distinct(flows.map(destination))).toBeLessThanOrEqual(2);
    expect(distinct(flows.map((flow) => flow.destinationPort))).toBeGreaterThan(200);
  });

  it('brute force: complete, alike sessions with one login port', () => {
    const flows = labelled(only('brute_force'), 'brute_force', 100);
    expect(distinct(flows.map((flow) => flow.destinationPort))).toBe(1);
    expect(share(flows, (flow) => (flow.tcpFlags & TCP_ACK) !== 0)).toBeGreaterThan(0.9);
    const mean = flows.reduce((sum, flow) => sum + flow.rawBytes, 0) / flows.length;
    expect(share(flows, (flow) => Math.abs(flow.rawBytes / mean - 1) < 0.3)).toBeGreaterThan(0.85);
  });

  it('flood: SYN alone, or bytes in bulk, at one target', () => {
    const flows = labelled(only('flood'), 'flood');
    const syn = flows.filter((flow) => flow.protocol === PROTOCOL_TCP);
    const udp = flows.filter((flow) => flow.protocol === PROTOCOL_UDP);
    expect(syn.length * udp.length).toBeGreaterThan(0);
    expect(share(syn, (flow) => flow.tcpFlags === TCP_SYN)).toBe(1);
    expect(distinct(flows.map(destination))).toBeLessThanOrEqual(13);
  });

  it('amplification: large UDP packets from one service port of many reflectors', () => {
    const flows = labelled(only('amplification'), 'amplification', 90);
    expect(distinct(flows.map((flow) => flow.sourcePort))).toBe(1);
    expect(distinct(flows.map(source))).toBeGreaterThan(4);
    expect(share(flows, (flow) => flow.protocol === PROTOCOL_UDP && flow.bytes / flow.packets > 400)).toBe(1);
  });

  it('beaconing: one pair, even intervals, even sizes', () => {
    const simulation = only('beaconing', {
      everySeconds: 1000,
      durationSeconds: [600, 600],
      ratePerSecond: [0.5, 0.5],
    });
    const flows = labelled(simulation, 'beaconing', 900);
    expect(distinct(flows.map((flow) => source(flow) + destination(flow)))).toBe(1);
    const gaps = flows.slice(1).map((flow, i) => (flow.receivedUs - flows[i]!.receivedUs) / 1e6);
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    expect(
      Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length) / mean,
    ).toBeLessThan(0.25);
  });

  it('exfiltration: sends far more than it receives, to one place', () => {
    const flows = labelled(
      only('exfiltration', { ratePerSecond: [0.5, 0.5] }, { bidirectional: true }),
      'exfiltration',
      99,
    );
    expect(distinct(flows.map(destination))).toBe(1);
    expect(share(flows, (flow) => flow.bytes > 25 * flow.reverseBytes)).toBe(1);
    expect(flows.reduce((sum, flow) => sum + flow.bytes, 0)).toBeGreaterThan(100_000);
  });

  it.each(['pieces', 'whole'] as const)('a long flow comes in %s', (longFlows) => {
    const exporters = preset('demo').exporters.map((spec) => ({
      ...spec,
      longFlows,
      samplingRate: 1,
      outagesPerWeek: 0,
    }));
    const simulation = only(
      'long_flow',
      { everySeconds: 4000, durationSeconds: [1200, 1200] },
      { exporters, bidirectional: true },
    );
    const long = flowsOf(simulation, 0, 3600).filter((flow) => flow.tcpFlags === (TCP_ACK | 8));
    const seconds = long.map((flow) => (flow.endUs - flow.startUs) / 1e6);
    expect(long.length).toBe(longFlows === 'whole' ? 1 : 20);
    expect(seconds[0]).toBeCloseTo(longFlows === 'whole' ? 1200 : 60, 0);
  });
});
