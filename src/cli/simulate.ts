import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { createGzip } from 'node:zlib';
import { messageOf, usageError } from '../kernel/errors.ts';
import type { Encoder } from '../simulate/encoders/encoder.ts';
import { createEncoder, ENCODERS } from '../simulate/encoders/table.ts';
import { historyOf, presetScenario, SCENARIO_NAMES } from '../simulate/scenarios.ts';
import { createSimulation, type Simulation } from '../simulate/simulation.ts';
import { createProgress, type Progress } from '../telemetry/progress.ts';
import type { Command, CommandIo } from './command.ts';
import { parseDurationMs } from './options.ts';

/** A Monday at midnight: without `--start` the same call writes the same bytes, whenever it is made. */
const DEFAULT_START = '2026-01-05T00:00:00Z';
const CHUNK_BYTES = 256 * 1024;
const NEWLINE = Uint8Array.of(0x0a);
const NOTHING = new Uint8Array(0);

export const simulateCommand: Command = {
  name: 'simulate',
  summary: 'write simulated traffic in any supported format',
  usage: `usage: flowcast simulate [options]

Writes the flow records of a simulated network: daily and weekly cycles, bursts, outages, and labelled attacks among
harmless look-alikes. The same options give the same bytes.

  --scenario S     ${SCENARIO_NAMES.join(', ')} (default: demo)
  --seed N         another network, other traffic (default: 1)
  --start ISO      event time of the first flow (default: ${DEFAULT_START}; with --speed other than max: now)
  --duration D     how long in event time, such as 90s, 5m, 1h, 1d (default: 1h; with --speed other than max: until Ctrl-C)
  --rate N         mean background records per second; volumes stay, flows grow smaller (default: the scenario's)
  --background     background traffic alone, in steps of a minute: days of link volumes from few flows
  --format F       ${Object.keys(ENCODERS).join(', ')}
                   (default: flowcast-json, the one that carries labels)
  --out FILE       where to write (default: -, standard output)
  --speed S        max (default), realtime, or Nx, such as 60x: N seconds of event time a second
  --gzip           compress; also where FILE ends in .gz`,
  async run(args, io) {
    const options = parse(args, io);
    const encoder = createEncoder(options.format);
    const scenario = presetScenario(options.scenario, {
      startUs: options.startUs,
      bidirectional: encoder.bidirectional,
      ...(options.rate !== null && { flowsPerSecond: options.rate }),
    });
    const simulation = createSimulation(
      options.background ? historyOf(scenario, scenario.flowsPerSecond) : scenario,
      options.seed,
    );
    const run = new Run(simulation, encoder, options, io);
    await write(run, options, io);
    run.finish();
    return 0;
  },
};

interface SimulateOptions {
  readonly scenario: string;
  readonly seed: number;
  readonly startUs: number;
  /** Infinity = until told to stop. */
  readonly seconds: number;
  /** null = the scenario's own. */
  readonly rate: number | null;
  /** No episodes, minute steps. */
  readonly background: boolean;
  readonly format: string;
  readonly out: string;
  /** Event seconds per second; Infinity = as fast as possible. */
  readonly speed: number;
  readonly gzip: boolean;
}

function parse(args: string[], io: CommandIo): SimulateOptions {
  const { values, positionals } = parseArgs({
    args,
    options: {
      scenario: { type: 'string', default: 'demo' },
      seed: { type: 'string', default: '1' },
      start: { type: 'string' },
      duration: { type: 'string' },
      rate: { type: 'string' },
      background: { type: 'boolean', default: false },
      format: { type: 'string', default: 'flowcast-json' },
      out: { type: 'string', default: '-' },
      speed: { type: 'string', default: 'max' },
      gzip: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  if (positionals.length > 0)
    throw usageError(
      'argument',
      `simulate takes no argument ${positionals[0]}; write --out ${positionals[0]}`,
    );
  const speed = parseSpeed(values.speed);
  const endless = speed !== Number.POSITIVE_INFINITY;
  const seconds =
    values.duration === undefined
      ? endless
        ? Number.POSITIVE_INFINITY
        : 3600
      : parseDurationMs(values.duration, 'duration') / 1000;
  return {
    scenario: values.scenario,
    seed: parseNumber(values.seed, 'seed', 0),
    startUs:
      values.start === undefined && endless ? io.clock.nowUs() : parseStartUs(values.start ?? DEFAULT_START),
    seconds,
    rate: values.rate === undefined ? null : parseNumber(values.rate, 'rate', 0.001),
    background: values.background,
    format: values.format,
    out: values.out,
    speed,
    gzip: values.gzip || values.out.endsWith('.gz'),
  };
}

function parseNumber(text: string, flag: string, min: number): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < min) {
    throw usageError(`flag_${flag}`, `--${flag} takes a number of at least ${min}, not ${text}`);
  }
  return value;
}

function parseSpeed(text: string): number {
  if (text === 'max') return Number.POSITIVE_INFINITY;
  if (text === 'realtime') return 1;
  const factor = /^(\d+(?:\.\d+)?)x$/.exec(text);
  if (!factor || Number(factor[1]) === 0)
    throw usageError('flag_speed', `--speed takes max, realtime or a factor such as 60x, not ${text}`);
  return Number(factor[1]);
}

function parseStartUs(text: string): number {
  const startUs = Date.parse(text) * 1000;
  if (!(startUs >= 0))
    throw usageError('flag_start', `--start takes a date such as ${DEFAULT_START}, not ${text}`);
  return startUs;
}

/** Runs the simulation as chunks of bytes, counting what it writes. */
class Run {
  readonly #simulation: Simulation;
  readonly #encoder: Encoder;
  readonly #options: SimulateOptions;
  readonly #io: CommandIo;
  readonly #progress: Progress | null;
  readonly #labels: Record<string, number> = {};
  readonly #startedUs: number;
  #flows = 0;
  #bytes = 0;
  #ticks = 0;

  constructor(simulation: Simulation, encoder: Encoder, options: SimulateOptions, io: CommandIo) {
    this.#simulation = simulation;
    this.#encoder = encoder;
    this.#options = options;
    this.#io = io;
    this.#startedUs = io.clock.nowUs();
    this.#progress =
      options.seconds === Number.POSITIVE_INFINITY ? null : createProgress(io.stderr, 'simulate');
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    const end = this.#encoder.framing === 'length-prefixed' ? NOTHING : NEWLINE;
    const { seconds, speed } = this.#options;
    const ticks = seconds / this.#simulation.scenario.tickSeconds;
    let parts: Uint8Array[] = this.#encoder.header ? [this.#encoder.header] : [];
    let size = this.#encoder.header?.length ?? 0;
    for (let tick = 0; tick < ticks && !this.#io.signal.aborted; tick++) {
      if (await this.#keepPace(tick)) break;
      for (const { exporter, flow } of this.#simulation.tick(tick)) {
        const record = this.#encoder.encode(exporter, flow);
        parts.push(record, end);
        size += record.length + end.length;
        this.#flows++;
        const label = flow.label ?? 'none';
        this.#labels[label] = (this.#labels[label] ?? 0) + 1;
      }
      this.#ticks = tick + 1;
      if (size < CHUNK_BYTES && speed === Number.POSITIVE_INFINITY) continue;
      this.#progress?.update(tick / ticks, `${this.#flows} flows`);
      yield this.#counted(parts, size);
      parts = [];
      size = 0;
    }
    yield this.#counted(parts, size);
  }

  #counted(parts: Uint8Array[], size: number): Uint8Array {
    this.#bytes += size;
    return Buffer.concat(parts, size);
  }

  /** Waits until the tick's event time has passed at the chosen speed; true when told to stop meanwhile. */
  async #keepPace(tick: number): Promise<boolean> {
    const { speed } = this.#options;
    if (speed === Number.POSITIVE_INFINITY) return false;
    const { clock, signal } = this.#io;
    const dueUs = this.#startedUs + ((tick + 1) * this.#simulation.scenario.tickSeconds * 1e6) / speed;
    const waitUs = dueUs - clock.nowUs();
    if (waitUs > 0) await clock.sleep(waitUs / 1000, signal);
    return signal.aborted;
  }

  /** The closing line: what was written, how fast, how much of each class. */
  finish(): void {
    this.#progress?.done(`${this.#flows} flows`);
    const seconds = (this.#io.clock.nowUs() - this.#startedUs) / 1e6;
    const summary = {
      flows: this.#flows,
      bytes: this.#bytes,
      simulatedSeconds: this.#ticks * this.#simulation.scenario.tickSeconds,
      seconds: Math.round(seconds * 1000) / 1000,
      flowsPerSecond: Math.round(this.#flows / Math.max(seconds, 1e-3)),
      labels: this.#labels,
    };
    this.#io.stderr.write(`${JSON.stringify(summary)}\n`);
  }
}

/** Pumps the chunks to where they belong; a slow reader slows the simulation down. */
async function write(run: Run, options: SimulateOptions, io: CommandIo): Promise<void> {
  const isStdout = options.out === '-';
  const target: Writable = isStdout ? io.stdout : createWriteStream(options.out);
  try {
    if (options.gzip) await pipeline(run.chunks(), createGzip(), target, { end: !isStdout });
    else await pipeline(run.chunks(), target, { end: !isStdout });
  } catch (error) {
    if (isStdout || (error as { syscall?: unknown }).syscall === undefined) throw error;
    throw usageError(
      'output',
      `cannot write ${options.out}: ${messageOf(error)}; choose another --out`,
      error,
    );
  }
}
