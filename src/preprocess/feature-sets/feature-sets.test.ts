import { describe, expect, it } from 'vitest';
import { testFlow } from '../../../test/support/preprocess-fixtures.ts';
import { HOST_COLUMNS } from '../statistics.ts';
import { writeWindowFeatures } from './feature-set.ts';
import { FLOW_FEATURES, flowFeatures } from './flow.ts';
import { HOST_FEATURES } from './host.ts';
import { LINK_FEATURES } from './link.ts';
import { FEATURE_SETS } from './registry.ts';

/** What would let a model learn who, where or when instead of how. */
const FORBIDDEN =
  /address|(^|_)(ip|as|asn|ttl|hop_limit|vlan|exporter|interface|hour|weekday|date|epoch|timestamp)($|_)|^(src|source)_port$|^(start|end)(_|$)/;

describe.each(Object.values(FEATURE_SETS))('feature set $name', ({ features }) => {
  it('names each feature once, and nothing that identifies', () => {
    const names = features.map((feature) => feature.name);
    expect(names.length).toBeGreaterThan(5);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => FORBIDDEN.test(name))).toEqual([]);
    expect(names.filter((name) => !/^[a-z][a-z0-9_]*$/.test(name))).toEqual([]);
  });
});

describe('the check for forbidden names', () => {
  it.each(['source_address', 'src_port', 'dst_as', 'ttl', 'hour', 'start_us'])('finds %s', (name) =>
    expect(FORBIDDEN.test(name)).toBe(true),
  );
});

describe('flowFeatures', () => {
  const features = FLOW_FEATURES.features.length;
  const valuesOf = (overrides: Parameters<typeof testFlow>[0]) => {
    const into = new Float32Array(features);
    flowFeatures(testFlow(overrides), into, 0);
    return Object.fromEntries(FLOW_FEATURES.features.map(({ name }, i) => [name, into[i]]));
  };

  it('writes exactly the columns declared, where it is told', () => {
    const into = new Float32Array(features + 4).fill(Number.NaN);
    flowFeatures(testFlow(), into, 2);
    const written = [...into].map((value) => !Number.isNaN(value));
    expect(written).toEqual([false, false, ...Array(features).fill(true), false, false]);
  });

  it('puts values under their names', () => {
    expect(valuesOf({})).toMatchObject({
      duration: Math.fround(Math.log(2)),
      bytes: Math.fround(Math.log1p(1000)),
      reverse_packets: Math.fround(Math.log1p(5)),
      is_tcp: 1,
      is_udp: 0,
      dst_port: Math.fround(Math.log1p(443)),
      is_system_port: 1,
      is_web: 1,
      is_dns: 0,
      has_syn: 1,
      has_rst: 0,
      is_syn_only: 0,
      outcome_established: 1,
      outcome_unknown: 0,
    });
    expect(valuesOf({ protocol: 1, destinationPort: 0x0800, tcpFlags: 2 })).toMatchObject({
      is_icmp: 1,
      is_other_protocol: 0,
      dst_port: 0,
      has_syn: 0,
    });
    expect(valuesOf({ protocol: 17, destinationPort: 51_000 })).toMatchObject({
      is_dynamic_port: 1,
      is_system_port: 0,
    });
    expect(valuesOf({ outcome: 'NO_REPLY', tcpFlags: 2, reversePackets: 0, reverseBytes: 0 })).toMatchObject({
      outcome_no_reply: 1,
      is_syn_only: 1,
      is_unanswered: 1,
      forward_packet_share: 1,
    });
  });

  it('does not look at who, where or when', () => {
    const moved = valuesOf({
      startUs: 5e15,
      sourcePort: 1,
      sourceAs: 64_500,
      destinationAs: 64_501,
      vlan: 7,
      tos: 8,
      inInterface: 3,
      sourceAddress: new Uint8Array(16).fill(9),
    });
    expect(moved).toEqual(valuesOf({}));
  });
});

describe('writeWindowFeatures', () => {
  it.each([LINK_FEATURES, HOST_FEATURES])('gives finite values for $name, even of an empty row', (set) => {
    const into = new Float32Array(set.features.length + 2).fill(Number.NaN);
    writeWindowFeatures(set, new Float64Array(HOST_COLUMNS), 0, 60, into, 1);
    expect([...into].map(Number.isNaN)).toEqual([true, ...Array(set.features.length).fill(false), true]);
    expect([...into.subarray(1, -1)]).toEqual(Array(set.features.length).fill(0));
    writeWindowFeatures(set, new Float64Array(HOST_COLUMNS).fill(1e12), 0, 60, into, 1);
    expect([...into.subarray(1, -1)].every(Number.isFinite)).toBe(true);
  });
});
