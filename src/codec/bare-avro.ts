import avro from 'avsc';

/** Reads Avro records that follow each other without any frame, as pmacct writes them where it has no registry. */
export interface BareAvroReader {
  /** Calls `take` for each record; returns how many bytes were read: fewer than all where the rest is no whole record. */
  readAll(bytes: Uint8Array, take: (record: unknown) => void): number;
}

/** A reader for records of this schema document (JSON text). Throws whatever is wrong with the document. */
export function createBareAvroReader(schema: string): BareAvroReader {
  const type = avro.Type.forSchema(JSON.parse(schema));
  return {
    readAll(bytes, take) {
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      let at = 0;
      while (at < buffer.length) {
        const next = readOne(type, buffer, at);
        // A record of no bytes would go on for ever.
        if (next === null || next.offset <= at) break;
        take(next.value);
        at = next.offset;
      }
      return at;
    },
  };
}

/** null where no record begins at `at`; avsc throws on branches that do not exist and on integers beyond 2^53, and tells a cut by -1. */
function readOne(type: avro.Type, buffer: Buffer, at: number): { value: unknown; offset: number } | null {
  try {
    const { value, offset } = type.decode(buffer, at);
    return offset < 0 ? null : { value, offset };
  } catch {
    return null;
  }
}
