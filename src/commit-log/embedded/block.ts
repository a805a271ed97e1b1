import { crc32 } from 'node:zlib';
import { fatalError } from '../../kernel/errors.ts';
import type { Headers, OutputRecord, StoredRecord } from '../port.ts';

/**
 * A block: records of one append to one partition, one entry of the store. Version 1, little-endian:
 *
 *   0 version u8 | 1 crc32 u32 of all that follows | 5 base offset f64 | 13 records u32 | 17 span u32
 *   21 newest timestamp f64 | then each record:
 *   varint offsets skipped since the record before, zigzag varint timestamp minus that of the record before (ms),
 *   varint key length + 1 (0 = null), key, varint value length + 1, value,
 *   varint number of headers, each: varint length, UTF-8 name, varint length, UTF-8 value.
 *
 * `span` is the number of offsets the block stands for; after compaction it holds fewer records than that.
 */
const VERSION = 1;
const CRC_AT = 1;
const BASE_AT = 5;
const COUNT_AT = 13;
const SPAN_AT = 17;
const NEWEST_AT = 21;
const HEADER_BYTES = 29;

const NO_HEADERS: Headers = Object.freeze({});

/** Scratch space above this is given back after a block, so that one burst does not stay in memory. */
const SCRATCH_BYTES_MAX = 256 * 1024;

/** Gathers records into one block. Record bytes are copied when added; the builder is used again after `cut`. */
export class BlockBuilder {
  #bytes = Buffer.allocUnsafeSlow(4096);
  #at = HEADER_BYTES;
  #count = 0;
  #span = 0;
  #previousMs = 0;
  #newestMs = Number.NEGATIVE_INFINITY;

  get count(): number {
    return this.#count;
  }

  get byteLength(): number {
    return this.#at;
  }

  /** Adds a record `skipped` offsets after the end of what the block spans so far. */
  add(record: OutputRecord | StoredRecord, skipped = 0): void {
    const { key, value, headers } = record;
    const timestampMs = Math.floor(record.timestampMs);
    this.#reserve((key?.length ?? 0) + (value?.length ?? 0) + 48);
    this.#varint(skipped);
    this.#zigzag(timestampMs - this.#previousMs);
    this.#field(key);
    this.#field(value);
    if (headers === undefined || headers === NO_HEADERS) this.#bytes[this.#at++] = 0;
    else this.#headers(headers);
    this.#previousMs = timestampMs;
    if (timestampMs > this.#newestMs) this.#newestMs = timestampMs;
    this.#count++;
    this.#span += skipped + 1;
  }

  /** The block so far, still without its base offset (`stampBlock` sets it), standing for `span` offsets; empties the builder. */
  cut(span = this.#span): Buffer {
    const bytes = Buffer.allocUnsafeSlow(this.#at);
    this.#bytes.copy(bytes, HEADER_BYTES, HEADER_BYTES, this.#at);
    bytes[0] = VERSION;
    bytes.writeUInt32LE(this.#count, COUNT_AT);
    bytes.writeUInt32LE(span, SPAN_AT);
    bytes.writeDoubleLE(this.#newestMs, NEWEST_AT);
    if (this.#bytes.length > SCRATCH_BYTES_MAX) this.#bytes = Buffer.allocUnsafeSlow(4096);
    this.#at = HEADER_BYTES;
    this.#count = 0;
    this.#span = 0;
    this.#previousMs = 0;
    this.#newestMs = Number.NEGATIVE_INFINITY;
    return bytes;
  }

  #headers(headers: Headers): void {
    const names = Object.keys(headers);
    this.#varint(names.length);
    for (const name of names) {
      this.#text(name);
      this.#text(headers[name]!);
    }
  }

  #text(text: string): void {
    const length = Buffer.byteLength(text);
    this.#reserve(length + 16);
    this.#varint(length);
    this.#at += this.#bytes.write(text, this.#at);
  }

  #field(field: Uint8Array | null): void {
    if (field === null) {
      this.#bytes[this.#at++] = 0;
      return;
    }
    this.#varint(field.length + 1);
    this.#bytes.set(field, this.#at);
    this.#at += field.length;
  }

  #zigzag(value: number): void {
    this.#varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  /** Up to 2^53: arithmetic instead of shifts above 31 bits. */
  #varint(value: number): void {
    const bytes = this.#bytes;
    let rest = value;
    while (rest > 0x7fffffff) {
      bytes[this.#at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      bytes[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[this.#at++] = rest;
  }

  #reserve(room: number): void {
    const wanted = this.#at + room;
    if (wanted <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(wanted, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
  }
}

/** Writes the base offset into a cut block and seals it with its checksum. */
export function stampBlock(bytes: Buffer, baseOffset: number): void {
  bytes.writeDoubleLE(baseOffset, BASE_AT);
  bytes.writeUInt32LE(crc32(bytes.subarray(BASE_AT)), CRC_AT);
}

/** Number of offsets the block stands for. */
export function spanOf(bytes: Buffer): number {
  return bytes.readUInt32LE(SPAN_AT);
}

/** Newest timestamp in the block, in milliseconds. */
export function newestTimestampMsOf(bytes: Buffer): number {
  return bytes.readDoubleLE(NEWEST_AT);
}

/** Refuses a block that is not what was written. @throws fatal `log_corrupt` */
export function verifyBlock(bytes: Buffer, baseOffset: number): void {
  const isWhole =
    bytes.length >= HEADER_BYTES &&
    bytes[0] === VERSION &&
    bytes.readDoubleLE(BASE_AT) === baseOffset &&
    bytes.readUInt32LE(CRC_AT) === crc32(bytes.subarray(BASE_AT));
  if (isWhole) return;
  throw fatalError(
    'log_corrupt',
    `the log is damaged: the block at offset ${baseOffset} does not match its checksum; move the log directory away or restore a copy of it`,
  );
}

/** The records of a block from `fromOffset` on, appended to `into`. Keys and values are views into `bytes`. */
export function decodeBlock(
  bytes: Buffer,
  topic: string,
  partition: number,
  fromOffset: number,
  into: StoredRecord[],
): void {
  const cursor = new ByteCursor(bytes);
  const count = bytes.readUInt32LE(COUNT_AT);
  let offset = bytes.readDoubleLE(BASE_AT);
  let timestampMs = 0;
  for (let i = 0; i < count; i++) {
    offset += cursor.varint();
    const zigzag = cursor.varint();
    timestampMs += zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    const key = cursor.field();
    const value = cursor.field();
    const headers = cursor.headers();
    if (offset >= fromOffset) into.push({ topic, partition, offset, key, value, headers, timestampMs });
    offset++;
  }
}

class ByteCursor {
  readonly #bytes: Buffer;
  #at = HEADER_BYTES;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  varint(): number {
    let byte = this.#bytes[this.#at++]!;
    let value = byte & 0x7f;
    let scale = 128;
    while (byte > 0x7f) {
      byte = this.#bytes[this.#at++]!;
      value += (byte & 0x7f) * scale;
      scale *= 128;
    }
    return value;
  }

  field(): Buffer | null {
    const length = this.varint() - 1;
    if (length < 0) return null;
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  headers(): Headers {
    const count = this.varint();
    if (count === 0) return NO_HEADERS;
    const headers: Record<string, string> = {};
    for (let i = 0; i < count; i++) {
      const name = this.#text();
      headers[name] = this.#text();
    }
    return headers;
  }

  #text(): string {
    const length = this.varint();
    this.#at += length;
    return this.#bytes.toString('utf8', this.#at - length, this.#at);
  }
}
