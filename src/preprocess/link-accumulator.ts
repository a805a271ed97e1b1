import type { Direction, FlowRecord } from '../flow/flow-record.ts';
import { countFlow } from './counting.ts';
import type { FeatureRows } from './feature-rows.ts';
import { writeWindowFeatures } from './feature-sets/feature-set.ts';
import { LINK_FEATURES } from './feature-sets/link.ts';
import type { FlowPart } from './proration.ts';
import * as column from './statistics.ts';

const DIRECTIONS: readonly Direction[] = ['UNKNOWN', 'INGRESS', 'EGRESS'];
const UNKNOWN = 0;
const INGRESS = 1;
const EGRESS = 2;
/** A link as one number: interface * LINK_KEY_RADIX + direction. */
const LINK_KEY_RADIX = 4;
/** Traffic of no known interface, and of the links beyond the bound. */
const UNKNOWN_LINK = 0;
const FIRST_ROWS = 16;
/** Evicted links are told apart, to be counted, up to here. */
const EVICTED_MAX = 65_536;

/**
 * Traffic of each link of one exporter in one window. Forward counters go to (inInterface, INGRESS) and
 * (outInterface, EGRESS), reverse ones to (outInterface, INGRESS) and (inInterface, EGRESS); what was observed on egress
 * counts on its out interface only. A flow without any of them goes, both directions added, to `0/UNKNOWN`, and so does
 * the traffic of links beyond `linksMax`.
 */
export class LinkAccumulator implements FeatureRows {
  readonly set = LINK_FEATURES;
  readonly isLabelled = false;
  readonly #linksMax: number;
  readonly #seconds: number;
  readonly #rowOf = new Map<number, number>();
  readonly #keys: number[] = [];
  readonly #evicted = new Set<number>();
  #statistics = new Float64Array(FIRST_ROWS * column.LINK_COLUMNS);

  constructor(linksMax: number, seconds: number) {
    this.#linksMax = linksMax;
    this.#seconds = seconds;
  }

  add(flow: FlowRecord, part: FlowPart): void {
    const { inInterface, outInterface } = flow;
    const onIn = inInterface !== 0 && flow.direction !== 'EGRESS';
    const onOut = outInterface !== 0;
    if (!onIn && !onOut) {
      const at = this.#at(UNKNOWN_LINK, UNKNOWN);
      this.#addVolume(at, part.bytes + part.reverseBytes, part.packets + part.reversePackets);
      if (part.isEnd) this.#count(flow, at);
      return;
    }
    if (onIn) this.#addForward(flow, part, inInterface, INGRESS);
    if (onOut) this.#addForward(flow, part, outInterface, EGRESS);
    if (flow.reversePackets === 0 && flow.reverseBytes === 0) return;
    if (onOut) this.#addReverse(flow, part, outInterface, INGRESS);
    if (onIn) this.#addReverse(flow, part, inInterface, EGRESS);
  }

  get rows(): number {
    return this.#keys.length;
  }

  /** Links folded into `0/UNKNOWN` because there were too many. */
  get evicted(): number {
    return this.#evicted.size;
  }

  entity(row: number): string {
    const key = this.#keys[row]!;
    return `${Math.floor(key / LINK_KEY_RADIX)}/${DIRECTIONS[key % LINK_KEY_RADIX]}`;
  }

  label(): string {
    return '';
  }

  writeValues(row: number, into: Float32Array, at: number): void {
    writeWindowFeatures(LINK_FEATURES, this.#statistics, row * column.LINK_COLUMNS, this.#seconds, into, at);
  }

  writeCounters(row: number, into: Float64Array, at: number): void {
    const from = row * column.LINK_COLUMNS;
    into.set(this.#statistics.subarray(from, from + column.EXACT_COLUMNS), at);
  }

  #addForward(flow: FlowRecord, part: FlowPart, link: number, direction: number): void {
    const at = this.#at(link, direction);
    this.#addVolume(at, part.bytes, part.packets);
    if (part.isEnd) this.#count(flow, at);
  }

  #addReverse(flow: FlowRecord, part: FlowPart, link: number, direction: number): void {
    const at = this.#at(link, direction);
    this.#addVolume(at, part.reverseBytes, part.reversePackets);
    if (part.isEnd) this.#count(flow, at);
  }

  #addVolume(at: number, bytes: number, packets: number): void {
    this.#statistics[at + column.BYTES]! += bytes;
    this.#statistics[at + column.PACKETS]! += packets;
  }

  #count(flow: FlowRecord, at: number): void {
    countFlow(flow, this.#statistics, at);
  }

  /** First column of a link's row; a new row where it has none and the bound allows. */
  #at(link: number, direction: number): number {
    const key = link * LINK_KEY_RADIX + direction;
    const row = this.#rowOf.get(key);
    return (row ?? this.#newRow(key)) * column.LINK_COLUMNS;
  }

  #newRow(key: number): number {
    if (this.#keys.length >= this.#linksMax && key !== UNKNOWN_LINK) {
      if (this.#evicted.size < EVICTED_MAX) this.#evicted.add(key);
      return this.#rowOf.get(UNKNOWN_LINK) ?? this.#newRow(UNKNOWN_LINK);
    }
    const row = this.#keys.push(key) - 1;
    this.#rowOf.set(key, row);
    if ((row + 1) * column.LINK_COLUMNS > this.#statistics.length) {
      const grown = new Float64Array(this.#statistics.length * 2);
      grown.set(this.#statistics);
      this.#statistics = grown;
    }
    return row;
  }
}
