// CRC-64-AVRO (Rabin), Avro 1.12 specification, "Schema Fingerprints".
const EMPTY = 0xc15d213aa4d7a795n;

const TABLE = Array.from({ length: 256 }, (_, i) => {
  let fingerprint = BigInt(i);
  for (let bit = 0; bit < 8; bit++) fingerprint = (fingerprint >> 1n) ^ (EMPTY & -(fingerprint & 1n));
  return BigInt.asUintN(64, fingerprint);
});

/** The 64-bit Rabin fingerprint of a schema in parsing canonical form. */
export function rabinFingerprint(canonicalSchema: string): bigint {
  let fingerprint = EMPTY;
  for (const byte of Buffer.from(canonicalSchema, 'utf8')) {
    fingerprint = (fingerprint >> 8n) ^ TABLE[Number((fingerprint ^ BigInt(byte)) & 0xffn)]!;
  }
  return BigInt.asUintN(64, fingerprint);
}
