import { addressFromBytes, NO_ADDRESS } from '../../flow/address.ts';
import type { Decoder, DecodeSink, FeedSettings, Format } from '../format.ts';
import { FlowReading, Normaliser, type Refusal, refusal } from '../normalise.ts';
import { ProtobufCursor } from '../protobuf-cursor.ts';
import { ExporterNames } from './exporter-names.ts';

// pavel-odintsov/fastnetmon traffic_data.proto, message TrafficData; tag = field * 8 + wire type (0 varint, 2 bytes).
const TIMESTAMP_S = 1 * 8;
const TIMESTAMP_MS = 2 * 8;
const SAMPLING_RATIO = 6 * 8;
const PROTOCOL = 7 * 8;
const SOURCE_ADDRESS = 8 * 8 + 2;
const DESTINATION_ADDRESS = 9 * 8 + 2;
const SOURCE_PORT = 10 * 8;
const DESTINATION_PORT = 11 * 8;
const PACKETS = 12 * 8;
const OCTETS = 13 * 8;
const TCP_FLAGS = 15 * 8;
const IN_INTERFACE = 18 * 8;
const OUT_INTERFACE = 19 * 8;
const SOURCE_AS = 20 * 8;
const DESTINATION_AS = 21 * 8;
const AGENT_ADDRESS = 22 * 8 + 2;

/**
 * FastNetMon's traffic export as protobuf, one packet or flow a message, without length. The direction it tells is that of
 * its networks, not of an interface, and is not used. Counters are raw.
 */
export const fastnetmon: Format = {
  name: 'fastnetmon',
  family: 'fastnetmon',
  framing: 'whole',
  // Nothing in the bytes tells it from other protobuf for sure; small numbers of the same fields are also goflow2's.
  sniff: () => 0,
  createDecoder: (settings) => new FastnetmonDecoder(settings),
};

class FastnetmonDecoder implements Decoder {
  readonly #normaliser: Normaliser;
  readonly #reading = new FlowReading();
  readonly #cursor = new ProtobufCursor();
  readonly #exporters = new ExporterNames();
  #agentStart = 0;
  #agentEnd = 0;

  constructor(settings: FeedSettings) {
    this.#normaliser = new Normaliser(settings);
  }

  decode(message: Uint8Array, receivedUs: number, sink: DecodeSink): void {
    const refused = this.#decode(message, receivedUs, sink);
    if (refused) sink.reject(refused.reason, refused.detail);
  }

  #decode(message: Uint8Array, receivedUs: number, sink: DecodeSink): Refusal | null {
    if (message.length === 0) return refusal('empty_message', 'no bytes');
    const reading = this.#reading;
    const cursor = this.#cursor;
    reading.clear();
    this.#agentStart = 0;
    this.#agentEnd = 0;
    cursor.open(message, 0, message.length);
    for (let tag = cursor.nextTag(); tag !== 0; tag = cursor.nextTag()) {
      if (!this.#readField(tag)) return refusal('invalid_address', 'an address is not 4 or 16 bytes');
    }
    if (cursor.fault !== null)
      return refusal(cursor.fault, `not a whole TrafficData (${message.length} bytes)`);
    if (reading.sourceAddress === NO_ADDRESS || reading.destinationAddress === NO_ADDRESS) {
      return refusal('missing_field', 'source_ip, destination_ip');
    }
    reading.endUs = reading.startUs;
    const exporter = this.#exporters.nameOf(message, this.#agentStart, this.#agentEnd);
    if (exporter === null) return refusal('invalid_address', 'agent_address is not 4 or 16 bytes');
    return this.#normaliser.emit(reading, exporter, receivedUs, sink);
  }

  #readField(tag: number): boolean {
    const cursor = this.#cursor;
    const reading = this.#reading;
    switch (tag) {
      case TIMESTAMP_S:
        reading.startUs += cursor.readVarint() * 1e6;
        return true;
      case TIMESTAMP_MS:
        reading.startUs += cursor.readVarint() * 1e3;
        return true;
      case SAMPLING_RATIO:
        reading.samplingRate = cursor.readVarint();
        return true;
      case PROTOCOL:
        reading.protocol = cursor.readVarint();
        return true;
      case SOURCE_ADDRESS: {
        const address = this.#address();
        if (address !== null) reading.sourceAddress = address;
        return address !== null;
      }
      case DESTINATION_ADDRESS: {
        const address = this.#address();
        if (address !== null) reading.destinationAddress = address;
        return address !== null;
      }
      case SOURCE_PORT:
        reading.sourcePort = cursor.readVarint();
        return true;
      case DESTINATION_PORT:
        reading.destinationPort = cursor.readVarint();
        return true;
      case PACKETS:
        reading.packets = cursor.readVarint();
        return true;
      case OCTETS:
        reading.bytes = cursor.readVarint();
        return true;
      case TCP_FLAGS:
        reading.tcpFlags = cursor.readVarint();
        return true;
      case IN_INTERFACE:
        reading.inInterface = cursor.readVarint();
        return true;
      case OUT_INTERFACE:
        reading.outInterface = cursor.readVarint();
        return true;
      case SOURCE_AS:
        reading.sourceAs = cursor.readVarint();
        return true;
      case DESTINATION_AS:
        reading.destinationAs = cursor.readVarint();
        return true;
      case AGENT_ADDRESS:
        cursor.readLength();
        this.#agentStart = cursor.sliceStart;
        this.#agentEnd = cursor.sliceEnd;
        return true;
      default:
        cursor.skip(tag);
        return true;
    }
  }

  /** A copy: the flow keeps it, the message's buffer belongs to the log. A fault is reported as such, not as an address. */
  #address(): Uint8Array | null {
    const cursor = this.#cursor;
    if (cursor.readLength() < 0) return NO_ADDRESS;
    return addressFromBytes(cursor.bytes.slice(cursor.sliceStart, cursor.sliceEnd));
  }
}
