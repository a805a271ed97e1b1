import { PROTOCOL_NOT_IP, PROTOCOL_TCP, protocolNumber } from '../../flow/protocol.ts';
import {
  outcomeOfTcpFlags,
  TCP_ACK,
  TCP_FIN,
  TCP_PSH,
  TCP_RST,
  TCP_SYN,
  TCP_URG,
} from '../../flow/tcp-flags.ts';
import type { DecodeSink, FeedSettings, Format } from '../format.ts';
import { FlowReading, Normaliser, type Refusal } from '../normalise.ts';
import type { Row } from '../text/row.ts';
import { badField, createTableDecoder, type Header, sniffHeader, type TableReader } from '../text/table.ts';

const REQUIRED = [
  'sIPs',
  'rIPs',
  'protocol',
  'start',
  'end',
  'sPackets',
  'rPackets',
  'sBytesSum',
  'rBytesSum',
] as const;

/** The flag rates of one side: the share of its packets that carry the flag. */
const FLAG_RATES = [
  ['AckRate', TCP_ACK],
  ['UrgRate', TCP_URG],
  ['FinRate', TCP_FIN],
  ['PshRate', TCP_PSH],
  ['SynRate', TCP_SYN],
  ['RstRate', TCP_RST],
] as const;

interface FlagColumn {
  readonly column: number;
  readonly flag: number;
}

interface WestermoColumns {
  readonly senderIp: number;
  readonly receiverIp: number;
  readonly protocol: number;
  readonly start: number;
  readonly end: number;
  readonly senderPackets: number;
  readonly receiverPackets: number;
  readonly senderBytes: number;
  readonly receiverBytes: number;
  readonly label: number;
  readonly senderFlags: readonly FlagColumn[];
  readonly receiverFlags: readonly FlagColumn[];
}

/**
 * The flow tables of the Westermo network traffic data set (an industrial network). Sender is the source. Rows that are not
 * IP (ARP, LLDP) have no addresses and protocol 255; no row has ports. TCP flags come as rates per side: any rate above zero
 * sets the flag. The label is NST_M_Label (only flows from and to the attacker), not IT_M_Label (all that passed meanwhile).
 */
class WestermoReader implements TableReader<WestermoColumns> {
  readonly name = 'westermo';
  readonly required = REQUIRED;
  readonly #reading = new FlowReading();
  readonly #normaliser: Normaliser;

  constructor(settings: FeedSettings) {
    this.#normaliser = new Normaliser(settings);
  }

  columnsOf(header: Header): WestermoColumns {
    const flags = (side: 's' | 'r') =>
      FLAG_RATES.map(([name, flag]) => ({ column: header.column(`${side}${name}`), flag }));
    return {
      senderIp: header.column('sIPs'),
      receiverIp: header.column('rIPs'),
      protocol: header.column('protocol'),
      start: header.column('start'),
      end: header.column('end'),
      senderPackets: header.column('sPackets'),
      receiverPackets: header.column('rPackets'),
      senderBytes: header.column('sBytesSum'),
      receiverBytes: header.column('rBytesSum'),
      label: header.column('NST_M_Label'),
      senderFlags: flags('s'),
      receiverFlags: flags('r'),
    };
  }

  read(row: Row, columns: WestermoColumns, receivedUs: number, sink: DecodeSink): Refusal | null {
    const reading = this.#reading;
    reading.clear();
    reading.startUs = row.secondsUs(columns.start);
    if (Number.isNaN(reading.startUs)) return badField('invalid_time', row, columns.start, 'start');
    reading.endUs = row.secondsUs(columns.end);
    if (Number.isNaN(reading.endUs)) return badField('invalid_time', row, columns.end, 'end');
    reading.protocol = protocolOf(row.word(columns.protocol));
    if (row.has(columns.senderIp)) {
      const address = row.address(columns.senderIp);
      if (address === null) return badField('invalid_address', row, columns.senderIp, 'sIPs');
      reading.sourceAddress = address;
    }
    if (row.has(columns.receiverIp)) {
      const address = row.address(columns.receiverIp);
      if (address === null) return badField('invalid_address', row, columns.receiverIp, 'rIPs');
      reading.destinationAddress = address;
    }
    reading.bytes = row.count(columns.senderBytes);
    reading.packets = row.count(columns.senderPackets);
    reading.reverseBytes = row.count(columns.receiverBytes);
    reading.reversePackets = row.count(columns.receiverPackets);
    reading.bidirectional = true;
    reading.counters = 'unsampled';
    if (reading.protocol === PROTOCOL_TCP) {
      const sent = flagsOf(row, columns.senderFlags);
      const replied = flagsOf(row, columns.receiverFlags);
      reading.tcpFlags = sent | replied;
      reading.outcome = outcomeOfTcpFlags(sent, replied);
    }
    reading.label = row.has(columns.label) ? row.word(columns.label) : null;
    return this.#normaliser.emit(reading, '', receivedUs, sink);
  }
}

/** `IPV4-TCP`, `IPV4-2` (a number) and `IPV6-UDP` are IP; `ARP` and `LLDP` are not. */
function protocolOf(name: string): number {
  if (!name.startsWith('IPV4-') && !name.startsWith('IPV6-')) return PROTOCOL_NOT_IP;
  return protocolNumber(name.slice(5)) ?? PROTOCOL_NOT_IP;
}

function flagsOf(row: Row, columns: readonly FlagColumn[]): number {
  let flags = 0;
  for (const { column, flag } of columns) if (isPositive(row, column)) flags |= flag;
  return flags;
}

/** Whether the field is a number above zero: it has a digit other than 0 before any exponent. */
function isPositive(row: Row, column: number): boolean {
  if (!row.has(column)) return false;
  const { buffer } = row;
  for (let i = row.starts[column]!; i < row.ends[column]!; i++) {
    const code = buffer[i]!;
    if (code >= 0x31 && code <= 0x39) return true;
    if (code !== 0x30 && code !== 0x2e) return false;
  }
  return false;
}

export const westermo: Format = {
  name: 'westermo',
  family: 'westermo',
  framing: 'table',
  sniff: (sample) => sniffHeader(sample, REQUIRED),
  createDecoder: (settings) => createTableDecoder(new WestermoReader(settings)),
};
