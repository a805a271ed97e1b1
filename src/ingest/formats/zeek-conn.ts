import { isIpv4 } from '../../flow/address.ts';
import type { Outcome } from '../../flow/flow-record.ts';
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_NOT_IP, protocolNumber } from '../../flow/protocol.ts';
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from '../../flow/tcp-flags.ts';
import type { FlowReading } from '../normalise.ts';

/** Zeek, base/protocols/conn/main.zeek. Half-seen connections (SHR, OTH) tell nothing. */
const OUTCOMES: ReadonlyMap<string, Outcome> = new Map([
  ['S0', 'NO_REPLY'],
  ['SH', 'NO_REPLY'],
  ['RSTOS0', 'NO_REPLY'],
  ['REJ', 'REJECTED'],
  ['S1', 'ESTABLISHED'],
  ['S2', 'ESTABLISHED'],
  ['S3', 'ESTABLISHED'],
  ['SF', 'ESTABLISHED'],
  ['RSTO', 'RESET'],
  ['RSTR', 'RESET'],
  ['RSTRH', 'RESET'],
]);

/** What became of a connection, from conn_state. */
export function outcomeOfConnState(state: string): Outcome {
  return OUTCOMES.get(state) ?? 'UNKNOWN';
}

/** The states conn_state can take. */
export const CONN_STATES: ReadonlySet<string> = new Set([...OUTCOMES.keys(), 'SHR', 'OTH']);

/**
 * Union of the TCP flags that Zeek's history proves: s SYN, h SYN+ACK, a ACK, d data (which carries ACK), f FIN, r RST, upper case by the
 * originator. PSH and URG are not told.
 */
export function tcpFlagsOfHistory(history: string): number {
  let flags = 0;
  for (let i = 0; i < history.length; i++) {
    switch (history.charCodeAt(i) | 0x20) {
      case 0x73:
        flags |= TCP_SYN;
        break;
      case 0x68:
        flags |= TCP_SYN | TCP_ACK;
        break;
      case 0x61:
      case 0x64:
        flags |= TCP_ACK;
        break;
      case 0x66:
        flags |= TCP_FIN;
        break;
      case 0x72:
        flags |= TCP_RST;
        break;
      default:
    }
  }
  return flags;
}

/** ICMP and ICMPv6 types that answer each other: Zeek writes the answer's type where others have the code. */
const ICMP_ANSWERS: ReadonlyMap<number, number> = new Map(
  [
    [0, 8],
    [9, 10],
    [13, 14],
    [15, 16],
    [17, 18],
    [128, 129],
    [133, 134],
    [135, 136],
    [139, 140],
    [144, 145],
  ].flatMap(([one, other]) => [
    [one!, other!],
    [other!, one!],
  ]),
);

/**
 * Protocol and ports of a reading whose addresses are set. Zeek calls both ICMP versions `icmp` and puts type and code (or the
 * answer's type) where the ports are. `unknown_transport` is told by ip_proto (newer Zeek), else it is 255.
 */
export function setTransport(
  reading: FlowReading,
  name: string,
  ipProto: number,
  origPort: number,
  respPort: number,
): void {
  const isIcmp = name === 'icmp' || name === 'icmp6';
  if (!isIcmp) {
    reading.protocol = protocolNumber(name) ?? (ipProto > 0 ? ipProto : PROTOCOL_NOT_IP);
    reading.sourcePort = origPort;
    reading.destinationPort = respPort;
    return;
  }
  reading.protocol = isIpv4(reading.sourceAddress) ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
  reading.destinationPort = origPort * 256 + (ICMP_ANSWERS.get(origPort) === respPort ? 0 : respPort);
}

/**
 * Class of a labelled connection (IoT-23, netflowlabeler): benign stays `Benign` in whatever case and whatever its detail; else the detailed
 * label where there is one (`PartOfAHorizontalPortScan`, `C&C`), else the label (`Malicious`). null = not labelled.
 */
export function zeekLabel(label: string, detail: string): string | null {
  if (isUnset(label)) return null;
  if (/^benign$/i.test(label)) return 'Benign';
  if (!isUnset(detail)) return detail;
  return /^malicious$/i.test(label) ? 'Malicious' : label;
}

function isUnset(text: string): boolean {
  return text === '' || text === '-' || text === '(empty)';
}
