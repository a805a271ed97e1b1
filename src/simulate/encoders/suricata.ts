import type { FlowRecord } from '../../flow/flow-record.ts';
import { PROTOCOL_TCP } from '../../flow/protocol.ts';
import { TCP_ACK, TCP_RST, TCP_SYN } from '../../flow/tcp-flags.ts';
import type { Encoder } from './encoder.ts';
import { AddressTexts, bytesOf, isIcmp, protocolKeyword, TimeTexts } from './text.ts';

/** Suricata EVE `flow` events (OISF/suricata src/output-json-flow.c). Unsampled: sampled counters are written scaled. */
export function createSuricataEncoder(): Encoder {
  const addresses = new AddressTexts();
  const logged = new TimeTexts(6, 'T');
  const started = new TimeTexts(6, 'T');
  const ended = new TimeTexts(6, 'T');
  return {
    name: 'suricata',
    framing: 'lines',
    bidirectional: true,
    encode(_exporter, flow) {
      const icmp = isIcmp(flow.protocol);
      const ports = icmp
        ? `"icmp_type":${flow.destinationPort >> 8},"icmp_code":${flow.destinationPort & 0xff}`
        : `"src_port":${flow.sourcePort},"dest_port":${flow.destinationPort}`;
      const vlan = flow.vlan === 0 ? '' : `"vlan":[${flow.vlan}],`;
      return bytesOf(
        `{"timestamp":"${logged.of(flow.receivedUs)}+0000","flow_id":${flow.startUs % 2 ** 51},"event_type":"flow",${vlan}` +
          `"src_ip":"${addresses.of(flow.sourceAddress)}","dest_ip":"${addresses.of(flow.destinationAddress)}",${ports},` +
          `"proto":"${protocolKeyword(flow.protocol)}","flow":{"pkts_toserver":${flow.packets},` +
          `"pkts_toclient":${flow.reversePackets},"bytes_toserver":${flow.bytes},"bytes_toclient":${flow.reverseBytes},` +
          `"start":"${started.of(flow.startUs)}+0000","end":"${ended.of(flow.endUs)}+0000",` +
          `"age":${Math.round((flow.endUs - flow.startUs) / 1e6)},"state":"${stateOf(flow)}","reason":"timeout",` +
          `"alerted":false}${flow.protocol === PROTOCOL_TCP ? tcpOf(flow) : ''}}`,
      );
    },
  };
}

function stateOf(flow: FlowRecord): string {
  if (flow.reversePackets === 0) return 'new';
  return flow.protocol === PROTOCOL_TCP ? 'closed' : 'established';
}

/** The flags of each side: who sent the reset of a refused connection is known, otherwise both sent what was seen. */
function tcpOf(flow: FlowRecord): string {
  const isRefused = flow.outcome === 'REJECTED';
  const toServer = isRefused ? flow.tcpFlags & ~(TCP_RST | TCP_ACK) : flow.tcpFlags;
  const toClient = isRefused ? flow.tcpFlags & ~TCP_SYN : flow.reversePackets > 0 ? flow.tcpFlags : 0;
  return `,"tcp":{"tcp_flags":"${hex(flow.tcpFlags)}","tcp_flags_ts":"${hex(toServer)}","tcp_flags_tc":"${hex(toClient)}"}`;
}

function hex(flags: number): string {
  return flags.toString(16).padStart(2, '0');
}
