import { createReadStream } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { FlowcastError, messageOf, usageError } from '../kernel/errors.ts';

const CHUNK_BYTES = 262_144;

/** The name that means standard input. */
export const STDIN = '-';

/**
 * The bytes of a file, or of `stdin` for `-`, unpacked when they begin like gzip (RFC 1952), whatever the name says. Ends in a
 * usageError that says what is wrong with the file: missing, a directory, empty, damaged or cut gzip.
 */
export async function* readInput(file: string, stdin: Readable): AsyncGenerator<Buffer> {
  const source: Readable = file === STDIN ? stdin : createReadStream(file, { highWaterMark: CHUNK_BYTES });
  let isEmpty = true;
  try {
    for await (const chunk of unpack(source)) {
      if (chunk.length === 0) continue;
      isEmpty = false;
      yield chunk;
    }
  } catch (error) {
    throw inputError(file, error);
  } finally {
    if (file !== STDIN) source.destroy();
  }
  if (isEmpty) throw usageError('input_empty', `${nameOf(file)} is empty`);
}

/** How people read the name of an input. */
export function nameOf(file: string): string {
  return file === STDIN ? 'standard input' : file;
}

async function* unpack(source: Readable): AsyncGenerator<Buffer> {
  const iterator: AsyncIterator<Buffer> = source[Symbol.asyncIterator]();
  const { head, isDone } = await readHead(iterator);
  const rest = rejoin(head, isDone ? null : iterator);
  if (head[0] !== 0x1f || head[1] !== 0x8b) {
    yield* rest;
    return;
  }
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  // A failure comes out of the iteration below.
  pipeline(Readable.from(rest, { objectMode: false }), gunzip, () => {});
  yield* gunzip as AsyncIterable<Buffer>;
}

/** At least the two bytes that tell gzip, unless the input ends before. */
async function readHead(iterator: AsyncIterator<Buffer>): Promise<{ head: Buffer; isDone: boolean }> {
  let head: Buffer = Buffer.alloc(0);
  while (head.length < 2) {
    const next = await iterator.next();
    if (next.done) return { head, isDone: true };
    head = head.length === 0 ? Buffer.from(next.value) : Buffer.concat([head, next.value]);
  }
  return { head, isDone: false };
}

async function* rejoin(head: Buffer, iterator: AsyncIterator<Buffer> | null): AsyncGenerator<Buffer> {
  yield head;
  if (iterator === null) return;
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
}

function inputError(file: string, error: unknown): unknown {
  if (error instanceof FlowcastError) return error;
  const name = nameOf(file);
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return usageError('input_missing', `there is no file ${name}`, error);
    case 'EISDIR':
      return usageError('input_directory', `${name} is a directory; name the files in it`, error);
    case 'EACCES':
      return usageError('input_unreadable', `${name} may not be read by this user`, error);
    case 'Z_BUF_ERROR':
      return usageError(
        'gzip_truncated',
        `${name} ends in the middle of its gzip data; fetch or copy it again`,
        error,
      );
    case 'Z_DATA_ERROR':
      return usageError('gzip_damaged', `${name} holds damaged gzip data; fetch or copy it again`, error);
    default:
      return usageError('input_unreadable', `cannot read ${name}: ${messageOf(error)}`, error);
  }
}
