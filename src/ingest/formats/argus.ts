import type { Outcome } from '../../flow/flow-record.ts';
import {
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_NOT_IP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  protocolNumber,
} from '../../flow/protocol.ts';
import { outcomeOfTcpFlags, tcpFlagsOfLetters } from '../../flow/tcp-flags.ts';
import type { DecodeSink, FeedSettings, Format } from '../format.ts';
import { FlowReading, Normaliser, type Refusal } from '../normalise.ts';
import type { Row } from '../text/row.ts';
import { badField, createTableDecoder, type Header, sniffHeader, type TableReader } from '../text/table.ts';
import { IsoTimeReader } from '../times.ts';

const REQUIRED = [
  'StartTime',
  'Dur',
  'Proto',
  'SrcAddr',
  'Sport',
  'DstAddr',
  'Dport',
  'TotPkts',
  'TotBytes',
] as const;

/** Applications that argus names in place of their transport. */
const OVER_UDP = new Set(['rtp', 'rtcp', 'udt']);

const MAC_ADDRESS = /^(?:[0-9a-f]{1,2}:){5}[0-9a-f]{1,2}$/i;

interface ArgusColumns extends Readonly<Record<string, number>> {
  readonly start: number;
  readonly duration: number;
  readonly protocol: number;
  readonly sourceAddress: number;
  readonly sourcePort: number;
  readonly destinationAddress: number;
  readonly destinationPort: number;
  readonly state: number;
  readonly tos: number;
  readonly packets: number;
  readonly bytes: number;
  readonly sourceBytes: number;
  readonly sourcePackets: number;
  readonly label: number;
}

/**
 * Text of argus' `ra` (binetflow, uninetflow; CTU-13): comma or TAB, columns in the order of the header, StartTime local and
 * without a zone, so read in the feed's. Source is SrcAddr; Dir only says which of the two argus believes to have begun.
 *
 * - With SrcBytes the record counts both directions: forward SrcBytes, reverse TotBytes - SrcBytes. Where SrcPkts is missing, TotPkts is
 *   split in proportion to the bytes, at least one packet a direction that has bytes; the sum stays exact.
 * - Ports of ICMP are type + code * 256, in hex or not, in Sport; Dport is the echo id and dropped. Other ports may be hex too.
 * - State of TCP is the flags of either side (`FSPA_SRPA`), else a word (`CON`, `INT`, `RST`).
 * - ARP keeps its addresses, with protocol 255; MAC addresses (LLC, IPX) are none. Management records (`man`) are no flows.
 */
class ArgusReader implements TableReader<ArgusColumns> {
  readonly name = 'argus';
  readonly required = REQUIRED;
  readonly #reading = new FlowReading();
  readonly #normaliser: Normaliser;
  readonly #time: IsoTimeReader;

  constructor(settings: FeedSettings) {
    this.#normaliser = new Normaliser(settings);
    this.#time = new IsoTimeReader(settings.timeZone);
  }

  columnsOf(header: Header): ArgusColumns {
    return {
      start: header.column('StartTime'),
      duration: header.column('Dur'),
      protocol: header.column('Proto'),
      sourceAddress: header.column('SrcAddr'),
      sourcePort: header.column('Sport'),
      destinationAddress: header.column('DstAddr'),
      destinationPort: header.column('Dport'),
      state: header.column('State'),
      tos: header.column('sTos'),
      packets: header.column('TotPkts'),
      bytes: header.column('TotBytes'),
      sourceBytes: header.column('SrcBytes'),
      sourcePackets: header.column('SrcPkts'),
      label: header.column('Label'),
    };
  }

  read(row: Row, columns: ArgusColumns, receivedUs: number, sink: DecodeSink): Refusal | null {
    const protocol = row.word(columns.protocol).trim();
    if (protocol === 'man') return { reason: 'not_a_flow', detail: 'argus management record' };
    const reading = this.#reading;
    reading.clear();
    const refusal =
      this.#readTimes(row, columns) ??
      readAddresses(row, columns, reading) ??
      readCounters(row, columns, reading);
    if (refusal !== null) return refusal;
    reading.protocol = OVER_UDP.has(protocol) ? PROTOCOL_UDP : (protocolNumber(protocol) ?? PROTOCOL_NOT_IP);
    readPorts(row, columns, reading);
    readState(row.word(columns.state), reading);
    reading.tos = row.countOrZero(columns.tos);
    reading.counters = 'unsampled';
    reading.label = row.has(columns.label) ? row.word(columns.label) : null;
    return this.#normaliser.emit(reading, '', receivedUs, sink);
  }

  #readTimes(row: Row, columns: ArgusColumns): Refusal | null {
    const reading = this.#reading;
    const text = row.text(columns.start);
    // Some exports lost the blank between date and time.
    const isJoined = text.charCodeAt(4) === 0x2f && text.charCodeAt(10) !== 0x20;
    reading.startUs =
      text.charCodeAt(4) === 0x2f
        ? this.#time.readUs(isJoined ? `${text.slice(0, 10)} ${text.slice(10)}` : text)
        : row.secondsUs(columns.start);
    if (Number.isNaN(reading.startUs)) return badField('invalid_time', row, columns.start, 'StartTime');
    const durationUs = row.secondsUs(columns.duration);
    if (!(durationUs >= 0)) return badField('invalid_time', row, columns.duration, 'Dur');
    reading.endUs = reading.startUs + durationUs;
    reading.allowsRelativeTime = true;
    return null;
  }
}

function readAddresses(row: Row, columns: ArgusColumns, reading: FlowReading): Refusal | null {
  const source = row.address(columns.sourceAddress);
  if (source !== null) reading.sourceAddress = source;
  else if (!MAC_ADDRESS.test(row.text(columns.sourceAddress)))
    return badField('invalid_address', row, columns.sourceAddress, 'SrcAddr');
  const destination = row.address(columns.destinationAddress);
  if (destination !== null) reading.destinationAddress = destination;
  else if (!MAC_ADDRESS.test(row.text(columns.destinationAddress)))
    return badField('invalid_address', row, columns.destinationAddress, 'DstAddr');
  return null;
}

function readCounters(row: Row, columns: ArgusColumns, reading: FlowReading): Refusal | null {
  const bytes = row.count(columns.bytes);
  const packets = row.count(columns.packets);
  if (!row.has(columns.sourceBytes)) {
    reading.bytes = bytes;
    reading.packets = packets;
    return null;
  }
  const sourceBytes = row.count(columns.sourceBytes);
  if (sourceBytes > bytes)
    return badField('counter_out_of_range', row, columns.sourceBytes, 'SrcBytes > TotBytes:');
  const sourcePackets = row.has(columns.sourcePackets)
    ? row.count(columns.sourcePackets)
    : shareOfPackets(packets, sourceBytes, bytes);
  if (sourcePackets > packets)
    return badField('counter_out_of_range', row, columns.sourcePackets, 'SrcPkts > TotPkts:');
  reading.bidirectional = true;
  reading.bytes = sourceBytes;
  reading.packets = sourcePackets;
  reading.reverseBytes = bytes - sourceBytes;
  reading.reversePackets = packets - sourcePackets;
  return null;
}

function shareOfPackets(packets: number, sourceBytes: number, bytes: number): number {
  if (sourceBytes === bytes) return packets;
  if (sourceBytes === 0) return 0;
  return Math.max(1, Math.min(packets - 1, Math.round((packets * sourceBytes) / bytes)));
}

function readPorts(row: Row, columns: ArgusColumns, reading: FlowReading): void {
  const source = portOf(row, columns.sourcePort);
  if (reading.protocol === PROTOCOL_ICMP || reading.protocol === PROTOCOL_ICMPV6) {
    reading.destinationPort = (source & 0xff) * 256 + ((source >> 8) & 0xff);
    return;
  }
  reading.sourcePort = source;
  reading.destinationPort = portOf(row, columns.destinationPort);
}

/** Decimal or `0x…`; 0 where there is none. */
function portOf(row: Row, column: number): number {
  if (!row.has(column)) return 0;
  const start = row.starts[column]!;
  const isHex = row.buffer[start] === 0x30 && row.buffer[start + 1] === 0x78;
  return isHex ? Number(row.text(column)) : row.count(column);
}

function readState(state: string, reading: FlowReading): void {
  if (reading.protocol !== PROTOCOL_TCP && reading.protocol !== PROTOCOL_UDP) return;
  const middle = state.indexOf('_');
  if (middle < 0) {
    reading.outcome = outcomeOfWord(state);
    return;
  }
  const sent = tcpFlagsOfLetters(state.slice(0, middle));
  const replied = tcpFlagsOfLetters(state.slice(middle + 1));
  reading.tcpFlags = sent | replied;
  reading.outcome = outcomeOfTcpFlags(sent, replied);
}

/** State words of ra(1): requested, initial; accepted, established, connected, closing, closed; reset. */
function outcomeOfWord(state: string): Outcome {
  switch (state) {
    case 'INT':
    case 'REQ':
    case 'S0':
      return 'NO_REPLY';
    case 'ACC':
    case 'EST':
    case 'CON':
    case 'FIN':
    case 'CLO':
      return 'ESTABLISHED';
    case 'RST':
      return 'RESET';
    default:
      return 'UNKNOWN';
  }
}

export const argus: Format = {
  name: 'argus',
  family: 'argus',
  framing: 'table',
  sniff: (sample) => sniffHeader(sample, REQUIRED),
  createDecoder: (settings) => createTableDecoder(new ArgusReader(settings)),
};
