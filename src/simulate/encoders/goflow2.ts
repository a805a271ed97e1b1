import { isIpv4, parseAddress } from '../../flow/address.ts';
import type { FlowRecord } from '../../flow/flow-record.ts';
import type { Encoder } from './encoder.ts';
import { AddressTexts, bytesOf, isIcmp, protocolKeyword } from './text.ts';

// netsampler/goflow2 pb/flow.proto, message FlowMessage; goflow2 writes fields in ascending order.
const TYPE_IPFIX = 4;
const MESSAGE_BYTES_MAX = 256;
/** Room before the body for its length. */
const PREFIX_BYTES = 2;
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;

/** goflow2 `-format=bin`: protobuf with its length before it. Raw counters and the sampling rate; direction as its sample mapping.yaml adds it. */
export function createGoflow2Encoder(): Encoder {
  const writer = new ProtobufWriter();
  const samplers = new Map<string, Uint8Array>();
  const samplerOf = (exporter: string) => {
    let address = samplers.get(exporter);
    if (!address) {
      address = parseAddress(exporter) ?? new Uint8Array(16);
      samplers.set(exporter, address);
    }
    return address;
  };
  return {
    name: 'goflow2',
    framing: 'length-prefixed',
    bidirectional: false,
    encode(exporter, flow) {
      writer.begin();
      writeFields(writer, samplerOf(exporter), flow);
      return writer.finish();
    },
  };
}

function writeFields(writer: ProtobufWriter, sampler: Uint8Array, flow: FlowRecord): void {
  const icmp = isIcmp(flow.protocol);
  writer.varint(1, TYPE_IPFIX);
  writer.varint(3, flow.samplingRate);
  writer.address(6, flow.sourceAddress);
  writer.address(7, flow.destinationAddress);
  writer.varint(9, flow.rawBytes);
  writer.varint(10, flow.rawPackets);
  writer.address(11, sampler);
  writer.varint(14, flow.sourceAs);
  writer.varint(15, flow.destinationAs);
  writer.varint(18, flow.inInterface);
  writer.varint(19, flow.outInterface);
  writer.varint(20, flow.protocol);
  writer.varint(21, flow.sourcePort);
  writer.varint(22, icmp ? 0 : flow.destinationPort);
  writer.varint(23, flow.tos);
  writer.varint(26, flow.tcpFlags);
  writer.varint(29, flow.vlan);
  writer.varint(30, isIpv4(flow.sourceAddress) ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6);
  writer.varint(31, icmp ? flow.destinationPort >> 8 : 0);
  writer.varint(32, icmp ? flow.destinationPort & 0xff : 0);
  if (flow.direction !== 'UNKNOWN') writer.varintEvenZero(42, flow.direction === 'EGRESS' ? 1 : 0);
  writer.nanoseconds(110, flow.receivedUs);
  writer.nanoseconds(111, flow.startUs);
  writer.nanoseconds(112, flow.endUs);
}

/** Writes one message of known small size into a buffer that is reused. */
class ProtobufWriter {
  readonly #buffer = new Uint8Array(MESSAGE_BYTES_MAX);
  #at = PREFIX_BYTES;

  begin(): void {
    this.#at = PREFIX_BYTES;
  }

  /** A copy of the message with its length in front. */
  finish(): Uint8Array {
    const length = this.#at - PREFIX_BYTES;
    if (length < 128) {
      this.#buffer[PREFIX_BYTES - 1] = length;
      return this.#buffer.slice(PREFIX_BYTES - 1, this.#at);
    }
    this.#buffer[0] = (length & 0x7f) | 0x80;
    this.#buffer[1] = length >> 7;
    return this.#buffer.slice(0, this.#at);
  }

  /** proto3 leaves zeros out. */
  varint(field: number, value: number): void {
    if (value !== 0) this.varintEvenZero(field, value);
  }

  varintEvenZero(field: number, value: number): void {
    this.#number(field * 8);
    this.#number(value);
  }

  /** 4 bytes for IPv4, 16 for IPv6. */
  address(field: number, address: Uint8Array): void {
    this.#number(field * 8 + 2);
    const from = isIpv4(address) ? 12 : 0;
    this.#buffer[this.#at++] = 16 - from;
    for (let i = from; i < 16; i++) this.#buffer[this.#at++] = address[i]!;
  }

  /** us * 1000 exceeds 2^53: multiplied in two parts that meet at bit 21, three groups of a varint. */
  nanoseconds(field: number, us: number): void {
    this.#number(field * 8);
    const low = (us % 0x200000) * 1000;
    const carry = Math.floor(low / 0x200000);
    const bits = low - carry * 0x200000;
    this.#buffer[this.#at++] = (bits & 0x7f) | 0x80;
    this.#buffer[this.#at++] = ((bits >> 7) & 0x7f) | 0x80;
    this.#buffer[this.#at++] = (bits >> 14) | 0x80;
    this.#number(Math.floor(us / 0x200000) * 1000 + carry);
  }

  #number(value: number): void {
    let rest = value;
    while (rest > 0x7fffffff) {
      this.#buffer[this.#at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      this.#buffer[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#buffer[this.#at++] = rest;
  }
}

/** goflow2 `-format=json`: names as in its protobuf, integers bare, addresses and protocol as text. */
export function createGoflow2JsonEncoder(): Encoder {
  const addresses = new AddressTexts();
  return {
    name: 'goflow2-json',
    framing: 'lines',
    bidirectional: false,
    encode(exporter, flow) {
      const icmp = isIcmp(flow.protocol);
      const icmpFields = icmp
        ? `,"icmp_type":${flow.destinationPort >> 8},"icmp_code":${flow.destinationPort & 0xff}`
        : '';
      return bytesOf(
        `{"type":"IPFIX","time_received_ns":${flow.receivedUs}000,"sequence_num":0,"sampling_rate":${flow.samplingRate},` +
          `"sampler_address":"${exporter}","time_flow_start_ns":${flow.startUs}000,"time_flow_end_ns":${flow.endUs}000,` +
          `"bytes":${flow.rawBytes},"packets":${flow.rawPackets},"src_addr":"${addresses.of(flow.sourceAddress)}",` +
          `"dst_addr":"${addresses.of(flow.destinationAddress)}","etype":"${isIpv4(flow.sourceAddress) ? 'IPv4' : 'IPv6'}",` +
          `"proto":"${protocolKeyword(flow.protocol)}","src_port":${flow.sourcePort},` +
          `"dst_port":${icmp ? 0 : flow.destinationPort},"in_if":${flow.inInterface},"out_if":${flow.outInterface},` +
          `"ip_tos":${flow.tos},"tcp_flags":${flow.tcpFlags},"vlan_id":${flow.vlan},"src_as":${flow.sourceAs},` +
          `"dst_as":${flow.destinationAs}${icmpFields}}`,
      );
    },
  };
}
