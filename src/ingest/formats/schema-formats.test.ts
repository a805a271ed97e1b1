import avro from 'avsc';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { decodeMessages, endsOf } from '../../../test/support/decoding.ts';
import { akvorado } from './akvorado.ts';
import { pmacctAvro } from './pmacct-avro.ts';

const reasons = (rejects: readonly { reason: string }[]) => rejects.map(({ reason }) => reason);

// Numbers of our own: a deployment's differ, too.
const PROTO = `
syntax = "proto3";
message FlowMessagevABC {
  enum Direction { UNDEFINED = 0; INGRESS = 1; EGRESS = 2; }
  uint32 TimeReceived = 1;
  uint64 SamplingRate = 2;
  bytes ExporterAddress = 3;
  string ExporterName = 4;
  bytes SrcAddr = 20;
  bytes DstAddr = 21;
  uint32 EType = 51;
  uint32 Proto = 52;
  uint32 SrcPort = 53;
  uint32 DstPort = 54;
  uint64 Bytes = 55;
  uint64 Packets = 56;
  Direction FlowDirection = 58;
}`;
const FlowMessage = protobuf.parse(PROTO, { keepCase: true }).root.lookupType('FlowMessagevABC');
const mapped = (...octets: number[]) => Uint8Array.from([...Array(10).fill(0), 255, 255, ...octets]);
const FLOW = {
  TimeReceived: 1767225600,
  SamplingRate: 1000,
  ExporterAddress: mapped(172, 16, 0, 1),
  ExporterName: 'edge1',
  SrcAddr: mapped(10, 1, 2, 3),
  DstAddr: mapped(192, 0, 2, 7),
  EType: 2048,
  Proto: 6,
  SrcPort: 50001,
  DstPort: 443,
  Bytes: 1500,
  Packets: 3,
  FlowDirection: 1,
};
const decodeAkvorado = (flow: object, schema: string = PROTO) =>
  decodeMessages(akvorado, [FlowMessage.encode(flow).finish()], { schema });

describe('Akvorado', () => {
  it('has the field numbers of the schema, IPv4 in IPv6, and only a time of receipt', () => {
    const { flows, exporters, rejects } = decodeAkvorado(FLOW);
    expect(rejects).toEqual([]);
    expect(exporters).toEqual(['172.16.0.1']);
    expect(endsOf(flows[0]!)).toBe('10.1.2.3:50001 > 192.0.2.7:443 /6');
    expect(flows[0]).toMatchObject({
      endUs: 1767225600000000,
      timeQuality: 'OK',
      bytes: 1_500_000,
      packets: 3000,
      direction: 'INGRESS',
    });
    expect(decodeAkvorado({ ...FLOW, SamplingRate: 0 }).flows[0]!.samplingApplied).toBe('UNKNOWN');
  });

  it('refuses what is no flow, and everything without a schema', () => {
    expect(reasons(decodeAkvorado({ ...FLOW, SrcAddr: Uint8Array.of(1) }).rejects)).toEqual([
      'invalid_address',
    ]);
    expect(reasons(decodeAkvorado({ Bytes: 5 }).rejects)).toEqual(['missing_field']);
    const bytes = FlowMessage.encode(FLOW).finish();
    expect(reasons(decodeMessages(akvorado, [bytes]).rejects)).toEqual(['unknown_schema']);
    const cut = decodeMessages(akvorado, ['', bytes.subarray(0, 20)], { schema: PROTO });
    expect(reasons(cut.rejects)).toEqual(['empty_message', 'truncated']);
  });

  it('a schema that is none is a mistake to tell', () => {
    expect(() => decodeAkvorado(FLOW, 'message {')).toThrow(/schemaFile is no \.proto/);
    expect(() => decodeAkvorado(FLOW, 'syntax = "proto3"; message A { uint32 B = 1; }')).toThrow(
      /no message with/,
    );
  });
});

const optional = (name: string, type: string) => ({ name, type: ['null', type], default: null });
const AVRO = JSON.stringify({
  type: 'record',
  name: 'acct_data',
  fields: [
    { name: 'event_type', type: 'string' },
    { name: 'peer_ip_src', type: 'string' },
    { name: 'iface_in', type: 'long' },
    { name: 'ip_src', type: 'string' },
    { name: 'ip_dst', type: 'string' },
    { name: 'port_src', type: 'long' },
    { name: 'port_dst', type: 'long' },
    { name: 'ip_proto', type: 'string' },
    { name: 'timestamp_start', type: 'string' },
    { name: 'timestamp_end', type: 'string' },
    optional('packets', 'long'),
    optional('bytes', 'long'),
    optional('stamp_inserted', 'string'),
    { name: 'writer_id', type: 'string' },
  ],
});
const acct = avro.Type.forSchema(JSON.parse(AVRO));
const record = (changes: object = {}) =>
  acct.toBuffer({
    event_type: 'purge',
    peer_ip_src: '172.21.1.101',
    iface_in: 995,
    ip_src: '10.231.65.56',
    ip_dst: '10.192.12.213',
    port_src: 17000,
    port_dst: 17001,
    ip_proto: 'udp',
    timestamp_start: '1677577561.000000',
    timestamp_end: '1677577572.000000',
    packets: 2,
    bytes: 220,
    stamp_inserted: null,
    writer_id: 'nfacctd_kafka',
    ...changes,
  });

describe('pmacct Avro', () => {
  it('is bare records one after the other', () => {
    const message = Buffer.concat([record(), record({ bytes: 7 }), record({ ip_src: 'x' }), record()]);
    const { flows, exporters, rejects } = decodeMessages(pmacctAvro, [message], { schema: AVRO });
    expect(flows.map(({ bytes }) => bytes)).toEqual([220, 7, 220]);
    expect(exporters[0]).toBe('172.21.1.101');
    expect(endsOf(flows[0]!)).toBe('10.231.65.56:17000 > 10.192.12.213:17001 /17');
    expect(flows[0]).toMatchObject({ startUs: 1677577561000000, endUs: 1677577572000000, inInterface: 995 });
    expect(rejects.map(({ reason, position }) => [reason, position])).toEqual([['invalid_address', 2]]);
  });

  it('keeps what came before a damaged record', () => {
    const message = Buffer.concat([record(), record().subarray(0, 30)]);
    const { flows, rejects } = decodeMessages(pmacctAvro, [message, ''], { schema: AVRO });
    expect(flows).toHaveLength(1);
    expect(rejects.map(({ reason, position }) => [reason, position])).toEqual([
      ['malformed', 1],
      ['empty_message', undefined],
    ]);
  });

  it('needs its schema', () => {
    expect(reasons(decodeMessages(pmacctAvro, [record()]).rejects)).toEqual(['unknown_schema']);
    expect(() => decodeMessages(pmacctAvro, [record()], { schema: '{"type":"x"}' })).toThrow(
      /no Avro schema/,
    );
  });
});
