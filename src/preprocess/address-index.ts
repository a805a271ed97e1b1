import { ADDRESS_BYTES } from '../flow/address.ts';
import type { FlowRecord } from '../flow/flow-record.ts';
import { mix } from './item-counts.ts';

const WORDS = ADDRESS_BYTES / 4;
const FIRST_ROWS = 64;

/** The addresses of one flow as numbers. One object is reused for all flows. */
export class FlowAddresses {
  readonly source = new Int32Array(WORDS);
  sourceHigh = 0;
  sourceLow = 0;
  destinationHigh = 0;
  destinationLow = 0;
  readonly #destination = new Int32Array(WORDS);

  take(flow: FlowRecord): void {
    readWords(flow.sourceAddress, this.source);
    readWords(flow.destinationAddress, this.#destination);
    this.sourceHigh = hash(this.source, 0x2545f491);
    this.sourceLow = hash(this.source, 0x9e3779b9);
    this.destinationHigh = hash(this.#destination, 0x2545f491);
    this.destinationLow = hash(this.#destination, 0x9e3779b9);
  }
}

/** Gives each distinct address a row number, in the order first seen: open addressing over typed arrays, no strings. */
export class AddressIndex {
  #rows = 0;
  #words = new Int32Array(FIRST_ROWS * WORDS);
  /** Row + 1 for each slot; 0 = free. At most half full. */
  #slots = new Int32Array(FIRST_ROWS * 2);

  get rows(): number {
    return this.#rows;
  }

  /** The row of the source address; a new one while there are fewer than `rowsMax`; -1 when it is unknown and the index full. */
  rowOf(addresses: FlowAddresses, rowsMax: number): number {
    const { source, sourceLow } = addresses;
    const mask = this.#slots.length - 1;
    const words = this.#words;
    let slot = sourceLow & mask;
    for (;;) {
      const row = this.#slots[slot]! - 1;
      if (row < 0) break;
      const i = row * WORDS;
      if (
        words[i + 3] === source[3] &&
        words[i + 2] === source[2] &&
        words[i + 1] === source[1] &&
        words[i] === source[0]
      ) {
        return row;
      }
      slot = (slot + 1) & mask;
    }
    if (this.#rows >= rowsMax) return -1;
    if (this.#rows * WORDS === words.length) this.#grow();
    return this.#insert(source, sourceLow);
  }

  /** The 16 bytes of a row's address. */
  address(row: number): Uint8Array {
    const bytes = new Uint8Array(ADDRESS_BYTES);
    for (let i = 0, b = 0; i < WORDS; i++, b += 4) {
      const word = this.#words[row * WORDS + i]!;
      bytes[b] = word >>> 24;
      bytes[b + 1] = word >>> 16;
      bytes[b + 2] = word >>> 8;
      bytes[b + 3] = word;
    }
    return bytes;
  }

  #insert(source: Int32Array, low: number): number {
    const mask = this.#slots.length - 1;
    let slot = low & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#words.set(source, this.#rows * WORDS);
    this.#slots[slot] = ++this.#rows;
    return this.#rows - 1;
  }

  #grow(): void {
    const words = new Int32Array(this.#words.length * 2);
    words.set(this.#words);
    const slots = new Int32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let row = 0; row < this.#rows; row++) {
      let slot = hash(words.subarray(row * WORDS, (row + 1) * WORDS), 0x9e3779b9) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = row + 1;
    }
    this.#words = words;
    this.#slots = slots;
  }
}

function readWords(address: Uint8Array, into: Int32Array): void {
  for (let i = 0, b = 0; i < WORDS; i++, b += 4) {
    into[i] = (address[b]! << 24) | (address[b + 1]! << 16) | (address[b + 2]! << 8) | address[b + 3]!;
  }
}

function hash(words: Int32Array, seed: number): number {
  let h = seed;
  for (let i = 0; i < WORDS; i++) h = Math.imul(mix(h ^ words[i]!), 0x9e3779b1) ^ i;
  return mix(h);
}
