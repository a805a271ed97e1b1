import { NO_ADDRESS } from '../flow/address.ts';
import type { Direction, FlowRecord, Outcome, SamplingApplied, TimeQuality } from '../flow/flow-record.ts';
import type { RejectReason } from '../flow/reject.ts';
import type { DecodeSink, FeedSettings } from './format.ts';

/**
 * What the numbers of a source mean:
 * - `raw`: counted in the sampled packets; flowcast multiplies by the rate where it is known.
 * - `scaled`: the source has multiplied already (nfdump).
 * - `unsampled`: every packet was looked at (Zeek, Suricata, argus).
 */
export type CounterPolicy = 'raw' | 'scaled' | 'unsampled';

/**
 * What a decoder read of one flow, before anything is believed. A decoder owns one, calls `clear` before each flow and sets
 * what the source gives; what is not set keeps the value that means "the source does not say" (0, all-zero address, null).
 */
export class FlowReading {
  /** Microseconds since the epoch; 0 = not given. */
  startUs = 0;
  endUs = 0;
  /**
   * Set where the source writes times as bare epoch numbers, whose unit people mistake: s, ms or ns in the place of us are then
   * recognised by size. Not for dates: a capture with a clock that began in 1970 would land in our century.
   */
  guessTimeUnit = false;
  /** Captures of this source may count from their own beginning, so that their flows lie in 1970. */
  allowsRelativeTime = false;
  /** Receipt by the collector as the message itself tells it; 0 = not given, then the message's own time of receipt counts. */
  receivedUs = 0;
  /** 16 bytes (see `parseAddress`, `addressFromBytes`). The flow keeps the array: never reuse it. */
  sourceAddress: Uint8Array = NO_ADDRESS;
  destinationAddress: Uint8Array = NO_ADDRESS;
  sourcePort = 0;
  /** ICMP: type * 256 + code. */
  destinationPort = 0;
  /** IANA number; 255 = not IP. */
  protocol = 0;
  tcpFlags = 0;
  tos = 0;
  vlan = 0;
  sourceAs = 0;
  destinationAs = 0;
  inInterface = 0;
  outInterface = 0;
  direction: Direction = 'UNKNOWN';
  /** As sent; source to destination. */
  bytes = 0;
  packets = 0;
  counters: CounterPolicy = 'raw';
  /** One packet in this many; 0 = not known. Read only where `counters` is `raw` or `scaled`. */
  samplingRate = 0;
  bidirectional = false;
  /** As sent; destination to source. */
  reverseBytes = 0;
  reversePackets = 0;
  outcome: Outcome = 'UNKNOWN';
  label: string | null = null;

  /** Back to "the source says nothing". */
  clear(): void {
    this.startUs = 0;
    this.endUs = 0;
    this.guessTimeUnit = false;
    this.allowsRelativeTime = false;
    this.receivedUs = 0;
    this.sourceAddress = NO_ADDRESS;
    this.destinationAddress = NO_ADDRESS;
    this.sourcePort = 0;
    this.destinationPort = 0;
    this.protocol = 0;
    this.tcpFlags = 0;
    this.tos = 0;
    this.vlan = 0;
    this.sourceAs = 0;
    this.destinationAs = 0;
    this.inInterface = 0;
    this.outInterface = 0;
    this.direction = 'UNKNOWN';
    this.bytes = 0;
    this.packets = 0;
    this.counters = 'raw';
    this.samplingRate = 0;
    this.bidirectional = false;
    this.reverseBytes = 0;
    this.reversePackets = 0;
    this.outcome = 'UNKNOWN';
    this.label = null;
  }
}

/** Why a reading is no flow; the decoder passes it to `sink.reject` with the position and bytes of the record. */
export interface Refusal {
  readonly reason: RejectReason;
  /** For people: which field, which value. */
  readonly detail: string;
}

/** A refusal in one expression. */
export function refusal(reason: RejectReason, detail: string): Refusal {
  return { reason, detail };
}

/** 1990-01-01 and 2100-01-01: flow records are younger than the first and older than the second. */
const PLAUSIBLE_FROM_US = 631_152_000_000_000;
const PLAUSIBLE_TO_US = 4_102_444_800_000_000;
const PORT_MAX = 0xffff;
const PROTOCOL_MAX = 0xff;
const INT_MAX = 0x7fff_ffff;
const UINT_MAX = 0xffff_ffff;

/**
 * The one place that makes a valid FlowRecord of what a decoder read. One per decoder: it keeps the settings of the feed and
 * a little scratch, nothing about earlier flows.
 *
 * Time (microseconds; `quality` becomes CLAMPED unless said otherwise):
 * - with `guessTimeUnit`, a value whose size shows that it is in s, ms or ns is converted;
 * - one of start and end missing or implausible (before 1990, after 2099): the other stands in for it;
 * - both: the time of receipt stands in (RECEIVED); none known: refused, `missing_field` or `invalid_time`;
 * - with `allowsRelativeTime` and no receipt known (a file), times in 1970..1989 are taken as they are;
 * - start after end: start = end;
 * - end more than `clockSkewMsMax` after a known receipt: the clock is ahead. Both are moved so that the flow ends at its receipt; a
 *   start that was not ahead stays. The receipt given in the message wins over that of the message itself.
 * - no receipt known (a file): the flow's end stands in as its receipt.
 *
 * Counters (`FlowReading.counters`): raw * rate -> FLOWCAST; raw with rate 1 -> NONE; raw with unknown rate -> UNKNOWN, as sent;
 * scaled -> SOURCE, as sent; unsampled -> NONE, rate 1. A feed's `samplingRate` overrides the rate of raw and scaled sources,
 * and turns unsampled ones into raw. Negative or above 2^53 - 1, also after scaling: `counter_out_of_range`.
 *
 * Ports 0..65535, protocol 0..255, AS numbers and interfaces below 2^32, others below 2^31: otherwise `invalid_number`.
 */
export class Normaliser {
  readonly #exporter: string;
  readonly #rateOverride: number;
  readonly #clockSkewUsMax: number;
  #startUs = 0;
  #endUs = 0;
  #timeQuality: TimeQuality = 'OK';

  constructor(settings: FeedSettings) {
    this.#exporter = settings.exporter;
    this.#rateOverride = settings.samplingRate ?? 0;
    this.#clockSkewUsMax = settings.clockSkewMsMax * 1000;
  }

  /**
   * Hands the flow to the sink and returns null, or returns why not (nothing is handed over, the caller rejects).
   * `exporter` '' = the feed's; `receivedUs` is that of the message, 0 = unknown. The reading may be reused at once.
   */
  emit(reading: FlowReading, exporter: string, receivedUs: number, sink: DecodeSink): Refusal | null {
    const given = toPlausibleUs(reading.receivedUs, reading.guessTimeUnit);
    const knownReceivedUs = given > 0 ? given : receivedUs;
    const refusal = checkNumbers(reading) ?? this.#settleTimes(reading, knownReceivedUs);
    if (refusal) return refusal;
    const policy = reading.counters === 'unsampled' && this.#rateOverride > 0 ? 'raw' : reading.counters;
    const known = this.#rateOverride > 0 ? this.#rateOverride : reading.samplingRate;
    const samplingRate = policy === 'unsampled' ? 1 : known;
    const factor = policy === 'raw' && samplingRate > 0 ? samplingRate : 1;
    const flow: FlowRecord = {
      startUs: this.#startUs,
      endUs: this.#endUs,
      receivedUs: knownReceivedUs > 0 ? knownReceivedUs : this.#endUs,
      timeQuality: this.#timeQuality,
      sourceAddress: reading.sourceAddress,
      destinationAddress: reading.destinationAddress,
      sourcePort: reading.sourcePort,
      destinationPort: reading.destinationPort,
      protocol: reading.protocol,
      tcpFlags: reading.tcpFlags,
      tos: reading.tos,
      vlan: reading.vlan,
      sourceAs: reading.sourceAs,
      destinationAs: reading.destinationAs,
      inInterface: reading.inInterface,
      outInterface: reading.outInterface,
      direction: reading.direction,
      bytes: reading.bytes * factor,
      packets: reading.packets * factor,
      rawBytes: reading.bytes,
      rawPackets: reading.packets,
      samplingRate,
      samplingApplied: appliedBy(policy, samplingRate),
      bidirectional: reading.bidirectional,
      reverseBytes: reading.reverseBytes * factor,
      reversePackets: reading.reversePackets * factor,
      outcome: reading.outcome,
      label: reading.label,
    };
    if (factor > 1 && !isCounted(flow)) {
      return { reason: 'counter_out_of_range', detail: `counters x sampling rate ${factor} exceed 2^53-1` };
    }
    sink.flow(exporter === '' ? this.#exporter : exporter, flow);
    return null;
  }

  #settleTimes(reading: FlowReading, receivedUs: number): Refusal | null {
    const isEarly = reading.startUs >= 0 && reading.startUs < PLAUSIBLE_FROM_US;
    if (isEarly && reading.allowsRelativeTime && receivedUs <= 0) return this.#settleRelativeTimes(reading);
    let startUs = toPlausibleUs(reading.startUs, reading.guessTimeUnit);
    let endUs = toPlausibleUs(reading.endUs, reading.guessTimeUnit);
    let quality: TimeQuality = startUs === reading.startUs && endUs === reading.endUs ? 'OK' : 'CLAMPED';
    if (startUs === 0 || endUs === 0) {
      if (startUs === 0 && endUs === 0) {
        if (receivedUs <= 0) return noTime(reading);
        startUs = receivedUs;
        endUs = receivedUs;
        quality = 'RECEIVED';
      } else {
        if (startUs === 0) startUs = endUs;
        else endUs = startUs;
        quality = 'CLAMPED';
      }
    }
    const latestUs = receivedUs + this.#clockSkewUsMax;
    if (receivedUs > 0 && endUs > latestUs) {
      if (startUs > latestUs) startUs = receivedUs - Math.max(0, endUs - startUs);
      endUs = receivedUs;
      quality = 'CLAMPED';
    }
    if (startUs > endUs) {
      startUs = endUs;
      quality = 'CLAMPED';
    }
    this.#startUs = startUs;
    this.#endUs = endUs;
    this.#timeQuality = quality;
    return null;
  }

  #settleRelativeTimes(reading: FlowReading): null {
    this.#startUs = reading.startUs;
    this.#endUs = Math.max(reading.startUs, reading.endUs);
    this.#timeQuality = this.#endUs === reading.endUs ? 'OK' : 'CLAMPED';
    return null;
  }
}

/** The time in whole microseconds when it lies in 1990..2099, if told to guess also when it does so as s, ms or ns; 0 otherwise. */
function toPlausibleUs(time: number, guessUnit: boolean): number {
  if (time >= PLAUSIBLE_FROM_US && time < PLAUSIBLE_TO_US)
    return Number.isInteger(time) ? time : Math.floor(time);
  if (!guessUnit) return 0;
  let us = 0;
  if (time < PLAUSIBLE_FROM_US / 1e5) us = time * 1e6;
  else if (time < PLAUSIBLE_FROM_US) us = time * 1e3;
  else us = time / 1e3;
  return us >= PLAUSIBLE_FROM_US && us < PLAUSIBLE_TO_US ? Math.floor(us) : 0;
}

function noTime(reading: FlowReading): Refusal {
  if (reading.startUs === 0 && reading.endUs === 0) {
    return { reason: 'missing_field', detail: 'neither start, end nor receipt is known' };
  }
  return {
    reason: 'invalid_time',
    detail: `start ${reading.startUs} us, end ${reading.endUs} us are not in 1990..2099`,
  };
}

function appliedBy(policy: CounterPolicy, samplingRate: number): SamplingApplied {
  if (policy === 'unsampled') return 'NONE';
  if (policy === 'scaled') return 'SOURCE';
  if (samplingRate === 0) return 'UNKNOWN';
  return samplingRate === 1 ? 'NONE' : 'FLOWCAST';
}

function isCounted(flow: FlowRecord): boolean {
  const max = Number.MAX_SAFE_INTEGER;
  return flow.bytes <= max && flow.packets <= max && flow.reverseBytes <= max && flow.reversePackets <= max;
}

function checkNumbers(reading: FlowReading): Refusal | null {
  if (
    isCounter(reading.bytes) &&
    isCounter(reading.packets) &&
    isCounter(reading.reverseBytes) &&
    isCounter(reading.reversePackets) &&
    isWithin(reading.samplingRate, INT_MAX) &&
    isWithin(reading.sourcePort, PORT_MAX) &&
    isWithin(reading.destinationPort, PORT_MAX) &&
    isWithin(reading.protocol, PROTOCOL_MAX) &&
    isWithin(reading.tcpFlags, INT_MAX) &&
    isWithin(reading.tos, INT_MAX) &&
    isWithin(reading.vlan, INT_MAX) &&
    isWithin(reading.sourceAs, UINT_MAX) &&
    isWithin(reading.destinationAs, UINT_MAX) &&
    isWithin(reading.inInterface, UINT_MAX) &&
    isWithin(reading.outInterface, UINT_MAX)
  ) {
    return null;
  }
  return explainNumbers(reading);
}

function isCounter(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isWithin(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max;
}

const COUNTERS = ['bytes', 'packets', 'reverseBytes', 'reversePackets'] as const;
const BOUNDED: Readonly<Record<string, number>> = {
  samplingRate: INT_MAX,
  sourcePort: PORT_MAX,
  destinationPort: PORT_MAX,
  protocol: PROTOCOL_MAX,
  tcpFlags: INT_MAX,
  tos: INT_MAX,
  vlan: INT_MAX,
  sourceAs: UINT_MAX,
  destinationAs: UINT_MAX,
  inInterface: UINT_MAX,
  outInterface: UINT_MAX,
};

/** Only for what is refused: finds the field that made `checkNumbers` refuse. */
function explainNumbers(reading: FlowReading): Refusal {
  for (const field of COUNTERS) {
    const value = reading[field];
    if (isCounter(value)) continue;
    const isTooLarge = value < 0 || value > Number.MAX_SAFE_INTEGER;
    return { reason: isTooLarge ? 'counter_out_of_range' : 'invalid_number', detail: `${field} ${value}` };
  }
  const entries = Object.entries(BOUNDED);
  const [field] = entries.find(([name, max]) => !isWithin(reading[name as 'tos'], max))!;
  return { reason: 'invalid_number', detail: `${field} ${reading[field as 'tos']}` };
}
