import { formatAddress } from '../../flow/address.ts';
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from '../../flow/protocol.ts';

/** Text of addresses. Hosts share their address objects among all their flows, so that each is written once. */
export class AddressTexts {
  readonly #texts = new WeakMap<Uint8Array, string>();

  of(address: Uint8Array): string {
    let text = this.#texts.get(address);
    if (text === undefined) {
      text = formatAddress(address);
      this.#texts.set(address, text);
    }
    return text;
  }
}

/** Times in UTC as ISO 8601 without zone; the calendar is asked once a second of event time. */
export class TimeTexts {
  readonly #digits: number;
  readonly #divisor: number;
  readonly #middle: string;
  #second = Number.NaN;
  #prefix = '';

  /** `digits` of the fraction, 1..6, the rest is cut off; `middle` stands between date and time. */
  constructor(digits: number, middle: 'T' | ' ') {
    this.#digits = digits;
    this.#divisor = 10 ** (6 - digits);
    this.#middle = middle;
  }

  of(timeUs: number): string {
    const second = Math.floor(timeUs / 1e6);
    if (second !== this.#second) {
      this.#second = second;
      this.#prefix = new Date(second * 1000).toISOString().slice(0, 19).replace('T', this.#middle);
    }
    const fraction = Math.floor((timeUs - second * 1e6) / this.#divisor);
    return `${this.#prefix}.${String(fraction).padStart(this.#digits, '0')}`;
  }
}

/** Microseconds as decimal seconds, exactly. */
export function secondsText(us: number): string {
  const seconds = Math.floor(us / 1e6);
  return `${seconds}.${String(us - seconds * 1e6).padStart(6, '0')}`;
}

/** The IANA keyword; the number where it has none here. */
export function protocolKeyword(protocol: number): string {
  switch (protocol) {
    case PROTOCOL_TCP:
      return 'TCP';
    case PROTOCOL_UDP:
      return 'UDP';
    case PROTOCOL_ICMP:
      return 'ICMP';
    case PROTOCOL_ICMPV6:
      return 'IPv6-ICMP';
    default:
      return String(protocol);
  }
}

export function isIcmp(protocol: number): boolean {
  return protocol === PROTOCOL_ICMP || protocol === PROTOCOL_ICMPV6;
}

/** Text as UTF-8 bytes of its own. */
export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}
