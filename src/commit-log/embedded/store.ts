import { mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { type FlowcastError, fatalError, messageOf, usageError } from '../../kernel/errors.ts';
import { DAMAGE_KEY, FORMAT_KEY, type KeyRange } from './keys.ts';

/** One change of the store. */
export type Operation =
  | { readonly type: 'put'; readonly key: Buffer; readonly value: Buffer }
  | { readonly type: 'del'; readonly key: Buffer };

/** The edition of keys and values this program writes. */
const FORMAT = '1';
const LEVELDB_FILE = /^(LOCK|LOG|LOG\.old|CURRENT|MANIFEST-\d+|\d+\.(log|ldb|sst|dbtmp))$/;
const SCAN_ENTRIES = 256;
const SCAN_BYTES = 1 << 20;

/** The ordered key-value store below the log: one directory, one process, atomic batches. */
export class Store {
  readonly directory: string;
  readonly #db: ClassicLevel<Buffer, Buffer>;

  constructor(directory: string, db: ClassicLevel<Buffer, Buffer>) {
    this.directory = directory;
    this.#db = db;
  }

  /** Writes all or nothing; `sync` waits until the disk has it. @throws fatal `log_write` */
  async write(operations: Operation[], sync: boolean): Promise<void> {
    try {
      await this.#db.batch(operations, { sync });
    } catch (error) {
      throw fatalError(
        'log_write',
        `cannot write to the log in ${this.directory} (${messageOf(error)}); make room or mend the disk, then start again`,
        error,
      );
    }
  }

  get(key: Buffer): Promise<Buffer | undefined> {
    return this.#reading(() => this.#db.get(key));
  }

  /** The last entry of a range. */
  async last(range: KeyRange): Promise<[Buffer, Buffer] | undefined> {
    return (await this.scan(range, { limit: 1, reverse: true }))[0];
  }

  /** The first entries of a range, at most about 1 MiB of them. */
  scan(range: KeyRange, options: { limit?: number; reverse?: boolean } = {}): Promise<[Buffer, Buffer][]> {
    return this.#reading(async () => {
      const limit = options.limit ?? SCAN_ENTRIES;
      const iterator = this.#db.iterator({
        ...range,
        limit,
        reverse: options.reverse ?? false,
        highWaterMarkBytes: SCAN_BYTES,
      });
      try {
        return await iterator.nextv(limit);
      } finally {
        await iterator.close();
      }
    });
  }

  /** Every entry of a range, in order, from one consistent view. */
  async forEach(range: KeyRange, visit: (key: Buffer, value: Buffer) => void): Promise<void> {
    await this.#reading(async () => {
      const iterator = this.#db.iterator({ ...range, highWaterMarkBytes: SCAN_BYTES });
      try {
        for (
          let page = await iterator.nextv(SCAN_ENTRIES);
          page.length > 0;
          page = await iterator.nextv(SCAN_ENTRIES)
        ) {
          for (const [key, value] of page) visit(key, value);
        }
      } finally {
        await iterator.close();
      }
    });
  }

  close(): Promise<void> {
    return this.#db.close();
  }

  async #reading<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      throw corruptError(this.directory, error);
    }
  }
}

/**
 * Opens the store, making the directory where it is missing.
 * @throws usage `log_locked`, `log_directory`, `log_format`; fatal `log_corrupt`
 */
export async function openStore(directory: string): Promise<Store> {
  await makeDirectory(directory);
  const db = new ClassicLevel<Buffer, Buffer>(directory, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    writeBufferSize: 16 << 20,
    maxFileSize: 8 << 20,
    cacheSize: 16 << 20,
  });
  try {
    await db.open();
  } catch (error) {
    throw openError(directory, error);
  }
  const store = new Store(directory, db);
  try {
    await checkDamage(store);
    await checkFormat(store);
  } catch (error) {
    await db.close();
    throw error;
  }
  return store;
}

async function makeDirectory(directory: string): Promise<void> {
  let names: string[];
  try {
    await makeMissing(resolve(directory));
    names = await readdir(directory);
  } catch (error) {
    throw directoryError(directory, error);
  }
  const stranger = names.find((name) => !LEVELDB_FILE.test(name));
  if (stranger === undefined) return;
  throw usageError(
    'log_directory',
    `${directory} holds something else than a flowcast log (${stranger}); choose an empty or new directory with --data DIR`,
  );
}

/** Not `recursive`: Node loops for ever where a parent refuses children, as /proc does. */
async function makeMissing(directory: string): Promise<void> {
  try {
    await mkdir(directory);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(directory) === directory) throw error;
    await makeMissing(dirname(directory));
    await mkdir(directory);
  }
}

/**
 * LevelDB leaves out what is damaged in its write-ahead log, goes on with what follows, and says so only in its
 * own file LOG. A hole in the log is not for us to pass over. (A killed process leaves a short end, which is no damage.)
 */
async function checkDamage(store: Store): Promise<void> {
  const report = await readFile(join(store.directory, 'LOG'), 'utf8').catch(() => '');
  const dropped = /dropping \d+ bytes; [^\n]*/.exec(report)?.[0];
  if (dropped !== undefined) {
    await store.write([{ type: 'put', key: DAMAGE_KEY, value: Buffer.from(dropped) }], true);
  }
  const damage = await store.get(DAMAGE_KEY);
  if (damage !== undefined) throw corruptError(store.directory, damage.toString());
}

async function checkFormat(store: Store): Promise<void> {
  const format = (await store.get(FORMAT_KEY))?.toString();
  if (format === FORMAT) return;
  if (format !== undefined) {
    throw usageError(
      'log_format',
      `the log in ${store.directory} has format ${format}, this flowcast reads ${FORMAT}; use the flowcast that wrote it, or another directory with --data DIR`,
    );
  }
  await store.write([{ type: 'put', key: FORMAT_KEY, value: Buffer.from(FORMAT) }], true);
}

function openError(directory: string, error: unknown): FlowcastError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const code = codeOf(cause);
  if (code === 'LEVEL_LOCKED') {
    return usageError(
      'log_locked',
      `the log in ${directory} is in use by another process; stop that one, or choose another directory with --data DIR`,
      error,
    );
  }
  const isRefused =
    code === 'LEVEL_IO_ERROR' &&
    /permission|read-only|not a directory|is a directory|no space/i.test(messageOf(cause));
  return isRefused ? directoryError(directory, cause) : corruptError(directory, cause);
}

function directoryError(directory: string, error: unknown): FlowcastError {
  return usageError(
    'log_directory',
    `cannot keep the log in ${directory} (${messageOf(error)}); choose a directory that can be written with --data DIR`,
    error,
  );
}

function corruptError(directory: string, error: unknown): FlowcastError {
  return fatalError(
    'log_corrupt',
    `the log in ${directory} is damaged (${messageOf(error)}); restore it from a copy, or move the directory away to begin with an empty log`,
    error,
  );
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}
