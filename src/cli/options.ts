import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { usageError } from '../kernel/errors.ts';
import type { CommandIo } from './command.ts';

/** Flags of every command that works on an installation. */
const CONFIG_OPTIONS = {
  config: { type: 'string' },
  set: { type: 'string', multiple: true },
  data: { type: 'string' },
} as const satisfies ParseArgsOptionsConfig;

/** Their `--help`. */
export const CONFIG_USAGE = `  --config FILE        configuration file (YAML or JSON)
  --set KEY=VALUE      one setting, as in docs/configuration.md; may be repeated
  --data DIR           directory of the embedded log (commitLog.directory)`;

/** Parses a command's own flags together with those of the configuration, which is loaded. `fixed` are settings the command decides. */
export function parseWithConfig<O extends ParseArgsOptionsConfig>(
  args: string[],
  io: CommandIo,
  options: O,
  fixed: Readonly<Record<string, string>> = {},
) {
  const parsed = parseArgs({ args, options: { ...CONFIG_OPTIONS, ...options }, allowPositionals: true });
  const values = parsed.values as { config?: string; set?: string[]; data?: string };
  const flags: Record<string, string> = { ...fixed };
  for (const assignment of values.set ?? []) {
    const at = assignment.indexOf('=');
    if (at < 1) throw usageError('flag_set', `--set takes KEY=VALUE, not ${assignment}`);
    flags[assignment.slice(0, at)] = assignment.slice(at + 1);
  }
  if (values.data !== undefined) flags['commitLog.directory'] = values.data;
  const config: Config = loadConfig({ file: values.config, environment: io.env, flags });
  return { config, values: parsed.values, positionals: parsed.positionals };
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads `90s`, `5m`, `1h`, `1d`, `500ms` as milliseconds; a bare number counts as seconds. */
export function parseDurationMs(text: string, flag: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text);
  const ms = match ? Number(match[1]) * UNIT_MS[match[2] ?? 's']! : Number.NaN;
  if (!(ms > 0))
    throw usageError('flag_duration', `--${flag} takes a duration such as 90s, 5m, 1h or 1d, not ${text}`);
  return ms;
}
