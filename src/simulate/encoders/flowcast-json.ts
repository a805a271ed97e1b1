import { flowToJson } from '../../flow/flow-json.ts';
import type { Encoder } from './encoder.ts';
import { bytesOf } from './text.ts';

/** The flow record itself as JSON: every field, the label among them. */
export function createFlowcastJsonEncoder(): Encoder {
  return {
    name: 'flowcast-json',
    framing: 'lines',
    bidirectional: false,
    encode: (exporter, flow) => bytesOf(JSON.stringify(flowToJson(exporter, flow))),
  };
}
