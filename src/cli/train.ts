import { usageError } from '../kernel/errors.ts';
import type { Command } from './command.ts';
import { trainLstmCommand } from './train-lstm.ts';
import { trainTreeCommand } from './train-tree.ts';

const KINDS: Readonly<Record<string, Command>> = { tree: trainTreeCommand, lstm: trainLstmCommand };

export const trainCommand: Command = {
  name: 'train',
  summary: 'train a decision tree or an LSTM forecaster',
  usage: [trainTreeCommand.usage, trainLstmCommand.usage].join('\n\n'),
  run(args, io) {
    const [kind, ...rest] = args;
    const command = kind === undefined ? undefined : KINDS[kind];
    if (!command)
      throw usageError('train_kind', `say what to train: flowcast train ${Object.keys(KINDS).join(' or ')}`);
    return command.run(rest, io);
  },
};
