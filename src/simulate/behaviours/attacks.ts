import { PROTOCOL_TCP, PROTOCOL_UDP } from '../../flow/protocol.ts';
import { TCP_ACK, TCP_FIN, TCP_PSH, TCP_RST, TCP_SYN } from '../../flow/tcp-flags.ts';
import type { Behaviour } from '../episode.ts';
import {
  between,
  bulkBytes,
  bulkLevel,
  ephemeral,
  insider,
  oneOf,
  planOf,
  reachable,
  remotesFor,
  setClient,
  setServer,
  someOf,
} from './draw.ts';

const LOGIN_PORTS = [22, 22, 22, 22, 22, 3389, 21, 5900, 110];
const REFLECTOR_PORTS = [53, 53, 123, 123, 389, 1900, 11_211, 19, 161];

/** The same login over and over: alike sessions, short, complete. */
export const bruteForce: Behaviour = {
  label: 'brute_force',
  plan(network, random) {
    const link = oneOf(network.links, random);
    const target = insider(link, random);
    const fromOutside = random.uniform() < 0.75;
    const others = oneOf(link.exporter.links, random).hosts;
    const pool = fromOutside ? remotesFor(target, network) : reachable(others, target, network);
    const targets =
      random.uniform() < 0.7 ? [target] : someOf(reachable(link.hosts, target, network), 5, random);
    return planOf({
      link,
      sources: someOf(pool, between(1, 5, random), random),
      targets: targets.every((host) => host.link === link) ? targets : [target],
      ports: [oneOf(LOGIN_PORTS, random)],
      protocol: PROTOCOL_TCP,
      packets: 14,
      replyShare: between(0.95, 1, random),
      jitter: between(0.1, 0.9, random),
      variant: random.uniform(),
    });
  },
  fill(c, { plan }, number, answered, random) {
    c.client = plan.sources[number % plan.sources.length]!;
    c.server = plan.targets[Math.floor(number / plan.sources.length) % plan.targets.length]!;
    c.protocol = PROTOCOL_TCP;
    c.clientPort = ephemeral(random);
    c.serverPort = plan.ports[0]!;
    const attempts = 1 + Math.floor(plan.variant * 4);
    c.startUs = c.endUs - between(0.4, 0.9, random) * attempts * 1.3e6;
    if (!answered) {
      setClient(c, 60, 60, TCP_SYN);
      setServer(c, 40, 40, TCP_RST | TCP_ACK);
      return;
    }
    const clientBytes = 1250 + 210 * attempts + 60 * random.below(3);
    setClient(
      c,
      clientBytes,
      118,
      TCP_SYN | TCP_ACK | TCP_PSH | (random.uniform() < 0.2 ? TCP_RST : TCP_FIN),
    );
    setServer(c, 1500 + 190 * attempts + 52 * random.below(3), 150, TCP_SYN | TCP_ACK | TCP_PSH | TCP_FIN);
  },
};

/** Many senders, one target: half-open connections, or as many bytes as the link takes. */
export const flood: Behaviour = {
  label: 'flood',
  plan(network, random) {
    const link = oneOf(network.links, random);
    const target = insider(link, random);
    const isSyn = random.uniform() < 0.6;
    return planOf({
      link,
      sources: someOf(remotesFor(target, network), 2 * 12 ** random.uniform(), random),
      targets: [target],
      ports: [oneOf(link.serves ? [80, 443, 443, 53, 22] : [80, 443, 3074, 27_015], random)],
      protocol: isSyn ? PROTOCOL_TCP : PROTOCOL_UDP,
      packets: isSyn ? 3 : 100,
      replyShare: isSyn ? between(0, 0.5, random) : 0,
      bitsPerSecond: isSyn ? 0 : bulkLevel(link, 0.15, 2, random),
      variant: random.uniform(),
    });
  },
  fill(c, episode, number, _answered, random) {
    const { plan } = episode;
    c.client = plan.sources[number % plan.sources.length]!;
    c.server = plan.targets[0]!;
    c.protocol = plan.protocol;
    c.clientPort = 1024 + random.below(64_000);
    c.serverPort =
      plan.protocol === PROTOCOL_UDP && plan.variant < 0.4 ? 1 + random.below(65_535) : plan.ports[0]!;
    c.startUs = c.endUs - random.uniform() * 1e6 * (plan.variant < 0.5 ? 0.2 : 4);
    if (plan.protocol === PROTOCOL_TCP) {
      setClient(c, (1 + random.below(1 + Math.floor(plan.variant * 6))) * 52, 52, TCP_SYN);
      setServer(c, 44, 44, plan.variant < 0.3 ? TCP_RST | TCP_ACK : TCP_SYN | TCP_ACK);
      return;
    }
    setClient(c, bulkBytes(episode, c.endUs, true), plan.variant < 0.5 ? 1400 : 100 + 900 * plan.variant, 0);
    setServer(c, 60, 60, 0);
  },
};

/** Reflectors answer what the victim never asked: large UDP packets from service ports. */
export const amplification: Behaviour = {
  label: 'amplification',
  plan(network, random) {
    const link = oneOf(network.links, random);
    const target = insider(link, random);
    return planOf({
      link,
      sources: someOf(remotesFor(target, network), 5 * 10 ** random.uniform(), random),
      targets: [target],
      ports: [oneOf(REFLECTOR_PORTS, random), ephemeral(random)],
      protocol: PROTOCOL_UDP,
      packets: 60,
      replyShare: 0,
      bitsPerSecond: bulkLevel(link, 0.2, 2, random),
      variant: random.uniform(),
    });
  },
  fill(c, episode, number, _answered, random) {
    const { plan } = episode;
    c.client = plan.sources[number % plan.sources.length]!;
    c.server = plan.targets[0]!;
    c.protocol = PROTOCOL_UDP;
    c.clientPort = plan.ports[0]!;
    c.serverPort = plan.variant < 0.5 ? plan.ports[1]! : ephemeral(random);
    c.startUs = c.endUs - random.uniform() * 8e6;
    setClient(c, bulkBytes(episode, c.endUs, true), 468 + 980 * plan.variant, 0);
    setServer(c, 60, 60, 0);
  },
};

/** One implant calls home: small, alike, in step. */
export const beaconing: Behaviour = {
  label: 'beaconing',
  plan(network, random) {
    const link = oneOf(network.links, random);
    const source = insider(link, random);
    return planOf({
      link,
      sources: [source],
      targets: [oneOf(remotesFor(source, network), random)],
      ports: [oneOf([443, 443, 80, 8080, 8443, 4444, 53, 6667], random)],
      protocol: random.uniform() < 0.88 ? PROTOCOL_TCP : PROTOCOL_UDP,
      packets: 6,
      replyShare: random.uniform() < 0.8 ? 1 : between(0.6, 1, random),
      jitter: 0.25 * random.uniform() ** 2,
      variant: random.uniform(),
    });
  },
  fill(c, { plan }, _number, answered, random) {
    c.client = plan.sources[0]!;
    c.server = plan.targets[0]!;
    c.protocol = plan.protocol;
    c.clientPort = ephemeral(random);
    c.serverPort = plan.ports[0]!;
    c.startUs = c.endUs - between(0.08, 0.25, random) * 1e6 * (1 + plan.variant);
    const tcp = plan.protocol === PROTOCOL_TCP;
    if (!answered) setClient(c, tcp ? 120 : 90, tcp ? 60 : 90, tcp ? TCP_SYN : 0);
    else
      setClient(
        c,
        160 + 420 * plan.variant + random.below(9),
        90,
        tcp ? TCP_SYN | TCP_ACK | TCP_PSH | TCP_FIN : 0,
      );
    setServer(
      c,
      140 + 300 * plan.variant + random.below(9),
      90,
      tcp ? TCP_SYN | TCP_ACK | TCP_PSH | TCP_FIN : 0,
    );
  },
};

/** A host sends out far more than it receives, for long, in few flows. */
export const exfiltration: Behaviour = {
  label: 'exfiltration',
  plan(network, random) {
    const link = oneOf(network.links, random);
    const source = insider(link, random);
    const isTunnel = random.uniform() < 0.15;
    return planOf({
      link,
      sources: [source],
      targets: [oneOf(remotesFor(source, network), random)],
      ports: [isTunnel ? 53 : oneOf([443, 443, 22, 21, 8443, 9001], random)],
      protocol: isTunnel ? PROTOCOL_UDP : PROTOCOL_TCP,
      packets: 1000,
      bitsPerSecond: bulkLevel(link, isTunnel ? 0.01 : 0.05, isTunnel ? 0.05 : 0.9, random),
      jitter: between(0, 0.5, random),
      continuous: random.uniform() < 0.5,
      variant: random.uniform(),
    });
  },
  fill(c, episode, _number, _answered, random) {
    const { plan } = episode;
    c.client = plan.sources[0]!;
    c.server = plan.targets[0]!;
    c.protocol = plan.protocol;
    c.clientPort = plan.continuous ? 32_768 + Math.floor(plan.variant * 28_000) : ephemeral(random);
    c.serverPort = plan.ports[0]!;
    const { activeTimeoutSeconds } = plan.link.exporter.spec;
    const lengthUs = plan.continuous
      ? episode.intervalUs
      : Math.min(episode.intervalUs * 0.9, activeTimeoutSeconds * 1e6);
    c.startUs = c.endUs - lengthUs;
    const bytes = bulkBytes(episode, c.endUs, false) * between(0.9, 1, random);
    const tcp = plan.protocol === PROTOCOL_TCP;
    const flags = tcp ? TCP_ACK | TCP_PSH | (plan.continuous ? 0 : TCP_SYN | TCP_FIN) : 0;
    setClient(c, bytes, tcp ? 1380 : 180 + 60 * plan.variant, flags);
    setServer(c, bytes * between(0.012, 0.03, random), tcp ? 56 : 110, flags);
  },
};
