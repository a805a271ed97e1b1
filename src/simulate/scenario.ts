/** The classes a simulated flow can be labelled with; `benign` is the rest of the world. */
export const CLASS_NAMES = [
  'benign',
  'horizontal_scan',
  'vertical_scan',
  'brute_force',
  'flood',
  'amplification',
  'beaconing',
  'exfiltration',
] as const;
export type ClassName = (typeof CLASS_NAMES)[number];

/**
 * Everything that happens in episodes: the attacks, and benign behaviour that looks like one of them to a counter
 * (a monitoring system touches many hosts, a backup sends a lot, a periodic job beats like a beacon, ...).
 */
export const BEHAVIOUR_NAMES = [
  'horizontal_scan',
  'vertical_scan',
  'brute_force',
  'flood',
  'amplification',
  'beaconing',
  'exfiltration',
  'monitoring',
  'dns_resolver',
  'busy_server',
  'peer_to_peer',
  'backup',
  'periodic_job',
  'failing_client',
  'login_gateway',
  'large_answers',
  'long_flow',
] as const;
export type BehaviourName = (typeof BEHAVIOUR_NAMES)[number];

/** How a link's level runs through the week. */
export type LinkProfile = 'office' | 'residential' | 'campus' | 'datacentre' | 'wholesale';

/** One interface of a router with hosts behind it. */
export interface LinkSpec {
  /** SNMP ifIndex; 1 or more. */
  readonly ifIndex: number;
  readonly profile: LinkProfile;
  readonly capacityBitsPerSecond: number;
  /** Mean share of the capacity in the link's busier direction, 0..0.6. */
  readonly utilisation: number;
  /** Hosts behind the interface, 2..4000. */
  readonly hosts: number;
  /** Shifts the daily cycle: 1 = an hour later. */
  readonly phaseHours: number;
  /** Growth of the level per week: 0.01 = 1 %. */
  readonly growthPerWeek: number;
  readonly vlan: number;
}

/** One router that exports flow records. */
export interface ExporterSpec {
  /** Address text; the exporter's name. */
  readonly address: string;
  /** The interface towards the rest of the world. */
  readonly uplinkIfIndex: number;
  /** 1 = every packet is counted, N = one in N. */
  readonly samplingRate: number;
  /** Its clock minus the true time. */
  readonly clockSkewMs: number;
  /** Flows longer than this are reported in pieces of this length. */
  readonly activeTimeoutSeconds: number;
  /** A flow is exported at most this long after its last packet. */
  readonly inactiveTimeoutSeconds: number;
  /** 'whole': long flows come as one record when they end, as collectors that stitch (Zeek, argus) report them. */
  readonly longFlows: 'pieces' | 'whole';
  /** Share of hosts that speak IPv6. */
  readonly ipv6Share: number;
  /** Expected outages of each of its interfaces, and of the exporter itself, in a week. */
  readonly outagesPerWeek: number;
  readonly links: readonly LinkSpec[];
}

/** How often, how long and how strong one behaviour happens; ranges are drawn log-uniformly. */
export interface BehaviourSpec {
  readonly name: BehaviourName;
  /** Mean time between the starts of two episodes, over the whole network. */
  readonly everySeconds: number;
  readonly durationSeconds: readonly [min: number, max: number];
  /** Conversations per second of the whole episode; for backup, exfiltration and long_flow: reports per second. */
  readonly ratePerSecond: readonly [min: number, max: number];
}

/** What is simulated. The same scenario and seed give the same traffic, whatever is asked for first. */
export interface Scenario {
  readonly name: string;
  /** Where tick 0 begins, microseconds since the epoch. Levels and episodes depend on absolute time from here. */
  readonly startUs: number;
  readonly tickSeconds: number;
  /** Mean number of background records per second over all links; only their granularity: the links' volumes stay. */
  readonly flowsPerSecond: number;
  /** True: one record counts both directions (Zeek, Suricata); false: one record a direction (NetFlow). */
  readonly bidirectional: boolean;
  /** Episodes begin here; before it there is background traffic only. */
  readonly behavioursFromUs: number;
  readonly exporters: readonly ExporterSpec[];
  readonly behaviours: readonly BehaviourSpec[];
}
