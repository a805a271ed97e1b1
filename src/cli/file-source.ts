import type { Readable } from 'node:stream';
import { type FlowFileOptions, readMessages } from './flow-files.ts';
import type { MessageSource } from './raw-source.ts';

const BATCH_MESSAGES_MAX = 1000;

/** A file (`-` = standard input, which cannot be taken up again and is read from where it is) as a source. */
export function fileSource(file: string, options: FlowFileOptions): MessageSource {
  return {
    newOrigin: () => '',
    async *messages(_origin, position, signal) {
      let skip = file === '-' ? 0 : position;
      for await (const messages of readMessages([file], options)) {
        if (signal.aborted) return;
        const rest = messages.slice(skip);
        skip = Math.max(0, skip - messages.length);
        for (let at = 0; at < rest.length; at += BATCH_MESSAGES_MAX) {
          yield rest.slice(at, at + BATCH_MESSAGES_MAX).map(({ bytes }) => ({ bytes, timestampMs: 0 }));
        }
      }
    },
  };
}

/**
 * The format that a file is read in. Throws as `readMessages` does, so that a bad file is refused before anything starts.
 * Standard input cannot be looked at beforehand: its feed finds out by itself.
 */
export async function formatOfFile(file: string, format: string, stdin: Readable): Promise<string> {
  if (file === '-') return format;
  for await (const messages of readMessages([file], { format, stdin })) return messages[0]!.format.name;
  return format;
}
