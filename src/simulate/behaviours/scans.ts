import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from '../../flow/protocol.ts';
import { TCP_ACK, TCP_RST, TCP_SYN } from '../../flow/tcp-flags.ts';
import type { Random } from '../../kernel/random.ts';
import type { Behaviour } from '../episode.ts';
import type { Host, Link, Network } from '../network.ts';
import {
  between,
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

const SCANNED_PORTS = [
  22, 23, 25, 80, 443, 445, 1433, 2323, 3306, 3389, 5060, 5555, 6379, 7547, 8080, 8443, 9200,
];

/** A scanner and whom it can reach: from outside in, from inside out, or from one link to another of the same router. */
function scannerAndScanned(
  network: Network,
  random: Random,
): { link: Link; scanner: Host; pool: readonly Host[] } {
  const link = oneOf(network.links, random);
  const inside = insider(link, random);
  const way = random.uniform();
  if (way < 0.45) {
    const scanner = oneOf(remotesFor(inside, network), random);
    return { link, scanner, pool: reachable([...link.hosts, ...link.unused], scanner, network) };
  }
  if (way < 0.75) return { link, scanner: inside, pool: remotesFor(inside, network) };
  const other = oneOf(link.exporter.links, random);
  return { link, scanner: inside, pool: reachable([...other.hosts, ...other.unused], inside, network) };
}

/** One or two ports of very many hosts, few of which answer. */
export const horizontalScan: Behaviour = {
  label: 'horizontal_scan',
  plan(network, random) {
    const { link, scanner, pool } = scannerAndScanned(network, random);
    const kind = random.uniform();
    const isIcmp = kind > 0.92;
    return planOf({
      link,
      sources: [scanner],
      targets: random.shuffle(pool.slice(0, 2000)),
      ports: someOf(SCANNED_PORTS, random.uniform() < 0.8 ? 1 : 2, random),
      protocol: isIcmp
        ? scanner.address[10] === 0xff
          ? PROTOCOL_ICMP
          : PROTOCOL_ICMPV6
        : kind > 0.84
          ? PROTOCOL_UDP
          : PROTOCOL_TCP,
      packets: 1,
      replyShare: between(0.02, 0.4, random),
      variant: random.uniform(),
    });
  },
  fill(c, { plan }, number, answered, random) {
    c.client = plan.sources[0]!;
    c.server = plan.targets[number % plan.targets.length]!;
    c.protocol = plan.protocol;
    const port = plan.ports[Math.floor(number / plan.targets.length) % plan.ports.length]!;
    setProbe(c, port, plan.variant, answered, random);
  },
};

/** A great many ports of one or two hosts. */
export const verticalScan: Behaviour = {
  label: 'vertical_scan',
  plan(network, random) {
    const { link, scanner, pool } = scannerAndScanned(network, random);
    const range = oneOf([1024, 1024, 10_000, 65_535], random);
    return planOf({
      link,
      sources: [scanner],
      targets: someOf(pool, random.uniform() < 0.8 ? 1 : 2, random),
      ports: [range, 1 + 2 * random.below(500)],
      protocol: random.uniform() < 0.88 ? PROTOCOL_TCP : PROTOCOL_UDP,
      packets: 1,
      // A firewall that drops makes a silent scan, an open host refuses each port.
      replyShare: random.uniform() < 0.3 ? between(0.01, 0.1, random) : between(0.6, 0.98, random),
      variant: random.uniform(),
    });
  },
  fill(c, { plan }, number, answered, random) {
    c.client = plan.sources[0]!;
    c.server = plan.targets[number % plan.targets.length]!;
    c.protocol = plan.protocol;
    const [range, stride] = plan.ports as [number, number];
    const port = 1 + ((Math.floor(number / plan.targets.length) * stride) % range);
    setProbe(c, port, plan.variant, answered, random);
  },
};

/** One probe packet, or a few where nobody answers; refused by RST, sometimes accepted and torn down. */
function setProbe(
  c: Parameters<Behaviour['fill']>[0],
  port: number,
  variant: number,
  answered: boolean,
  random: Random,
): void {
  c.clientPort = variant < 0.5 ? 40_000 + Math.floor(variant * 40_000) : ephemeral(random);
  c.serverPort = port;
  const retries = answered || variant < 0.6 ? 1 : 1 + random.below(3);
  c.startUs =
    c.endUs - (retries - 1) * 1e6 * between(0.9, 1.1, random) - (answered ? 30_000 * random.uniform() : 0);
  const packetBytes = variant < 0.5 ? 44 : 60;
  if (c.protocol !== PROTOCOL_TCP) {
    if (c.protocol !== PROTOCOL_UDP) {
      c.clientPort = 0;
      c.serverPort = c.protocol === PROTOCOL_ICMP ? 8 * 256 : 128 * 256;
    }
    setClient(c, packetBytes * retries, packetBytes, 0);
    setServer(c, packetBytes, packetBytes, 0);
    return;
  }
  const isOpen = answered && random.uniform() < 0.12;
  const packets = isOpen ? 2 : retries;
  setClient(c, packets * packetBytes, packetBytes, isOpen ? TCP_SYN | TCP_RST : TCP_SYN);
  setServer(c, isOpen ? 44 : 40, 44, isOpen ? TCP_SYN | TCP_ACK : TCP_RST | TCP_ACK);
}
