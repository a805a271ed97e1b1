import { addressFromBytes, formatAddress } from '../../flow/address.ts';

const EXPORTERS_MAX = 4096;

/** Text of sampler addresses; exporters are few, so that each is written once and shared by all flows. */
export class ExporterNames {
  readonly #ipv4 = new Map<number, string>();
  readonly #other = new Map<string, string>();

  /** '' where there is none, null where it is no address. */
  nameOf(bytes: Uint8Array, start: number, end: number): string | null {
    if (start === end) return '';
    if (end - start !== 4) return this.#nameOfOther(bytes.subarray(start, end));
    const key =
      bytes[start]! * 0x1000000 + (bytes[start + 1]! << 16) + (bytes[start + 2]! << 8) + bytes[start + 3]!;
    let name = this.#ipv4.get(key);
    if (name === undefined) {
      name = `${bytes[start]}.${bytes[start + 1]}.${bytes[start + 2]}.${bytes[start + 3]}`;
      if (this.#ipv4.size >= EXPORTERS_MAX) this.#ipv4.clear();
      this.#ipv4.set(key, name);
    }
    return name;
  }

  #nameOfOther(slice: Uint8Array): string | null {
    const address = addressFromBytes(slice);
    if (address === null) return null;
    const key = String.fromCharCode(...address);
    let name = this.#other.get(key);
    if (name === undefined) {
      name = formatAddress(address);
      if (this.#other.size >= EXPORTERS_MAX) this.#other.clear();
      this.#other.set(key, name);
    }
    return name;
  }
}
