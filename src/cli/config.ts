import { writeFileSync } from 'node:fs';
import { configurationPage, environmentExample } from '../config/document.ts';
import { redacted } from '../config/load.ts';
import { usageError } from '../kernel/errors.ts';
import type { Command } from './command.ts';
import { CONFIG_USAGE, parseWithConfig } from './options.ts';

export const configCommand: Command = {
  name: 'config',
  summary: 'check or print the configuration',
  usage: `usage: flowcast config check|print|docs [options]

  check   exit 0 when the configuration is valid, otherwise say what is wrong
  print   the resulting configuration as JSON, secrets redacted
  docs    write docs/configuration.md and .env.example (in a checkout)

${CONFIG_USAGE}`,
  async run(args, io) {
    const { config, positionals } = parseWithConfig(args, io, {});
    switch (positionals[0]) {
      case 'check':
        io.stderr.write('configuration is valid\n');
        return 0;
      case 'print':
        io.stdout.write(`${JSON.stringify(redacted(config), null, 2)}\n`);
        return 0;
      case 'docs':
        writeFileSync('docs/configuration.md', configurationPage());
        writeFileSync('.env.example', environmentExample());
        return 0;
      default:
        throw usageError('config_action', 'say what to do: flowcast config check, print or docs');
    }
  },
};
