import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeCommand } from '../../src/cli/decode.ts';
import { replayCommand } from '../../src/cli/replay.ts';
import type { ReplaySummary } from '../../src/cli/replay-output.ts';
import { runCommand } from '../support/run-command.ts';

// Real captures through the whole pipeline: nothing is lost, and every byte and packet is either in a window or late.

const DATA = join(import.meta.dirname, '../../../shared/data');
const directory = mkdtempSync(join(tmpdir(), 'flowcast-replay-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const CAPTURES: [file: string, fromIso: string, toIso: string][] = [
  ['luflow/2020.07.09.csv.gz', '2020-07-08', '2020-07-11'],
  ['luflow/2020.12.22.csv.gz', '2020-12-21', '2020-12-24'],
  ['iot23/CTU-Honeypot-Capture-4-1.conn.log.labeled', '2018-10-25', '2018-10-27'],
  ['iot23/CTU-IoT-Malware-Capture-20-1.conn.log.labeled.csv.gz', '2018-10-02', '2018-10-04'],
  ['iot23/CTU-IoT-Malware-Capture-8-1.conn.log.labeled.csv.gz', '2018-07-31', '2018-08-02'],
  ['westermo/output_left.first3335s.csv.gz', '2023-03-10', '2023-03-11'],
  ['ctu13-scenario6-head/capture20110816.binetflow.sample.gz', '2011-08-16', '2011-08-17'],
];

interface DecodedFlow {
  bytes: number;
  packets: number;
  reverseBytes: number;
  reversePackets: number;
  startUs: number;
  endUs: number;
}

/** Sums over `decode`'s output, a second way to the same numbers. */
async function sumsOf(file: string) {
  const { stdout, stderr } = await runCommand(decodeCommand, [file]);
  const flows = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as DecodedFlow);
  return {
    counted: JSON.parse(stderr.trim().split('\n').at(-1)!) as {
      messages: number;
      flows: number;
      rejects: object;
    },
    bytes: flows.reduce((sum, flow) => sum + flow.bytes + flow.reverseBytes, 0),
    packets: flows.reduce((sum, flow) => sum + flow.packets + flow.reversePackets, 0),
    startUs: flows.reduce((min, flow) => Math.min(min, flow.startUs), Number.POSITIVE_INFINITY),
    endUs: flows.reduce((max, flow) => Math.max(max, flow.endUs), 0),
  };
}

describe.skipIf(!existsSync(DATA))('replay of real captures (skipped where ../shared/data is absent)', () => {
  it.each(CAPTURES)(
    '%s keeps every flow, byte and packet',
    async (file, fromIso, toIso) => {
      const out = join(directory, basename(file));
      const { code, stdout } = await runCommand(replayCommand, [join(DATA, file), '--out', out]);
      expect(code).toBe(0);
      const summary = JSON.parse(stdout) as ReplaySummary;
      const sums = await sumsOf(join(DATA, file));
      const rejects = Object.values(summary.rejects).reduce((a, b) => a + b, 0);

      expect(summary.flows.inWindows + summary.flows.late + rejects).toBe(sums.counted.messages);
      expect(summary.flows.read).toBe(sums.counted.flows);
      expect(summary.rejects).toEqual(sums.counted.rejects);
      expect(summary.bytes.inWindows + summary.bytes.late).toBe(sums.bytes);
      expect(summary.packets.inWindows + summary.packets.late).toBe(sums.packets);
      expect(sums.startUs).toBeGreaterThan(Date.parse(fromIso) * 1000);
      expect(sums.endUs).toBeLessThan(Date.parse(toIso) * 1000);
      expect(JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8'))).toEqual(JSON.parse(stdout));
    },
    120_000,
  );
});
