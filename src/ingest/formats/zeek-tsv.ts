import { PROTOCOL_TCP } from '../../flow/protocol.ts';
import type { Decoder, DecodeSink, FeedSettings, Format } from '../format.ts';
import { FlowReading, Normaliser, type Refusal } from '../normalise.ts';
import { Row } from '../text/row.ts';
import { badField, firstLine, Header } from '../text/table.ts';
import { CONN_STATES, outcomeOfConnState, setTransport, tcpFlagsOfHistory, zeekLabel } from './zeek-conn.ts';

const TAB = 0x09;
const HASH = 0x23;
const LABELS_MAX = 1024;

const REQUIRED = ['ts', 'id.orig_h', 'id.orig_p', 'id.resp_h', 'id.resp_p', 'proto'] as const;

/** conn.log of Zeek 2.4 to 6 with its default fields; before that without local_resp. */
const DEFAULT_FIELDS =
  'ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes resp_bytes conn_state local_orig local_resp missed_bytes history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents'.split(
    ' ',
  );

const DASH = new TextEncoder().encode('-');

interface ConnColumns {
  readonly ts: number;
  readonly origHost: number;
  readonly origPort: number;
  readonly respHost: number;
  readonly respPort: number;
  readonly protocol: number;
  readonly ipProto: number;
  readonly duration: number;
  readonly origBytes: number;
  readonly respBytes: number;
  readonly connState: number;
  readonly history: number;
  readonly origPackets: number;
  readonly origIpBytes: number;
  readonly respPackets: number;
  readonly respIpBytes: number;
  /** Where the label begins; it and the detailed label are read as the rest of the row from there. -1 = no label. */
  readonly labels: number;
  /** The labels share their field with tunnel_parents. */
  readonly isLabelJoined: boolean;
  /** Where a detailed label is that does not follow the label as the last column; -1 = in the rest of the row. */
  readonly detail: number;
  readonly fieldsNeeded: number;
}

/**
 * Zeek's conn.log as text. The `#` directives give separator, the word for unset and the fields; a first line `ts|uid|…` or `ts,uid,…`
 * (re-exports) names fields and separator too; without either Zeek's default fields are taken. Forward is the originator, in IP bytes
 * where Zeek wrote them, else payload bytes. Connections end at ts + duration.
 *
 * Labels (IoT-23): `label` and `detailed-label` are columns of their own, or one field with tunnel_parents, joined by three blanks
 * (`-   Malicious   DDoS`), or mis-split (`Malicious   C&C|Torii`, `Malicious   C&C|`). So all text from there to the row's end is
 * cut at three blanks or separators: the first word is the label, the rest, joined by `-`, the detailed label; then `zeekLabel` decides.
 */
class ZeekTsvDecoder implements Decoder {
  readonly #row = new Row();
  readonly #reading = new FlowReading();
  readonly #normaliser: Normaliser;
  readonly #labels = new Map<string, string | null>();
  #separator = TAB;
  #fieldsLine: Uint8Array = new Uint8Array(0);
  #columns: ConnColumns | null = null;

  constructor(settings: FeedSettings) {
    this.#normaliser = new Normaliser(settings);
  }

  decode(message: Uint8Array, receivedUs: number, sink: DecodeSink): void {
    const row = this.#row;
    this.#separator = TAB;
    row.unset = DASH;
    row.open(message, TAB);
    let position = 0;
    let lines = 0;
    let columns: ConnColumns | null = null;
    while (row.nextLine()) {
      if (row.firstByte() === HASH || (lines++ === 0 && this.#findPlainHeader())) {
        const isDirective = row.firstByte() === HASH;
        const refusal = isDirective ? this.#readDirective() : this.#readFields(row.bytes());
        if (refusal !== null) {
          sink.reject(refusal.reason, refusal.detail);
          return;
        }
        if (!isDirective || startsWith(row, '#fields')) columns = this.#columns;
        continue;
      }
      row.split();
      columns ??= defaultColumns(row.fieldCount);
      const refusal =
        row.fieldCount < columns.fieldsNeeded
          ? truncated(row, columns.fieldsNeeded)
          : this.#readRow(columns, receivedUs, sink);
      if (refusal !== null) sink.reject(refusal.reason, refusal.detail, position, row.bytes());
      position++;
    }
  }

  #readDirective(): Refusal | null {
    const row = this.#row;
    if (startsWith(row, '#fields')) return this.#readFields(row.bytes());
    if (startsWith(row, '#separator')) {
      this.#separator = separatorOf(lineText(row).slice('#separator'.length).trim());
      row.setDelimiter(this.#separator);
    } else if (startsWith(row, '#unset_field')) {
      row.unset = Buffer.from(lineText(row).slice('#unset_field'.length + 1));
    } else if (startsWith(row, '#path')) {
      const path = lineText(row)
        .slice('#path'.length + 1)
        .trim();
      if (!/^conn(?![a-z])/.test(path))
        return { reason: 'not_a_flow', detail: `a Zeek log of path ${path}, not conn` };
    }
    return null;
  }

  /** A first line `ts|uid|…` names the fields without directives; the character after `ts` separates. */
  #findPlainHeader(): boolean {
    const row = this.#row;
    if (!startsWith(row, 'ts') || !/^ts[^a-z0-9]uid/.test(lineText(row).slice(0, 6))) return false;
    this.#separator = row.buffer[row.start + 2]!;
    row.setDelimiter(this.#separator);
    return true;
  }

  #readFields(line: Uint8Array): Refusal | null {
    if (this.#columns !== null && Buffer.compare(line, this.#fieldsLine) === 0) return null;
    this.#columns = null;
    const names = lineText(this.#row).split(String.fromCharCode(this.#separator));
    if (names[0] === '#fields') names.shift();
    const header = new Header(names);
    const missing = REQUIRED.filter((name) => header.column(name) < 0);
    if (missing.length > 0)
      return { reason: 'missing_field', detail: `#fields has no ${missing.join(', ')}` };
    this.#columns = columnsOf(names);
    this.#fieldsLine = line.slice();
    return null;
  }

  #readRow(columns: ConnColumns, receivedUs: number, sink: DecodeSink): Refusal | null {
    const row = this.#row;
    const reading = this.#reading;
    reading.clear();
    reading.startUs = row.secondsUs(columns.ts);
    if (Number.isNaN(reading.startUs)) return badField('invalid_time', row, columns.ts, 'ts');
    const durationUs = row.has(columns.duration) ? row.secondsUs(columns.duration) : 0;
    if (!(durationUs >= 0)) return badField('invalid_time', row, columns.duration, 'duration');
    reading.endUs = reading.startUs + durationUs;
    reading.allowsRelativeTime = true;
    const source = row.address(columns.origHost);
    if (source === null) return badField('invalid_address', row, columns.origHost, 'id.orig_h');
    const destination = row.address(columns.respHost);
    if (destination === null) return badField('invalid_address', row, columns.respHost, 'id.resp_h');
    reading.sourceAddress = source;
    reading.destinationAddress = destination;
    setTransport(
      reading,
      row.word(columns.protocol),
      row.countOrZero(columns.ipProto),
      row.countOrZero(columns.origPort),
      row.countOrZero(columns.respPort),
    );
    reading.bytes = row.countOrZero(row.has(columns.origIpBytes) ? columns.origIpBytes : columns.origBytes);
    reading.packets = row.countOrZero(columns.origPackets);
    reading.reverseBytes = row.countOrZero(
      row.has(columns.respIpBytes) ? columns.respIpBytes : columns.respBytes,
    );
    reading.reversePackets = row.countOrZero(columns.respPackets);
    reading.bidirectional = true;
    reading.counters = 'unsampled';
    reading.outcome = outcomeOfConnState(row.word(columns.connState));
    if (reading.protocol === PROTOCOL_TCP) reading.tcpFlags = tcpFlagsOfHistory(row.word(columns.history));
    if (columns.labels >= 0) reading.label = this.#labelOf(columns);
    return this.#normaliser.emit(reading, '', receivedUs, sink);
  }

  #labelOf(columns: ConnColumns): string | null {
    const row = this.#row;
    if (columns.labels >= row.fieldCount) return null;
    if (columns.detail >= 0)
      return zeekLabel(row.word(columns.labels).trim(), row.word(columns.detail).trim());
    const text = row.wordBetween(row.starts[columns.labels]!, row.end);
    let label = this.#labels.get(text);
    if (label === undefined) {
      const separator = String.fromCharCode(this.#separator);
      const words = text
        .replaceAll(separator, '   ')
        .split(/ {3,}|\|/)
        .slice(columns.isLabelJoined ? 1 : 0);
      const details = words.slice(1).filter((word) => word !== '' && word !== '-' && word !== '(empty)');
      label = zeekLabel((words[0] ?? '').trim(), details.join('-').trim());
      if (this.#labels.size >= LABELS_MAX) this.#labels.clear();
      this.#labels.set(text, label);
    }
    return label;
  }
}

function columnsOf(names: readonly string[]): ConnColumns {
  const header = new Header(names);
  const joined = names.findIndex((name) => /^tunnel_parents +label\b/.test(name));
  const label = header.column('label');
  const detail = header.column('detailed-label', 'detailed_label', 'detailedlabel');
  const isLast = detail === label + 1 && detail === names.length - 1;
  return {
    ts: header.column('ts'),
    origHost: header.column('id.orig_h'),
    origPort: header.column('id.orig_p'),
    respHost: header.column('id.resp_h'),
    respPort: header.column('id.resp_p'),
    protocol: header.column('proto'),
    ipProto: header.column('ip_proto'),
    duration: header.column('duration'),
    origBytes: header.column('orig_bytes'),
    respBytes: header.column('resp_bytes'),
    connState: header.column('conn_state'),
    history: header.column('history'),
    origPackets: header.column('orig_pkts'),
    origIpBytes: header.column('orig_ip_bytes'),
    respPackets: header.column('resp_pkts'),
    respIpBytes: header.column('resp_ip_bytes'),
    labels: joined >= 0 ? joined : label,
    isLabelJoined: joined >= 0,
    detail: joined >= 0 || isLast ? -1 : detail,
    fieldsNeeded:
      1 + Math.max(...REQUIRED.map((name) => header.column(name)), header.column('resp_ip_bytes')),
  };
}

const DEFAULT_COLUMNS = columnsOf(DEFAULT_FIELDS);
const OLD_COLUMNS = columnsOf(DEFAULT_FIELDS.filter((name) => name !== 'local_resp'));

/** Zeek's default fields for a row of this many. */
function defaultColumns(fieldCount: number): ConnColumns {
  return fieldCount === DEFAULT_FIELDS.length - 1 ? OLD_COLUMNS : DEFAULT_COLUMNS;
}

function truncated(row: Row, fieldsNeeded: number): Refusal {
  return {
    reason: 'truncated',
    detail: `${row.fieldCount} fields where at least ${fieldsNeeded} are needed`,
  };
}

function startsWith(row: Row, text: string): boolean {
  if (row.end - row.start < text.length) return false;
  for (let i = 0; i < text.length; i++) if (row.buffer[row.start + i] !== text.charCodeAt(i)) return false;
  return true;
}

function lineText(row: Row): string {
  return row.buffer.toString('utf8', row.start, row.end);
}

/** `\x09` or the character itself. */
function separatorOf(text: string): number {
  const hex = /^\\x([0-9a-f]{2})/i.exec(text);
  return hex ? Number.parseInt(hex[1]!, 16) : text.charCodeAt(0) || TAB;
}

function sniff(sample: Uint8Array): number {
  const head = Buffer.from(sample.buffer, sample.byteOffset, Math.min(sample.length, 4096)).toString(
    'latin1',
  );
  if (head.startsWith('#separator') || head.startsWith('#fields')) {
    if (/^#path\s+conn(?![a-z])/m.test(head)) return 1;
    return /^#fields\s.*id\.orig_h.*conn_state/m.test(head) ? 1 : 0;
  }
  const line = firstLine(sample);
  if (/^ts[^a-z0-9]uid[^a-z0-9]id\.orig_h/.test(line)) return line.includes('conn_state') ? 1 : 0;
  const fields = line.split('\t');
  return fields.length >= 19 && /^\d+\.\d+$/.test(fields[0]!) && CONN_STATES.has(fields[11]!) ? 0.9 : 0;
}

export const zeekTsv: Format = {
  name: 'zeek-tsv',
  family: 'zeek',
  framing: 'table',
  sniff,
  hasHeader: (sample) => /^(?:#|ts[^a-z0-9]uid)/.test(firstLine(sample)),
  createDecoder: (settings) => new ZeekTsvDecoder(settings),
};
