import { isUtf8 } from 'node:buffer';
import { parseAddressBytes, parseCount, parseSecondsUs } from './values.ts';

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const QUOTE = 0x22;
const INTERNED_MAX = 1024;
const INTERNED_BYTES_MAX = 64;

const EMPTY = Buffer.alloc(0);

interface Interned {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/**
 * A cursor over the rows of a text table. Fields stay byte ranges in the message until somebody asks for one, so that a
 * row costs one pass over its bytes and no strings. Column -1 stands for a column the header does not have.
 */
export class Row {
  /** Row bytes without its line ending are `buffer[start, end)`. */
  start = 0;
  end = 0;
  /** Fields in the row; at most `fieldsMax`, the rest of a longer row is left in none. */
  fieldCount = 0;
  buffer: Buffer = EMPTY;
  /** Byte range of each field, quotes left out. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** What the format writes for "no value", beside the empty field. */
  unset: Uint8Array = EMPTY;
  #next = 0;
  #delimiter = 0x2c;
  readonly #interned: (Interned | undefined)[] = new Array(INTERNED_MAX);

  constructor(fieldsMax = 256) {
    this.starts = new Int32Array(fieldsMax);
    this.ends = new Int32Array(fieldsMax);
  }

  /** Starts at the first line of a message. */
  open(message: Uint8Array, delimiter: number): void {
    this.buffer = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
    this.#delimiter = delimiter;
    this.#next = 0;
  }

  setDelimiter(delimiter: number): void {
    this.#delimiter = delimiter;
  }

  /** Moves to the next line that is not blank, unsplit; false at the end. */
  nextLine(): boolean {
    const { buffer } = this;
    while (this.#next < buffer.length) {
      const start = this.#next;
      const newline = buffer.indexOf(NEWLINE, start);
      let end = newline < 0 ? buffer.length : newline;
      this.#next = end + 1;
      if (end > start && buffer[end - 1] === RETURN) end--;
      if (end === start) continue;
      this.start = start;
      this.end = end;
      this.fieldCount = 0;
      return true;
    }
    return false;
  }

  /** Splits the current line. A field that begins with a quote ends at the next single quote mark (RFC 4180, one line). */
  split(): void {
    const { buffer, starts, ends, end } = this;
    const delimiter = this.#delimiter;
    let field = 0;
    let at = this.start;
    while (field < starts.length) {
      if (buffer[at] === QUOTE && at < end) {
        at = this.#quoted(field, at + 1);
      } else {
        starts[field] = at;
        while (at < end && buffer[at] !== delimiter) at++;
        ends[field] = at;
      }
      field++;
      if (at >= end) break;
      at++;
    }
    this.fieldCount = field;
  }

  /** Index of the delimiter that ends a quoted field whose content begins at `from`. */
  #quoted(field: number, from: number): number {
    const { buffer, end } = this;
    let at = from;
    while (at < end && (buffer[at] !== QUOTE || buffer[at + 1] === QUOTE)) at += buffer[at] === QUOTE ? 2 : 1;
    this.starts[field] = from;
    this.ends[field] = Math.min(at, end);
    while (at < end && buffer[at] !== this.#delimiter) at++;
    return at;
  }

  /** The bytes of the current line. */
  bytes(): Uint8Array {
    return this.buffer.subarray(this.start, this.end);
  }

  /** First byte of the current line. */
  firstByte(): number {
    return this.buffer[this.start]!;
  }

  /** Whether the row has a value in this column: there, not empty, not the format's word for unset. */
  has(column: number): boolean {
    if (column < 0 || column >= this.fieldCount) return false;
    const start = this.starts[column]!;
    const length = this.ends[column]! - start;
    if (length === 0) return false;
    const { unset } = this;
    if (length !== unset.length) return true;
    for (let i = 0; i < length; i++) if (this.buffer[start + i] !== unset[i]) return true;
    return false;
  }

  /** As `parseCount`; NaN where the row has no such field. */
  count(column: number): number {
    if (column < 0 || column >= this.fieldCount) return Number.NaN;
    return parseCount(this.buffer, this.starts[column]!, this.ends[column]!);
  }

  /** As `count`; 0 where the row has no value. */
  countOrZero(column: number): number {
    return this.has(column) ? this.count(column) : 0;
  }

  /** As `parseSecondsUs`; NaN where the row has no such field. */
  secondsUs(column: number): number {
    if (column < 0 || column >= this.fieldCount) return Number.NaN;
    return parseSecondsUs(this.buffer, this.starts[column]!, this.ends[column]!);
  }

  /** As `parseAddressBytes`; null where the row has no such field. */
  address(column: number): Uint8Array | null {
    if (column < 0 || column >= this.fieldCount) return null;
    return parseAddressBytes(this.buffer, this.starts[column]!, this.ends[column]!);
  }

  /** Field as text; '' where the row has none. Invalid UTF-8 is read as Latin-1. */
  text(column: number): string {
    if (column < 0 || column >= this.fieldCount) return '';
    return decodeText(this.buffer, this.starts[column]!, this.ends[column]!);
  }

  /** As `text`, for columns with few different values: the same bytes give the same string without decoding them again. */
  word(column: number): string {
    if (column < 0 || column >= this.fieldCount) return '';
    return this.wordBetween(this.starts[column]!, this.ends[column]!);
  }

  /** As `word`, for any byte range of the message. */
  wordBetween(start: number, end: number): string {
    const { buffer } = this;
    if (end - start > INTERNED_BYTES_MAX) return decodeText(buffer, start, end);
    let hash = 0x811c9dc5;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ buffer[i]!, 0x01000193);
    const slot = (hash ^ (hash >>> 16)) & (INTERNED_MAX - 1);
    const known = this.#interned[slot];
    if (known !== undefined && equals(known.bytes, buffer, start, end)) return known.text;
    const bytes = Uint8Array.prototype.slice.call(buffer, start, end);
    const text = decodeText(buffer, start, end);
    this.#interned[slot] = { bytes, text };
    return text;
  }
}

function equals(bytes: Uint8Array, buffer: Uint8Array, start: number, end: number): boolean {
  if (bytes.length !== end - start) return false;
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== buffer[start + i]) return false;
  return true;
}

/** ASCII, by far the most, without asking what it is. */
function decodeText(buffer: Buffer, start: number, end: number): string {
  let at = start;
  while (at < end && buffer[at]! < 0x80) at++;
  if (at === end) return buffer.toString('latin1', start, end);
  return buffer.toString(isUtf8(buffer.subarray(start, end)) ? 'utf8' : 'latin1', start, end);
}
