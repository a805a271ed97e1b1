import type { Clock } from '../kernel/clock.ts';
import type { Encoder } from './encoders/encoder.ts';
import { historyOf, presetScenario } from './scenarios.ts';
import { createSimulation, type Simulation } from './simulation.ts';

const MINUTE_US = 60_000_000;
const BATCH_MESSAGES_MAX = 1000;
/** Without this many messages a batch of history waits for its next tick. */
const BATCH_MESSAGES_MIN = 500;

export interface SimulationSourceOptions {
  /** Name of a preset. */
  readonly scenario: string;
  readonly seed: number;
  readonly encoder: Encoder;
  readonly clock: Clock;
  /**
   * When live traffic begins, microseconds since the epoch, cut to a whole minute: now at the very first start. The caller keeps
   * it; a restart must hand in the same, or the messages are others.
   */
  readonly startUs: number;
  /** Days before `startUs` to go through first, as fast as they are taken. */
  readonly historyDays: number;
  /** Records per second in those days: a tenth of the live rate keeps fast-forwarding short; the flows are larger, the volumes the same. */
  readonly historyStepFlowsPerSecond: number;
  /** Records per second afterwards; the preset's own where absent. */
  readonly flowsPerSecond?: number;
  /** false: end with the history. */
  readonly live: boolean;
}

/** One message as a probe would have put it on Kafka. */
export interface SimulatedMessage {
  readonly bytes: Uint8Array;
  /** When the collector received the flow, milliseconds since the epoch. */
  readonly timestampMs: number;
  /** Number of the message, from 0, without gaps. */
  readonly position: number;
}

/**
 * Messages of a simulated network from number `fromMessage` on: history first, then in step with the clock until the signal
 * aborts; behind the clock (after a pause) it catches up as fast as messages are taken. Message n is the same bytes in every
 * run with the same options; what lies before `fromMessage` is counted, not made.
 */
export async function* simulatedMessages(
  options: SimulationSourceOptions,
  fromMessage: number,
  signal: AbortSignal,
): AsyncGenerator<readonly SimulatedMessage[], void, void> {
  const liveFromUs = Math.floor(options.startUs / MINUTE_US) * MINUTE_US;
  const originUs = liveFromUs - Math.round(options.historyDays * 1440) * MINUTE_US;
  const live = presetScenario(options.scenario, {
    startUs: originUs,
    behavioursFromUs: liveFromUs,
    bidirectional: options.encoder.bidirectional,
    ...(options.flowsPerSecond !== undefined && { flowsPerSecond: options.flowsPerSecond }),
  });
  const history = createSimulation(historyOf(live, options.historyStepFlowsPerSecond), options.seed);
  const historyTicks = (liveFromUs - originUs) / MINUTE_US;
  let start = skip(history, 0, historyTicks, { message: 0, tick: 0 }, fromMessage);
  let message = start.message;
  const encode = new Batch(options.encoder, fromMessage);

  for (let tick = start.tick; tick < historyTicks && !signal.aborted; tick++) {
    message = encode.add(history, tick, message);
    if (encode.size >= BATCH_MESSAGES_MIN) yield* encode.take();
  }
  yield* encode.take();
  if (!options.live) return;

  const simulation = createSimulation(live, options.seed);
  const firstTick = Math.round((liveFromUs - originUs) / (live.tickSeconds * 1e6));
  start = skip(simulation, firstTick, Number.POSITIVE_INFINITY, { message, tick: firstTick }, fromMessage);
  message = start.message;
  for (let tick = start.tick; !signal.aborted; tick++) {
    const waitUs = simulation.tickStartUs(tick + 1) - options.clock.nowUs();
    if (waitUs > 0) await options.clock.sleep(waitUs / 1000, signal);
    if (signal.aborted) return;
    message = encode.add(simulation, tick, message);
    yield* encode.take();
  }
}

/** The tick that holds `target`, and the number of that tick's first message. */
function skip(
  simulation: Simulation,
  firstTick: number,
  lastTick: number,
  from: { message: number; tick: number },
  target: number,
): { message: number; tick: number } {
  let { message } = from;
  let tick = firstTick;
  while (tick < lastTick && message < target) {
    const count = simulation.count(tick);
    if (message + count > target) break;
    message += count;
    tick++;
  }
  return { message, tick };
}

/** Encodes ticks into messages and hands them out in bounded batches. */
class Batch {
  readonly #encoder: Encoder;
  readonly #fromMessage: number;
  #messages: SimulatedMessage[] = [];

  constructor(encoder: Encoder, fromMessage: number) {
    this.#encoder = encoder;
    this.#fromMessage = fromMessage;
  }

  get size(): number {
    return this.#messages.length;
  }

  /** Returns the number of the first message after the tick. */
  add(simulation: Simulation, tick: number, firstMessage: number): number {
    let position = firstMessage;
    for (const { exporter, flow } of simulation.tick(tick)) {
      if (position >= this.#fromMessage) {
        const record = this.#encoder.encode(exporter, flow);
        const bytes = withHeader(this.#encoder.header, record);
        this.#messages.push({ bytes, timestampMs: Math.floor(flow.receivedUs / 1000), position });
      }
      position++;
    }
    return position;
  }

  *take(): Generator<readonly SimulatedMessage[], void, void> {
    const messages = this.#messages;
    this.#messages = [];
    for (let at = 0; at < messages.length; at += BATCH_MESSAGES_MAX) {
      yield messages.slice(at, at + BATCH_MESSAGES_MAX);
    }
  }
}

/** A row of a table is a message only together with the table's header. */
function withHeader(header: Uint8Array | undefined, record: Uint8Array): Uint8Array {
  return header ? Buffer.concat([header, record]) : record;
}
