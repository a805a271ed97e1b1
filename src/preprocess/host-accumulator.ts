import { formatAddress } from '../flow/address.ts';
import type { FlowRecord } from '../flow/flow-record.ts';
import { AddressIndex, type FlowAddresses } from './address-index.ts';
import { countFlow, countShape, countTiming } from './counting.ts';
import type { FeatureRows } from './feature-rows.ts';
import { writeWindowFeatures } from './feature-sets/feature-set.ts';
import { HOST_FEATURES } from './feature-sets/host.ts';
import {
  DISTINCT,
  COUNTER_COLUMNS as ITEM_COLUMNS,
  type ItemCountLimits,
  ItemCounts,
  mix,
} from './item-counts.ts';
import type { FlowPart } from './proration.ts';
import { RowLabels } from './row-labels.ts';
import * as column from './statistics.ts';

/** Entity of the row that takes all hosts beyond the bound. */
export const OVERFLOW_ENTITY = 'other';

const FIRST_ROWS = 64;
/** Counters of `ItemCounts` a host has: destinations, ports. */
const COUNTERS_PER_ROW = 2;
/** Counter of the hosts folded into the overflow row. */
const EVICTED_COUNTER = -1;

// Reused for every row of every window: filled and read within one call.
const rowStatistics = new Float64Array(column.HOST_COLUMNS);

export interface HostLimits extends ItemCountLimits {
  readonly hostsMax: number;
}

/**
 * Behaviour of each source address of one exporter in one window. Hosts beyond `hostsMax` are folded into one row,
 * `other`, so that sums stay exact; it comes where the first of them came. Rows are in the order first seen.
 */
export class HostAccumulator implements FeatureRows {
  readonly set = HOST_FEATURES;
  readonly #limits: HostLimits;
  readonly #seconds: number;
  readonly #index = new AddressIndex();
  readonly #items: ItemCounts;
  readonly #labels = new RowLabels();
  readonly #evicted = new Float64Array(ITEM_COLUMNS);
  #overflows = false;
  #statistics = new Float64Array(FIRST_ROWS * column.HOST_COLUMNS);

  constructor(limits: HostLimits, seconds: number) {
    this.#limits = limits;
    this.#seconds = seconds;
    this.#items = new ItemCounts(limits);
  }

  /** `addresses` are those of `flow`. */
  add(flow: FlowRecord, part: FlowPart, addresses: FlowAddresses): void {
    const row = this.#row(addresses);
    const at = row * column.HOST_COLUMNS;
    const s = this.#statistics;
    s[at + column.BYTES]! += part.bytes;
    s[at + column.PACKETS]! += part.packets;
    s[at + column.REVERSE_BYTES]! += part.reverseBytes;
    s[at + column.REVERSE_PACKETS]! += part.reversePackets;
    if (part.isEnd) this.#count(flow, row, addresses);
  }

  get rows(): number {
    return this.#index.rows + (this.#overflows ? 1 : 0);
  }

  /** Hosts folded into the overflow row: exact while few, then estimated. */
  get evicted(): number {
    return this.#items.distinct(this.#evicted, 0);
  }

  /** Occurrences of destinations or ports that no counter could take. */
  get saturated(): number {
    return this.#items.saturated;
  }

  get isLabelled(): boolean {
    return this.#labels.isLabelled;
  }

  entity(row: number): string {
    return row < this.#index.rows ? formatAddress(this.#index.address(row)) : OVERFLOW_ENTITY;
  }

  label(row: number): string {
    return this.#labels.labelOf(row);
  }

  writeValues(row: number, into: Float32Array, at: number): void {
    const from = row * column.HOST_COLUMNS;
    const s = rowStatistics;
    for (let i = 0; i < column.HOST_COLUMNS; i++) s[i] = this.#statistics[from + i]!;
    s[column.DESTINATIONS] = this.#items.distinct(s, column.DESTINATIONS + DISTINCT);
    s[column.PORTS] = this.#items.distinct(s, column.PORTS + DISTINCT);
    writeWindowFeatures(HOST_FEATURES, s, 0, this.#seconds, into, at);
  }

  writeCounters(row: number, into: Float64Array, at: number): void {
    const from = row * column.HOST_COLUMNS;
    for (let i = 0; i < column.EXACT_COLUMNS; i++) into[at + i] = this.#statistics[from + i]!;
  }

  #row(addresses: FlowAddresses): number {
    let row = this.#index.rowOf(addresses, this.#limits.hostsMax);
    if (row < 0) {
      this.#overflows = true;
      this.#items.add(this.#evicted, 0, EVICTED_COUNTER, addresses.sourceHigh, addresses.sourceLow);
      row = this.#index.rows;
    }
    if ((row + 1) * column.HOST_COLUMNS > this.#statistics.length) {
      const grown = new Float64Array(this.#statistics.length * 2);
      grown.set(this.#statistics);
      this.#statistics = grown;
    }
    return row;
  }

  #count(flow: FlowRecord, row: number, addresses: FlowAddresses): void {
    const s = this.#statistics;
    const at = row * column.HOST_COLUMNS;
    countTiming(flow, s, at);
    countFlow(flow, s, at);
    countShape(flow, s, at);
    const counter = row * COUNTERS_PER_ROW;
    const { destinationHigh, destinationLow } = addresses;
    this.#items.add(s, at + column.DESTINATIONS, counter, destinationHigh, destinationLow);
    const port = (flow.protocol << 16) | flow.destinationPort;
    this.#items.add(s, at + column.PORTS, counter + 1, mix(port), mix(port ^ 0x5bd1e995));
    if (flow.label !== null) this.#labels.add(row, flow.label);
  }
}
