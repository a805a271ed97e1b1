import { usageError } from '../kernel/errors.ts';
import { Random } from '../kernel/random.ts';
import type { BehaviourSpec, ExporterSpec, LinkProfile, LinkSpec, Scenario } from './scenario.ts';

export const SCENARIO_NAMES = ['demo', 'load', 'training'] as const;
export type ScenarioName = (typeof SCENARIO_NAMES)[number];

/** What a caller may set of a preset. */
export interface ScenarioOptions {
  readonly startUs: number;
  /** Mean background records per second; the preset's own where absent. */
  readonly flowsPerSecond?: number;
  readonly bidirectional?: boolean;
  /** When episodes begin; `startUs` where absent. */
  readonly behavioursFromUs?: number;
}

const MEGABIT = 1e6;

/** A preset by its name, as in `--scenario`. */
export function presetScenario(name: string, options: ScenarioOptions): Scenario {
  switch (name) {
    case 'demo':
      return demoScenario(options);
    case 'load':
      return loadScenario(options);
    case 'training':
      return trainingScenario(options);
    default:
      throw usageError(
        'unknown_scenario',
        `there is no scenario "${name}"; use ${SCENARIO_NAMES.join(', ')}`,
      );
  }
}

/**
 * The same network and levels in larger steps and, say, a tenth of the records (each as much larger), without episodes:
 * for fast-forwarding through the days before `live` begins.
 */
export function historyOf(live: Scenario, flowsPerSecond: number): Scenario {
  return { ...live, tickSeconds: 60, flowsPerSecond, behaviours: [] };
}

/** Small and lively: three routers, eight links, some 230 hosts, an attack every few minutes beginning in the first. */
function demoScenario(options: ScenarioOptions): Scenario {
  return {
    name: 'demo',
    startUs: options.startUs,
    tickSeconds: 1,
    flowsPerSecond: options.flowsPerSecond ?? 24,
    bidirectional: options.bidirectional ?? false,
    behavioursFromUs: options.behavioursFromUs ?? options.startUs,
    exporters: [
      exporter('192.0.2.1', 1, {
        links: [
          link(2, 'office', 60 * MEGABIT, 0.22, 60, -0.5, 0.01),
          link(3, 'residential', 100 * MEGABIT, 0.3, 50, 0, 0.02),
          link(4, 'datacentre', 120 * MEGABIT, 0.28, 20, 0, 0.03),
        ],
      }),
      exporter('192.0.2.2', 1, {
        clockSkewMs: 700,
        ipv6Share: 0.25,
        links: [
          link(2, 'campus', 80 * MEGABIT, 0.26, 45, 1, 0),
          link(3, 'residential', 60 * MEGABIT, 0.28, 25, 2, 0.01),
        ],
      }),
      exporter('2001:db8::3', 1, {
        samplingRate: 16,
        clockSkewMs: -400,
        links: [link(5, 'office', 100 * MEGABIT, 0.25, 30, 1.5, 0)],
      }),
    ],
    behaviours: DEMO_BEHAVIOURS,
  };
}

const DEMO_BEHAVIOURS: readonly BehaviourSpec[] = [
  spec('horizontal_scan', 1500, [150, 260], [8, 25]),
  spec('long_flow', 600, [900, 2400], [1, 1]),
  spec('brute_force', 1500, [150, 260], [2, 6]),
  spec('periodic_job', 600, [400, 1200], [0.1, 0.5]),
  spec('flood', 1500, [120, 220], [20, 50]),
  spec('monitoring', 900, [600, 850], [2, 4]),
  spec('vertical_scan', 1500, [150, 260], [8, 30]),
  spec('dns_resolver', 900, [600, 880], [2, 5]),
  spec('exfiltration', 1500, [200, 320], [0.3, 1]),
  spec('failing_client', 1500, [200, 400], [0.2, 0.8]),
  spec('amplification', 1500, [120, 220], [10, 30]),
  spec('busy_server', 1500, [200, 400], [3, 10]),
  spec('beaconing', 1500, [600, 900], [0.15, 0.4]),
  spec('backup', 3000, [300, 700], [0.5, 2]),
];

/** Many routers and hosts at any rate: 16 routers, 96 links, 28,000 hosts; some of it sampled. */
function loadScenario(options: ScenarioOptions): Scenario {
  const random = new Random(1);
  const flowsPerSecond = options.flowsPerSecond ?? 50_000;
  const attackRate = Math.max(1, flowsPerSecond / 1000);
  return {
    name: 'load',
    startUs: options.startUs,
    tickSeconds: 1,
    flowsPerSecond,
    bidirectional: options.bidirectional ?? false,
    behavioursFromUs: options.behavioursFromUs ?? options.startUs,
    exporters: manyExporters(16, 6, [1, 1, 1, 10], [100, 500], random),
    behaviours: TRAINING_BEHAVIOURS.map((each) => ({
      ...each,
      ratePerSecond: [each.ratePerSecond[0], each.ratePerSecond[1] * Math.min(attackRate, 20)],
    })),
  };
}

/**
 * Labelled data to learn behaviour from: every attack with many different attackers, intensities and lengths, on 48
 * links of all profiles and sizes, among benign hosts that do what attacks look like.
 */
function trainingScenario(options: ScenarioOptions): Scenario {
  const random = new Random(2);
  return {
    name: 'training',
    startUs: options.startUs,
    tickSeconds: 1,
    flowsPerSecond: options.flowsPerSecond ?? 150,
    bidirectional: options.bidirectional ?? false,
    behavioursFromUs: options.behavioursFromUs ?? options.startUs,
    exporters: manyExporters(12, 4, [1], [30, 120], random),
    behaviours: TRAINING_BEHAVIOURS,
  };
}

/** Set so that each attack class has about as many (host, minute) rows as the others, and each hard negative as many as an attack. */
const TRAINING_BEHAVIOURS: readonly BehaviourSpec[] = [
  spec('horizontal_scan', 60, [40, 900], [0.4, 60]),
  spec('vertical_scan', 60, [40, 900], [0.4, 60]),
  spec('brute_force', 75, [60, 1200], [0.25, 12]),
  spec('flood', 120, [40, 500], [8, 80]),
  spec('amplification', 360, [40, 500], [6, 60]),
  spec('beaconing', 90, [300, 2400], [0.05, 0.6]),
  spec('exfiltration', 80, [120, 1800], [0.05, 1.2]),
  spec('monitoring', 240, [200, 1800], [0.5, 20]),
  spec('dns_resolver', 240, [200, 1800], [0.5, 30]),
  spec('busy_server', 240, [60, 1200], [1, 40]),
  spec('peer_to_peer', 200, [120, 1500], [0.4, 12]),
  spec('backup', 150, [120, 1800], [0.15, 4]),
  spec('periodic_job', 90, [300, 2400], [0.05, 0.6]),
  spec('failing_client', 130, [60, 1200], [0.1, 2]),
  spec('login_gateway', 150, [60, 1200], [0.2, 5]),
  spec('large_answers', 150, [60, 1200], [0.1, 4]),
  spec('long_flow', 150, [600, 7200], [1, 1]),
];

/** Routers with links of every profile, sizes spread over two orders of magnitude. */
function manyExporters(
  count: number,
  linksEach: number,
  samplingRates: readonly number[],
  hosts: readonly [number, number],
  random: Random,
): ExporterSpec[] {
  const profiles: readonly LinkProfile[] = ['office', 'residential', 'campus', 'datacentre', 'wholesale'];
  return Array.from({ length: count }, (_, i) =>
    exporter(`192.0.2.${i + 1}`, 1, {
      samplingRate: samplingRates[i % samplingRates.length]!,
      clockSkewMs: Math.round(400 * random.normal()),
      ipv6Share: i % 3 === 0 ? 0.3 : 0.05,
      links: Array.from({ length: linksEach }, (_, j) =>
        link(
          j + 2,
          profiles[(i + j) % profiles.length]!,
          Math.round(50 * MEGABIT * 100 ** random.uniform()),
          0.1 + 0.25 * random.uniform(),
          hosts[0] + random.below(hosts[1] - hosts[0]),
          6 * random.uniform() - 3,
          0.04 * random.uniform() - 0.005,
        ),
      ),
    }),
  );
}

function exporter(address: string, uplinkIfIndex: number, over: Partial<ExporterSpec>): ExporterSpec {
  return {
    address,
    uplinkIfIndex,
    samplingRate: 1,
    clockSkewMs: 0,
    activeTimeoutSeconds: 60,
    inactiveTimeoutSeconds: 2,
    longFlows: 'pieces',
    ipv6Share: 0,
    outagesPerWeek: 0.7,
    links: [],
    ...over,
  };
}

function link(
  ifIndex: number,
  profile: LinkProfile,
  capacityBitsPerSecond: number,
  utilisation: number,
  hosts: number,
  phaseHours: number,
  growthPerWeek: number,
): LinkSpec {
  const vlan = profile === 'datacentre' ? 0 : 100 + ifIndex;
  return { ifIndex, profile, capacityBitsPerSecond, utilisation, hosts, phaseHours, growthPerWeek, vlan };
}

function spec(
  name: BehaviourSpec['name'],
  everySeconds: number,
  durationSeconds: readonly [number, number],
  ratePerSecond: readonly [number, number],
): BehaviourSpec {
  return { name, everySeconds, durationSeconds, ratePerSecond };
}
