import { type BareAvroReader, createBareAvroReader } from '../../codec/bare-avro.ts';
import { messageOf, usageError } from '../../kernel/errors.ts';
import type { Decoder, DecodeSink, FeedSettings, Format } from '../format.ts';
import type { JsonObject } from './json-values.ts';
import { PmacctReader } from './pmacct-fields.ts';

/**
 * pmacct, nfacctd, sfacctd as Avro without a registry: bare records one after the other, which only the schema that pmacct writes
 * beside them can split (`avro_schema_file`; the feed's `schemaFile`). What follows a damaged record is lost with it.
 */
export const pmacctAvro: Format = {
  name: 'pmacct-avro',
  family: 'pmacct',
  framing: 'whole',
  // Without the schema the bytes tell nothing: whoever has it names the format.
  sniff: () => 0,
  createDecoder: (settings) => new PmacctAvroDecoder(settings),
};

class PmacctAvroDecoder implements Decoder {
  readonly #reader: PmacctReader;
  readonly #records: BareAvroReader | null;

  constructor(settings: FeedSettings) {
    this.#reader = new PmacctReader(settings);
    this.#records = settings.schema === undefined ? null : readerOf(settings.schema);
  }

  decode(message: Uint8Array, receivedUs: number, sink: DecodeSink): void {
    if (message.length === 0) sink.reject('empty_message', 'no bytes');
    else if (this.#records === null) sink.reject('unknown_schema', 'the feed names no schemaFile');
    else this.#decodeRecords(this.#records, message, receivedUs, sink);
  }

  #decodeRecords(records: BareAvroReader, message: Uint8Array, receivedUs: number, sink: DecodeSink): void {
    let position = 0;
    const read = records.readAll(message, (record) => {
      const refused = this.#reader.read(record as JsonObject, receivedUs, sink);
      if (refused !== null) sink.reject(refused.reason, refused.detail, position);
      position++;
    });
    if (read < message.length) {
      const rest = message.subarray(read);
      sink.reject('malformed', `${rest.length} bytes that are no record of the schema`, position, rest);
    }
  }
}

function readerOf(schema: string): BareAvroReader {
  try {
    return createBareAvroReader(schema);
  } catch (error) {
    throw usageError('feed_schema', `the feed's schemaFile is no Avro schema: ${messageOf(error)}`, error);
  }
}
