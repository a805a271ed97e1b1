import { isIpv4 } from '../../flow/address.ts';
import type { Encoder } from './encoder.ts';
import { AddressTexts, bytesOf, isIcmp, TimeTexts } from './text.ts';

const FLAG_LETTERS = 'CEUAPRSF';
/** AF_INET and AF_INET6 of Linux. */
const FAMILY_IPV4 = 2;
const FAMILY_IPV6 = 10;

/** All 256 unions as nfdump prints them: `...AP.SF`. */
const FLAG_TEXTS: readonly string[] = Array.from({ length: 256 }, (_, flags) =>
  Array.from(FLAG_LETTERS, (letter, i) => ((flags >> (7 - i)) & 1 ? letter : '.')).join(''),
);

/** nfdump `-o ndjson` of a host whose local time is UTC: milliseconds, counters multiplied by the sampling rate already. */
export function createNfdumpNdjsonEncoder(): Encoder {
  const addresses = new AddressTexts();
  const [first, last, received] = [new TimeTexts(3, 'T'), new TimeTexts(3, 'T'), new TimeTexts(3, 'T')];
  return {
    name: 'nfdump-ndjson',
    framing: 'lines',
    bidirectional: false,
    encode(exporter, flow) {
      const isV4 = isIpv4(flow.sourceAddress);
      const family = isV4 ? 4 : 6;
      const ports = isIcmp(flow.protocol)
        ? `"icmp_type":${flow.destinationPort >> 8},"icmp_code":${flow.destinationPort & 0xff}`
        : `"src_port":${flow.sourcePort},"dst_port":${flow.destinationPort}`;
      const reverse = flow.bidirectional
        ? `"out_packets":${flow.reversePackets},"out_bytes":${flow.reverseBytes},`
        : '';
      return bytesOf(
        `{"cnt":1,"type":"FLOW","export_sysid":1,"first":"${first.of(flow.startUs)}","last":"${last.of(flow.endUs)}",` +
          `"received":"${received.of(flow.receivedUs)}","in_packets":${flow.packets},"in_bytes":${flow.bytes},${reverse}` +
          `"proto":${flow.protocol},"tcp_flags":"${FLAG_TEXTS[flow.tcpFlags & 0xff]}",${ports},"src_tos":${flow.tos},` +
          `"src${family}_addr":"${addresses.of(flow.sourceAddress)}","dst${family}_addr":"${addresses.of(flow.destinationAddress)}",` +
          `"input_snmp":${flow.inInterface},"output_snmp":${flow.outInterface},"src_as":${flow.sourceAs},"dst_as":${flow.destinationAs},` +
          `"direction":${flow.direction === 'EGRESS' ? 1 : 0},"src_vlan":${flow.vlan},` +
          `"ip${exporter.includes(':') ? 6 : 4}_router":"${exporter}","sampled":${flow.samplingRate > 1 ? 1 : 0}}`,
      );
    },
  };
}

/** nfdump `-o csv` (fast form) of a host whose local time is UTC. Names no exporter. */
export function createNfdumpCsvEncoder(): Encoder {
  const addresses = new AddressTexts();
  const [first, last] = [new TimeTexts(3, ' '), new TimeTexts(3, ' ')];
  return {
    name: 'nfdump-csv',
    framing: 'table',
    bidirectional: false,
    header: bytesOf(
      'cnt,af,firstSeen,lastSeen,proto,srcAddr,srcPort,dstAddr,dstPort,srcAS,dstAS,input,output,flags,srcTos,packets,bytes\n',
    ),
    encode(_exporter, flow) {
      const family = isIpv4(flow.sourceAddress) ? FAMILY_IPV4 : FAMILY_IPV6;
      return bytesOf(
        `1,${family},${first.of(flow.startUs)},${last.of(flow.endUs)},${flow.protocol},${addresses.of(flow.sourceAddress)},` +
          `${flow.sourcePort},${addresses.of(flow.destinationAddress)},${flow.destinationPort},${flow.sourceAs},${flow.destinationAs},` +
          `${flow.inInterface},${flow.outInterface},${FLAG_TEXTS[flow.tcpFlags & 0xff]},${flow.tos},${flow.packets},${flow.bytes}`,
      );
    },
  };
}
