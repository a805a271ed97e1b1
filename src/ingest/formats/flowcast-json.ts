import { flowFromJson } from '../../flow/flow-json.ts';
import type { Decoder, DecodeSink, Format } from '../format.ts';
import { type Refusal, refusal } from '../normalise.ts';
import { firstJsonObject, parseJsonObject } from './json-values.ts';

/** What `flowcast decode` prints, one flow a line. It has been through the rules of a feed once, so that those of this one do not apply. */
export const flowcastJson: Format = {
  name: 'flowcast-json',
  family: 'flowcast-json',
  framing: 'lines',
  sniff: sniffFlowcastJson,
  createDecoder: () => DECODER,
};

const DECODER: Decoder = {
  decode(message: Uint8Array, _receivedUs: number, sink: DecodeSink): void {
    const refused = decodeFlow(message, sink);
    if (refused) sink.reject(refused.reason, refused.detail);
  },
};

function decodeFlow(message: Uint8Array, sink: DecodeSink): Refusal | null {
  if (message.length === 0) return refusal('empty_message', 'no bytes');
  const json = parseJsonObject(
    Buffer.from(message.buffer, message.byteOffset, message.byteLength).toString('utf8'),
  );
  if (json === null) return refusal('malformed', 'not one JSON object');
  const read = flowFromJson(json);
  if ('kind' in read) return refusal(read.kind, read.field);
  sink.flow(read.exporter, read.flow);
  return null;
}

function sniffFlowcastJson(sample: Uint8Array): number {
  const json = firstJsonObject(sample);
  return json !== null && 'startUs' in json && 'timeQuality' in json && 'sourceAddress' in json ? 1 : 0;
}
