import * as column from '../statistics.ts';
import { ratio, type WindowFeatureSet } from './feature-set.ts';

/** exporter + interface + direction: what the forecaster forecasts. */
export const LINK_FEATURES: WindowFeatureSet = {
  name: 'link',
  version: 1,
  features: [
    {
      name: 'throughput',
      unit: 'bit/s',
      transform: 'log1p',
      of: (s, at, seconds) => (8 * s[at + column.BYTES]!) / seconds,
    },
    {
      name: 'packet_rate',
      unit: 'packets/s',
      transform: 'log1p',
      of: (s, at, seconds) => s[at + column.PACKETS]! / seconds,
    },
    {
      name: 'flow_rate',
      unit: 'flows/s',
      transform: 'log1p',
      of: (s, at, seconds) => s[at + column.FLOWS]! / seconds,
    },
    {
      name: 'mean_packet_bytes',
      unit: 'bytes',
      transform: 'log1p',
      of: (s, at) => ratio(s[at + column.BYTES]!, s[at + column.PACKETS]!),
    },
    {
      name: 'mean_duration',
      unit: 's',
      transform: 'log1p',
      of: (s, at) => ratio(s[at + column.DURATION_SECONDS]!, s[at]!),
    },
    {
      name: 'tcp_share',
      unit: '1',
      transform: 'share',
      of: (s, at) => shareOfFlows(s, at, column.TCP_FLOWS),
    },
    {
      name: 'udp_share',
      unit: '1',
      transform: 'share',
      of: (s, at) => shareOfFlows(s, at, column.UDP_FLOWS),
    },
    {
      name: 'icmp_share',
      unit: '1',
      transform: 'share',
      of: (s, at) => shareOfFlows(s, at, column.ICMP_FLOWS),
    },
    {
      name: 'syn_share',
      unit: '1',
      transform: 'share',
      of: (s, at) => shareOfFlows(s, at, column.SYN_ONLY_FLOWS),
    },
    {
      name: 'failed_share',
      unit: '1',
      transform: 'share',
      of: (s, at) => shareOfFlows(s, at, column.FAILED_FLOWS),
    },
    {
      name: 'small_flow_share',
      unit: '1',
      transform: 'share',
      of: (s, at) => shareOfFlows(s, at, column.SMALL_FLOWS),
    },
  ],
};

function shareOfFlows(statistics: Float64Array, at: number, of: number): number {
  return ratio(statistics[at + of]!, statistics[at + column.FLOWS]!);
}
