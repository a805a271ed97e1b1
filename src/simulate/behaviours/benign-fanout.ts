import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from '../../flow/protocol.ts';
import { TCP_ACK, TCP_FIN, TCP_PSH, TCP_SYN } from '../../flow/tcp-flags.ts';

import type { Behaviour } from '../episode.ts';
import {
  between,
  ephemeral,
  factor,
  insider,
  oneOf,
  planOf,
  reachable,
  remotesFor,
  setClient,
  setServer,
  someOf,
} from './draw.ts';

const COMPLETE = TCP_SYN | TCP_ACK | TCP_PSH | TCP_FIN;

/** Asks every host after its health, over and over: as many targets as a scan, but they answer. */
export const monitoring: Behaviour = {
  label: 'benign',
  plan(network, random) {
    const link = oneOf(network.links, random);
    const source = insider(link, random);
    const all = link.exporter.links.flatMap((other) => other.hosts);
    return planOf({
      link,
      sources: [source],
      targets: reachable(all, source, network).slice(0, 800),
      ports: someOf([22, 443, 9100, 10_050, 5666], 2, random),
      protocol: oneOf([PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_ICMP], random),
      packets: 3,
      replyShare: between(0.93, 1, random),
      variant: random.uniform(),
    });
  },
  fill(c, { plan }, number, answered, random) {
    c.client = plan.sources[0]!;
    c.server = plan.targets[number % plan.targets.length]!;
    c.clientPort = ephemeral(random);
    c.startUs = c.endUs - between(0.001, 0.2, random) * 1e6;
    const isV4 = c.client.address[10] === 0xff;
    c.protocol = plan.protocol === PROTOCOL_ICMP && !isV4 ? PROTOCOL_ICMPV6 : plan.protocol;
    c.serverPort = plan.protocol === PROTOCOL_UDP ? 161 : plan.ports[number % plan.ports.length]!;
    if (plan.protocol === PROTOCOL_TCP) {
      setClient(c, answered ? 380 + 300 * plan.variant : 120, 60, answered ? COMPLETE : TCP_SYN);
      setServer(c, 500 + 2500 * plan.variant * random.uniform(), 200, COMPLETE);
      return;
    }
    if (plan.protocol === PROTOCOL_ICMP) {
      c.clientPort = 0;
      c.serverPort = isV4 ? 8 * 256 : 128 * 256;
    }
    const bytes = plan.protocol === PROTOCOL_ICMP ? 84 * 3 : 90 * (1 + random.below(4));
    setClient(c, bytes, plan.protocol === PROTOCOL_ICMP ? 84 : 90, 0);
    setServer(
      c,
      plan.protocol === PROTOCOL_ICMP ? bytes : bytes * 1.6,
      plan.protocol === PROTOCOL_ICMP ? 84 : 144,
      0,
    );
  },
};

/** Many remote servers, one port, tiny packets, nearly all answered. */
export const dnsResolver: Behaviour = {
  label: 'benign',
  plan(network, random) {
    const link = oneOf(network.links, random);
    const source = insider(link, random);
    return planOf({
      link,
      sources: [source],
      targets: someOf(remotesFor(source, network), 200, random),
      ports: [53],
      protocol: PROTOCOL_UDP,
      packets: 1,
      replyShare: between(0.9, 0.99, random),
      variant: random.uniform(),
    });
  },
  fill(c, { plan }, _number, answered, random) {
    c.client = plan.sources[0]!;
    c.server = plan.targets[Math.floor(plan.targets.length * random.uniform() ** 2)]!;
    c.protocol = PROTOCOL_UDP;
    c.clientPort = 1024 + random.below(64_000);
    c.serverPort = 53;
    c.startUs = c.endUs - between(0.005, 0.12, random) * 1e6;
    const retries = answered ? 1 : 1 + random.below(2);
    setClient(c, (58 + random.below(40)) * retries, 74, 0);
    const answer = 90 + 220 * random.uniform() ** 2 + (random.uniform() < 0.1 ? 900 : 0);
    setServer(c, answer, answer, 0);
  },
};

/** A rush of customers on one server: a flood by numbers, but each connection is complete. */
export const busyServer: Behaviour = {
  label: 'benign',
  plan(network, random) {
    const link = oneOf(network.links, random);
    const server = insider(link, random);
    return planOf({
      link,
      sources: someOf(remotesFor(server, network), 15 * 30 ** random.uniform(), random),
      targets: [server],
      ports: [oneOf([443, 443, 80, 8443, 25], random)],
      protocol: PROTOCOL_TCP,
      packets: 12,
      replyShare: between(0.97, 1, random),
      variant: random.uniform(),
    });
  },
  fill(c, { plan }, _number, answered, random) {
    c.client = plan.sources[Math.floor(plan.sources.length * random.uniform() ** 1.5)]!;
    c.server = plan.targets[0]!;
    c.protocol = PROTOCOL_TCP;
    c.clientPort = ephemeral(random);
    c.serverPort = plan.ports[0]!;
    c.startUs = c.endUs - factor(1, random) * 0.6e6;
    setClient(
      c,
      answered ? 700 * factor(0.6, random) : 120,
      answered ? 140 : 60,
      answered ? COMPLETE : TCP_SYN,
    );
    setServer(c, 3500 * factor(1.1, random), 1000, COMPLETE);
  },
};

/** Many peers on any port, a good part of them gone: a scan's scatter with real transfers among it. */
export const peerToPeer: Behaviour = {
  label: 'benign',
  plan(network, random) {
    const link = oneOf(network.links, random);
    const source = insider(link, random);
    return planOf({
      link,
      sources: [source],
      targets: someOf(remotesFor(source, network), between(30, 300, random), random),
      ports: [0],
      protocol: random.uniform() < 0.5 ? PROTOCOL_UDP : PROTOCOL_TCP,
      packets: 20,
      replyShare: between(0.45, 0.85, random),
      variant: random.uniform(),
    });
  },
  fill(c, { plan, seed }, _number, answered, random) {
    const peer = random.below(plan.targets.length);
    c.client = plan.sources[0]!;
    c.server = plan.targets[peer]!;
    c.protocol = plan.protocol;
    c.clientPort =
      plan.protocol === PROTOCOL_UDP ? 6881 + Math.floor(plan.variant * 1000) : ephemeral(random);
    // Each peer listens on a port of its own.
    c.serverPort = 1025 + (((Math.imul(peer + 1, 0x9e3779b1) ^ seed) >>> 0) % 64_000);
    const tcp = plan.protocol === PROTOCOL_TCP;
    c.startUs = c.endUs - (answered ? Math.min(factor(1.2, random) * 6e6, 55e6) : random.below(3) * 1e6);
    if (answered) setClient(c, 2500 * factor(1.6, random), 300, tcp ? COMPLETE : 0);
    else setClient(c, 60 * (1 + random.below(3)), 60, tcp ? TCP_SYN : 0);
    setServer(c, 6000 * factor(1.8, random), 700, tcp ? COMPLETE : 0);
  },
};

/** Configuration management or a bastion: one login after the other like brute force, but sessions that do something, on many hosts. */
export const loginGateway: Behaviour = {
  label: 'benign',
  plan(network, random) {
    const link = oneOf(network.links, random);
    const source = insider(link, random);
    const other = oneOf(link.exporter.links, random);
    return planOf({
      link,
      sources: [source],
      targets: someOf(reachable(other.hosts, source, network), between(3, 60, random), random),
      ports: [oneOf([22, 22, 22, 5986, 3389], random)],
      protocol: PROTOCOL_TCP,
      packets: 40,
      replyShare: between(0.97, 1, random),
      variant: random.uniform(),
    });
  },
  fill(c, { plan }, _number, answered, random) {
    c.client = plan.sources[0]!;
    c.server = oneOf(plan.targets, random);
    c.protocol = PROTOCOL_TCP;
    c.clientPort = ephemeral(random);
    c.serverPort = plan.ports[0]!;
    c.startUs = c.endUs - Math.min(factor(0.9, random) * 9e6, 55e6);
    setClient(
      c,
      answered ? 9000 * factor(0.9, random) : 180,
      answered ? 160 : 60,
      answered ? COMPLETE : TCP_SYN,
    );
    setServer(c, 14_000 * factor(1.1, random), 260, COMPLETE);
  },
};
