import { formatAddress, parseAddress } from './address.ts';
import type { Direction, FlowRecord, Outcome, SamplingApplied, TimeQuality } from './flow-record.ts';

/** A flow as one JSON object: the names of `schemas/flow-batch.v1.avsc`, addresses as text, times in whole microseconds. */
export interface FlowJson extends Omit<FlowRecord, 'sourceAddress' | 'destinationAddress'> {
  exporter: string;
  sourceAddress: string;
  destinationAddress: string;
}

const TIME_QUALITIES: readonly TimeQuality[] = ['OK', 'CLAMPED', 'RECEIVED'];
const DIRECTIONS: readonly Direction[] = ['UNKNOWN', 'INGRESS', 'EGRESS'];
const SAMPLINGS: readonly SamplingApplied[] = ['NONE', 'SOURCE', 'FLOWCAST', 'UNKNOWN'];
const OUTCOMES: readonly Outcome[] = ['UNKNOWN', 'ESTABLISHED', 'NO_REPLY', 'REJECTED', 'RESET'];

/** Fields in the order of the schema; all integers are below 2^53, so that JSON carries them exactly. */
export function flowToJson(exporter: string, flow: FlowRecord): FlowJson {
  return {
    exporter,
    startUs: flow.startUs,
    endUs: flow.endUs,
    receivedUs: flow.receivedUs,
    timeQuality: flow.timeQuality,
    sourceAddress: formatAddress(flow.sourceAddress),
    destinationAddress: formatAddress(flow.destinationAddress),
    sourcePort: flow.sourcePort,
    destinationPort: flow.destinationPort,
    protocol: flow.protocol,
    tcpFlags: flow.tcpFlags,
    tos: flow.tos,
    vlan: flow.vlan,
    sourceAs: flow.sourceAs,
    destinationAs: flow.destinationAs,
    inInterface: flow.inInterface,
    outInterface: flow.outInterface,
    direction: flow.direction,
    bytes: flow.bytes,
    packets: flow.packets,
    rawBytes: flow.rawBytes,
    rawPackets: flow.rawPackets,
    samplingRate: flow.samplingRate,
    samplingApplied: flow.samplingApplied,
    bidirectional: flow.bidirectional,
    reverseBytes: flow.reverseBytes,
    reversePackets: flow.reversePackets,
    outcome: flow.outcome,
    label: flow.label,
  };
}

/** What `flowFromJson` found wrong: the field, and what kind of trouble. */
export interface FlowJsonFault {
  readonly kind: 'missing_field' | 'invalid_address' | 'invalid_number' | 'invalid_time' | 'malformed';
  readonly field: string;
}

/** The way back, checked field by field: the exporter and flow that `flowToJson` was given, or the first fault. */
export function flowFromJson(
  json: Readonly<Record<string, unknown>>,
): { exporter: string; flow: FlowRecord } | FlowJsonFault {
  const reader = new FieldReader(json);
  const flow: FlowRecord = {
    startUs: reader.count('startUs'),
    endUs: reader.count('endUs'),
    receivedUs: reader.count('receivedUs'),
    timeQuality: reader.word('timeQuality', TIME_QUALITIES),
    sourceAddress: reader.address('sourceAddress'),
    destinationAddress: reader.address('destinationAddress'),
    sourcePort: reader.count('sourcePort', 0xffff),
    destinationPort: reader.count('destinationPort', 0xffff),
    protocol: reader.count('protocol', 0xff),
    tcpFlags: reader.count('tcpFlags', 0x7fff_ffff),
    tos: reader.count('tos', 0x7fff_ffff),
    vlan: reader.count('vlan', 0x7fff_ffff),
    sourceAs: reader.count('sourceAs'),
    destinationAs: reader.count('destinationAs'),
    inInterface: reader.count('inInterface'),
    outInterface: reader.count('outInterface'),
    direction: reader.word('direction', DIRECTIONS),
    bytes: reader.count('bytes'),
    packets: reader.count('packets'),
    rawBytes: reader.count('rawBytes'),
    rawPackets: reader.count('rawPackets'),
    samplingRate: reader.count('samplingRate'),
    samplingApplied: reader.word('samplingApplied', SAMPLINGS),
    bidirectional: reader.flag('bidirectional'),
    reverseBytes: reader.count('reverseBytes'),
    reversePackets: reader.count('reversePackets'),
    outcome: reader.word('outcome', OUTCOMES),
    label: reader.label(),
  };
  const exporter = reader.text('exporter');
  if (flow.startUs > flow.endUs) reader.fault ??= { kind: 'invalid_time', field: 'startUs is after endUs' };
  return reader.fault ?? { exporter, flow };
}

/** Reads typed fields and remembers the first that is wrong. */
class FieldReader {
  fault: FlowJsonFault | null = null;
  readonly #json: Readonly<Record<string, unknown>>;

  constructor(json: Readonly<Record<string, unknown>>) {
    this.#json = json;
  }

  count(field: string, max = Number.MAX_SAFE_INTEGER): number {
    const value = this.#json[field];
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= max) return value;
    this.#fail(field, 'invalid_number');
    return 0;
  }

  word<W extends string>(field: string, words: readonly W[]): W {
    const index = words.indexOf(this.#json[field] as W);
    if (index < 0) this.#fail(field, 'malformed');
    return words[Math.max(0, index)]!;
  }

  address(field: string): Uint8Array {
    const value = this.#json[field];
    const address = typeof value === 'string' ? parseAddress(value) : null;
    if (address === null) this.#fail(field, 'invalid_address');
    return address ?? new Uint8Array(16);
  }

  flag(field: string): boolean {
    const value = this.#json[field];
    if (typeof value !== 'boolean') this.#fail(field, 'malformed');
    return value === true;
  }

  text(field: string): string {
    const value = this.#json[field];
    if (typeof value !== 'string') this.#fail(field, 'malformed');
    return String(value);
  }

  label(): string | null {
    const value = this.#json.label ?? null;
    if (value !== null && typeof value !== 'string') this.#fail('label', 'malformed');
    return value === null ? null : String(value);
  }

  #fail(field: string, kind: FlowJsonFault['kind']): void {
    this.fault ??= { kind: this.#json[field] === undefined ? 'missing_field' : kind, field };
  }
}
