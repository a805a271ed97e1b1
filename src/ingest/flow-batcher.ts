import type { FlowBatch, FlowRecord } from '../flow/flow-record.ts';

/** Gathers the flows of one step into batches of one exporter each, in the order they came. */
export class FlowBatcher {
  readonly #feed: string;
  readonly #flowsPerBatchMax: number;
  readonly #open = new Map<string, FlowBatch>();
  #batches: FlowBatch[] = [];

  constructor(feed: string, flowsPerBatchMax: number) {
    this.#feed = feed;
    this.#flowsPerBatchMax = flowsPerBatchMax;
  }

  add(exporter: string, format: string, flow: FlowRecord): void {
    let batch = this.#open.get(exporter);
    if (!batch || batch.flows.length >= this.#flowsPerBatchMax) {
      batch = { exporter, feed: this.#feed, format, receivedUs: flow.receivedUs, flows: [] };
      this.#open.set(exporter, batch);
      this.#batches.push(batch);
    }
    batch.flows.push(flow);
    if (flow.receivedUs > batch.receivedUs) batch.receivedUs = flow.receivedUs;
  }

  /** Hands over what was gathered; an exporter's batches are in order. */
  take(): FlowBatch[] {
    const batches = this.#batches;
    this.#batches = [];
    this.#open.clear();
    return batches;
  }
}
