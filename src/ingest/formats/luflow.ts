import { PROTOCOL_ICMP, PROTOCOL_ICMPV6 } from '../../flow/protocol.ts';
import type { DecodeSink, FeedSettings, Format } from '../format.ts';
import { FlowReading, Normaliser, type Refusal } from '../normalise.ts';
import type { Row } from '../text/row.ts';
import { badField, createTableDecoder, type Header, sniffHeader, type TableReader } from '../text/table.ts';
import { parsePaddedEpoch } from '../text/values.ts';

/** Digits of a microsecond epoch from 2001 to 2286. */
const EPOCH_DIGITS = 16;

const REQUIRED = [
  'bytes_in',
  'bytes_out',
  'dest_ip',
  'dest_port',
  'num_pkts_out',
  'num_pkts_in',
  'proto',
  'src_ip',
  'src_port',
  'time_end',
  'time_start',
];

interface LuflowColumns extends Readonly<Record<string, number>> {
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly destinationAs: number;
  readonly destinationPort: number;
  readonly packetsOut: number;
  readonly packetsIn: number;
  readonly protocol: number;
  readonly sourceAs: number;
  readonly sourcePort: number;
  readonly timeEnd: number;
  readonly timeStart: number;
  readonly label: number;
}

function columnsOf(header: Header): LuflowColumns {
  return {
    bytesIn: header.column('bytes_in'),
    bytesOut: header.column('bytes_out'),
    destinationAs: header.column('dest_ip'),
    destinationPort: header.column('dest_port'),
    packetsOut: header.column('num_pkts_out'),
    packetsIn: header.column('num_pkts_in'),
    protocol: header.column('proto'),
    sourceAs: header.column('src_ip'),
    sourcePort: header.column('src_port'),
    timeEnd: header.column('time_end'),
    timeStart: header.column('time_start'),
    label: header.column('label'),
  };
}

/**
 * Lancaster University's labelled flow tables (LUFlow). Source and destination are AS numbers in place of addresses, so
 * flows carry no address; times are microsecond epochs whose trailing zeros were dropped; ports of ICMP are `""` or 0.
 * `bytes_in` and `num_pkts_in` count source to destination, `_out` destination to source, as the data set's description has
 * it. Every packet was seen.
 */
class LuflowReader implements TableReader<LuflowColumns> {
  readonly name = 'luflow';
  readonly required = REQUIRED;
  readonly #reading = new FlowReading();
  readonly #normaliser: Normaliser;

  constructor(settings: FeedSettings) {
    this.#normaliser = new Normaliser(settings);
  }

  columnsOf(header: Header): LuflowColumns {
    return columnsOf(header);
  }

  read(row: Row, columns: LuflowColumns, receivedUs: number, sink: DecodeSink): Refusal | null {
    const reading = this.#reading;
    reading.clear();
    reading.startUs = epoch(row, columns.timeStart);
    if (Number.isNaN(reading.startUs)) return badField('invalid_time', row, columns.timeStart, 'time_start');
    reading.endUs = epoch(row, columns.timeEnd);
    if (Number.isNaN(reading.endUs)) return badField('invalid_time', row, columns.timeEnd, 'time_end');
    reading.protocol = row.count(columns.protocol);
    if (reading.protocol !== PROTOCOL_ICMP && reading.protocol !== PROTOCOL_ICMPV6) {
      reading.sourcePort = row.countOrZero(columns.sourcePort);
      reading.destinationPort = row.countOrZero(columns.destinationPort);
    }
    reading.sourceAs = row.count(columns.sourceAs);
    reading.destinationAs = row.count(columns.destinationAs);
    reading.bytes = row.count(columns.bytesIn);
    reading.packets = row.count(columns.packetsIn);
    reading.reverseBytes = row.count(columns.bytesOut);
    reading.reversePackets = row.count(columns.packetsOut);
    reading.bidirectional = true;
    reading.counters = 'unsampled';
    reading.label = row.has(columns.label) ? row.word(columns.label) : null;
    return this.#normaliser.emit(reading, '', receivedUs, sink);
  }
}

function epoch(row: Row, column: number): number {
  return parsePaddedEpoch(row.buffer, row.starts[column]!, row.ends[column]!, EPOCH_DIGITS);
}

export const luflow: Format = {
  name: 'luflow',
  family: 'luflow',
  framing: 'table',
  sniff: (sample) => sniffHeader(sample, REQUIRED),
  createDecoder: (settings) => createTableDecoder(new LuflowReader(settings)),
};
