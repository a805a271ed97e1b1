import type { FlowRecord } from '../flow/flow-record.ts';
import type { RejectReason } from '../flow/reject.ts';

/** What the operator says of a feed, for what its messages leave open. */
export interface FeedSettings {
  /** Exporter for messages that name none. */
  readonly exporter: string;
  /** Overrides the sampling rate of the messages; null = believe them. */
  readonly samplingRate: number | null;
  /** IANA time zone of zone-less times, for example Europe/Berlin. */
  readonly timeZone: string;
  /** A flow's end may lie this far after its receipt before it is clamped. */
  readonly clockSkewMsMax: number;
  /** The document that describes the messages (.proto, .avsc), for formats that cannot be read without. */
  readonly schema?: string;
}

/** How a file of this format splits into messages. */
export type Framing =
  /** One text line a message. */
  | 'lines'
  /** Text rows under a header line (or `#` directives); a message is the header and some hundred rows, so that it can be read alone. */
  | 'table'
  /** uvarint length, then that many bytes; the length stays part of the message. */
  | 'length-prefixed'
  /** The whole file is one message. */
  | 'whole';

/** Takes what a decoder finds. The flow object belongs to the sink from the call on. */
export interface DecodeSink {
  flow(exporter: string, flow: FlowRecord): void;
  /** `row` are the refused bytes; omitted = the whole message. */
  reject(reason: RejectReason, detail: string, position?: number, row?: Uint8Array): void;
}

/** Decodes messages of one feed. Stateless between messages; never throws on bad input, it rejects. */
export interface Decoder {
  /** `receivedUs` stands in where the message has no receipt time of its own; 0 = unknown (a file), then the flow's end is taken. */
  decode(message: Uint8Array, receivedUs: number, sink: DecodeSink): void;
}

/** One wire format. A new format is one file in `formats/` and one line in `formats/registry.ts`. */
export interface Format {
  /** Stable name, as in `--format`. */
  readonly name: string;
  /** The probe's name when one probe has several encodings: `--format zeek` picks among zeek-json and zeek-tsv. */
  readonly family: string;
  readonly framing: Framing;
  /** How sure this is the format of a message (or the head of a file) that starts with `sample`: 0 = cannot be, 1 = certain. */
  sniff(sample: Uint8Array): number;
  /** Only tables that can be read without their header: whether a file that begins with `sample` has one. If not, each line is a message. */
  hasHeader?(sample: Uint8Array): boolean;
  createDecoder(settings: FeedSettings): Decoder;
}
