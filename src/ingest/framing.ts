import { usageError } from '../kernel/errors.ts';
import type { Framing } from './format.ts';

/** One message cut out of a file. `bytes` may share memory with its neighbours: read, never written. */
export interface Framed {
  readonly bytes: Uint8Array;
  /** Rows of a table message without its header, 1 for a line or a length-prefixed message; 0 = the decoder has to count (whole files). */
  readonly records: number;
}

/** Cuts a stream of chunks into messages. Chunks must not be reused by whoever made them. */
export interface Framer {
  /** Appends the messages that are complete now to `into`. */
  push(chunk: Buffer, into: Framed[]): void;
  /** The stream is over: appends what is left, complete or not (a decoder tells what is missing). */
  end(into: Framed[]): void;
}

/** Longer lines and messages are cut here: decoders refuse them, and memory stays bounded. */
export const MESSAGE_BYTES_MAX = 16_777_216;
/** Files that are one message must fit into memory. */
const WHOLE_BYTES_MAX = 536_870_912;
const TABLE_ROWS_MAX = 500;
const TABLE_BYTES_MAX = 65_536;

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const HASH = 0x23;
const FIELDS = Buffer.from('#fields');

/** The framer of a format's files. */
export function createFramer(framing: Framing): Framer {
  switch (framing) {
    case 'lines':
      return new LineFramer((line, into) => into.push({ bytes: line, records: 1 }));
    case 'table':
      return new TableFramer();
    case 'length-prefixed':
      return new LengthFramer();
    case 'whole':
      return new WholeFramer();
  }
}

/** Lines without their line ending; blank ones are left out. */
class LineFramer implements Framer {
  readonly #onLine: (line: Buffer, into: Framed[]) => void;
  /** Pieces of a line whose end has not come yet. */
  #pieces: Buffer[] = [];
  #piecesBytes = 0;

  constructor(onLine: (line: Buffer, into: Framed[]) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer, into: Framed[]): void {
    let start = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, start)) {
      this.#line(chunk.subarray(start, at), into);
      start = at + 1;
    }
    const rest = chunk.subarray(start, start + MESSAGE_BYTES_MAX - this.#piecesBytes);
    if (rest.length > 0) {
      this.#pieces.push(rest);
      this.#piecesBytes += rest.length;
    }
  }

  end(into: Framed[]): void {
    this.#line(Buffer.alloc(0), into);
  }

  #line(lastPiece: Buffer, into: Framed[]): void {
    let line = lastPiece;
    if (this.#pieces.length > 0) {
      line = Buffer.concat([...this.#pieces, lastPiece]);
      this.#pieces = [];
      this.#piecesBytes = 0;
    }
    if (line[line.length - 1] === RETURN) line = line.subarray(0, -1);
    if (line.length > 0) this.#onLine(line, into);
  }
}

/**
 * A table's header is its first line, or all `#` lines it begins with; each message repeats it before its rows. In a table that
 * began with `#`, later ones are a new header when they name fields (concatenated logs) and otherwise remarks, left out.
 */
class TableFramer implements Framer {
  readonly #lines = new LineFramer((line) => this.#line(line));
  #header: Buffer[] = [];
  #directives: Buffer[] = [];
  #hasDirectives = false;
  #rows: Buffer[] = [];
  #rowsBytes = 0;
  #into: Framed[] = [];

  push(chunk: Buffer, into: Framed[]): void {
    this.#into = into;
    this.#lines.push(chunk, into);
  }

  end(into: Framed[]): void {
    this.#into = into;
    this.#lines.end(into);
    this.#flush();
  }

  #line(line: Buffer): void {
    if (this.#header.length === 0) {
      if (line[0] === HASH) {
        this.#directives.push(line);
        this.#hasDirectives = true;
        return;
      }
      if (!this.#hasDirectives) {
        this.#header = [line];
        return;
      }
      this.#header = this.#takeDirectives();
    } else if (this.#hasDirectives) {
      if (line[0] === HASH) {
        this.#directives.push(line);
        return;
      }
      if (this.#directives.length > 0) this.#beginTable(this.#takeDirectives());
    }
    this.#rows.push(line);
    this.#rowsBytes += line.length;
    if (this.#rows.length >= TABLE_ROWS_MAX || this.#rowsBytes >= TABLE_BYTES_MAX) this.#flush();
  }

  #beginTable(directives: Buffer[]): void {
    if (!directives.some((line) => line.subarray(0, FIELDS.length).equals(FIELDS))) return;
    this.#flush();
    this.#header = directives;
  }

  #takeDirectives(): Buffer[] {
    const directives = this.#directives;
    this.#directives = [];
    return directives;
  }

  #flush(): void {
    if (this.#rows.length === 0) return;
    const bytes = joinLines([...this.#header, ...this.#rows]);
    this.#into.push({ bytes, records: this.#rows.length });
    this.#rows = [];
    this.#rowsBytes = 0;
  }
}

function joinLines(lines: readonly Buffer[]): Buffer {
  let length = 0;
  for (const line of lines) length += line.length + 1;
  const joined = Buffer.allocUnsafe(length);
  let at = 0;
  for (const line of lines) {
    line.copy(joined, at);
    at += line.length;
    joined[at++] = NEWLINE;
  }
  return joined;
}

/** uvarint length, then that many bytes; the prefix stays part of the message. */
class LengthFramer implements Framer {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer, into: Framed[]): void {
    const buffer = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let start = 0;
    for (;;) {
      const end = endOfMessage(buffer, start);
      if (end < 0 || end > buffer.length) break;
      into.push({ bytes: buffer.subarray(start, end), records: 1 });
      start = end;
    }
    this.#rest = buffer.subarray(start);
    if (this.#rest.length > MESSAGE_BYTES_MAX) this.end(into);
  }

  end(into: Framed[]): void {
    if (this.#rest.length > 0) into.push({ bytes: this.#rest, records: 1 });
    this.#rest = Buffer.alloc(0);
  }
}

/** Where the message that begins at `start` ends; -1 while not even its length is there. */
function endOfMessage(buffer: Buffer, start: number): number {
  let length = 0;
  let weight = 1;
  for (let at = start; at < buffer.length && at < start + 5; at++) {
    length += (buffer[at]! & 0x7f) * weight;
    if (buffer[at]! < 0x80) return at + 1 + length;
    weight *= 128;
  }
  return buffer.length >= start + 5 ? Number.POSITIVE_INFINITY : -1;
}

class WholeFramer implements Framer {
  #chunks: Buffer[] = [];
  #bytes = 0;

  push(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > WHOLE_BYTES_MAX) {
      throw usageError(
        'file_too_large',
        `files of this format are read whole and must be below ${WHOLE_BYTES_MAX} bytes`,
      );
    }
    this.#chunks.push(chunk);
  }

  end(into: Framed[]): void {
    if (this.#bytes > 0) into.push({ bytes: Buffer.concat(this.#chunks), records: 0 });
    this.#chunks = [];
  }
}
