import type { Decoder, DecodeSink } from '../format.ts';
import type { Refusal } from '../normalise.ts';
import { Row } from './row.ts';

const COMMA = 0x2c;
const TAB = 0x09;

/** What a format knows of its table; `Columns` are the indices of the columns it reads. */
export interface TableReader<Columns> {
  /** For messages to people. */
  readonly name: string;
  /** Columns without which there is no flow, in the header's spelling. */
  readonly required: readonly string[];
  /** The lines that end a table and are no rows, such as a summary: from the first on, the rest of the message is skipped. */
  isTrailer?(row: Row): boolean;
  columnsOf(header: Header): Columns;
  /** Hands the flow of the current row, already split, to the sink; or says why not. */
  read(row: Row, columns: Columns, receivedUs: number, sink: DecodeSink): Refusal | null;
}

/** Column names of a table, in order. Names are compared without case and without surrounding blanks. */
export class Header {
  readonly #names: readonly string[];

  constructor(names: readonly string[]) {
    this.#names = names.map((name) => name.trim().toLowerCase());
  }

  /** Index of the first of these names that the table has; -1 = none. */
  column(...names: string[]): number {
    for (const name of names) {
      const index = this.#names.indexOf(name.toLowerCase());
      if (index >= 0) return index;
    }
    return -1;
  }
}

/** A refusal of one row whose field holds something else than it must. */
export function badField(reason: Refusal['reason'], row: Row, column: number, name: string): Refusal {
  return { reason, detail: `${name} is "${row.text(column).slice(0, 80)}"` };
}

/**
 * Decodes messages of a header line and rows under it. The columns are found by name once per header and kept as long as
 * the header's bytes stay the same. A row that ends before its last needed column is `truncated`.
 */
export function createTableDecoder<Columns>(reader: TableReader<Columns>): Decoder {
  const row = new Row();
  let headerBytes: Uint8Array = new Uint8Array(0);
  let columns: Columns | null = null;
  let fieldsNeeded = 0;
  let delimiter = COMMA;

  const readHeader = (sink: DecodeSink): boolean => {
    const line = row.bytes();
    if (columns !== null && Buffer.compare(line, headerBytes) === 0) {
      row.setDelimiter(delimiter);
      return true;
    }
    delimiter = line.includes(TAB) ? TAB : COMMA;
    row.setDelimiter(delimiter);
    row.split();
    const header = new Header(Array.from({ length: row.fieldCount }, (_, column) => row.text(column)));
    const missing = reader.required.filter((name) => header.column(name) < 0);
    if (missing.length > 0) {
      columns = null;
      const isHeader = missing.length < reader.required.length;
      sink.reject(
        isHeader ? 'missing_field' : 'malformed',
        isHeader
          ? `the ${reader.name} header has no column ${missing.join(', ')}`
          : `the first line is no ${reader.name} header (${reader.required.join(',')}, …)`,
      );
      return false;
    }
    headerBytes = line.slice();
    columns = reader.columnsOf(header);
    fieldsNeeded = 1 + Math.max(...reader.required.map((name) => header.column(name)));
    return true;
  };

  return {
    decode(message, receivedUs, sink) {
      row.open(message, delimiter);
      if (!row.nextLine()) return sink.reject('empty_message', 'no line in it');
      if (!readHeader(sink) || columns === null) return;
      for (let position = 0; row.nextLine(); position++) {
        row.split();
        if (reader.isTrailer?.(row)) return;
        const refusal =
          row.fieldCount < fieldsNeeded
            ? truncated(row, fieldsNeeded)
            : reader.read(row, columns, receivedUs, sink);
        if (refusal !== null) sink.reject(refusal.reason, refusal.detail, position, row.bytes());
      }
    },
  };
}

function truncated(row: Row, fieldsNeeded: number): Refusal {
  return {
    reason: 'truncated',
    detail: `${row.fieldCount} fields where at least ${fieldsNeeded} are needed`,
  };
}

/** The first line of a sample without its line ending; also the whole sample where it has no line end. */
export function firstLine(sample: Uint8Array): string {
  const newline = sample.indexOf(0x0a);
  const line = sample.subarray(0, newline < 0 ? Math.min(sample.length, 4096) : newline);
  return Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('latin1').replace(/\r$/, '');
}

/** How sure a header with exactly these columns among its own is this table: 1 when all are there, else 0. */
export function sniffHeader(sample: Uint8Array, names: readonly string[]): number {
  const line = firstLine(sample);
  const header = new Header(line.split(line.includes('\t') ? '\t' : ','));
  return names.every((name) => header.column(name) >= 0) ? 1 : 0;
}
