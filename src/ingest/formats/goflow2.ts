import { NO_ADDRESS } from '../../flow/address.ts';
import type { Decoder, DecodeSink, FeedSettings, Format } from '../format.ts';
import { FlowReading, Normaliser, type Refusal, refusal } from '../normalise.ts';
import { ProtobufCursor } from '../protobuf-cursor.ts';
import { ExporterNames } from './exporter-names.ts';
import { Goflow2Fields, isFirstTag, readFields, settleFields } from './goflow2-fields.ts';

const TYPE_MAX = 4;
const LENGTH_BYTES_MAX = 5;

/**
 * goflow2 `-format=bin`: one FlowMessage a Kafka message, with a uvarint length before it or without. v1 (and cloudflare/goflow), which
 * counts seconds under other numbers, is told by field 2 without field 110. Counters are raw.
 */
export const goflow2: Format = {
  name: 'goflow2',
  family: 'goflow2',
  framing: 'length-prefixed',
  sniff: sniffGoflow2,
  createDecoder: (settings) => new Goflow2Decoder(settings),
};

class Goflow2Decoder implements Decoder {
  readonly #normaliser: Normaliser;
  readonly #reading = new FlowReading();
  readonly #fields = new Goflow2Fields();
  readonly #cursor = new ProtobufCursor();
  readonly #exporters = new ExporterNames();

  constructor(settings: FeedSettings) {
    this.#normaliser = new Normaliser(settings);
  }

  decode(message: Uint8Array, receivedUs: number, sink: DecodeSink): void {
    const refused = this.#decode(message, receivedUs, sink);
    if (refused) sink.reject(refused.reason, refused.detail);
  }

  #decode(message: Uint8Array, receivedUs: number, sink: DecodeSink): Refusal | null {
    if (message.length === 0) return refusal('empty_message', 'no bytes');
    const cursor = this.#cursor;
    const start = bodyStart(message);
    if (start < 0) {
      const reason = start === TRUNCATED ? 'truncated' : 'malformed';
      return refusal(reason, `length prefix and message length ${message.length} disagree`);
    }
    cursor.open(message, start, message.length);
    const reading = this.#reading;
    const fields = this.#fields;
    readFields(cursor, reading, fields);
    if (cursor.fault !== null) {
      return refusal(cursor.fault, `not a whole goflow2 FlowMessage (${message.length} bytes)`);
    }
    if (fields.addressFault !== 0) {
      return refusal('invalid_address', `address of ${fields.addressFault} bytes, not 4 or 16`);
    }
    settleFields(reading, fields);
    const exporter = this.#exporters.nameOf(message, fields.samplerStart, fields.samplerEnd);
    if (exporter === null) return refusal('invalid_address', 'sampler_address is not 4 or 16 bytes');
    return this.#normaliser.emit(reading, exporter, receivedUs, sink);
  }
}

const TRUNCATED = -1;
const MALFORMED = -2;

/** Where the message's fields begin: after the uvarint that tells their length, or at 0 where there is none. */
function bodyStart(message: Uint8Array): number {
  let length = 0;
  let weight = 1;
  let at = 0;
  for (; at < LENGTH_BYTES_MAX && at < message.length; at++) {
    const byte = message[at]!;
    length += (byte & 0x7f) * weight;
    weight *= 128;
    if (byte < 0x80) break;
  }
  const start = at + 1;
  if (start + length === message.length) return start;
  if (isFirstTag(message[0]!)) return 0;
  return start + length > message.length ? TRUNCATED : MALFORMED;
}

/** Reads the first message of the sample: sure when it ends where its length says and holds a type, times and addresses. */
function sniffGoflow2(sample: Uint8Array): number {
  const cursor = new ProtobufCursor();
  cursor.open(sample, 0, sample.length);
  const length = cursor.readVarint();
  const isPrefixed = cursor.fault === null && length > 0 && length <= cursor.end - cursor.position;
  const prefixed = isPrefixed ? confidence(sample, cursor.position, cursor.position + length) : 0;
  return Math.max(prefixed, confidence(sample, 0, sample.length));
}

function confidence(sample: Uint8Array, start: number, end: number): number {
  const cursor = new ProtobufCursor();
  const reading = new FlowReading();
  const fields = new Goflow2Fields();
  cursor.open(sample, start, end);
  readFields(cursor, reading, fields);
  if (cursor.fault !== null || fields.addressFault !== 0 || fields.type > TYPE_MAX) return 0;
  const hasTime = fields.isV2 || fields.v1ReceivedS > 0 || reading.startUs > 0;
  if (!hasTime) return 0;
  return reading.sourceAddress !== NO_ADDRESS && reading.destinationAddress !== NO_ADDRESS ? 0.98 : 0.7;
}
