import { readFileSync } from 'node:fs';
import type { TSchema } from 'typebox';
import Value from 'typebox/value';
import { parse } from 'yaml';
import { messageOf, usageError } from '../kernel/errors.ts';
import { type Config, ConfigSchema } from './schema.ts';
import { getPath, type SchemaNode, type Setting, setPath, settingsOf } from './walk.ts';

/** Where values come from; later ones win: defaults < file < environment < flags. */
export interface ConfigSources {
  /** YAML or JSON file; absent = none. */
  readonly file?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Dotted path -> text, as in `--set ingest.flowsPerBatchMax=100`. */
  readonly flags?: Readonly<Record<string, string>>;
}

type Tree = Record<string, unknown>;

/** Loads, validates and freezes the configuration. Throws a usageError that names every mistake. */
export function loadConfig(sources: ConfigSources): Config {
  const settings = settingsOf(ConfigSchema);
  const given: Tree = sources.file === undefined ? {} : readConfigFile(sources.file, settings);
  applyEnvironment(given, sources.environment, settings);
  for (const [path, text] of Object.entries(sources.flags ?? {})) {
    const setting = settings.find((candidate) => candidate.path === path);
    if (!setting) throw unknownKey(path, settings);
    setPath(given, path, parseText(setting.node, text));
  }
  const config = Value.Default(ConfigSchema, Value.Convert(ConfigSchema, withSections(ConfigSchema, given)));
  const problems = [...Value.Errors(ConfigSchema, config)].map((error) => {
    const path = error.instancePath.slice(1).replaceAll('/', '.');
    return `${path === '' ? 'configuration' : path} ${error.message}`;
  });
  if (problems.length > 0)
    throw usageError('config_invalid', `configuration: ${[...new Set(problems)].join('; ')}`);
  return deepFreeze(config as Config);
}

/** The configuration as text with secrets replaced, for `config print` and logs. */
export function redacted(config: Config): Tree {
  const copy = structuredClone(config) as unknown as Tree;
  for (const { path, node } of settingsOf(ConfigSchema)) {
    if (node.secret && getPath(copy, path)) setPath(copy, path, '<redacted>');
  }
  return copy;
}

function readConfigFile(file: string, settings: readonly Setting[]): Tree {
  let tree: unknown;
  try {
    tree = parse(readFileSync(file, 'utf8')) ?? {};
  } catch (error) {
    throw usageError(
      'config_unreadable',
      `cannot read configuration file ${file}: ${messageOf(error)}`,
      error,
    );
  }
  if (typeof tree !== 'object' || tree === null || Array.isArray(tree)) {
    throw usageError('config_invalid', `configuration file ${file} must hold a mapping of sections`);
  }
  refuseUnknownKeys(tree as Tree, ConfigSchema as SchemaNode, '', settings);
  for (const { path, node, environment } of settings) {
    if (node.secret && getPath(tree, path) !== undefined) {
      throw usageError(
        'config_secret_in_file',
        `${path} is a secret: give it by ${environment} or ${environment}_FILE, not in ${file}`,
      );
    }
  }
  return tree as Tree;
}

function refuseUnknownKeys(tree: Tree, node: SchemaNode, prefix: string, settings: readonly Setting[]): void {
  for (const [key, value] of Object.entries(tree)) {
    const child = node.properties?.[key];
    if (!child) throw unknownKey(prefix + key, settings);
    if (child.properties && typeof value === 'object' && value !== null) {
      refuseUnknownKeys(value as Tree, child, `${prefix}${key}.`, settings);
    }
  }
}

function applyEnvironment(
  tree: Tree,
  environment: ConfigSources['environment'],
  settings: readonly Setting[],
): void {
  const known = new Map(settings.map((setting) => [setting.environment, setting]));
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith('FLOWCAST_') || text === undefined) continue;
    const fromFile = name.endsWith('_FILE') && known.get(name.slice(0, -'_FILE'.length));
    const setting = known.get(name) ?? fromFile;
    if (!setting)
      throw usageError(
        'config_unknown_environment',
        `unknown setting ${name} in the environment; docs/configuration.md lists all`,
      );
    setPath(tree, setting.path, parseText(setting.node, known.has(name) ? text : readSecretFile(name, text)));
  }
}

function readSecretFile(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw usageError(
      'config_secret_unreadable',
      `cannot read the file named by ${name}: ${messageOf(error)}`,
      error,
    );
  }
}

/** Text to value: lists and objects are JSON, null is the word; numbers and booleans are converted by the schema. */
function parseText(node: SchemaNode, text: string): unknown {
  const mayBeNull = node.anyOf?.some((option) => option.type === 'null');
  if (mayBeNull && (text === 'null' || text === '')) return null;
  if (node.type !== 'array' && node.type !== 'object') return text;
  try {
    return JSON.parse(text);
  } catch {
    return node.type === 'array' ? text.split(',').map((item) => item.trim()) : text;
  }
}

/** Missing sections are filled in so that their defaults apply. */
function withSections(schema: TSchema, given: Tree): Tree {
  const node = schema as SchemaNode;
  const whole: Tree = { ...given };
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    if (child.properties) whole[name] = withSections(child as TSchema, (given[name] ?? {}) as Tree);
  }
  return whole;
}

function unknownKey(path: string, settings: readonly Setting[]) {
  const last = path.split('.').at(-1)!.toLowerCase();
  const near = settings.find(
    (setting) =>
      setting.path.toLowerCase().endsWith(last) || setting.path.toLowerCase() === path.toLowerCase(),
  );
  return usageError(
    'config_unknown_key',
    `unknown configuration key ${path}${near ? `; did you mean ${near.path}?` : '; docs/configuration.md lists all'}`,
  );
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
