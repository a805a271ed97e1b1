import { readdirSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Decoded, decodeMessages, hasData, readData } from '../../../test/support/decoding.ts';
import { createFramer, type Framed } from '../framing.ts';
import { SNIFF_BYTES_MAX, sniff } from '../sniff.ts';
import { FORMATS, formatsNamed } from './registry.ts';

// Totals as the plain splitting of lines finds them, against what the formats find.
interface Totals {
  rows: number;
  bytes: number;
  packets: number;
}

const ABSENT = 'the shared data are not beside the checkout';

function framed(bytes: Uint8Array, name: string): Framed[] {
  const [format] = formatsNamed(name);
  const framer = createFramer(format!.framing);
  const messages: Framed[] = [];
  framer.push(Buffer.from(bytes), messages);
  framer.end(messages);
  return messages;
}

function decodeFile(bytes: Uint8Array, name: string): Decoded {
  const messages = framed(bytes, name).map((message) => message.bytes);
  return decodeMessages(formatsNamed(name)[0]!, messages, { timeZone: 'Europe/Prague' });
}

function totalsOf({ flows, rejects }: Decoded): Totals {
  const totals = { rows: flows.length + rejects.length, bytes: 0, packets: 0 };
  for (const flow of flows) {
    totals.bytes += flow.bytes + flow.reverseBytes;
    totals.packets += flow.packets + flow.reversePackets;
  }
  return totals;
}

const linesOf = (bytes: Uint8Array) =>
  Buffer.from(bytes)
    .toString('latin1')
    .split(/\r?\n/)
    .filter((line) => line !== '');

/** Sums the named columns of the rows under a header line. */
function naiveTotals(lines: string[], separator: string, byteNames: string[], packetNames: string[]): Totals {
  const names = lines[0]!.split(separator);
  const sum = (fields: string[], columns: string[]) =>
    columns.reduce((total, name) => total + (Number(fields[names.indexOf(name)]) || 0), 0);
  const totals = { rows: 0, bytes: 0, packets: 0 };
  for (const line of lines.slice(1)) {
    const fields = line.split(separator);
    totals.rows++;
    totals.bytes += sum(fields, byteNames);
    totals.packets += sum(fields, packetNames);
  }
  return totals;
}

function countBy(labels: readonly (string | null)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const label of labels) counts[String(label)] = (counts[String(label)] ?? 0) + 1;
  return counts;
}

const LUFLOW_DAYS = ['2020.07.08', '2020.07.09', '2020.12.16', '2020.12.21', '2020.12.26'];

describe.skipIf(!hasData('luflow'))(`LUFlow (skipped where ${ABSENT})`, () => {
  test.each(LUFLOW_DAYS)('%s: every row is a flow of 2020, sums are the file’s', (day) => {
    const bytes = readData(`luflow/${day}.csv.gz`);
    const decoded = decodeFile(bytes, 'luflow');
    expect(decoded.rejects).toEqual([]);
    expect(totalsOf(decoded)).toEqual(
      naiveTotals(linesOf(bytes), ',', ['bytes_in', 'bytes_out'], ['num_pkts_in', 'num_pkts_out']),
    );
    const from = Date.UTC(2020, 0, 1) * 1000;
    const to = Date.UTC(2021, 0, 1) * 1000;
    const outside = decoded.flows.filter(
      ({ startUs, endUs }) => startUs < from || endUs >= to || startUs > endUs,
    );
    expect(outside).toEqual([]);
  });

  test('labels are those of the data set', () => {
    const { flows } = decodeFile(readData('luflow/2020.07.09.csv.gz'), 'luflow');
    expect(countBy(flows.map(({ label }) => label))).toEqual({
      benign: 64878,
      malicious: 36590,
      outlier: 5182,
    });
  });
});

describe.skipIf(!hasData('westermo'))(`Westermo (skipped where ${ABSENT})`, () => {
  test.each([
    ['left', 4872, { Normal: 2488, 'BAD-SSH': 1182 }],
    ['right', 2916, { Normal: 2091, 'BAD-SSH': 260 }],
    ['bottom', 21526, { Normal: 17667, 'BAD-SSH': 229 }],
  ])('%s', (point, rows, labels) => {
    const bytes = readData(`westermo/output_${point}.first3335s.csv.gz`);
    const decoded = decodeFile(bytes, 'westermo');
    expect(decoded.rejects).toEqual([]);
    expect(totalsOf(decoded)).toEqual(
      naiveTotals(linesOf(bytes), ',', ['sBytesSum', 'rBytesSum'], ['sPackets', 'rPackets']),
    );
    expect(decoded.flows).toHaveLength(rows);
    expect(countBy(decoded.flows.map(({ label }) => label))).toMatchObject(labels);
  });
});

const ARGUS_FILES: [file: string, separator: string, noFlows: number][] = [
  ['ctu13-scenario6-head/capture20110816.binetflow.sample.gz', ',', 0],
  ['formats/argus/test2-malicious.binetflow.gz', ',', 0],
  ['formats/argus/test5-mixed.binetflow', '\t', 1],
  ['formats/argus/test11-portscan.binetflow', ',', 0],
  ['formats/argus/cryptowall.uninetflow', ',', 0],
  ['formats/argus/locky.uninetflow', ',', 0],
];

describe.skipIf(!hasData('formats/argus'))(`argus (skipped where ${ABSENT})`, () => {
  test.each(ARGUS_FILES)('%s', (file, separator, noFlows) => {
    const bytes = readData(file);
    const decoded = decodeFile(bytes, 'argus');
    expect(decoded.rejects.map(({ reason }) => reason)).toEqual(Array(noFlows).fill('not_a_flow'));
    expect(totalsOf(decoded)).toEqual(naiveTotals(linesOf(bytes), separator, ['TotBytes'], ['TotPkts']));
  });

  test('CTU-13 lies in local summer time of Prague', () => {
    const { flows } = decodeFile(readData(ARGUS_FILES[0]![0]), 'argus');
    expect(flows[0]!.startUs).toBe(Date.parse('2011-08-16T08:01:46.972Z') * 1000 + 101);
    expect(flows.every(({ timeQuality }) => timeQuality === 'OK')).toBe(true);
  });
});

const ZEEK_TABLES: [file: string, separator: string, labels: Record<string, number>][] = [
  [
    'iot23/CTU-IoT-Malware-Capture-34-1.conn.log.labeled.gz',
    '\t',
    { Benign: 1923, 'C&C': 6706, PartOfAHorizontalPortScan: 122, DDoS: 14394 },
  ],
  ['iot23/CTU-IoT-Malware-Capture-8-1.conn.log.labeled.csv.gz', '|', { Benign: 2181, 'C&C': 8222 }],
  ['iot23/CTU-IoT-Malware-Capture-20-1.conn.log.labeled.csv.gz', '|', { Benign: 3193, 'C&C-Torii': 16 }],
  ['iot23/CTU-Honeypot-Capture-4-1.conn.log.labeled', '\t', { Benign: 452 }],
  ['formats/zeek/m57-conn.log.gz', '\t', { null: 8462 }],
  ['formats/zeek/zat-conn.log', '\t', { null: 360 }],
  ['formats/zeek/netflowlabeler-conn.tab.log', '\t', { null: 92 }],
];

describe.skipIf(!hasData('iot23'))(`Zeek (skipped where ${ABSENT})`, () => {
  test.each(ZEEK_TABLES)('%s', (file, separator, labels) => {
    const bytes = readData(file);
    const decoded = decodeFile(bytes, 'zeek-tsv');
    expect(decoded.rejects).toEqual([]);
    const lines = linesOf(bytes);
    const header = (lines.find((line) => line.startsWith('#fields')) ?? lines[0]!).replace(/^#fields\t/, '');
    const rows = lines.filter((line) => !line.startsWith('#') && line !== header);
    expect(totalsOf(decoded)).toEqual(
      naiveTotals(
        [header, ...rows],
        separator,
        ['orig_ip_bytes', 'resp_ip_bytes'],
        ['orig_pkts', 'resp_pkts'],
      ),
    );
    expect(countBy(decoded.flows.map(({ label }) => label))).toEqual(labels);
    expect(decoded.flows.every(({ timeQuality }) => timeQuality === 'OK')).toBe(true);
  });

  test.each([
    'formats/zeek/json-conn.log.json.gz',
    'formats/zeek/slips-test9-conn.json.log',
    'formats/zeek/slips-vertical-portscan-conn.log',
  ])('%s', (file) => {
    const bytes = readData(file);
    const decoded = decodeFile(bytes, 'zeek-json');
    expect(decoded.rejects).toEqual([]);
    const totals = { rows: 0, bytes: 0, packets: 0 };
    for (const line of linesOf(bytes)) {
      const conn = JSON.parse(line) as Record<string, number>;
      totals.rows++;
      totals.bytes += conn.orig_ip_bytes! + conn.resp_ip_bytes!;
      totals.packets += conn.orig_pkts! + conn.resp_pkts!;
    }
    expect(totalsOf(decoded)).toEqual(totals);
  });
});

describe.skipIf(!hasData('formats/netflow-ipfix/nfdump-text'))(`nfdump (skipped where ${ABSENT})`, () => {
  test.each(['nfcapd.sample1', 'nfcapd.sample1.labeled'])('%s', (file) => {
    const bytes = readData(`formats/netflow-ipfix/nfdump-text/${file}`);
    const decoded = decodeFile(bytes, 'nfdump-text');
    expect(decoded.rejects).toEqual([]);
    const totals = { rows: 0, bytes: 0, packets: 0 };
    for (const line of linesOf(bytes).slice(1)) {
      const fields = line.split(/\s+/);
      totals.rows++;
      totals.packets += Number(fields[9]);
      totals.bytes += Number(fields[10]);
    }
    expect(totalsOf(decoded)).toEqual(totals);
  });
});

/** The format of every data file that is flows in one of these formats; '' = none may claim it. */
function expectedFormat(path: string): string | null {
  if (/README|\.txt$/.test(path)) return '';
  if (path.startsWith('luflow/')) return 'luflow';
  if (path.startsWith('westermo/')) return 'westermo';
  if (path.startsWith('ctu13') || path.startsWith('formats/argus/')) return 'argus';
  if (/^(iot23|formats\/zeek)\/.*conn/.test(path))
    return path.includes('json') || path.includes('vertical') ? 'zeek-json' : 'zeek-tsv';
  if (path.startsWith('formats/netflow-ipfix/nfdump-text/')) return 'nfdump-text';
  if (path.startsWith('formats/suricata/')) return null;
  return '';
}

describe.skipIf(!hasData(''))(`sniffing (skipped where ${ABSENT})`, () => {
  const names = readdirSync(new URL('../../../../shared/data/', import.meta.url), {
    recursive: true,
  }) as string[];
  const isFile = (name: string) =>
    statSync(new URL(`../../../../shared/data/${name}`, import.meta.url)).isFile();
  const mine = new Set(['zeek', 'nfdump', 'argus', 'luflow', 'westermo']);

  test.each(names.filter(isFile).filter((name) => !name.endsWith('.zip')))('%s', (name) => {
    const expected = expectedFormat(name);
    if (expected === null) return;
    const sample = readData(name).subarray(0, SNIFF_BYTES_MAX);
    const claims = FORMATS.filter((format) => mine.has(format.family) && format.sniff(sample) > 0);
    expect(claims.map((format) => format.name)).toEqual(expected === '' ? [] : [expected]);
    if (expected !== '') expect(sniff(sample, FORMATS).format?.name).toBe(expected);
  });
});
