/** What one scenario prints: units of work a second of wall time and of processor time, and the process's peak memory. */
export interface Measurement {
  readonly scenario: string;
  /** What is counted, for example `flows`. */
  readonly unit: string;
  readonly count: number;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly perSecond: number;
  readonly perCpuSecond: number;
  readonly cpuSecondsPerMillion: number;
  readonly peakMemoryMb: number;
  /** Further figures of the scenario, for example the share of time of each stage. */
  readonly notes?: Readonly<Record<string, number | string>>;
}

export interface Work {
  readonly scenario: string;
  readonly unit: string;
  /** Does a fixed amount of work and resolves with how many units that was. */
  readonly run: () => number | Promise<number>;
  /** Runs before the counted one, so that the code is compiled. */
  readonly warmUps?: number;
  readonly notes?: () => Record<string, number | string>;
}

/** Runs the work and measures it with the process's own accounting. */
export async function measure({ scenario, unit, run, warmUps = 1, notes }: Work): Promise<Measurement> {
  for (let i = 0; i < warmUps; i++) await run();
  const cpuBefore = process.cpuUsage();
  const before = process.hrtime.bigint();
  const count = await run();
  const wallSeconds = Number(process.hrtime.bigint() - before) / 1e9;
  const { user, system } = process.cpuUsage(cpuBefore);
  const cpuSeconds = (user + system) / 1e6;
  return {
    scenario,
    unit,
    count,
    wallSeconds,
    cpuSeconds,
    perSecond: Math.round(count / wallSeconds),
    perCpuSecond: Math.round(count / cpuSeconds),
    cpuSecondsPerMillion: Number(((cpuSeconds / count) * 1e6).toFixed(2)),
    peakMemoryMb: Math.round(process.resourceUsage().maxRSS / 1024),
    ...(notes && { notes: notes() }),
  };
}

/** Prints measurements as JSON lines. */
export function print(measurement: Measurement): void {
  process.stdout.write(`${JSON.stringify(measurement)}\n`);
}
