/** Bytes of an address: IPv6, or IPv4 mapped into it (::ffff:a.b.c.d, RFC 4291 section 2.5.5.2). */
export const ADDRESS_BYTES = 16;

/** The address of a source that has none. */
export const NO_ADDRESS: Uint8Array = new Uint8Array(ADDRESS_BYTES);

/** Parses IPv4 or IPv6 text to 16 bytes; null when it is neither. A zone index (`%eth0`) is dropped. */
export function parseAddress(text: string): Uint8Array | null {
  const bytes = new Uint8Array(ADDRESS_BYTES);
  if (!text.includes(':')) {
    if (!parseIpv4(text, bytes, 12)) return null;
    bytes[10] = 0xff;
    bytes[11] = 0xff;
    return bytes;
  }
  return parseIpv6(text, bytes) ? bytes : null;
}

/** 16 bytes from 4 (IPv4) or 16; null for any other length. */
export function addressFromBytes(bytes: Uint8Array): Uint8Array | null {
  if (bytes.length === ADDRESS_BYTES) return bytes;
  if (bytes.length !== 4) return null;
  const mapped = new Uint8Array(ADDRESS_BYTES);
  mapped[10] = 0xff;
  mapped[11] = 0xff;
  mapped.set(bytes, 12);
  return mapped;
}

/** True for ::ffff:a.b.c.d. */
export function isIpv4(address: Uint8Array): boolean {
  if (address[10] !== 0xff || address[11] !== 0xff) return false;
  for (let i = 0; i < 10; i++) if (address[i] !== 0) return false;
  return true;
}

/** Canonical text: dotted IPv4, or IPv6 as RFC 5952 (lower case, longest run of zeros shortened). */
export function formatAddress(address: Uint8Array): string {
  if (isIpv4(address)) return `${address[12]}.${address[13]}.${address[14]}.${address[15]}`;
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((address[i]! << 8) | address[i + 1]!);
  const [start, length] = longestZeroRun(groups);
  if (length < 2) return groups.map((group) => group.toString(16)).join(':');
  const hex = (part: number[]) => part.map((group) => group.toString(16)).join(':');
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

function longestZeroRun(groups: readonly number[]): [start: number, length: number] {
  let best: [number, number] = [0, 0];
  for (let i = 0; i < groups.length; i++) {
    let end = i;
    while (end < groups.length && groups[end] === 0) end++;
    if (end - i > best[1]) best = [i, end - i];
    if (end > i) i = end;
  }
  return best;
}

/** Writes four bytes at `at`; false when the text is not four decimal numbers below 256. */
function parseIpv4(text: string, into: Uint8Array, at: number): boolean {
  let value = -1;
  let index = 0;
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : 0x2e;
    if (code === 0x2e) {
      if (value < 0 || index > 3) return false;
      into[at + index++] = value;
      value = -1;
    } else if (code >= 0x30 && code <= 0x39) {
      value = (value < 0 ? 0 : value * 10) + code - 0x30;
      if (value > 255) return false;
    } else return false;
  }
  return index === 4;
}

function parseIpv6(input: string, into: Uint8Array): boolean {
  const zone = input.indexOf('%');
  let text = zone < 0 ? input : input.slice(0, zone);
  const lastColon = text.lastIndexOf(':');
  if (text.includes('.', lastColon)) {
    const tail = new Uint8Array(4);
    if (!parseIpv4(text.slice(lastColon + 1), tail, 0)) return false;
    text = `${text.slice(0, lastColon + 1)}${((tail[0]! << 8) | tail[1]!).toString(16)}:${((tail[2]! << 8) | tail[3]!).toString(16)}`;
  }
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const head = halves[0] === '' ? [] : halves[0]!.split(':');
  const tail = halves.length === 1 || halves[1] === '' ? [] : halves[1]!.split(':');
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return false;
  const groups = [...head, ...Array<string>(Math.max(0, missing)).fill('0'), ...tail];
  for (let i = 0; i < 8; i++) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(groups[i]!)) return false;
    const group = Number.parseInt(groups[i]!, 16);
    into[i * 2] = group >> 8;
    into[i * 2 + 1] = group & 0xff;
  }
  return true;
}
