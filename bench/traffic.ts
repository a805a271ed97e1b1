import type { FlowBatch } from '../src/flow/flow-record.ts';
import { FlowBatcher } from '../src/ingest/flow-batcher.ts';
import type { ExportedFlow } from '../src/preprocess/offline.ts';
import type { Encoder } from '../src/simulate/encoders/encoder.ts';
import { presetScenario } from '../src/simulate/scenarios.ts';
import { createSimulation } from '../src/simulate/simulation.ts';

/** Monday 5 January 2026, 10:00 UTC: the same traffic in every run. */
const START_US = Date.UTC(2026, 0, 5, 10) * 1000;
const FLOWS_PER_SECOND = 2000;
const FLOWS_PER_BATCH = 500;
const ROWS_PER_MESSAGE = 500;

/** At least `count` flows of the simulator's `load` scenario (16 exporters, 96 links, 28,000 hosts) in order of export. */
export function simulatedFlows(count: number, bidirectional = false): ExportedFlow[] {
  const scenario = presetScenario('load', {
    startUs: START_US,
    flowsPerSecond: FLOWS_PER_SECOND,
    bidirectional,
  });
  const simulation = createSimulation(scenario, 1);
  const flows: ExportedFlow[] = [];
  for (let tick = 0; flows.length < count; tick++) {
    for (const { exporter, flow } of simulation.tick(tick)) flows.push({ exporter, flow });
  }
  return flows;
}

/** The flows as they lie on flows.v1. */
export function asBatches(flows: readonly ExportedFlow[]): FlowBatch[] {
  const batcher = new FlowBatcher('bench', FLOWS_PER_BATCH);
  const batches: FlowBatch[] = [];
  for (const [i, { exporter, flow }] of flows.entries()) {
    batcher.add(exporter, 'goflow2', flow);
    // As ingest does: a step ends after some thousand messages, and with it its batches.
    if (i % 5000 === 4999) batches.push(...batcher.take());
  }
  return [...batches, ...batcher.take()];
}

/** The flows as a probe writes them: one message a flow, of tables some hundred rows under their header. */
export function asMessages(flows: readonly ExportedFlow[], encoder: Encoder): Uint8Array[] {
  const records = flows.map(({ exporter, flow }) => encoder.encode(exporter, flow));
  if (encoder.framing !== 'table') return records;
  const messages: Uint8Array[] = [];
  for (let from = 0; from < records.length; from += ROWS_PER_MESSAGE) {
    const parts: Uint8Array[] = [encoder.header ?? new Uint8Array(0)];
    for (const row of records.slice(from, from + ROWS_PER_MESSAGE)) parts.push(row, Uint8Array.of(0x0a));
    messages.push(new Uint8Array(Buffer.concat(parts)));
  }
  return messages;
}

export function bytesOf(messages: readonly Uint8Array[]): number {
  return messages.reduce((sum, message) => sum + message.length, 0);
}
