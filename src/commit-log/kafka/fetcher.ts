import type { Clock } from '../../kernel/clock.ts';
import type { Random } from '../../kernel/random.ts';
import { type Cluster, READ_COMMITTED } from './client.ts';
import { errorOf, hasType } from './errors.ts';
import { Feed } from './feed.ts';

/** A partition that has nothing new answers after this long; one that is opened meanwhile waits for it. */
const WAIT_MS_MAX = 100;
const RESPONSE_BYTES_MAX = 32 << 20;
const BACKOFF_MS_MIN = 50;
const BACKOFF_MS_MAX = 2000;

export interface FetcherParts {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Fetches committed records of many partitions over one connection to each leader: one request at a time to each, for all
 * partitions that have room. What a feed holds is bounded by twice `partitionBytesMax`, or one batch if that is larger.
 */
export class Fetcher {
  readonly #parts: FetcherParts;
  readonly #partitionBytesMax: number;
  readonly #feeds = new Set<Feed>();
  readonly #busy = new Set<number>();
  readonly #closing = new AbortController();
  #recovering: Promise<void> | null = null;
  #failures = 0;

  constructor(parts: FetcherParts, partitionBytesMax: number) {
    this.#parts = parts;
    this.#partitionBytesMax = partitionBytesMax;
  }

  /** `onChange` is called when records have come, when there are none, and when the feed has failed. */
  open(topic: string, partition: number, offset: number, onChange: () => void): Feed {
    const feed = new Feed({ topic, partition, offset }, this.#partitionBytesMax, onChange);
    this.#feeds.add(feed);
    this.pump();
    return feed;
  }

  release(feed: Feed): void {
    feed.close();
    this.#feeds.delete(feed);
  }

  /** To be called when a feed has room again. */
  pump(): void {
    if (this.#closing.signal.aborted || this.#recovering) return;
    const byLeader = new Map<number, Feed[]>();
    for (const feed of this.#feeds) {
      if (!feed.wantsMore) continue;
      const leader = this.#leaderOf(feed);
      if (leader === null) {
        void this.#recover(new Error(`${feed.topic}/${feed.partition} has no leader`));
        return;
      }
      if (this.#busy.has(leader)) continue;
      const feeds = byLeader.get(leader);
      if (feeds) feeds.push(feed);
      else byLeader.set(leader, [feed]);
    }
    for (const [leader, feeds] of byLeader) {
      const suspect = feeds.find(({ isSuspect }) => isSuspect);
      void this.#fetch(leader, suspect ? [suspect] : feeds);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const feed of this.#feeds) feed.close();
    this.#feeds.clear();
    await this.#parts.cluster.disconnect().catch(() => {});
  }

  #leaderOf({ topic, partition }: Feed): number | null {
    const { cluster } = this.#parts;
    const found = cluster
      .findTopicPartitionMetadata(topic)
      .find(({ partitionId }) => partitionId === partition);
    return found === undefined || found.leader < 0 ? null : found.leader;
  }

  async #fetch(leader: number, feeds: readonly Feed[]): Promise<void> {
    this.#busy.add(leader);
    const asked = feeds.map((feed) => ({ feed, offset: feed.fetchOffset }));
    try {
      const broker = await this.#parts.cluster.findBroker({ nodeId: leader });
      const { responses } = await broker.fetch({
        isolationLevel: READ_COMMITTED,
        maxWaitTime: WAIT_MS_MAX,
        minBytes: 1,
        maxBytes: RESPONSE_BYTES_MAX,
        topics: asked.map(({ feed, offset }) => ({
          topic: feed.topic,
          partitions: [
            {
              partition: feed.partition,
              fetchOffset: String(offset),
              maxBytes: this.#partitionBytesMax,
            },
          ],
        })),
      });
      this.#failures = 0;
      for (const { topicName, partitions } of responses) {
        for (const fetched of partitions) {
          const match = asked.find(
            ({ feed }) => feed.topic === topicName && feed.partition === fetched.partition,
          );
          match?.feed.accept(match.offset, fetched, asked.length === 1);
        }
      }
    } catch (error) {
      await this.#failed(error, feeds);
    } finally {
      this.#busy.delete(leader);
    }
    this.pump();
  }

  async #failed(error: unknown, feeds: readonly Feed[]): Promise<void> {
    if (this.#closing.signal.aborted) return;
    if (hasType(error, 'OFFSET_OUT_OF_RANGE')) {
      const { topic, partition } = error as { topic?: string; partition?: number };
      for (const feed of feeds) {
        if (feed.topic === topic && feed.partition === partition)
          feed.fail(errorOf(error, `reading ${topic}/${partition}`));
      }
      return;
    }
    const reason = errorOf(error, 'reading from the broker');
    if (reason.disposition === 'fatal') for (const feed of feeds) feed.fail(reason);
    else await this.#recover(error);
  }

  /** After a failure the leaders may have changed; the pauses grow and differ between processes. */
  #recover(error: unknown): Promise<void> {
    this.#recovering ??= this.#refresh(error).finally(() => {
      this.#recovering = null;
      this.pump();
    });
    return this.#recovering;
  }

  async #refresh(_error: unknown): Promise<void> {
    const { cluster, clock, random } = this.#parts;
    const pauseMs = Math.min(BACKOFF_MS_MIN * 2 ** this.#failures++, BACKOFF_MS_MAX);
    await clock.sleep(pauseMs * (0.5 + random.uniform()), this.#closing.signal);
    if (this.#closing.signal.aborted) return;
    // A failed refresh shows in the next fetch.
    await cluster.refreshMetadata().catch(() => cluster.connect().catch(() => {}));
  }
}
