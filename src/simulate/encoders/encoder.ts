import type { FlowRecord } from '../../flow/flow-record.ts';

/** Writes flows as a probe would. The inverse of a decoder of the same name, in the fields that the format has. */
export interface Encoder {
  /** As in `--format`. */
  readonly name: string;
  /** How messages become a file: text lines, text rows under `header`, or messages that carry their length. */
  readonly framing: 'lines' | 'table' | 'length-prefixed';
  /** Whether the probe counts both directions in one record; simulate with the same setting. */
  readonly bidirectional: boolean;
  /** For tables: the lines above the rows, with their line ends. A row alone is a message only together with them. */
  readonly header?: Uint8Array;
  /** One record without line end. Fresh bytes, the caller's to keep. */
  encode(exporter: string, flow: FlowRecord): Uint8Array;
}
