import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { formatAddress } from '../../src/flow/address.ts';
import type { FlowRecord } from '../../src/flow/flow-record.ts';
import type { FeedSettings, Format } from '../../src/ingest/format.ts';

/** Settings of a feed that says nothing. */
export const PLAIN_FEED: FeedSettings = {
  exporter: 'feed',
  samplingRate: null,
  timeZone: 'UTC',
  clockSkewMsMax: 60_000,
};

export interface Refused {
  readonly reason: string;
  readonly detail: string;
  readonly position: number | undefined;
  readonly row: string | undefined;
}

export interface Decoded {
  readonly flows: FlowRecord[];
  readonly exporters: string[];
  readonly rejects: Refused[];
}

/** What a format makes of messages. */
export function decodeMessages(
  format: Format,
  messages: readonly (string | Uint8Array)[],
  settings: Partial<FeedSettings> = {},
  receivedUs = 0,
): Decoded {
  const decoder = format.createDecoder({ ...PLAIN_FEED, ...settings });
  const decoded: Decoded = { flows: [], exporters: [], rejects: [] };
  for (const message of messages) {
    const bytes = typeof message === 'string' ? new TextEncoder().encode(message) : message;
    decoder.decode(bytes, receivedUs, {
      flow(exporter, flow) {
        decoded.exporters.push(exporter);
        decoded.flows.push(flow);
      },
      reject(reason, detail, position, row) {
        const text = row === undefined ? undefined : new TextDecoder().decode(row);
        decoded.rejects.push({ reason, detail, position, row: text });
      },
    });
  }
  return decoded;
}

/** One flow in the form a person reads: `10.0.0.1:50 > 10.0.0.2:80 /6`. */
export function endsOf(flow: FlowRecord): string {
  return `${formatAddress(flow.sourceAddress)}:${flow.sourcePort} > ${formatAddress(flow.destinationAddress)}:${flow.destinationPort} /${flow.protocol}`;
}

const DATA = fileURLToPath(new URL('../../../shared/data/', import.meta.url));

/** Whether a file of the shared data is there; tests that need it skip otherwise. */
export function hasData(path: string): boolean {
  return existsSync(DATA + path);
}

/** A file of the shared data, unpacked. */
export function readData(path: string): Uint8Array {
  const bytes = readFileSync(DATA + path);
  return path.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}
