import protobuf from 'protobufjs';
import { addressFromBytes, NO_ADDRESS } from '../../flow/address.ts';
import { messageOf, usageError } from '../../kernel/errors.ts';
import type { Decoder, DecodeSink, FeedSettings, Format } from '../format.ts';
import { FlowReading, Normaliser, type Refusal, refusal } from '../normalise.ts';
import { ProtobufCursor } from '../protobuf-cursor.ts';
import { ExporterNames } from './exporter-names.ts';
import { isIcmp } from './json-records.ts';

const WIRE_VARINT = 0;
const WIRE_BYTES = 2;
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
const PROTOCOL_OTHER = 255;
/** Columns of Akvorado's schema we read (its schema/definition.go); a deployment may have disabled some. */
const NUMBERS = [
  'TimeReceived',
  'SamplingRate',
  'SrcAS',
  'DstAS',
  'EType',
  'Proto',
  'SrcPort',
  'DstPort',
  'Bytes',
  'Packets',
  'FlowDirection',
  'IPTos',
  'TCPFlags',
  'SrcVlan',
  'ICMPv4Type',
  'ICMPv4Code',
  'ICMPv6Type',
  'ICMPv6Code',
] as const;
const ADDRESSES = ['ExporterAddress', 'SrcAddr', 'DstAddr'] as const;
type NumberColumn = (typeof NUMBERS)[number];
type AddressColumn = (typeof ADDRESSES)[number];
/** By tag (field number * 8 + wire type). */
interface Columns {
  readonly numbers: ReadonlyMap<number, NumberColumn>;
  readonly addresses: ReadonlyMap<number, AddressColumn>;
}

/**
 * Akvorado's enriched flows: one protobuf message a flow, without length. The numbers of the fields differ between deployments, so
 * that they are taken from the .proto the outlet serves (the feed's `schemaFile`). The time of receipt is the only one there
 * is; interfaces are names. Counters are raw.
 */
export const akvorado: Format = {
  name: 'akvorado',
  family: 'akvorado',
  framing: 'whole',
  // Without the schema the bytes tell nothing: whoever has it names the format.
  sniff: () => 0,
  createDecoder: (settings) => new AkvoradoDecoder(settings),
};

class AkvoradoDecoder implements Decoder {
  readonly #normaliser: Normaliser;
  readonly #columns: Columns | null;
  readonly #reading = new FlowReading();
  readonly #cursor = new ProtobufCursor();
  readonly #exporters = new ExporterNames();
  readonly #numbers: Record<NumberColumn, number>;
  readonly #addresses: Record<AddressColumn, Uint8Array>;

  constructor(settings: FeedSettings) {
    this.#normaliser = new Normaliser(settings);
    this.#columns = settings.schema === undefined ? null : columnsOf(settings.schema);
    this.#numbers = Object.fromEntries(NUMBERS.map((name) => [name, 0])) as Record<NumberColumn, number>;
    this.#addresses = Object.fromEntries(ADDRESSES.map((name) => [name, NO_ADDRESS])) as Record<
      AddressColumn,
      Uint8Array
    >;
  }

  decode(message: Uint8Array, receivedUs: number, sink: DecodeSink): void {
    const refused = this.#decode(message, receivedUs, sink);
    if (refused) sink.reject(refused.reason, refused.detail);
  }

  #decode(message: Uint8Array, receivedUs: number, sink: DecodeSink): Refusal | null {
    if (message.length === 0) return refusal('empty_message', 'no bytes');
    if (this.#columns === null) return refusal('unknown_schema', 'the feed names no schemaFile');
    const refused = this.#readColumns(message, this.#columns);
    if (refused !== null) return refused;
    const { SrcAddr, DstAddr, ExporterAddress } = this.#addresses;
    if (SrcAddr === NO_ADDRESS || DstAddr === NO_ADDRESS) return refusal('missing_field', 'SrcAddr, DstAddr');
    const reading = this.#reading;
    reading.clear();
    reading.sourceAddress = SrcAddr;
    reading.destinationAddress = DstAddr;
    settle(this.#numbers, reading);
    const exporter =
      ExporterAddress === NO_ADDRESS
        ? ''
        : this.#exporters.nameOf(ExporterAddress, 0, ExporterAddress.length);
    return this.#normaliser.emit(reading, exporter ?? '', receivedUs, sink);
  }

  #readColumns(message: Uint8Array, columns: Columns): Refusal | null {
    const cursor = this.#cursor;
    for (const name of NUMBERS) this.#numbers[name] = 0;
    for (const name of ADDRESSES) this.#addresses[name] = NO_ADDRESS;
    cursor.open(message, 0, message.length);
    for (let tag = cursor.nextTag(); tag !== 0; tag = cursor.nextTag()) {
      const number = columns.numbers.get(tag);
      if (number !== undefined) {
        this.#numbers[number] = cursor.readVarint();
        continue;
      }
      cursor.skip(tag);
      const name = columns.addresses.get(tag);
      if (name === undefined || cursor.fault !== null) continue;
      const address = addressFromBytes(message.slice(cursor.sliceStart, cursor.sliceEnd));
      if (address === null) return refusal('invalid_address', `${name} is not 4 or 16 bytes`);
      this.#addresses[name] = address;
    }
    return cursor.fault === null
      ? null
      : refusal(cursor.fault, `not a whole message (${message.length} bytes)`);
  }
}

function settle(numbers: Readonly<Record<NumberColumn, number>>, reading: FlowReading): void {
  reading.endUs = numbers.TimeReceived * 1e6;
  reading.startUs = reading.endUs;
  reading.receivedUs = reading.endUs;
  reading.samplingRate = numbers.SamplingRate;
  reading.sourceAs = numbers.SrcAS;
  reading.destinationAs = numbers.DstAS;
  const type = numbers.EType;
  const isIp = type === 0 || type === ETHERTYPE_IPV4 || type === ETHERTYPE_IPV6;
  reading.protocol = isIp ? numbers.Proto : PROTOCOL_OTHER;
  if (isIcmp(reading.protocol)) {
    reading.destinationPort =
      (numbers.ICMPv4Type || numbers.ICMPv6Type) * 256 + (numbers.ICMPv4Code || numbers.ICMPv6Code);
  } else {
    reading.sourcePort = numbers.SrcPort;
    reading.destinationPort = numbers.DstPort;
  }
  reading.bytes = numbers.Bytes;
  reading.packets = numbers.Packets;
  reading.tos = numbers.IPTos;
  reading.tcpFlags = numbers.TCPFlags;
  reading.vlan = numbers.SrcVlan;
  if (numbers.FlowDirection === 1) reading.direction = 'INGRESS';
  if (numbers.FlowDirection === 2) reading.direction = 'EGRESS';
}

/** The tags of the columns, from the one message of the schema that has them. Throws a usageError where there is none. */
function columnsOf(schema: string): Columns {
  const type = messageTypes(parse(schema)).find(({ fields }) => 'Bytes' in fields && 'SrcAddr' in fields);
  if (type === undefined) {
    throw usageError('feed_schema', 'the feed’s schemaFile has no message with the fields Bytes and SrcAddr');
  }
  const tagsOf = <Name extends string>(names: readonly Name[], wireType: number) =>
    new Map(
      names.flatMap((name): [number, Name][] => {
        const field = type.fields[name];
        return field === undefined ? [] : [[field.id * 8 + wireType, name]];
      }),
    );
  return { numbers: tagsOf(NUMBERS, WIRE_VARINT), addresses: tagsOf(ADDRESSES, WIRE_BYTES) };
}

function parse(schema: string): protobuf.Root {
  try {
    return protobuf.parse(schema, { keepCase: true }).root;
  } catch (error) {
    throw usageError('feed_schema', `the feed's schemaFile is no .proto: ${messageOf(error)}`, error);
  }
}

function messageTypes(space: protobuf.NamespaceBase): protobuf.Type[] {
  return space.nestedArray.flatMap((nested) => {
    if (nested instanceof protobuf.Type) return [nested, ...messageTypes(nested)];
    return nested instanceof protobuf.Namespace ? messageTypes(nested) : [];
  });
}
