import type { FlowcastError } from '../../kernel/errors.ts';
import type { Headers, StoredRecord } from '../port.ts';
import { withoutAborted } from './aborted.ts';
import type { FetchedPartition, FetchedRecord } from './client.ts';

const NO_HEADERS: Headers = Object.freeze({});

/** The committed records of one partition from an offset on: filled by a `Fetcher`, emptied by who opened it. */
export class Feed {
  readonly topic: string;
  readonly partition: number;
  /** Where the next fetch begins. */
  fetchOffset: number;
  /** Must be fetched alone, see `accept`. */
  isSuspect = false;
  readonly #bufferBytesMax: number;
  readonly #onChange: () => void;
  #buffer: StoredRecord[] = [];
  #head = 0;
  #bytes = 0;
  #stableOffset = 0;
  #failure: FlowcastError | null = null;
  #isClosed = false;

  constructor(
    place: { readonly topic: string; readonly partition: number; readonly offset: number },
    bufferBytesMax: number,
    onChange: () => void,
  ) {
    this.topic = place.topic;
    this.partition = place.partition;
    this.fetchOffset = place.offset;
    this.#bufferBytesMax = bufferBytesMax;
    this.#onChange = onChange;
  }

  get wantsMore(): boolean {
    return !this.#isClosed && this.#failure === null && this.#bytes < this.#bufferBytesMax;
  }

  get isFailed(): boolean {
    return this.#failure !== null;
  }

  get isDry(): boolean {
    return this.#head === this.#buffer.length;
  }

  /** Nothing is left of what was committed when the broker last answered. */
  get isCaughtUp(): boolean {
    return this.isDry && this.fetchOffset >= this.#stableOffset;
  }

  /** Every record below has been taken. */
  get position(): number {
    return this.isDry ? this.fetchOffset : this.#buffer[this.#head]!.offset;
  }

  /**
   * Takes at least one record if there is one, and no more than the bounds allow.
   * @throws what made the feed end
   */
  take(recordsMax: number, bytesMax: number): StoredRecord[] {
    if (this.isDry && this.#failure !== null) throw this.#failure;
    const from = this.#head;
    let bytes = 0;
    while (this.#head < this.#buffer.length && this.#head - from < recordsMax) {
      const size = sizeOf(this.#buffer[this.#head]!);
      if (this.#head > from && bytes + size > bytesMax) break;
      bytes += size;
      this.#head++;
    }
    this.#bytes -= bytes;
    const batch = this.#buffer.slice(from, this.#head);
    if (this.isDry) {
      this.#buffer = [];
      this.#head = 0;
    }
    return batch;
  }

  /** Takes in what a fetch from `offset` brought; of no use any more when the feed has moved on. */
  accept(offset: number, fetched: FetchedPartition, wasAlone: boolean): void {
    if (this.#isClosed || offset !== this.fetchOffset) return;
    const { messages } = fetched;
    this.#stableOffset = Number(fetched.lastStableOffset ?? fetched.highWatermark);
    if (messages.length > 0) {
      this.isSuspect = false;
      this.#keep(messages, fetched.abortedTransactions ?? null);
      this.fetchOffset = Math.max(offset, offsetAfter(messages.at(-1)!));
    } else if (offset < this.#stableOffset) {
      // Either other partitions used up the response, or compaction left an empty batch, which kafkajs passes over in
      // silence. Fetched alone a partition always answers with a whole batch, so then it was an empty one: step into it.
      if (wasAlone) this.fetchOffset++;
      this.isSuspect = !wasAlone || offset + 1 < this.#stableOffset;
    } else this.isSuspect = false;
    this.#onChange();
  }

  fail(error: FlowcastError): void {
    this.#failure = error;
    this.#onChange();
  }

  close(): void {
    this.#isClosed = true;
    this.#buffer = [];
    this.#head = 0;
  }

  #keep(messages: readonly FetchedRecord[], aborted: FetchedPartition['abortedTransactions']): void {
    if (this.#head > 0) {
      this.#buffer = this.#buffer.slice(this.#head);
      this.#head = 0;
    }
    for (const message of withoutAborted(messages, aborted ?? null)) {
      const record = this.#recordOf(message);
      // A compressed batch comes whole, even where the offset asked for lies within.
      if (record.offset < this.fetchOffset) continue;
      this.#buffer.push(record);
      this.#bytes += sizeOf(record);
    }
  }

  #recordOf({ offset, key, value, headers, timestamp }: FetchedRecord): StoredRecord {
    return {
      topic: this.topic,
      partition: this.partition,
      offset: Number(offset),
      key,
      value,
      headers: headersOf(headers),
      timestampMs: Number(timestamp),
    };
  }
}

function sizeOf({ key, value }: StoredRecord): number {
  return (key?.length ?? 0) + (value?.length ?? 0) + 64;
}

/** Batches come whole, and may end with offsets that compaction has emptied. */
function offsetAfter({ offset, batchContext }: FetchedRecord): number {
  const afterRecord = Number(offset) + 1;
  if (!batchContext) return afterRecord;
  return Math.max(afterRecord, Number(batchContext.firstOffset) + batchContext.lastOffsetDelta + 1);
}

function headersOf(headers: FetchedRecord['headers']): Headers {
  const names = Object.keys(headers);
  if (names.length === 0) return NO_HEADERS;
  const texts: Record<string, string> = {};
  for (const name of names) {
    const value = headers[name];
    const last = Array.isArray(value) ? value.at(-1) : value;
    texts[name] = last === undefined || last === null ? '' : last.toString();
  }
  return texts;
}
