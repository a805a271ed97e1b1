import { COUNT_LOG_COUNT, normalisedEntropy, TOP } from '../item-counts.ts';
import * as column from '../statistics.ts';
import { ratio, type WindowFeature, type WindowFeatureSet } from './feature-set.ts';

/** Gaps between flow starts needed before anything is said of their regularity. */
const GAPS_MIN = 3;

/** exporter + source address: what the classifier classifies. Rates, so that windows of any length compare. */
export const HOST_FEATURES: WindowFeatureSet = {
  name: 'host',
  version: 1,
  features: [
    rate('flow_rate', 'flows/s', column.FLOWS),
    rate('packet_rate', 'packets/s', column.PACKETS),
    rate('byte_rate', 'bytes/s', column.BYTES),
    rate('reverse_packet_rate', 'packets/s', column.REVERSE_PACKETS),
    rate('reverse_byte_rate', 'bytes/s', column.REVERSE_BYTES),
    {
      name: 'forward_byte_share',
      unit: '1',
      transform: 'share',
      of: (s, at) => ratio(s[at + column.BYTES]!, s[at + column.BYTES]! + s[at + column.REVERSE_BYTES]!),
    },
    {
      name: 'forward_packet_share',
      unit: '1',
      transform: 'share',
      of: (s, at) =>
        ratio(s[at + column.PACKETS]!, s[at + column.PACKETS]! + s[at + column.REVERSE_PACKETS]!),
    },
    mean('mean_packet_bytes', 'bytes', column.BYTES, column.PACKETS),
    mean('mean_reverse_packet_bytes', 'bytes', column.REVERSE_BYTES, column.REVERSE_PACKETS),
    mean('mean_flow_bytes', 'bytes', column.FLOW_BYTES, column.FLOWS),
    mean('mean_flow_packets', 'packets', column.FLOW_PACKETS, column.FLOWS),
    mean('mean_duration', 's', column.DURATION_SECONDS, column.FLOWS),
    {
      name: 'distinct_destinations',
      unit: 'hosts',
      transform: 'log1p',
      of: (s, at) => s[at + column.DESTINATIONS]!,
    },
    { name: 'distinct_dst_ports', unit: 'ports', transform: 'log1p', of: (s, at) => s[at + column.PORTS]! },
    mean('destinations_per_flow', 'hosts', column.DESTINATIONS, column.FLOWS),
    mean('dst_ports_per_destination', 'ports', column.PORTS, column.DESTINATIONS),
    entropy('destination_entropy', column.DESTINATIONS),
    entropy('dst_port_entropy', column.PORTS),
    topShare('top_destination_share', column.DESTINATIONS),
    topShare('top_dst_port_share', column.PORTS),
    share('low_port_share', column.LOW_PORT_FLOWS),
    share('dynamic_port_share', column.DYNAMIC_PORT_FLOWS),
    share('web_share', column.WEB_FLOWS),
    share('dns_share', column.DNS_FLOWS),
    share('login_share', column.LOGIN_FLOWS),
    share('tcp_share', column.TCP_FLOWS),
    share('udp_share', column.UDP_FLOWS),
    share('icmp_share', column.ICMP_FLOWS),
    share('syn_share', column.SYN_ONLY_FLOWS),
    share('failed_share', column.FAILED_FLOWS),
    share('reset_share', column.RESET_FLOWS),
    share('unanswered_share', column.UNANSWERED_FLOWS),
    share('small_flow_share', column.SMALL_FLOWS),
    share('same_local_port_share', column.SAME_SOURCE_PORT_FLOWS),
    { name: 'periodicity', unit: '1', transform: 'share', of: periodicity },
  ],
};

function rate(name: string, unit: string, of: number): WindowFeature {
  return { name, unit, transform: 'log1p', of: (s, at, seconds) => s[at + of]! / seconds };
}

function mean(name: string, unit: string, sum: number, count: number): WindowFeature {
  return { name, unit, transform: 'log1p', of: (s, at) => ratio(s[at + sum]!, s[at + count]!) };
}

/** Share of the flows counted in the window. */
function share(name: string, of: number): WindowFeature {
  return { name, unit: '1', transform: 'share', of: (s, at) => ratio(s[at + of]!, s[at + column.FLOWS]!) };
}

function entropy(name: string, of: number): WindowFeature {
  return {
    name,
    unit: '1',
    transform: 'entropy',
    of: (s, at) => normalisedEntropy(s[at + of + COUNT_LOG_COUNT]!, s[at + column.FLOWS]!),
  };
}

function topShare(name: string, of: number): WindowFeature {
  return {
    name,
    unit: '1',
    transform: 'share',
    of: (s, at) => ratio(s[at + of + TOP]!, s[at + column.FLOWS]!),
  };
}

/** How regular flow starts are: 1 / (1 + coefficient of variation of the gaps); 1 = clockwork, 0 = too few to say. */
function periodicity(s: Float64Array, at: number): number {
  const gaps = s[at + column.GAPS]!;
  if (gaps < GAPS_MIN) return 0;
  const meanSeconds = s[at + column.GAP_SECONDS]! / gaps;
  if (meanSeconds === 0) return 0;
  const variance = Math.max(0, s[at + column.GAP_SECONDS_SQUARED]! / gaps - meanSeconds ** 2);
  return 1 / (1 + Math.sqrt(variance) / meanSeconds);
}
