import type { CommitLog, OutputRecord } from '../commit-log/port.ts';
import { FILE_HEADER } from '../ingest/stage.ts';

/** One raw message on its way to a raw topic. */
export interface SourceMessage {
  readonly bytes: Uint8Array;
  /** Milliseconds since the epoch; 0 = a file, whose messages have no time of receipt. */
  readonly timestampMs: number;
}

/** A row of messages that is the same each time it is made, so that it can be taken up again at any position. */
export interface MessageSource {
  /** What the row depends on, made up when it begins for the first time; kept with every message. */
  readonly newOrigin: () => string;
  /** The messages from number `position` on, in batches. */
  readonly messages: (
    origin: string,
    position: number,
    signal: AbortSignal,
  ) => AsyncIterable<readonly SourceMessage[]>;
}

const POSITION_HEADER = 'flowcast-position';
const ORIGIN_HEADER = 'flowcast-origin';

/**
 * Puts a source's messages on partition 0 of its raw topic, each exactly once over restarts: a message carries its position
 * in the source, and a restart goes on after the newest one on the topic. Nobody else may write to that topic.
 * Resolves when the source ends or the signal aborts.
 */
export async function pumpSource(
  log: CommitLog,
  topic: string,
  source: MessageSource,
  signal: AbortSignal,
  onAppended: (newest: SourceMessage) => void = () => {},
): Promise<void> {
  const before = await newestOn(log, topic);
  const origin = before?.origin ?? source.newOrigin();
  let position = before ? before.position + 1 : 0;
  for await (const batch of source.messages(origin, position, signal)) {
    if (signal.aborted) return;
    const first = position;
    await log.append(batch.map((message, i) => toRecord(topic, message, first + i, origin)));
    position += batch.length;
    onAppended(batch.at(-1)!);
  }
}

function toRecord(topic: string, message: SourceMessage, position: number, origin: string): OutputRecord {
  const headers: Record<string, string> = { [POSITION_HEADER]: String(position) };
  if (origin !== '') headers[ORIGIN_HEADER] = origin;
  if (message.timestampMs === 0) headers[FILE_HEADER] = '1';
  return { topic, partition: 0, key: null, value: message.bytes, timestampMs: message.timestampMs, headers };
}

async function newestOn(log: CommitLog, topic: string): Promise<{ position: number; origin: string } | null> {
  let newest: { position: number; origin: string } | null = null;
  for await (const batch of log.read({ topic, from: 'earliest', until: 'end' })) {
    const headers = batch.at(-1)?.headers;
    const position = headers?.[POSITION_HEADER];
    if (position !== undefined)
      newest = { position: Number(position), origin: headers![ORIGIN_HEADER] ?? '' };
  }
  return newest;
}
