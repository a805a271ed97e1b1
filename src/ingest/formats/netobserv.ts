import { addressFromBytes, NO_ADDRESS } from '../../flow/address.ts';
import type { Decoder, DecodeSink, FeedSettings, Format } from '../format.ts';
import { FlowReading, Normaliser, type Refusal, refusal } from '../normalise.ts';
import { ProtobufCursor } from '../protobuf-cursor.ts';
import { ExporterNames } from './exporter-names.ts';
import { isIcmp } from './json-records.ts';

// netobserv/netobserv-ebpf-agent proto/flow.proto, message Record; tag = field * 8 + wire type (0 varint, 2 bytes, 5 fixed32).
const ETHER_TYPE = 1 * 8;
const DIRECTION = 2 * 8;
const START = 3 * 8 + 2;
const END = 4 * 8 + 2;
const NETWORK = 6 * 8 + 2;
const TRANSPORT = 7 * 8 + 2;
const BYTES = 8 * 8;
const PACKETS = 9 * 8;
const DUPLICATE = 11 * 8;
const AGENT = 12 * 8 + 2;
const TCP_FLAGS = 13 * 8;
const ICMP_TYPE = 14 * 8;
const ICMP_CODE = 15 * 8;
const FIRST_VARINT = 1 * 8;
const SECOND_VARINT = 2 * 8;
const THIRD_VARINT = 3 * 8;
const FIRST_MESSAGE = 1 * 8 + 2;
const SECOND_MESSAGE = 2 * 8 + 2;
const IPV4 = 1 * 8 + 5;
const IPV6 = 2 * 8 + 2;
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
const PROTOCOL_OTHER = 255;

/**
 * The NetObserv agent's flows as it writes them to Kafka: one Record a message, without length. What the agent marks as the duplicate
 * of a flow seen on another interface is refused. Interfaces are names there, not numbers. Counters are raw, the rate is not told.
 */
export const netobserv: Format = {
  name: 'netobserv',
  family: 'netobserv',
  framing: 'whole',
  sniff: sniffNetobserv,
  createDecoder: (settings) => new NetobservDecoder(settings),
};

class NetobservDecoder implements Decoder {
  readonly #normaliser: Normaliser;
  readonly #record = new RecordReader();
  readonly #exporters = new ExporterNames();

  constructor(settings: FeedSettings) {
    this.#normaliser = new Normaliser(settings);
  }

  decode(message: Uint8Array, receivedUs: number, sink: DecodeSink): void {
    const refused = this.#decode(message, receivedUs, sink);
    if (refused) sink.reject(refused.reason, refused.detail);
  }

  #decode(message: Uint8Array, receivedUs: number, sink: DecodeSink): Refusal | null {
    const record = this.#record;
    const refused = record.read(message);
    if (refused !== null) return refused;
    if (record.isDuplicate)
      return refusal('excluded_by_setting', 'the duplicate of a flow on another interface');
    const { agent } = record;
    const exporter = agent === NO_ADDRESS ? '' : this.#exporters.nameOf(agent, 0, agent.length);
    return this.#normaliser.emit(record.reading, exporter ?? '', receivedUs, sink);
  }
}

/** Reads one Record into a reading; reused. */
class RecordReader {
  readonly reading = new FlowReading();
  agent: Uint8Array = NO_ADDRESS;
  isDuplicate = false;
  readonly #cursor = new ProtobufCursor();
  readonly #inner = new ProtobufCursor();
  readonly #address = new ProtobufCursor();
  #etherType = 0;
  #icmpType = 0;
  #icmpCode = 0;

  read(message: Uint8Array): Refusal | null {
    if (message.length === 0) return refusal('empty_message', 'no bytes');
    const cursor = this.#cursor;
    this.#clear();
    cursor.open(message, 0, message.length);
    for (let tag = cursor.nextTag(); tag !== 0; tag = cursor.nextTag()) this.#readField(tag);
    if (cursor.fault !== null) return refusal(cursor.fault, `not a whole Record (${message.length} bytes)`);
    return this.#settle();
  }

  #clear(): void {
    this.reading.clear();
    // protobuf leaves zeros out, and zero is ingress.
    this.reading.direction = 'INGRESS';
    this.agent = NO_ADDRESS;
    this.isDuplicate = false;
    this.#etherType = 0;
    this.#icmpType = 0;
    this.#icmpCode = 0;
  }

  #settle(): Refusal | null {
    const { reading } = this;
    const type = this.#etherType;
    const isIp = type === 0 || type === ETHERTYPE_IPV4 || type === ETHERTYPE_IPV6;
    if (!isIp) reading.protocol = PROTOCOL_OTHER;
    else if (reading.sourceAddress === NO_ADDRESS || reading.destinationAddress === NO_ADDRESS) {
      return refusal('missing_field', 'network.src_addr, network.dst_addr');
    }
    if (isIcmp(reading.protocol)) {
      reading.sourcePort = 0;
      reading.destinationPort = this.#icmpType * 256 + this.#icmpCode;
    }
    return null;
  }

  #readField(tag: number): void {
    const { reading } = this;
    const cursor = this.#cursor;
    switch (tag) {
      case ETHER_TYPE:
        this.#etherType = cursor.readVarint();
        return;
      case DIRECTION:
        reading.direction = cursor.readVarint() === 1 ? 'EGRESS' : 'INGRESS';
        return;
      case START:
        reading.startUs = this.#timestampUs();
        return;
      case END:
        reading.endUs = this.#timestampUs();
        return;
      case NETWORK:
        this.#readNetwork();
        return;
      case TRANSPORT:
        this.#readTransport();
        return;
      case BYTES:
        reading.bytes = cursor.readVarint();
        return;
      case PACKETS:
        reading.packets = cursor.readVarint();
        return;
      case DUPLICATE:
        this.isDuplicate = cursor.readVarint() === 1;
        return;
      case AGENT:
        this.agent = this.#ip(cursor);
        return;
      case TCP_FLAGS:
        reading.tcpFlags = cursor.readVarint();
        return;
      case ICMP_TYPE:
        this.#icmpType = cursor.readVarint();
        return;
      case ICMP_CODE:
        this.#icmpCode = cursor.readVarint();
        return;
      default:
        cursor.skip(tag);
    }
  }

  /** Opens the message under the field at hand. */
  #enter(): ProtobufCursor {
    const cursor = this.#cursor;
    const inner = this.#inner;
    if (cursor.readLength() < 0) inner.open(cursor.bytes, 0, 0);
    else inner.open(cursor.bytes, cursor.sliceStart, cursor.sliceEnd);
    return inner;
  }

  /** google.protobuf.Timestamp: seconds, nanoseconds. */
  #timestampUs(): number {
    const inner = this.#enter();
    let us = 0;
    for (let tag = inner.nextTag(); tag !== 0; tag = inner.nextTag()) {
      if (tag === FIRST_VARINT) us += inner.readVarint() * 1e6;
      else if (tag === SECOND_VARINT) us += Math.floor(inner.readVarint() / 1000);
      else inner.skip(tag);
    }
    this.#cursor.fault ??= inner.fault;
    return us;
  }

  #readNetwork(): void {
    const { reading } = this;
    const inner = this.#enter();
    for (let tag = inner.nextTag(); tag !== 0; tag = inner.nextTag()) {
      if (tag === FIRST_MESSAGE) reading.sourceAddress = this.#ip(inner);
      else if (tag === SECOND_MESSAGE) reading.destinationAddress = this.#ip(inner);
      else if (tag === THIRD_VARINT) reading.tos = inner.readVarint() * 4;
      else inner.skip(tag);
    }
    this.#cursor.fault ??= inner.fault;
  }

  #readTransport(): void {
    const { reading } = this;
    const inner = this.#enter();
    for (let tag = inner.nextTag(); tag !== 0; tag = inner.nextTag()) {
      if (tag === FIRST_VARINT) reading.sourcePort = inner.readVarint();
      else if (tag === SECOND_VARINT) reading.destinationPort = inner.readVarint();
      else if (tag === THIRD_VARINT) reading.protocol = inner.readVarint();
      else inner.skip(tag);
    }
    this.#cursor.fault ??= inner.fault;
  }

  /** An IP message: 32 bits as a number of host order (so little-endian on the wire), or 16 bytes. */
  #ip(outer: ProtobufCursor): Uint8Array {
    const cursor = this.#address;
    if (outer.readLength() < 0) return NO_ADDRESS;
    cursor.open(outer.bytes, outer.sliceStart, outer.sliceEnd);
    let address: Uint8Array | null = NO_ADDRESS;
    for (let tag = cursor.nextTag(); tag !== 0; tag = cursor.nextTag()) {
      const at = cursor.position;
      cursor.skip(tag);
      if (cursor.fault !== null) break;
      if (tag === IPV4) address = addressFromBytes(cursor.bytes.slice(at, at + 4).reverse());
      else if (tag === IPV6)
        address = addressFromBytes(cursor.bytes.slice(cursor.sliceStart, cursor.sliceEnd));
    }
    outer.fault ??= cursor.fault;
    if (address === null) outer.fault ??= 'malformed';
    return address ?? NO_ADDRESS;
  }
}

/** Addresses in messages in a message, and a time: nothing else we read looks like it. */
function sniffNetobserv(sample: Uint8Array): number {
  const record = new RecordReader();
  return record.read(sample) === null &&
    record.reading.endUs > 0 &&
    record.reading.sourceAddress !== NO_ADDRESS
    ? 0.98
    : 0;
}
