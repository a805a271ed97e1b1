import { PROTOCOL_NOT_IP, protocolNumber } from '../../flow/protocol.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Parses one JSON object; null when the bytes are anything else. */
export function parseJsonObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as JsonObject)
      : null;
  } catch {
    return null;
  }
}

/** The object under a key; null when there is none. */
export function objectAt(json: JsonObject, key: string): JsonObject | null {
  const value = json[key];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}

/** A number, or decimal digits in a string as some shippers write them; 0 where the key is missing or null, NaN for anything else. */
export function numberAt(json: JsonObject, key: string): number {
  const value = json[key];
  if (typeof value === 'number') return value;
  if (value === undefined || value === null) return 0;
  return typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
}

/** The string under a key; '' where there is none. */
export function textAt(json: JsonObject, key: string): string {
  const value = json[key];
  return typeof value === 'string' ? value : '';
}

/** IANA number of a protocol given as number or name; 255 for names that are none. */
export function protocolAt(json: JsonObject, key: string): number {
  const value = json[key];
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? (protocolNumber(value) ?? PROTOCOL_NOT_IP) : 0;
}

/** The first JSON object among the lines of a sample, for sniffing; null where the first line is none. */
export function firstJsonObject(sample: Uint8Array): JsonObject | null {
  const text = Buffer.from(sample.buffer, sample.byteOffset, sample.byteLength).toString('utf8').trimStart();
  if (!text.startsWith('{')) return null;
  const newline = text.indexOf('\n');
  return parseJsonObject(newline < 0 ? text : text.slice(0, newline));
}
