import { NO_ADDRESS } from '../../flow/address.ts';
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_NOT_IP } from '../../flow/protocol.ts';
import type { FlowReading } from '../normalise.ts';
import type { ProtobufCursor } from '../protobuf-cursor.ts';

// netsampler/goflow2 pb/flow.proto, message FlowMessage (v2 and v3 share the numbers); tag = field * 8 + wire type (0 varint, 2 bytes).
const TYPE = 1 * 8;
const V1_RECEIVED_S = 2 * 8;
const SAMPLING_RATE = 3 * 8;
const SEQUENCE_NUMBER = 4 * 8;
const V1_END_S = 5 * 8;
const SOURCE_ADDRESS = 6 * 8 + 2;
const DESTINATION_ADDRESS = 7 * 8 + 2;
const BYTES = 9 * 8;
const PACKETS = 10 * 8;
const SAMPLER_ADDRESS = 11 * 8 + 2;
const SOURCE_AS = 14 * 8;
const DESTINATION_AS = 15 * 8;
const IN_INTERFACE = 18 * 8;
const OUT_INTERFACE = 19 * 8;
const PROTOCOL = 20 * 8;
const SOURCE_PORT = 21 * 8;
const DESTINATION_PORT = 22 * 8;
const IP_TOS = 23 * 8;
const TCP_FLAGS = 26 * 8;
const VLAN_ID = 29 * 8;
const ETYPE = 30 * 8;
const ICMP_TYPE = 31 * 8;
const ICMP_CODE = 32 * 8;
const SOURCE_VLAN = 33 * 8;
/** v1: seconds of the flow's start. v2: ip_flags. */
const V1_START_S = 38 * 8;
/** Not in the schema; the mapping.yaml that goflow2 brings puts flow_direction here, as v1 did. 0 = ingress, 1 = egress. */
const FLOW_DIRECTION = 42 * 8;
const V1_START_MS = 63 * 8;
const V1_END_MS = 64 * 8;
const RECEIVED_NS = 110 * 8;
const START_NS = 111 * 8;
const END_NS = 112 * 8;

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;

/** What one pass over a message collects beside the reading; one object, reused. */
export class Goflow2Fields {
  type = 0;
  etherType = 0;
  icmpType = 0;
  icmpCode = 0;
  sourceVlan = 0;
  isV2 = false;
  v1ReceivedS = 0;
  v1StartS = 0;
  v1EndS = 0;
  v1StartMs = 0;
  v1EndMs = 0;
  samplerStart = 0;
  samplerEnd = 0;
  addressFault = 0;

  clear(): void {
    this.type = 0;
    this.etherType = 0;
    this.icmpType = 0;
    this.icmpCode = 0;
    this.sourceVlan = 0;
    this.isV2 = false;
    this.v1ReceivedS = 0;
    this.v1StartS = 0;
    this.v1EndS = 0;
    this.v1StartMs = 0;
    this.v1EndMs = 0;
    this.samplerStart = 0;
    this.samplerEnd = 0;
    this.addressFault = 0;
  }
}

/** Whether a message without length can begin with this byte: writers keep ascending order, so that one of 1, 2, 3, 4, 6 comes first. */
export function isFirstTag(byte: number): boolean {
  return (
    byte === TYPE ||
    byte === V1_RECEIVED_S ||
    byte === SAMPLING_RATE ||
    byte === SEQUENCE_NUMBER ||
    byte === SOURCE_ADDRESS
  );
}

/** Reads the fields of one FlowMessage from an opened cursor; whether it got to the end is in `cursor.fault`. */
export function readFields(cursor: ProtobufCursor, reading: FlowReading, fields: Goflow2Fields): void {
  reading.clear();
  fields.clear();
  for (let tag = cursor.nextTag(); tag !== 0; tag = cursor.nextTag()) {
    switch (tag) {
      case TYPE:
        fields.type = cursor.readVarint();
        break;
      case SAMPLING_RATE:
        reading.samplingRate = cursor.readVarint();
        break;
      case SOURCE_ADDRESS:
        reading.sourceAddress = readAddress(cursor, fields);
        break;
      case DESTINATION_ADDRESS:
        reading.destinationAddress = readAddress(cursor, fields);
        break;
      case BYTES:
        reading.bytes = cursor.readVarint();
        break;
      case PACKETS:
        reading.packets = cursor.readVarint();
        break;
      case SAMPLER_ADDRESS:
        if (cursor.readLength() >= 0) {
          fields.samplerStart = cursor.sliceStart;
          fields.samplerEnd = cursor.sliceEnd;
        }
        break;
      case SOURCE_AS:
        reading.sourceAs = cursor.readVarint();
        break;
      case DESTINATION_AS:
        reading.destinationAs = cursor.readVarint();
        break;
      case IN_INTERFACE:
        reading.inInterface = cursor.readVarint();
        break;
      case OUT_INTERFACE:
        reading.outInterface = cursor.readVarint();
        break;
      case PROTOCOL:
        reading.protocol = cursor.readVarint();
        break;
      case SOURCE_PORT:
        reading.sourcePort = cursor.readVarint();
        break;
      case DESTINATION_PORT:
        reading.destinationPort = cursor.readVarint();
        break;
      case IP_TOS:
        reading.tos = cursor.readVarint();
        break;
      case TCP_FLAGS:
        reading.tcpFlags = cursor.readVarint();
        break;
      case VLAN_ID:
        reading.vlan = cursor.readVarint();
        break;
      case ETYPE:
        fields.etherType = cursor.readVarint();
        break;
      case ICMP_TYPE:
        fields.icmpType = cursor.readVarint();
        break;
      case ICMP_CODE:
        fields.icmpCode = cursor.readVarint();
        break;
      case FLOW_DIRECTION:
        reading.direction = cursor.readVarint() === 1 ? 'EGRESS' : 'INGRESS';
        break;
      case RECEIVED_NS:
        fields.isV2 = true;
        reading.receivedUs = cursor.readNanosecondsAsUs();
        break;
      case START_NS:
        reading.startUs = cursor.readNanosecondsAsUs();
        break;
      case END_NS:
        reading.endUs = cursor.readNanosecondsAsUs();
        break;
      default:
        readRareField(cursor, tag, fields);
    }
  }
}

/** Fields of v1 and of few flows, apart so that the common switch stays small. */
function readRareField(cursor: ProtobufCursor, tag: number, fields: Goflow2Fields): void {
  switch (tag) {
    case SOURCE_VLAN:
      fields.sourceVlan = cursor.readVarint();
      break;
    case V1_RECEIVED_S:
      fields.v1ReceivedS = cursor.readVarint();
      break;
    case V1_START_S:
      fields.v1StartS = cursor.readVarint();
      break;
    case V1_END_S:
      fields.v1EndS = cursor.readVarint();
      break;
    case V1_START_MS:
      fields.v1StartMs = cursor.readVarint();
      break;
    case V1_END_MS:
      fields.v1EndMs = cursor.readVarint();
      break;
    default:
      cursor.skip(tag);
  }
}

/** 4 bytes or 16; none at all (flows that are not IP) is no fault. */
function readAddress(cursor: ProtobufCursor, fields: Goflow2Fields): Uint8Array {
  const length = cursor.readLength();
  if (length === 0) return NO_ADDRESS;
  const { bytes, sliceStart: at } = cursor;
  if (length === 4) {
    const address = new Uint8Array(16);
    address[10] = 0xff;
    address[11] = 0xff;
    address[12] = bytes[at]!;
    address[13] = bytes[at + 1]!;
    address[14] = bytes[at + 2]!;
    address[15] = bytes[at + 3]!;
    return address;
  }
  if (length !== 16) {
    if (length > 0) fields.addressFault = length;
    return NO_ADDRESS;
  }
  const address = new Uint8Array(16);
  for (let i = 0; i < 16; i++) address[i] = bytes[at + i]!;
  return address;
}

/** What depends on several fields, whatever their order. */
export function settleFields(reading: FlowReading, fields: Goflow2Fields): void {
  reading.guessTimeUnit = true;
  if (!fields.isV2 && fields.v1ReceivedS > 0) {
    reading.receivedUs = fields.v1ReceivedS * 1e6;
    reading.startUs = fields.v1StartMs > 0 ? fields.v1StartMs * 1000 : fields.v1StartS * 1e6;
    reading.endUs = fields.v1EndMs > 0 ? fields.v1EndMs * 1000 : fields.v1EndS * 1e6;
  }
  if (reading.vlan === 0) reading.vlan = fields.sourceVlan;
  const { etherType } = fields;
  if (etherType !== 0 && etherType !== ETHERTYPE_IPV4 && etherType !== ETHERTYPE_IPV6) {
    reading.protocol = PROTOCOL_NOT_IP;
  }
  const isIcmp = reading.protocol === PROTOCOL_ICMP || reading.protocol === PROTOCOL_ICMPV6;
  if (isIcmp && reading.destinationPort === 0)
    reading.destinationPort = fields.icmpType * 256 + fields.icmpCode;
}
