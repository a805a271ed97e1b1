import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../kernel/clock.ts';
import { decode } from './decode.ts';

const directory = mkdtempSync(join(tmpdir(), 'flowcast-decode-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, content: Uint8Array | string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

/** A stream that holds what was written, and takes its time. */
function slow() {
  const chunks: string[] = [];
  const stream = new Writable({
    highWaterMark: 16,
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      setImmediate(done);
    },
  });
  return { stream, text: () => chunks.join('') };
}

async function run(args: string[], stdin: Readable = Readable.from([])) {
  const [out, err] = [slow(), slow()];
  const rest = { env: {}, clock: new ManualClock(0), signal: new AbortController().signal };
  const code = await decode(args, { stdout: out.stream, stderr: err.stream, stdin, ...rest });
  await Promise.all([out.stream, err.stream].map((stream) => new Promise((done) => stream.end(done))));
  const flows = out.text().split('\n').filter(Boolean);
  const lines = err.text().trimEnd().split('\n');
  return { code, flows: flows.map((line) => JSON.parse(line)), text: out.text(), summary: lines.at(-1) };
}

const VECTOR = Buffer.from(
  '58080418e807202a32040a0102033a04c000020748dc0b50035a04ac100001900107980109a00106a801d18603b001bb' +
    '03d00118f0018010f006959ad7aa9fca9cc318f80680d0caadbfc89cc318800780ecfc929bca9cc318',
  'hex',
);

const EVENT = (type: string) =>
  JSON.stringify({
    event_type: type,
    src_ip: '10.0.0.1',
    dest_ip: '10.0.0.2',
    proto: 'UDP',
    [type]: { start: '2023-09-18T06:13:33.324862+0000', end: '2023-09-18T06:13:34+0000', bytes_toserver: 5 },
  });

const LUFLOW_HEADER =
  'avg_ipt,bytes_in,bytes_out,dest_ip,dest_port,entropy,num_pkts_out,num_pkts_in,proto,src_ip,src_port,time_end,time_start,total_entropy,label,duration';
const LUFLOW_ROW = '0,10,20,786,80,0,1,1,6,4134,1000,1594252800000000,1594252799000000,0,benign,1';

describe('decode', () => {
  it('prints flows of several files and one summary, which is the last line', async () => {
    const protobuf = file('flows.bin', Buffer.concat([VECTOR, VECTOR, VECTOR.subarray(0, 50)]));
    const eve = file('eve.json.gz', gzipSync([EVENT('flow'), EVENT('dns'), EVENT('netflow')].join('\n')));
    const { code, flows, summary } = await run([protobuf, eve]);
    expect(code).toBe(0);
    expect(flows.map(({ exporter, bytes }) => [exporter, bytes])).toEqual([
      ['172.16.0.1', 1_500_000],
      ['172.16.0.1', 1_500_000],
      ['file', 5],
    ]);
    expect(summary).toBe(
      '{"messages":6,"flows":3,"rejects":{"truncated":1,"not_a_flow":1,"excluded_by_setting":1}}',
    );
  });

  it('takes a single message without its length', async () => {
    expect((await run([file('message.bin', VECTOR.subarray(1))])).summary).toBe(
      '{"messages":1,"flows":1,"rejects":{}}',
    );
  });

  it('counts rows of tables, headers not', async () => {
    const rows = Array.from({ length: 1201 }, (_, i) =>
      i === 700 ? LUFLOW_ROW.replace('10', 'ten') : LUFLOW_ROW,
    );
    const { flows, summary } = await run([file('day.csv', [LUFLOW_HEADER, ...rows].join('\n'))]);
    expect(flows).toHaveLength(1200);
    expect(summary).toBe('{"messages":1201,"flows":1200,"rejects":{"invalid_number":1}}');
  });

  it('counts every row of a table whose header is of another kind', async () => {
    const { code, summary } = await run([
      '--format',
      'luflow',
      file('other.csv', `a,b\n${'1,2\n'.repeat(700)}`),
    ]);
    expect(summary).toBe('{"messages":700,"flows":0,"rejects":{"malformed":700}}');
    expect(code).toBe(1);
  });

  it('reads back what it printed, from standard input', async () => {
    const first = await run([file('again.bin', Buffer.concat([VECTOR, VECTOR]))]);
    const again = await run(['-'], Readable.from([Buffer.from(first.text)]));
    expect(again.text).toBe(first.text);
  });

  it('takes exporter and sampling rate', async () => {
    const eve = file('rate.json', EVENT('flow'));
    const { flows } = await run([eve, '--exporter', 'edge', '--sampling-rate', '10']);
    expect(flows[0]).toMatchObject({ exporter: 'edge', bytes: 50, rawBytes: 5, samplingRate: 10 });
  });

  it('other event types alone are no failure, broken messages alone are one', async () => {
    expect((await run([file('dns.json', EVENT('dns'))])).code).toBe(0);
    expect((await run(['--format', 'suricata', file('broken.json', 'nonsense\n')])).code).toBe(1);
  });

  it.each([
    [[], /name at least one file/],
    [['x', '--format', 'netflux'], /there is no format netflux; choose one of auto, /],
    [['x', '--sampling-rate', '0'], /--sampling-rate takes a whole number from 1, not 0/],
    [[file('zone.json', EVENT('flow')), '--time-zone', 'Mars'], /Mars is no IANA time zone/],
    [[join(directory, 'nope')], /there is no file .*nope/],
    [[file('empty', '')], /is empty/],
    [[file('text.txt', 'just some text\nof two lines\n')], /text.txt is in no format flowcast knows/],
    [
      [file('random', Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * 7919 + 13) % 256)))],
      /is in no format/,
    ],
    [
      [file('cut.gz', gzipSync(`${EVENT('flow')}\n`.repeat(1000)).subarray(0, -10))],
      /ends in the middle of its gzip data/,
    ],
  ])('%# is a person’s mistake', async (args, message) => {
    await expect(run(args)).rejects.toMatchObject({
      disposition: 'usage',
      message: expect.stringMatching(message),
    });
  });
});
