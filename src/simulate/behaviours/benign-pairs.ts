import { PROTOCOL_TCP, PROTOCOL_UDP } from '../../flow/protocol.ts';
import { TCP_ACK, TCP_FIN, TCP_PSH, TCP_RST, TCP_SYN } from '../../flow/tcp-flags.ts';

import type { Behaviour } from '../episode.ts';
import {
  between,
  bulkBytes,
  bulkLevel,
  ephemeral,
  factor,
  insider,
  oneOf,
  planOf,
  remotesFor,
  setClient,
  setServer,
  someOf,
} from './draw.ts';

const COMPLETE = TCP_SYN | TCP_ACK | TCP_PSH | TCP_FIN;

/** Sends as much as an exfiltration: in many files of all sizes, to a machine that answers with more than bare acknowledgements. */
export const backup: Behaviour = {
  label: 'benign',
  plan(network, random) {
    const link = oneOf(network.links, random);
    const source = insider(link, random);
    return planOf({
      link,
      sources: [source],
      targets: [oneOf(remotesFor(source, network), random)],
      ports: [oneOf([873, 22, 445, 10_000, 443, 2049], random)],
      protocol: PROTOCOL_TCP,
      packets: 1000,
      bitsPerSecond: bulkLevel(link, 0.1, 1, random),
      variant: random.uniform(),
    });
  },
  fill(c, episode, _number, _answered, random) {
    const { plan } = episode;
    c.client = plan.sources[0]!;
    c.server = plan.targets[0]!;
    c.protocol = PROTOCOL_TCP;
    c.clientPort = ephemeral(random);
    c.serverPort = plan.ports[0]!;
    // exp(-sigma^2/2) keeps the mean of the lognormal at the level.
    const bytes = bulkBytes(episode, c.endUs, false) * 0.48 * factor(1.2, random);
    const fastestUs = (bytes * 16e6) / plan.link.spec.capacityBitsPerSecond;
    c.startUs = c.endUs - Math.min(Math.max(fastestUs, factor(0.8, random) * 3e6), 55e6);
    setClient(c, bytes + 600, 1300, COMPLETE);
    setServer(c, 900 + bytes * between(0.02, 0.08, random), 90, COMPLETE);
  },
};

/** A job in step like a beacon: what it fetches differs from time to time. */
export const periodicJob: Behaviour = {
  label: 'benign',
  plan(network, random) {
    const link = oneOf(network.links, random);
    const source = insider(link, random);
    const isTime = random.uniform() < 0.25;
    return planOf({
      link,
      sources: [source],
      targets: someOf(remotesFor(source, network), isTime ? 4 : between(1, 4, random), random),
      ports: [isTime ? 123 : oneOf([443, 443, 8080, 5671, 8883, 80], random)],
      protocol: isTime ? PROTOCOL_UDP : PROTOCOL_TCP,
      packets: isTime ? 1 : 12,
      replyShare: between(0.97, 1, random),
      jitter: 0.5 * random.uniform(),
      variant: random.uniform(),
    });
  },
  fill(c, { plan }, number, answered, random) {
    const isTime = plan.protocol === PROTOCOL_UDP;
    c.client = plan.sources[0]!;
    c.server = plan.targets[number % plan.targets.length]!;
    c.protocol = plan.protocol;
    c.clientPort = isTime ? 123 : ephemeral(random);
    c.serverPort = plan.ports[0]!;
    c.startUs = c.endUs - (isTime ? 0.03e6 : factor(0.9, random) * 0.5e6);
    if (isTime) {
      setClient(c, 76, 76, 0);
      setServer(c, 76, 76, 0);
      return;
    }
    setClient(
      c,
      answered ? 900 * factor(0.5, random) : 60,
      answered ? 130 : 60,
      answered ? COMPLETE : TCP_SYN,
    );
    setServer(c, (2000 + 9000 * plan.variant) * factor(1.1, random), 800, COMPLETE);
  },
};

/** Tries a server that is down, again and again: unanswered like a scan or a flood, but slow and to one place. */
export const failingClient: Behaviour = {
  label: 'benign',
  plan(network, random) {
    const link = oneOf(network.links, random);
    const source = insider(link, random);
    return planOf({
      link,
      sources: [source],
      targets: someOf(remotesFor(source, network), random.uniform() < 0.7 ? 1 : 3, random),
      ports: [oneOf([443, 445, 993, 5432, 8080, 25, 1883], random)],
      protocol: PROTOCOL_TCP,
      packets: 3,
      replyShare: random.uniform() < 0.5 ? 0 : between(0.3, 1, random),
      jitter: 0.4,
      variant: random.uniform(),
    });
  },
  fill(c, { plan }, number, answered, random) {
    c.client = plan.sources[0]!;
    c.server = plan.targets[number % plan.targets.length]!;
    c.protocol = PROTOCOL_TCP;
    c.clientPort = ephemeral(random);
    c.serverPort = plan.ports[0]!;
    const packets = answered ? 1 : 2 + random.below(3);
    c.startUs = c.endUs - (answered ? 0.04e6 : (packets - 1) * 1.5e6);
    setClient(c, packets * 60, 60, TCP_SYN);
    setServer(c, 40, 40, TCP_RST | TCP_ACK);
  },
};

/** Media over UDP: large packets in numbers towards one host, like amplification, but it asked for them and keeps talking. */
export const largeAnswers: Behaviour = {
  label: 'benign',
  plan(network, random) {
    const link = oneOf(network.links, random);
    const source = insider(link, random);
    return planOf({
      link,
      sources: [source],
      targets: someOf(remotesFor(source, network), between(1, 4, random), random),
      ports: [oneOf([443, 3478, 8801, 19_305, 1194], random)],
      protocol: PROTOCOL_UDP,
      packets: 400,
      bitsPerSecond: bulkLevel(link, 0.02, 0.3, random),
      variant: random.uniform(),
    });
  },
  fill(c, episode, number, _answered, random) {
    const { plan } = episode;
    c.client = plan.sources[0]!;
    c.server = plan.targets[number % plan.targets.length]!;
    c.protocol = PROTOCOL_UDP;
    c.clientPort = ephemeral(random);
    c.serverPort = plan.ports[0]!;
    c.startUs = c.endUs - Math.min(episode.intervalUs * 2, 30e6) * between(0.5, 1, random);
    const bytes = bulkBytes(episode, c.endUs, true) * 0.83 * factor(0.6, random);
    setServer(c, bytes + 200, 1150, 0);
    setClient(c, bytes * between(0.03, 0.25, random) + 100, 120, 0);
  },
};

/** One flow of hours: a tunnel, a replication, a stream. */
export const longFlow: Behaviour = {
  label: 'benign',
  plan(network, random) {
    const link = oneOf(network.links, random);
    const source = insider(link, random);
    return planOf({
      link,
      sources: [source],
      targets: [oneOf(remotesFor(source, network), random)],
      ports: [oneOf([443, 1194, 22, 5432, 554], random)],
      protocol: PROTOCOL_TCP,
      packets: 1000,
      bitsPerSecond: bulkLevel(link, 0.02, 0.2, random),
      jitter: 0,
      continuous: true,
      variant: random.uniform(),
    });
  },
  fill(c, episode, _number, _answered, random) {
    const { plan } = episode;
    c.client = plan.sources[0]!;
    c.server = plan.targets[0]!;
    c.protocol = plan.protocol;
    c.clientPort = 32_768 + Math.floor(plan.variant * 28_000);
    c.serverPort = plan.ports[0]!;
    c.startUs = c.endUs - episode.intervalUs;
    const bytes = bulkBytes(episode, c.endUs, true) * between(0.8, 1, random);
    setClient(c, bytes * (0.05 + 0.25 * plan.variant), 150, TCP_ACK | TCP_PSH);
    setServer(c, bytes, 1200, TCP_ACK | TCP_PSH);
  },
};
