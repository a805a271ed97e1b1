import { readFileSync } from 'node:fs';
import type { FlowRecord } from '../flow/flow-record.ts';
import type { Reject, RejectReason } from '../flow/reject.ts';
import { messageOf, usageError } from '../kernel/errors.ts';
import type { FeedConfig } from './config.ts';
import type { FlowBatcher } from './flow-batcher.ts';
import type { Decoder, DecodeSink, FeedSettings, Format } from './format.ts';
import { formatsNamed } from './formats/registry.ts';
import { chooseFormat } from './sniff.ts';
import { LocalZone } from './times.ts';

/** One feed as its partitions share it: the settings, and the format once it is known. */
export class Feed {
  readonly name: string;
  readonly topic: string;
  readonly settings: FeedSettings;
  readonly #formatName: string;
  #format: Format | null = null;

  /** Throws a usageError for an unknown format, time zone or schema, so that a mistake shows at the start and not with the first message. */
  constructor(config: FeedConfig, clockSkewMsMax: number) {
    this.name = config.name;
    this.topic = config.topic;
    this.settings = {
      exporter: config.exporter ?? config.name,
      samplingRate: config.samplingRate ?? null,
      timeZone: config.timeZone ?? 'UTC',
      clockSkewMsMax,
      ...(config.schemaFile === undefined ? {} : { schema: readSchema(config.schemaFile) }),
    };
    this.#formatName = config.format;
    new LocalZone(this.settings.timeZone);
    // Tells of a schema that does not fit.
    for (const format of formatsNamed(config.format)) {
      if (format.name === config.format) format.createDecoder(this.settings);
    }
  }

  /** The feed's format; with `auto`, or a family, the first message that is recognised settles it for good. Null = not yet. */
  formatOf(message: Uint8Array): Format | null {
    this.#format ??= chooseFormat(this.#formatName, message);
    return this.#format;
  }

  get formatName(): string {
    return this.#format?.name ?? 'unknown';
  }
}

function readSchema(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw usageError('feed_schema', `cannot read the schemaFile ${file}: ${messageOf(error)}`, error);
  }
}

/** Decodes the messages of one partition of a feed: flows into the batcher, refused parts to `refuse`. */
export class FeedDecoder implements DecodeSink {
  readonly #feed: Feed;
  readonly #flows: FlowBatcher;
  readonly #refuse: (reject: Reject) => void;
  readonly #onBug: (error: unknown) => void;
  #decoder: Decoder | null = null;
  #formatName = '';
  #message: Uint8Array = new Uint8Array(0);

  /** `onBug` hears of a decoder that threw; its message becomes a reject and the feed goes on. */
  constructor(
    feed: Feed,
    flows: FlowBatcher,
    refuse: (reject: Reject) => void,
    onBug: (error: unknown) => void,
  ) {
    this.#feed = feed;
    this.#flows = flows;
    this.#refuse = refuse;
    this.#onBug = onBug;
  }

  /** `message` null = a tombstone; `receivedUs` 0 = not known. Never throws. */
  decode(message: Uint8Array | null, receivedUs: number): void {
    this.#message = message ?? new Uint8Array(0);
    if (message === null) this.reject('tombstone', 'a message without a value');
    else if (message.length === 0) this.reject('empty_message', 'a message without bytes');
    else if (this.#decoder === null && !this.#recognise(message)) {
      this.reject('unknown_format', 'in no format flowcast knows; name the format of the feed');
    } else {
      try {
        this.#decoder!.decode(message, receivedUs, this);
      } catch (error) {
        this.#onBug(error);
        this.reject('unexpected', messageOf(error).slice(0, 200));
      }
    }
  }

  flow(exporter: string, flow: FlowRecord): void {
    this.#flows.add(exporter, this.#formatName, flow);
  }

  reject(reason: RejectReason, detail: string, position?: number, row?: Uint8Array): void {
    this.#refuse({ reason, detail, position: position ?? null, bytes: row ?? this.#message });
  }

  #recognise(message: Uint8Array): boolean {
    const format = this.#feed.formatOf(message);
    if (format === null) return false;
    this.#formatName = format.name;
    this.#decoder = format.createDecoder(this.#feed.settings);
    return true;
  }
}
