/** Who multiplied the counters by the sampling rate, if anyone: nobody had to (unsampled), the source, flowcast, or nobody could (rate unknown). */
export type SamplingApplied = 'NONE' | 'SOURCE' | 'FLOWCAST' | 'UNKNOWN';
export type Direction = 'UNKNOWN' | 'INGRESS' | 'EGRESS';
/** OK: as sent; CLAMPED: implausible and corrected; RECEIVED: the source gave none, the time of receipt stands in. */
export type TimeQuality = 'OK' | 'CLAMPED' | 'RECEIVED';
/** What became of the connection, where the source tells (Zeek conn_state, argus State) or the TCP flags do. */
export type Outcome = 'UNKNOWN' | 'ESTABLISHED' | 'NO_REPLY' | 'REJECTED' | 'RESET';

/**
 * One flow as every stage after ingest sees it; the fields of `schemas/flow-batch.v1.avsc`. All numbers are integers
 * below 2^53. Times are microseconds since the epoch with startUs <= endUs.
 */
export interface FlowRecord {
  startUs: number;
  endUs: number;
  /** When the collector received it. */
  receivedUs: number;
  timeQuality: TimeQuality;
  /** 16 bytes, IPv4 as ::ffff:a.b.c.d; all zero = the source has none. */
  sourceAddress: Uint8Array;
  destinationAddress: Uint8Array;
  /** 0 where the protocol has no ports; ICMP: destinationPort = type * 256 + code, as NetFlow does. */
  sourcePort: number;
  destinationPort: number;
  /** IANA protocol number; 255 where it is not IP. */
  protocol: number;
  /** Union of the flags seen, RFC 9293 bit order; 0 = none or unknown. */
  tcpFlags: number;
  tos: number;
  vlan: number;
  sourceAs: number;
  destinationAs: number;
  /** SNMP ifIndex; 0 = unknown. */
  inInterface: number;
  outInterface: number;
  direction: Direction;
  /** Source to destination, already multiplied by the sampling rate where `samplingApplied` is FLOWCAST or SOURCE. */
  bytes: number;
  packets: number;
  /** As the source sent them. */
  rawBytes: number;
  rawPackets: number;
  /** One packet in this many was looked at; 1 = every one, 0 = unknown. */
  samplingRate: number;
  samplingApplied: SamplingApplied;
  /** Whether the source counts both directions in one record. */
  bidirectional: boolean;
  /** Destination to source, scaled like `bytes`; 0 where not bidirectional. */
  reverseBytes: number;
  reversePackets: number;
  outcome: Outcome;
  /** Class given by a labelled data set, in its own words; null in live traffic. */
  label: string | null;
}

/** Flows of one exporter, in the order they came. */
export interface FlowBatch {
  /** Who observed the flows: the exporter's address in text form, or the configured default of its feed. */
  exporter: string;
  /** The raw input it came in by (one configured topic or file). */
  feed: string;
  format: string;
  /** Microseconds since the epoch of the newest raw message in here. */
  receivedUs: number;
  flows: FlowRecord[];
}
