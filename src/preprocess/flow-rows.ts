import { formatAddress } from '../flow/address.ts';
import type { FlowRecord } from '../flow/flow-record.ts';
import type { FeatureRows, RowsOrigin } from './feature-rows.ts';
import { FLOW_FEATURES, flowFeatures } from './feature-sets/flow.ts';
import { classOf } from './row-labels.ts';

/** The key of one flow as text: `<source>:<port>><destination>:<port>/<protocol>@<startUs>`. */
export function flowEntity(flow: FlowRecord): string {
  const source = `${formatAddress(flow.sourceAddress)}:${flow.sourcePort}`;
  const destination = `${formatAddress(flow.destinationAddress)}:${flow.destinationPort}`;
  return `${source}>${destination}/${flow.protocol}@${flow.startUs}`;
}

/** Flows as rows of the `flow` feature set, one each, in their order. */
export class FlowRows implements FeatureRows {
  readonly set = FLOW_FEATURES;
  readonly isLabelled: boolean;
  readonly #flows: readonly FlowRecord[];

  constructor(flows: readonly FlowRecord[]) {
    this.#flows = flows;
    this.isLabelled = flows.some((flow) => flow.label !== null);
  }

  get rows(): number {
    return this.#flows.length;
  }

  /** The range the flows cover. */
  origin(exporter: string): RowsOrigin {
    let windowStartUs = Number.POSITIVE_INFINITY;
    let windowEndUs = 0;
    for (const flow of this.#flows) {
      windowStartUs = Math.min(windowStartUs, flow.startUs);
      windowEndUs = Math.max(windowEndUs, flow.endUs);
    }
    return { exporter, windowStartUs, windowEndUs, windowSeconds: 0 };
  }

  entity(row: number): string {
    return flowEntity(this.#flows[row]!);
  }

  label(row: number): string {
    return classOf(this.#flows[row]!.label);
  }

  writeValues(row: number, into: Float32Array, at: number): void {
    flowFeatures(this.#flows[row]!, into, at);
  }

  writeCounters(row: number, into: Float64Array, at: number): void {
    const flow = this.#flows[row]!;
    into[at] = 1;
    into[at + 1] = flow.bytes;
    into[at + 2] = flow.packets;
    into[at + 3] = flow.reverseBytes;
    into[at + 4] = flow.reversePackets;
  }
}
