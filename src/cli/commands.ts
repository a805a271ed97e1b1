import type { Command } from './command.ts';

/** Every command; loaded when called, so that `decode` does not pay for what `train` needs. */
export const COMMANDS: readonly { name: string; summary: string; load: () => Promise<Command> }[] = [
  {
    name: 'start',
    summary: 'run all stages in one process on the embedded log',
    load: async () => (await import('./start.ts')).startCommand,
  },
  {
    name: 'replay',
    summary: "run the whole pipeline over files, in the files' own time",
    load: async () => (await import('./replay.ts')).replayCommand,
  },
  {
    name: 'decode',
    summary: 'print the flows of files as JSON lines',
    load: async () => (await import('./decode.ts')).decodeCommand,
  },
  {
    name: 'simulate',
    summary: 'write simulated traffic in any supported format',
    load: async () => (await import('./simulate.ts')).simulateCommand,
  },
  {
    name: 'train',
    summary: 'train a decision tree or an LSTM forecaster',
    load: async () => (await import('./train.ts')).trainCommand,
  },
  {
    name: 'evaluate',
    summary: 'score a classifier on labelled data',
    load: async () => (await import('./evaluate.ts')).evaluateCommand,
  },
  {
    name: 'backtest',
    summary: 'compare the forecaster with naive forecasts on a series',
    load: async () => (await import('./backtest.ts')).backtestCommand,
  },
  {
    name: 'models',
    summary: 'list, publish, promote and roll back models',
    load: async () => (await import('./models.ts')).modelsCommand,
  },
  {
    name: 'topics',
    summary: 'create or check the topics',
    load: async () => (await import('./topics.ts')).topicsCommand,
  },
  {
    name: 'config',
    summary: 'check or print the configuration',
    load: async () => (await import('./config.ts')).configCommand,
  },
];
