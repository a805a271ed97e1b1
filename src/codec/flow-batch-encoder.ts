import avro from 'avsc';
import type {
  Direction,
  FlowBatch,
  FlowRecord,
  Outcome,
  SamplingApplied,
  TimeQuality,
} from '../flow/flow-record.ts';
import { assert } from '../kernel/errors.ts';
import { schemaOf, singleObjectHeader } from './avro.ts';

/** The order of the schema, as `#flow` writes it. */
const BATCH_FIELDS = 'exporter,feed,format,receivedUs,flows';
const FLOW_FIELDS =
  'startUs,endUs,receivedUs,timeQuality,sourceAddress,destinationAddress,sourcePort,destinationPort,protocol,tcpFlags,tos,vlan,' +
  'sourceAs,destinationAs,inInterface,outInterface,direction,bytes,packets,rawBytes,rawPackets,samplingRate,samplingApplied,' +
  'bidirectional,reverseBytes,reversePackets,outcome,label';

/** Zigzag codes of the enums' symbols: twice their place in the schema. */
const TIME_QUALITIES: Readonly<Record<TimeQuality, number>> = { OK: 0, CLAMPED: 2, RECEIVED: 4 };
const DIRECTIONS: Readonly<Record<Direction, number>> = { UNKNOWN: 0, INGRESS: 2, EGRESS: 4 };
const SAMPLINGS: Readonly<Record<SamplingApplied, number>> = { NONE: 0, SOURCE: 2, FLOWCAST: 4, UNKNOWN: 6 };
const OUTCOMES: Readonly<Record<Outcome, number>> = {
  UNKNOWN: 0,
  ESTABLISHED: 2,
  NO_REPLY: 4,
  REJECTED: 6,
  RESET: 8,
};

const ADDRESS_BYTES = 16;
const FIRST_BYTES = 1 << 16;
/** A number of 53 bits, zigzag, in groups of seven. */
const LONG_BYTES_MAX = 8;
/** 19 numbers, 2 addresses, 4 enums, a boolean, the label's branch and its length. */
const FLOW_BYTES_MAX = 19 * LONG_BYTES_MAX + 2 * ADDRESS_BYTES + 4 + 1 + 1 + LONG_BYTES_MAX;

/**
 * Writes FlowBatch records several times faster than the general codec, byte for byte the same (tested): every flow passes
 * through here, so its fields are written one after the other without looking at the schema.
 */
export class FlowBatchEncoder {
  readonly #header: Buffer;
  #buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #at = 0;

  constructor() {
    const schema = schemaOf('flow-batch.v1') as unknown as BatchSchema;
    const namesOf = (fields: readonly { name: string }[]) => fields.map(({ name }) => name).join();
    const flows = schema.fields.at(-1)!.type.items!.fields;
    const fits = namesOf(schema.fields) === BATCH_FIELDS && namesOf(flows) === FLOW_FIELDS;
    assert(fits, 'the flow batch schema has other fields than its encoder writes');
    const type = avro.Type.forSchema(schema as unknown as avro.Schema, { wrapUnions: false });
    this.#header = singleObjectHeader(type);
  }

  /** The record's bytes, the caller's to keep. Throws on a number that is no safe integer or an address of another length (a bug of ours). */
  encode(batch: FlowBatch): Buffer {
    this.#at = 0;
    this.#reserve(this.#header.length);
    this.#at += this.#header.copy(this.#buffer, 0);
    this.#text(batch.exporter);
    this.#text(batch.feed);
    this.#text(batch.format);
    this.#reserve(2 * LONG_BYTES_MAX + 1);
    this.#long(batch.receivedUs);
    // An array is blocks, each with its length before it, and an empty one at the end.
    if (batch.flows.length > 0) this.#long(batch.flows.length);
    for (const flow of batch.flows) this.#flow(flow);
    this.#reserve(1);
    this.#buffer[this.#at++] = 0;
    return Buffer.from(this.#buffer.subarray(0, this.#at));
  }

  #flow(flow: FlowRecord): void {
    this.#reserve(FLOW_BYTES_MAX);
    this.#long(flow.startUs);
    this.#long(flow.endUs);
    this.#long(flow.receivedUs);
    this.#buffer[this.#at++] = TIME_QUALITIES[flow.timeQuality];
    this.#address(flow.sourceAddress);
    this.#address(flow.destinationAddress);
    this.#long(flow.sourcePort);
    this.#long(flow.destinationPort);
    this.#long(flow.protocol);
    this.#long(flow.tcpFlags);
    this.#long(flow.tos);
    this.#long(flow.vlan);
    this.#long(flow.sourceAs);
    this.#long(flow.destinationAs);
    this.#long(flow.inInterface);
    this.#long(flow.outInterface);
    this.#buffer[this.#at++] = DIRECTIONS[flow.direction];
    this.#long(flow.bytes);
    this.#long(flow.packets);
    this.#long(flow.rawBytes);
    this.#long(flow.rawPackets);
    this.#long(flow.samplingRate);
    this.#buffer[this.#at++] = SAMPLINGS[flow.samplingApplied];
    this.#buffer[this.#at++] = flow.bidirectional ? 1 : 0;
    this.#long(flow.reverseBytes);
    this.#long(flow.reversePackets);
    this.#buffer[this.#at++] = OUTCOMES[flow.outcome];
    // The union's branch: null is its first, string its second.
    this.#buffer[this.#at++] = flow.label === null ? 0 : 2;
    if (flow.label !== null) this.#text(flow.label);
  }

  /** Zigzag, then base 128 little-endian; beyond 31 bits by division, as shifts would cut it. */
  #long(value: number): void {
    const buffer = this.#buffer;
    let at = this.#at;
    assert(Number.isSafeInteger(value), 'a number of a flow batch is no safe integer');
    let rest = value >= 0 ? value * 2 : -value * 2 - 1;
    while (rest > 0x7fffffff) {
      const high = Math.floor(rest / 128);
      buffer[at++] = (rest - high * 128) | 0x80;
      rest = high;
    }
    while (rest > 0x7f) {
      buffer[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    buffer[at++] = rest;
    this.#at = at;
  }

  #address(address: Uint8Array): void {
    assert(address.length === ADDRESS_BYTES, 'an address of a flow is not 16 bytes long');
    for (let i = 0; i < ADDRESS_BYTES; i++) this.#buffer[this.#at + i] = address[i]!;
    this.#at += ADDRESS_BYTES;
  }

  #text(text: string): void {
    const bytes = Buffer.byteLength(text);
    this.#reserve(LONG_BYTES_MAX + bytes);
    this.#long(bytes);
    this.#at += this.#buffer.write(text, this.#at, 'utf8');
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(2 * (this.#at + bytes));
    this.#buffer.copy(grown, 0, 0, this.#at);
    this.#buffer = grown;
  }
}

interface BatchSchema {
  readonly fields: readonly {
    readonly name: string;
    readonly type: { readonly items?: { readonly fields: readonly { readonly name: string }[] } };
  }[];
}
