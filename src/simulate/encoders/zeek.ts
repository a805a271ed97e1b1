import type { FlowRecord, Outcome } from '../../flow/flow-record.ts';
import { PROTOCOL_TCP } from '../../flow/protocol.ts';
import type { Encoder } from './encoder.ts';
import { AddressTexts, bytesOf, isIcmp, protocolKeyword, secondsText } from './text.ts';

/** conn_state and history as Zeek writes them of such a connection (base/protocols/conn/main.zeek). */
const STATES: Readonly<Record<Outcome, readonly [state: string, tcpHistory: string]>> = {
  ESTABLISHED: ['SF', 'ShADadFf'],
  NO_REPLY: ['S0', 'S'],
  REJECTED: ['REJ', 'Sr'],
  RESET: ['RSTO', 'ShADadR'],
  UNKNOWN: ['OTH', '^dA'],
};

const COLUMNS: readonly (readonly [name: string, type: string])[] = [
  ['ts', 'time'],
  ['uid', 'string'],
  ['id.orig_h', 'addr'],
  ['id.orig_p', 'port'],
  ['id.resp_h', 'addr'],
  ['id.resp_p', 'port'],
  ['proto', 'enum'],
  ['service', 'string'],
  ['duration', 'interval'],
  ['orig_bytes', 'count'],
  ['resp_bytes', 'count'],
  ['conn_state', 'string'],
  ['local_orig', 'bool'],
  ['local_resp', 'bool'],
  ['missed_bytes', 'count'],
  ['history', 'string'],
  ['orig_pkts', 'count'],
  ['orig_ip_bytes', 'count'],
  ['resp_pkts', 'count'],
  ['resp_ip_bytes', 'count'],
  ['tunnel_parents', 'set[string]'],
];

/** What the two encodings of a conn record share. */
interface Connection {
  readonly uid: string;
  readonly originatorPort: number;
  readonly responderPort: number;
  readonly proto: string;
  readonly originatorPayload: number;
  readonly responderPayload: number;
  readonly state: string;
  readonly history: string;
}

function connectionOf(flow: FlowRecord): Connection {
  const icmp = isIcmp(flow.protocol);
  const tcp = flow.protocol === PROTOCOL_TCP;
  const [state, history] = STATES[flow.outcome];
  const headerBytes = tcp ? 40 : 28;
  return {
    uid: `C${(flow.startUs % 2 ** 40).toString(36)}${(flow.sourcePort * 65_536 + flow.destinationPort).toString(36)}`,
    // Zeek puts the type and the code of ICMP into the ports.
    originatorPort: icmp ? flow.destinationPort >> 8 : flow.sourcePort,
    responderPort: icmp ? flow.destinationPort & 0xff : flow.destinationPort,
    proto: icmp ? 'icmp' : protocolKeyword(flow.protocol).toLowerCase(),
    originatorPayload: Math.max(0, flow.bytes - headerBytes * flow.packets),
    responderPayload: Math.max(0, flow.reverseBytes - headerBytes * flow.reversePackets),
    state,
    history: tcp ? history : flow.reversePackets > 0 ? 'Dd' : 'D',
  };
}

/** Zeek's conn.log as JSON with dotted keys. Unsampled: sampled counters are written scaled. */
export function createZeekJsonEncoder(): Encoder {
  const addresses = new AddressTexts();
  return {
    name: 'zeek-json',
    framing: 'lines',
    bidirectional: true,
    encode(_exporter, flow) {
      const c = connectionOf(flow);
      return bytesOf(
        `{"ts":${secondsText(flow.startUs)},"uid":"${c.uid}","id.orig_h":"${addresses.of(flow.sourceAddress)}",` +
          `"id.orig_p":${c.originatorPort},"id.resp_h":"${addresses.of(flow.destinationAddress)}",` +
          `"id.resp_p":${c.responderPort},"proto":"${c.proto}","duration":${secondsText(flow.endUs - flow.startUs)},` +
          `"orig_bytes":${c.originatorPayload},"resp_bytes":${c.responderPayload},"conn_state":"${c.state}",` +
          `"missed_bytes":0,"history":"${c.history}","orig_pkts":${flow.packets},"orig_ip_bytes":${flow.bytes},` +
          `"resp_pkts":${flow.reversePackets},"resp_ip_bytes":${flow.reverseBytes}}`,
      );
    },
  };
}

/** Zeek's conn.log as it lies on disk: tab-separated under `#` lines. */
export function createZeekTsvEncoder(): Encoder {
  const addresses = new AddressTexts();
  const names = COLUMNS.map(([name]) => name).join('\t');
  const types = COLUMNS.map(([, type]) => type).join('\t');
  return {
    name: 'zeek-tsv',
    framing: 'table',
    bidirectional: true,
    header: bytesOf(
      `#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#fields\t${names}\n#types\t${types}\n`,
    ),
    encode(_exporter, flow) {
      const c = connectionOf(flow);
      return bytesOf(
        `${secondsText(flow.startUs)}\t${c.uid}\t${addresses.of(flow.sourceAddress)}\t${c.originatorPort}\t` +
          `${addresses.of(flow.destinationAddress)}\t${c.responderPort}\t${c.proto}\t-\t` +
          `${secondsText(flow.endUs - flow.startUs)}\t${c.originatorPayload}\t${c.responderPayload}\t${c.state}\t-\t-\t0\t` +
          `${c.history}\t${flow.packets}\t${flow.bytes}\t${flow.reversePackets}\t${flow.reverseBytes}\t(empty)`,
      );
    },
  };
}
