import { parseAddress } from '../flow/address.ts';
import { hash, hashUnit } from './hash.ts';
import { LinkLevel } from './level.ts';
import { Outages } from './outage.ts';
import type { ExporterSpec, LinkProfile, LinkSpec, Scenario } from './scenario.ts';

/** Whoever sends or receives. Its address is shared by all its flows and never written to. */
export interface Host {
  readonly address: Uint8Array;
  readonly autonomousSystem: number;
  /** The link it sits behind; null = somewhere beyond the uplink. */
  readonly link: Link | null;
}

/** One exporter interface with the hosts behind it. */
export interface Link {
  readonly index: number;
  readonly exporter: Exporter;
  readonly spec: LinkSpec;
  readonly seed: number;
  readonly hosts: readonly Host[];
  /** True where the hosts answer (a data centre) rather than ask. */
  readonly serves: boolean;
  /** Towards the hosts: EGRESS of the interface. */
  readonly toHosts: LinkLevel;
  /** From the hosts: INGRESS of the interface. */
  readonly fromHosts: LinkLevel;
  readonly outages: Outages;
  /** Share of the scenario's background records. */
  readonly recordShare: number;
  /** Addresses of its prefix that nobody uses, for scanners to knock at. */
  readonly unused: readonly Host[];
}

export interface Exporter {
  readonly spec: ExporterSpec;
  readonly seed: number;
  readonly outages: Outages;
  readonly links: Link[];
}

export interface Network {
  readonly exporters: readonly Exporter[];
  readonly links: readonly Link[];
  /** Hosts beyond the uplinks, IPv4 and IPv6 apart: a conversation has one family. */
  readonly remoteV4: readonly Host[];
  readonly remoteV6: readonly Host[];
}

const REMOTE_HOSTS_V4 = 4096;
const REMOTE_HOSTS_V6 = 1024;
const UNUSED_ADDRESSES = 256;
/** The share of the busier direction's level that flows the other way. */
const QUIET_SHARE: Record<LinkProfile, number> = {
  office: 0.22,
  residential: 0.11,
  campus: 0.25,
  datacentre: 0.18,
  wholesale: 0.6,
};

/** Everything that stands still: who is where. From (scenario, seed) alone. */
export function buildNetwork(scenario: Scenario, seed: number): Network {
  const weights = scenario.exporters.flatMap((exporter) => exporter.links.map(recordWeight));
  const weightSum = weights.reduce((sum, weight) => sum + weight, 0);
  const links: Link[] = [];
  const exporters = scenario.exporters.map((spec, index) => {
    const exporterSeed = hash(seed, 11, index);
    const exporter: Exporter = {
      spec,
      seed: exporterSeed,
      outages: new Outages(hash(exporterSeed, 1), spec.outagesPerWeek / 4),
      links: [],
    };
    for (const linkSpec of spec.links) {
      const share = weights[links.length]! / weightSum;
      const link = buildLink(scenario, exporter, linkSpec, links.length, share);
      exporter.links.push(link);
      links.push(link);
    }
    return exporter;
  });
  return {
    exporters,
    links,
    remoteV4: Array.from({ length: REMOTE_HOSTS_V4 }, (_, i) => remoteHost(remoteV4Address(i), seed, i)),
    remoteV6: Array.from({ length: REMOTE_HOSTS_V6 }, (_, i) => remoteHost(remoteV6Address(i), seed, i)),
  };
}

/** Larger links have more records, but not in proportion to their volume: their flows are larger too. */
function recordWeight(spec: LinkSpec): number {
  return (spec.capacityBitsPerSecond * spec.utilisation) ** 0.4;
}

function buildLink(
  scenario: Scenario,
  exporter: Exporter,
  spec: LinkSpec,
  index: number,
  recordShare: number,
): Link {
  const seed = hash(exporter.seed, 2, spec.ifIndex);
  const capacity = spec.capacityBitsPerSecond;
  const busy = capacity * spec.utilisation;
  const quiet = busy * QUIET_SHARE[spec.profile];
  const serves = spec.profile === 'datacentre';
  const level = (label: number, mean: number) =>
    new LinkLevel(spec, hash(seed, label), scenario.startUs, mean, capacity);
  const hosts: Host[] = [];
  const unused: Host[] = [];
  const link: Link = {
    index,
    exporter,
    spec,
    seed,
    hosts,
    serves,
    toHosts: level(3, serves ? quiet : busy),
    fromHosts: level(4, serves ? busy : quiet),
    outages: new Outages(hash(seed, 5), exporter.spec.outagesPerWeek),
    recordShare,
    unused,
  };
  const autonomousSystem = 64_512 + (index % 1000);
  for (let i = 0; i < spec.hosts + UNUSED_ADDRESSES; i++) {
    const isV6 = hashUnit(seed, 6, i) < exporter.spec.ipv6Share;
    const address = isV6 ? siteV6Address(index, i + 1) : siteV4Address(index, i + 1);
    (i < spec.hosts ? hosts : unused).push({ address, autonomousSystem, link });
  }
  return link;
}

function remoteHost(address: Uint8Array, seed: number, index: number): Host {
  return { address, autonomousSystem: 65_536 + (hash(seed, 12, index >> 5) % 16), link: null };
}

/** 10.0.0.0/8 cut into /20s: room for 4,096 links of 4,000 hosts. */
function siteV4Address(link: number, host: number): Uint8Array {
  const value = (10 << 24) + link * 4096 + host + Math.floor(host / 255);
  return ipv4(value >>> 0);
}

/** Spread over 198.18.0.0/15, set aside for measurements (RFC 2544): nobody's real hosts. */
function remoteV4Address(index: number): Uint8Array {
  return ipv4(0xc6120000 + ((index * 31 + 1) & 0x1ffff));
}

function ipv4(value: number): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes[10] = bytes[11] = 0xff;
  bytes[12] = value >>> 24;
  bytes[13] = value >>> 16;
  bytes[14] = value >>> 8;
  bytes[15] = value;
  return bytes;
}

/** 2001:db8::/32 is set aside for documentation (RFC 3849). */
function siteV6Address(link: number, host: number): Uint8Array {
  return parseAddress(`2001:db8:${(link + 1).toString(16)}::${host.toString(16)}`)!;
}

function remoteV6Address(index: number): Uint8Array {
  return parseAddress(`2001:db8:ffff:${(index >> 4).toString(16)}::${(index + 1).toString(16)}`)!;
}
