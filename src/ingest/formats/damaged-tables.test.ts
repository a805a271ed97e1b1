import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeMessages } from '../../../test/support/decoding.ts';
import { REJECT_REASONS } from '../../flow/reject.ts';
import { formatsNamed } from './registry.ts';

const EXAMPLES: Readonly<Record<string, string>> = {
  luflow:
    'avg_ipt,bytes_in,bytes_out,dest_ip,dest_port,entropy,num_pkts_out,num_pkts_in,proto,src_ip,src_port,time_end,time_start,total_entropy,label,duration\n0,56,56,786,"",1.02,1,1,1,55960,"",1594168231421839,159416823142178,114.26,outlier,5.9E-5\n',
  westermo:
    'sIPs,rIPs,protocol,start,end,sPackets,rPackets,sBytesSum,rBytesSum,sSynRate,NST_M_Label\n198.18.134.11,198.18.134.12,IPV4-TCP,1678440574.08554,1678440574.565764,42,30,2478,1866,1e-3,Normal\n',
  argus:
    'StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,Label\n2011/08/16 10:01:46.972101,3599.98,tcp,88.176.79.163,0xc03d,  <?>,147.32.84.172,18250,A_PA,0,0,4,415,101,flow=Background\n',
  'zeek-tsv':
    '#separator \\x09\n#unset_field\t-\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tduration\torig_ip_bytes\thistory\ttunnel_parents   label   detailed-label\n1545403816.962094\tC1\t192.168.1.195\t41040\t185.244.25.235\t80\ttcp\t3.139211\t60\tS\t-   Malicious   DDoS\n',
  'zeek-json':
    '{"ts":1767225540.123456,"id.orig_h":"10.1.2.3","id.orig_p":50001,"id.resp_h":"192.0.2.7","id.resp_p":443,"proto":"tcp","duration":12.5,"conn_state":"SF","orig_pkts":12,"orig_ip_bytes":1836}',
  'nfdump-csv':
    'cnt,af,firstSeen,lastSeen,proto,srcAddr,srcPort,dstAddr,dstPort,srcAS,dstAS,input,output,flags,srcTos,packets,bytes\n1,4,2026-01-01 00:59:00.123,2026-01-01 00:59:12.623,6,10.1.2.3,50001,192.0.2.7,443,64500,64501,7,9,...AP.SF,8,12000,1836000\n',
  'nfdump-ndjson':
    '{"type":"FLOW","first":"2026-01-01T00:59:00.123","last":"2026-01-01T00:59:12.623","in_packets":12,"in_bytes":18,"proto":6,"src4_addr":"10.1.2.3","dst4_addr":"192.0.2.7"}\n',
  'nfdump-json':
    '[{"type":"FLOW","first":"2026-01-01T00:59:00.123","last":"2026-01-01T00:59:12.623","in_packets":12,"in_bytes":18,"proto":6,"src4_addr":"10.1.2.3","dst4_addr":"192.0.2.7"}]\n',
  'nfdump-text':
    'Date first seen Duration Proto Src IP Addr:Port Dst IP Addr:Port Packets Bytes Flows\n2013-07-09 01:04:33.868 0.097 TCP 10.0.0.150:3128 -> 10.0.0.152:49700 .AP.SF 0 6 539 1\n',
};

const damage = fc.array(fc.tuple(fc.nat(10_000), fc.nat(255)), { maxLength: 6 });

test.each(Object.entries(EXAMPLES))(
  '%s: damage makes rejects or other valid flows, never an error',
  (name, example) => {
    const [format] = formatsNamed(name);
    expect(decodeMessages(format!, [example])).toMatchObject({
      flows: [{ startUs: expect.any(Number) }],
      rejects: [],
    });
    const check = (message: Uint8Array) => {
      const { flows, rejects } = decodeMessages(format!, [message]);
      for (const { reason } of rejects) expect(REJECT_REASONS).toContain(reason);
      for (const flow of flows) {
        expect(flow.startUs).toBeLessThanOrEqual(flow.endUs);
        for (const count of [flow.bytes, flow.packets, flow.reverseBytes, flow.reversePackets, flow.tos]) {
          expect(Number.isSafeInteger(count) && count >= 0).toBe(true);
        }
      }
    };
    fc.assert(
      fc.property(damage, fc.nat(1000), (changes, cut) => {
        const bytes = new TextEncoder().encode(example);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        check(bytes.subarray(0, Math.max(0, bytes.length - (cut % 3 === 0 ? cut : 0))));
      }),
      { numRuns: 150 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), check), { numRuns: 50 });
  },
);
