import type { Readable } from 'node:stream';
import type { FlowRecord } from '../flow/flow-record.ts';
import type { Reject, RejectReason } from '../flow/reject.ts';
import type { Decoder, DecodeSink, FeedSettings, Format } from '../ingest/format.ts';
import { formatNames, formatsNamed } from '../ingest/formats/registry.ts';
import { createFramer, type Framed, MESSAGE_BYTES_MAX } from '../ingest/framing.ts';
import { nameOf, readInput } from '../ingest/input.ts';
import { SNIFF_BYTES_MAX, sniff } from '../ingest/sniff.ts';
import { messageOf, usageError } from '../kernel/errors.ts';

/** What to read and how. */
export interface FlowFileOptions {
  /** A format's name, a family's or `auto`. */
  readonly format: string;
  /** Where `-` reads from. */
  readonly stdin: Readable;
}

/** One message of a file, as it would lie on a raw topic. */
export interface FileMessage extends Framed {
  readonly file: string;
  readonly format: Format;
}

/** What one message (or some hundred small ones) of a file came to. */
export interface DecodedFlows {
  readonly file: string;
  readonly format: Format;
  /** Lines, rows or records looked at, headers not counted. */
  readonly messages: number;
  /** `exporters[i]` observed `flows[i]`. */
  readonly exporters: readonly string[];
  readonly flows: readonly FlowRecord[];
  readonly rejects: readonly CountedReject[];
}

export interface CountedReject extends Reject {
  /** Records it stands for: more than one where a table's message was refused as a whole. */
  readonly records: number;
}

/** A feed's settings for files that nobody configured. */
export const FILE_SETTINGS: FeedSettings = {
  exporter: 'file',
  samplingRate: null,
  timeZone: 'UTC',
  clockSkewMsMax: 60_000,
};

/**
 * The messages of the files, one file after the other, in batches as they come from the disk (do not keep them: they hold
 * the file's chunks in memory). Each file's format is found by itself when the option leaves a choice. Throws a
 * usageError for an unknown format name, an unreadable, empty or damaged file, or one in which no format is recognised.
 */
export async function* readMessages(
  files: readonly string[],
  options: FlowFileOptions,
): AsyncGenerator<readonly FileMessage[]> {
  const candidates = formatsNamed(options.format);
  for (const file of files) yield* readFileMessages(file, candidates, options.stdin);
}

async function* readFileMessages(
  file: string,
  candidates: readonly Format[],
  stdin: Readable,
): AsyncGenerator<readonly FileMessage[]> {
  const chunks = readInput(file, stdin);
  try {
    const head = await readHead(chunks);
    const format = recognise(file, head.bytes, candidates);
    const framer = createFramer(framingOfHead(format, head.bytes, head.isWhole));
    const framed: Framed[] = [];
    framer.push(head.bytes, framed);
    if (!head.isWhole) {
      for await (const chunk of chunks) {
        if (framed.length > 0) yield framed.splice(0).map((message) => ({ ...message, file, format }));
        framer.push(chunk, framed);
      }
    }
    framer.end(framed);
    if (framed.length > 0) yield framed.map((message) => ({ ...message, file, format }));
  } finally {
    await chunks.return(undefined);
  }
}

/** Enough of a file to recognise its format. */
async function readHead(chunks: AsyncGenerator<Buffer>): Promise<{ bytes: Buffer; isWhole: boolean }> {
  const pieces: Buffer[] = [];
  let length = 0;
  while (length < SNIFF_BYTES_MAX) {
    const next = await chunks.next();
    if (next.done) return { bytes: Buffer.concat(pieces), isWhole: true };
    pieces.push(next.value);
    length += next.value.length;
  }
  return { bytes: Buffer.concat(pieces), isWhole: false };
}

function recognise(file: string, head: Buffer, candidates: readonly Format[]): Format {
  const { format, rivals } = sniff(head.subarray(0, SNIFF_BYTES_MAX), candidates);
  if (format) return format;
  if (rivals) {
    const names = rivals.map(({ name }) => name).join(' or ');
    throw usageError('format_ambiguous', `${nameOf(file)} could be ${names}; say which with --format`);
  }
  const names = candidates.length > 1 ? formatNames().join(', ') : candidates[0]!.name;
  throw usageError(
    'format_unrecognised',
    `${nameOf(file)} is in no format flowcast knows; if it is one of ${names}, say so with --format`,
  );
}

/**
 * A small file in a length-prefixed format may be a single message taken from a topic, written without its length; a table without its
 * header is lines.
 */
function framingOfHead(format: Format, bytes: Buffer, isWhole: boolean): Format['framing'] {
  if (format.hasHeader?.(bytes) === false) return 'lines';
  if (format.framing !== 'length-prefixed' || !isWhole) return format.framing;
  const framed: Framed[] = [];
  createFramer('length-prefixed').push(bytes, framed);
  const framedBytes = framed.reduce((sum, message) => sum + message.bytes.length, 0);
  const isChain =
    framedBytes === bytes.length || (framed[0] !== undefined && format.sniff(framed[0].bytes) > 0);
  return !isChain && format.sniff(bytes) > 0 ? 'whole' : 'length-prefixed';
}

/**
 * Flows and rejects of the files, in order. Messages of files have no time of receipt, so that the flow's own end stands
 * in. Throws as `readMessages` does; what is wrong inside a file is a reject.
 */
export async function* readFlows(
  files: readonly string[],
  options: FlowFileOptions & { readonly settings: FeedSettings },
): AsyncGenerator<DecodedFlows> {
  let current: { file: string; format: Format; decoder: Decoder } | null = null;
  for await (const messages of readMessages(files, options)) {
    const { file, format } = messages[0]!;
    if (current === null || current.file !== file || current.format !== format) {
      current = { file, format, decoder: format.createDecoder(options.settings) };
    }
    const sink = new CollectingSink();
    for (const message of messages) {
      decodeMessage(current.decoder, message, sink);
      if (sink.flows.length + sink.rejects.length >= BATCH_FLOWS_MIN) yield sink.take(file, format);
    }
    yield sink.take(file, format);
  }
}

const BATCH_FLOWS_MIN = 500;

function decodeMessage(decoder: Decoder, message: FileMessage, sink: CollectingSink): void {
  sink.open(message);
  if (message.format.framing !== 'whole' && message.bytes.length >= MESSAGE_BYTES_MAX) {
    sink.reject('message_too_large', `longer than ${MESSAGE_BYTES_MAX} bytes`);
  } else {
    try {
      decoder.decode(message.bytes, 0, sink);
    } catch (error) {
      // A decoder must not throw; one that does loses this message, not the file.
      sink.reject('unexpected', messageOf(error).slice(0, 200));
    }
  }
  sink.close();
}

class CollectingSink implements DecodeSink {
  exporters: string[] = [];
  flows: FlowRecord[] = [];
  rejects: CountedReject[] = [];
  #messages = 0;
  #message: FileMessage | null = null;
  #outcomesBefore = 0;

  open(message: FileMessage): void {
    this.#message = message;
    this.#outcomesBefore = this.flows.length + this.rejects.length;
  }

  flow(exporter: string, flow: FlowRecord): void {
    this.exporters.push(exporter);
    this.flows.push(flow);
  }

  reject(reason: RejectReason, detail: string, position?: number, row?: Uint8Array): void {
    const message = this.#message!;
    const isWhole =
      position === undefined && this.flows.length + this.rejects.length === this.#outcomesBefore;
    const bytes = row ?? message.bytes;
    this.rejects.push({
      reason,
      detail,
      position: position ?? null,
      bytes,
      records: isWhole ? message.records || 1 : 1,
    });
  }

  /** A table's message counts as many as there were rows with an outcome, so that trailers are none. */
  close(): void {
    const { format, records } = this.#message!;
    if (format.framing === 'lines' || format.framing === 'length-prefixed') this.#messages += records || 1;
    else {
      const outcomes = this.flows.length + this.rejects.length - this.#outcomesBefore;
      const last = this.rejects.at(-1);
      this.#messages += outcomes === 1 && last?.position === null ? last.records : outcomes;
    }
  }

  take(file: string, format: Format): DecodedFlows {
    const { exporters, flows, rejects } = this;
    const taken = { file, format, messages: this.#messages, exporters, flows, rejects };
    this.exporters = [];
    this.flows = [];
    this.rejects = [];
    this.#messages = 0;
    return taken;
  }
}
