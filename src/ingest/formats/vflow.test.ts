import { describe, expect, it } from 'vitest';
import { decodeMessages, endsOf } from '../../../test/support/decoding.ts';
import { vflow } from './vflow.ts';

type Element = { I: number; V: unknown; E?: number };
// EdgeCast/vflow README, abridged.
const RECORD: Element[] = [
  { I: 8, V: '192.16.28.217' },
  { I: 12, V: '180.10.210.240' },
  { I: 4, V: 6 },
  { I: 7, V: 443 },
  { I: 11, V: 64381 },
  { I: 10, V: 811 },
  { I: 14, V: 1113 },
  { I: 6, V: '0x10' },
  { I: 1, V: 22500 },
  { I: 2, V: 15 },
  { I: 152, V: 1483484581770 },
  { I: 153, V: 1483484622384 },
];
const ipfix = (...records: unknown[]) => ({
  AgentID: '192.168.21.15',
  Header: { Version: 10, Length: 420, ExportTime: 1483484642, SequenceNo: 1434533677, DomainID: 32771 },
  DataSets: records,
});
const without = (...ids: number[]) => RECORD.filter(({ I }) => !ids.includes(I));
const decode = (...packets: object[]) =>
  decodeMessages(
    vflow,
    packets.map((packet) => JSON.stringify(packet)),
  );

describe('vFlow IPFIX and NetFlow v9', () => {
  it('is a packet of flows', () => {
    const { flows, exporters, rejects } = decode(ipfix(RECORD, RECORD, RECORD), ipfix());
    expect(exporters).toEqual(['192.168.21.15', '192.168.21.15', '192.168.21.15']);
    expect(rejects).toEqual([]);
    expect(endsOf(flows[0]!)).toBe('192.16.28.217:443 > 180.10.210.240:64381 /6');
    expect(flows[0]).toMatchObject({
      startUs: 1483484581770000,
      endUs: 1483484622384000,
      timeQuality: 'OK',
      bytes: 22500,
      packets: 15,
      tcpFlags: 0x10,
      inInterface: 811,
      outInterface: 1113,
      direction: 'UNKNOWN',
      samplingApplied: 'UNKNOWN',
    });
  });

  it('v9 counts uptime, in hexadecimal where the width is unusual, and its clock wraps', () => {
    const packet = (upMs: number, first: number, last: number) => ({
      ...ipfix([
        ...without(152, 153, 1),
        { I: 1, V: '0x00000050' },
        { I: 22, V: first },
        { I: 21, V: last },
        { I: 61, V: 1 },
        { I: 34, V: 10 },
      ]),
      Header: { Version: 9, SysUpTime: upMs, UNIXSecs: 1483484642 },
    });
    const { flows } = decode(packet(50_000, 40_000, 49_000), packet(1000, 2 ** 32 - 9000, 0));
    expect(flows[0]).toMatchObject({
      startUs: 1483484632000000,
      endUs: 1483484641000000,
      bytes: 800,
      rawBytes: 80,
      direction: 'EGRESS',
    });
    expect(flows[1]).toMatchObject({ startUs: 1483484632000000, endUs: 1483484641000000 });
  });

  it('elements of an enterprise do not count; without times the export time stands in', () => {
    const { flows } = decode(ipfix([...without(152, 153), { I: 1, E: 9, V: 5 }, { I: 32768, V: {} }]));
    expect(flows[0]).toMatchObject({ bytes: 22500, startUs: 1483484642000000, endUs: 1483484642000000 });
  });

  it('options data and damaged records are refused by themselves', () => {
    const { flows, rejects } = decode(
      ipfix(
        [{ I: 34, V: 1000 }],
        RECORD,
        7,
        without(8),
        [{ I: 8, V: 'x' }, ...without(8)],
        [...without(1), { I: 1, V: 'many' }],
      ),
    );
    expect(flows).toHaveLength(1);
    expect(rejects.map(({ reason, position }) => [reason, position])).toEqual([
      ['not_a_flow', 0],
      ['malformed', 2],
      ['missing_field', 3],
      ['invalid_address', 4],
      ['invalid_number', 5],
    ]);
  });
});

const V5_FLOW = {
  SrcAddr: '10.1.2.3',
  DstAddr: '192.0.2.7',
  NextHop: '0.0.0.0',
  Input: 7,
  Output: 9,
  PktCount: 3,
  L3Octets: 1500,
  StartTime: 40_000,
  EndTime: 49_000,
  SrcPort: 50001,
  DstPort: 443,
  TCPFlags: 24,
  ProtType: 6,
  Tos: 0,
  SrcAsNum: 0,
  DstAsNum: 0,
  SrcMask: 24,
  DstMask: 24,
};
const v5 = (upMs: number, flow: object) => ({
  AgentID: '172.16.0.1',
  Header: { Version: 5, Count: 1, SysUpTimeMSecs: upMs, UNIXSecs: 1483484642, SmpInt: 0x4000 + 1000 },
  Flows: [flow],
});

describe('vFlow NetFlow v5', () => {
  it('counts uptime, and has the rate in the header, below the sampling mode', () => {
    const { flows } = decode(v5(50_000, V5_FLOW));
    expect(endsOf(flows[0]!)).toBe('10.1.2.3:50001 > 192.0.2.7:443 /6');
    expect(flows[0]).toMatchObject({
      startUs: 1483484632000000,
      endUs: 1483484641000000,
      bytes: 1_500_000,
      packets: 3000,
      samplingRate: 1000,
    });
  });

  it('the uptime clock wraps', () => {
    const { flows } = decode(v5(1000, { ...V5_FLOW, StartTime: 2 ** 32 - 9000, EndTime: 0 }));
    expect(flows[0]).toMatchObject({ startUs: 1483484632000000, endUs: 1483484641000000, timeQuality: 'OK' });
  });
});

const SAMPLE = {
  SamplingRate: 2000,
  Input: 5,
  Output: 6,
  Records: {
    RawHeader: {
      L2: { Vlan: 12, EtherType: 2048 },
      L3: { TotalLen: 1500, Protocol: 6, Src: '10.1.2.3', Dst: '192.0.2.7', TTL: 60 },
      L4: { SrcPort: 50001, DstPort: 443, Flags: 16 },
    },
  },
};

describe('vFlow sFlow', () => {
  it('is one packet a sample; counter samples are no flows', () => {
    const packet = {
      IPAddress: '172.16.0.1',
      ColTime: 1483484642,
      Samples: [SAMPLE, { Records: { Counters: {} } }],
    };
    const { flows, exporters, rejects } = decode(packet);
    expect(exporters).toEqual(['172.16.0.1']);
    expect(flows[0]).toMatchObject({
      bytes: 3_000_000,
      packets: 2000,
      vlan: 12,
      endUs: 1483484642000000,
      samplingRate: 2000,
    });
    expect(rejects.map(({ reason, position }) => [reason, position])).toEqual([['not_a_flow', 1]]);
  });
});

describe('recognition', () => {
  it('of each kind of packet', () => {
    for (const packet of [ipfix(RECORD), v5(1, V5_FLOW), { IPAddress: '::1', Samples: [] }]) {
      expect(vflow.sniff(Buffer.from(JSON.stringify(packet)))).toBe(1);
    }
    expect(vflow.sniff(Buffer.from('{"AgentID":"x"}'))).toBe(0);
  });

  it('a packet of something else is refused', () => {
    expect(decode({ AgentID: 'x' }).rejects.map(({ reason }) => reason)).toEqual(['not_a_flow']);
    expect(decodeMessages(vflow, ['{"AgentID"']).rejects.map(({ reason }) => reason)).toEqual(['malformed']);
  });
});
