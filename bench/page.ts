import type { Measurement } from './measure.ts';

/** Where the figures of a page come from. */
export interface Machine {
  readonly cores: number;
  readonly node: string;
  readonly date: Date;
}

/** docs/performance.md, from one run of all scenarios. */
export function performancePage(measurements: readonly Measurement[], machine: Machine): string {
  const pipeline = measurements.find(({ scenario }) => scenario === 'whole embedded pipeline');
  return `# Performance

Made by \`npm run bench -- --write-docs\` on ${machine.date.toISOString().slice(0, 10)}: ${machine.cores} cores, Node ${machine.node}.
Do not edit; run the command again. One run each, after one to warm up, every scenario file in a process of its own. The machine was
shared and therefore noisy: figures of the same code have differed by a third between runs, wall time by far more. Measure on your own.

Traffic is the simulator's \`load\` scenario (16 exporters, 96 links, 28,000 hosts, with attacks). A CPU second is one second of one core,
over all threads of the process. Peak memory is that of the whole process up to then: the input held in memory and the scenarios before it in the same file count too.

| Scenario | Unit | Units per CPU second | CPU s per million | Units per second | Peak MB |
| --- | --- | ---: | ---: | ---: | ---: |
${measurements.map(row).join('\n')}
${pipeline ? whereTheTimeGoes(pipeline) : ''}`;
}

function row(measurement: Measurement): string {
  const { scenario, unit, perCpuSecond, cpuSecondsPerMillion, perSecond, peakMemoryMb } = measurement;
  const cells = [perCpuSecond, cpuSecondsPerMillion, perSecond, peakMemoryMb].map((value) =>
    value.toLocaleString('en-US'),
  );
  return `| ${scenario} | ${unit} | ${cells.join(' | ')} |`;
}

function whereTheTimeGoes({ perCpuSecond, notes = {} }: Measurement): string {
  const shares = Object.entries(notes).filter(([name]) => name.startsWith('% '));
  const lines = shares.map(([name, percent]) => `| ${name.slice(2)} | ${percent} |`);
  return `
## Where the time goes

The whole pipeline takes goflow2 protobuf, one message a flow, through ingest, preprocess and infer on an embedded log in one process;
opening the log, loading both models and reading the results back are included, making the input is not. It published
${notes.classifications} classifications and ${notes.forecasts} forecasts. The aim is 100,000 flows per CPU second; measured:
${perCpuSecond.toLocaleString('en-US')}.

Share of the main thread's busy time, by the sampling profiler in a second run; what Node does for a caller counts as the caller's,
collecting garbage stands by itself, and the threads of LevelDB and ONNX Runtime are not in it.

| Part | Percent |
| --- | ---: |
${lines.join('\n')}

To look closer: \`node --cpu-prof bench/scenarios/pipeline.ts\`, then open the profile in a browser's developer tools.
`;
}
