import { NO_ADDRESS, parseAddress } from '../../flow/address.ts';
import type { Decoder, DecodeSink, FeedSettings, Format } from '../format.ts';
import { FlowReading, Normaliser, type Refusal, refusal } from '../normalise.ts';
import { ProtobufCursor } from '../protobuf-cursor.ts';

// OpenNMS FlowDocument; tag = field * 8 + wire type (0 varint, 2 bytes). Most numbers lie in a wrapper message whose field 1 they are.
const TIMESTAMP_MS = 1 * 8;
const BYTES = 2 * 8 + 2;
const DIRECTION = 3 * 8;
const DESTINATION_ADDRESS = 4 * 8 + 2;
const DESTINATION_AS = 6 * 8 + 2;
const DESTINATION_PORT = 8 * 8 + 2;
const DELTA_SWITCHED_MS = 11 * 8 + 2;
const FIRST_SWITCHED_MS = 12 * 8 + 2;
const LAST_SWITCHED_MS = 13 * 8 + 2;
const PACKETS = 15 * 8 + 2;
const IN_INTERFACE = 17 * 8 + 2;
const OUT_INTERFACE = 18 * 8 + 2;
const PROTOCOL = 22 * 8 + 2;
const SAMPLING_INTERVAL = 24 * 8 + 2;
const SOURCE_ADDRESS = 26 * 8 + 2;
const SOURCE_AS = 28 * 8 + 2;
const SOURCE_PORT = 30 * 8 + 2;
const TCP_FLAGS = 31 * 8 + 2;
const TOS = 32 * 8 + 2;
const VLAN = 34 * 8 + 2;
const HOST = 39 * 8 + 2;
const WRAPPED_VARINT = 1 * 8;
const WRAPPED_DOUBLE = 1 * 8 + 1;

/**
 * OpenNMS's enriched flows (topic `opennms-flows`, message FlowDocument): one a message, without length. A long flow is reported in
 * parts, of which `delta_switched` is the start. Counters are raw. The exporter is `host`.
 */
export const opennms: Format = {
  name: 'opennms',
  family: 'opennms',
  framing: 'whole',
  sniff: sniffOpennms,
  createDecoder: (settings) => new OpennmsDecoder(settings),
};

class OpennmsDecoder implements Decoder {
  readonly #normaliser: Normaliser;
  readonly #document = new DocumentReader();

  constructor(settings: FeedSettings) {
    this.#normaliser = new Normaliser(settings);
  }

  decode(message: Uint8Array, receivedUs: number, sink: DecodeSink): void {
    const document = this.#document;
    const refused =
      document.read(message) ?? this.#normaliser.emit(document.reading, document.exporter, receivedUs, sink);
    if (refused) sink.reject(refused.reason, refused.detail);
  }
}

/** Reads one document into a reading; reused. */
class DocumentReader {
  readonly reading = new FlowReading();
  exporter = '';
  readonly #cursor = new ProtobufCursor();
  readonly #wrapped = new ProtobufCursor();
  #firstSwitchedMs = 0;
  #timestampMs = 0;

  read(message: Uint8Array): Refusal | null {
    if (message.length === 0) return refusal('empty_message', 'no bytes');
    const { reading } = this;
    const cursor = this.#cursor;
    reading.clear();
    // protobuf leaves zeros out, and zero is ingress.
    reading.direction = 'INGRESS';
    this.exporter = '';
    this.#firstSwitchedMs = 0;
    this.#timestampMs = 0;
    cursor.open(message, 0, message.length);
    for (let tag = cursor.nextTag(); tag !== 0; tag = cursor.nextTag()) {
      const refused = this.#readField(tag);
      if (refused !== null) return refused;
    }
    if (cursor.fault !== null)
      return refusal(cursor.fault, `not a whole FlowDocument (${message.length} bytes)`);
    if (reading.sourceAddress === NO_ADDRESS || reading.destinationAddress === NO_ADDRESS) {
      return refusal('missing_field', 'src_address, dst_address');
    }
    if (reading.startUs === 0) reading.startUs = this.#firstSwitchedMs * 1e3;
    if (reading.startUs === 0 && reading.endUs === 0) {
      reading.startUs = this.#timestampMs * 1e3;
      reading.endUs = reading.startUs;
    }
    return null;
  }

  #readField(tag: number): Refusal | null {
    const { reading } = this;
    const cursor = this.#cursor;
    switch (tag) {
      case TIMESTAMP_MS:
        this.#timestampMs = cursor.readVarint();
        return null;
      case DIRECTION:
        reading.direction = directionOf(cursor.readVarint());
        return null;
      case SOURCE_ADDRESS:
      case DESTINATION_ADDRESS: {
        const text = this.#text();
        const address = parseAddress(text);
        if (cursor.fault !== null) return null;
        if (address === null) return refusal('invalid_address', text.slice(0, 60));
        if (tag === SOURCE_ADDRESS) reading.sourceAddress = address;
        else reading.destinationAddress = address;
        return null;
      }
      case HOST:
        this.exporter = this.#text();
        return null;
      case VLAN: {
        const text = this.#text();
        reading.vlan = /^\d+$/.test(text) ? Number(text) : 0;
        return null;
      }
      default:
        if (!this.#readNumber(tag)) cursor.skip(tag);
        return null;
    }
  }

  /** False where the field is none of ours. */
  #readNumber(tag: number): boolean {
    const { reading } = this;
    switch (tag) {
      case BYTES:
        reading.bytes = this.#number();
        return true;
      case PACKETS:
        reading.packets = this.#number();
        return true;
      case SOURCE_AS:
        reading.sourceAs = this.#number();
        return true;
      case DESTINATION_AS:
        reading.destinationAs = this.#number();
        return true;
      case SOURCE_PORT:
        reading.sourcePort = this.#number();
        return true;
      case DESTINATION_PORT:
        reading.destinationPort = this.#number();
        return true;
      case DELTA_SWITCHED_MS:
        reading.startUs = this.#number() * 1e3;
        return true;
      case FIRST_SWITCHED_MS:
        this.#firstSwitchedMs = this.#number();
        return true;
      case LAST_SWITCHED_MS:
        reading.endUs = this.#number() * 1e3;
        return true;
      case IN_INTERFACE:
        reading.inInterface = this.#number();
        return true;
      case OUT_INTERFACE:
        reading.outInterface = this.#number();
        return true;
      case PROTOCOL:
        reading.protocol = this.#number();
        return true;
      case SAMPLING_INTERVAL:
        reading.samplingRate = Math.round(this.#number());
        return true;
      case TCP_FLAGS:
        reading.tcpFlags = this.#number();
        return true;
      case TOS:
        reading.tos = this.#number();
        return true;
      default:
        return false;
    }
  }

  #text(): string {
    const cursor = this.#cursor;
    if (cursor.readLength() < 0) return '';
    const { buffer, byteOffset } = cursor.bytes;
    const length = cursor.sliceEnd - cursor.sliceStart;
    return Buffer.from(buffer, byteOffset + cursor.sliceStart, length).toString('utf8');
  }

  /** The number in a wrapper (google/protobuf/wrappers.proto); an empty one is 0. */
  #number(): number {
    const cursor = this.#cursor;
    const wrapped = this.#wrapped;
    if (cursor.readLength() < 0) return 0;
    wrapped.open(cursor.bytes, cursor.sliceStart, cursor.sliceEnd);
    let value = 0;
    for (let tag = wrapped.nextTag(); tag !== 0; tag = wrapped.nextTag()) {
      if (tag === WRAPPED_VARINT) value = wrapped.readVarint();
      else {
        const at = wrapped.position;
        wrapped.skip(tag);
        if (tag === WRAPPED_DOUBLE && wrapped.fault === null) value = doubleAt(cursor.bytes, at);
      }
    }
    cursor.fault ??= wrapped.fault;
    return value;
  }
}

function doubleAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getFloat64(at, true);
}

function directionOf(value: number): 'INGRESS' | 'EGRESS' | 'UNKNOWN' {
  if (value === 0) return 'INGRESS';
  return value === 1 ? 'EGRESS' : 'UNKNOWN';
}

/** Addresses as text under these two fields, and a time: nothing else we read looks like it. */
function sniffOpennms(sample: Uint8Array): number {
  const document = new DocumentReader();
  if (document.read(sample) !== null) return 0;
  return document.reading.endUs > 0 ? 0.98 : 0;
}
