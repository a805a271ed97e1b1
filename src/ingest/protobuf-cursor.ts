/** Why a protobuf message cannot be read on. */
export type ProtobufFault = 'truncated' | 'malformed';

export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_BYTES = 2;
export const WIRE_FIXED32 = 5;

const TWO_32 = 0x1_0000_0000;
const EMPTY = new Uint8Array(0);

/**
 * Reads protobuf wire format (protobuf.dev, "Encoding") without schema, objects or BigInt. After `open`, alternate
 * `nextTag` with one of the reads or `skip`. A fault is kept in `fault` and ends the tags; what was read last is then worthless.
 */
export class ProtobufCursor {
  bytes: Uint8Array = EMPTY;
  position = 0;
  end = 0;
  fault: ProtobufFault | null = null;
  /** The 64 bits of the last varint read. */
  low = 0;
  high = 0;
  /** Where the last `readLength` began and ended. */
  sliceStart = 0;
  sliceEnd = 0;

  open(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
    this.fault = null;
  }

  /** Field number * 8 + wire type of the next field; 0 at the end or after a fault. */
  nextTag(): number {
    if (this.fault !== null || this.position >= this.end) return 0;
    const tag = this.readVarint();
    if (this.fault !== null) return 0;
    // Field numbers are 1 .. 2^29 - 1.
    if (tag < 8 || tag >= TWO_32) {
      this.fault = 'malformed';
      return 0;
    }
    return tag;
  }

  /** A varint as a number: exact below 2^53, nearest double above. */
  readVarint(): number {
    const { bytes, end } = this;
    let at = this.position;
    if (at < end) {
      const byte = bytes[at]!;
      if (byte < 0x80) {
        this.position = at + 1;
        this.low = byte;
        this.high = 0;
        return byte;
      }
    }
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= end) return this.#fail('truncated');
      const byte = bytes[at++]!;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else if (shift < 63) high |= bits << (shift - 32);
      else high |= (bits & 1) << 31;
      if (byte < 0x80) {
        this.position = at;
        this.low = low >>> 0;
        this.high = high >>> 0;
        return this.high === 0 ? this.low : this.high * TWO_32 + this.low;
      }
    }
    return this.#fail('malformed');
  }

  /** A varint of nanoseconds as whole microseconds, cut; exact for all 64 bits that give a safe integer. */
  readNanosecondsAsUs(): number {
    this.readVarint();
    const quotient = Math.floor(this.high / 1000);
    const remainder = this.high - quotient * 1000;
    return quotient * TWO_32 + Math.floor((remainder * TWO_32 + this.low) / 1000);
  }

  /** A length-delimited field: its range is in `sliceStart` and `sliceEnd`, its length is returned; -1 after a fault. */
  readLength(): number {
    const length = this.readVarint();
    if (this.fault !== null) return -1;
    if (length > this.end - this.position) {
      this.#fail('truncated');
      return -1;
    }
    this.sliceStart = this.position;
    this.sliceEnd = this.position + length;
    this.position = this.sliceEnd;
    return length;
  }

  /** Passes over the value of a field nobody asked for. Groups are gone from protobuf and count as malformed. */
  skip(tag: number): void {
    switch (tag & 7) {
      case WIRE_VARINT:
        this.readVarint();
        return;
      case WIRE_FIXED64:
        this.#advance(8);
        return;
      case WIRE_BYTES:
        this.readLength();
        return;
      case WIRE_FIXED32:
        this.#advance(4);
        return;
      default:
        this.#fail('malformed');
    }
  }

  #advance(count: number): void {
    if (this.end - this.position < count) this.#fail('truncated');
    else this.position += count;
  }

  #fail(fault: ProtobufFault): number {
    this.fault ??= fault;
    this.position = this.end;
    return 0;
  }
}
