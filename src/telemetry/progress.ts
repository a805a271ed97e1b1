import type { Writable } from 'node:stream';

const WIDTH = 24;
/** Where nobody watches (a file, a pipe) a line is written at most this often, by share done. */
const QUIET_SHARE = 0.25;

/** How far a long task has come. */
export interface Progress {
  /** `share` in 0..1 of the whole; `detail` is a few words on where it stands. */
  update(share: number, detail: string): void;
  /** Ends the line with a closing word. */
  done(detail: string): void;
}

/** A progress bar for people on standard error: one line, rewritten, on a terminal; a line each quarter elsewhere. */
export function createProgress(output: Writable & { readonly isTTY?: boolean }, label: string): Progress {
  let reported = 0;
  const write = (share: number, detail: string) => {
    const filled = Math.round(Math.min(1, Math.max(0, share)) * WIDTH);
    const bar = '█'.repeat(filled) + '░'.repeat(WIDTH - filled);
    output.write(`\r\u001b[2K${label} ${bar} ${(share * 100).toFixed(0).padStart(3)} % ${detail}`);
  };
  return {
    update(share, detail) {
      if (output.isTTY) return write(share, detail);
      if (share < reported + QUIET_SHARE) return;
      reported = Math.floor(share / QUIET_SHARE) * QUIET_SHARE;
      output.write(`${label}: ${(share * 100).toFixed(0)} % ${detail}\n`);
    },
    done(detail) {
      if (output.isTTY) {
        write(1, detail);
        output.write('\n');
      } else output.write(`${label}: ${detail}\n`);
    },
  };
}
