import type { Message } from 'kafkajs';
import type { OutputRecord } from '../port.ts';

/** Bytes of one request to one partition; Kafka's default for the largest batch is 1,048,588. */
const CHUNK_BYTES_MAX = 900_000;
const CHUNK_RECORDS_MAX = 10_000;
const RECORD_OVERHEAD_BYTES = 40;

/** What one request carries: records of one partition. A request over several partitions can lose or repeat some of them. */
export interface Chunk {
  readonly topic: string;
  readonly messages: Message[];
}

interface OpenChunk extends Chunk {
  bytes: number;
}

/** Records on their way out, gathered by partition in the order they came. Everything is copied, so buffers may be used again. */
export class Outbox {
  readonly #open = new Map<string, Map<number, OpenChunk>>();
  #chunks: OpenChunk[] = [];
  #byteLength = 0;

  get byteLength(): number {
    return this.#byteLength;
  }

  add(record: OutputRecord): void {
    const { topic, partition, key, value, headers, timestampMs } = record;
    const bytes = (key?.length ?? 0) + (value?.length ?? 0) + RECORD_OVERHEAD_BYTES;
    this.#chunk(topic, partition, bytes).messages.push({
      partition,
      key: key === null ? null : Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
      timestamp: String(timestampMs),
      ...(headers ? { headers: { ...headers } } : {}),
    });
    this.#byteLength += bytes;
  }

  /** Hands over what was gathered and begins anew. */
  take(): Chunk[] {
    const chunks = this.#chunks;
    this.#open.clear();
    this.#chunks = [];
    this.#byteLength = 0;
    return chunks;
  }

  #chunk(topic: string, partition: number, bytes: number): OpenChunk {
    let partitions = this.#open.get(topic);
    if (!partitions) {
      partitions = new Map();
      this.#open.set(topic, partitions);
    }
    let chunk = partitions.get(partition);
    const isFull =
      chunk && (chunk.bytes + bytes > CHUNK_BYTES_MAX || chunk.messages.length >= CHUNK_RECORDS_MAX);
    if (!chunk || isFull) {
      chunk = { topic, messages: [], bytes: 0 };
      partitions.set(partition, chunk);
      this.#chunks.push(chunk);
    }
    chunk.bytes += bytes;
    return chunk;
  }
}
