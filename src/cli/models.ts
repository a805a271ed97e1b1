import type { CommitLog } from '../commit-log/port.ts';
import { topicSpecs } from '../commit-log/topics.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../kernel/clock.ts';
import { usageError } from '../kernel/errors.ts';
import { readArtefact, writeArtefact } from '../model/artefact.ts';
import { ALIASES, type Alias, type Release, type ReleaseCatalogue } from '../release/catalogue.ts';
import {
  promoteRelease,
  publishArtefact,
  readReleasedArtefact,
  readReleases,
  retireAlias,
  rollbackRelease,
} from '../release/release.ts';
import type { Command, CommandIo } from './command.ts';
import { refuseForeignFeatures } from './model-folders.ts';
import { openLog } from './open-log.ts';
import { CONFIG_USAGE, parseWithConfig } from './options.ts';

/** What every action works with. */
interface Registry {
  readonly log: CommitLog;
  readonly prefix: string;
  readonly alias: Alias | null;
  readonly out: string | undefined;
  readonly note: { readonly clock: Clock; readonly by: string; readonly comment: string };
}

/** An action gets its words after the action's name, and gives what is printed: one record a line. */
interface Action {
  readonly words: readonly [min: number, max: number];
  run(registry: Registry, words: readonly string[]): Promise<readonly object[]>;
}

const ACTIONS: Readonly<Record<string, Action>> = {
  list: { words: [0, 0], run: list },
  show: { words: [1, 2], run: show },
  publish: { words: [1, 1], run: publish },
  promote: { words: [2, 2], run: promote },
  rollback: { words: [1, 1], run: rollback },
  retire: { words: [1, 1], run: retire },
  export: { words: [1, 2], run: exportModel },
};

const USAGE = `usage: flowcast models ACTION [options]

  list                    every published version, one a line
  show NAME [VERSION]     manifest, and where the aliases of the name pointed (default: the champion)
  publish DIR             publish a model folder; --alias points an alias to it at once
  promote NAME VERSION    make a published version the champion; --alias shadow: let it run beside the champion
  rollback NAME           make the champion before this one the champion again
  retire NAME             leave the name without a champion; --alias shadow: without a shadow
  export NAME [VERSION]   write a published version to a model folder: --out DIR

  --alias A            champion or shadow
  --comment TEXT       why; kept with the release
  --out DIR            folder for export
${CONFIG_USAGE}`;

/** The registry of models on models.v1. `open` is how the configured log is opened. */
export function createModelsCommand(open: (config: Config, clock: Clock) => Promise<CommitLog>): Command {
  return {
    name: 'models',
    summary: 'list, publish, promote and roll back models',
    usage: USAGE,
    async run(args, io) {
      const { config, values, positionals } = parseWithConfig(args, io, {
        alias: { type: 'string' },
        comment: { type: 'string', default: '' },
        out: { type: 'string' },
      });
      const [name = '', ...words] = positionals;
      const action = actionNamed(name, words);
      const alias = parseAlias(values.alias);
      const prefix = config.commitLog.topicPrefix;
      const log = await open(config, io.clock);
      try {
        await log.ensureTopics(topicSpecs(prefix, config.commitLog.partitions));
        const note = { clock: io.clock, by: userOf(io), comment: values.comment };
        const lines = await action.run({ log, prefix, alias, out: values.out, note }, words);
        for (const line of lines) io.stdout.write(`${JSON.stringify(line)}\n`);
        return 0;
      } finally {
        await log.close();
      }
    },
  };
}

export const modelsCommand = createModelsCommand(openLog);

function actionNamed(name: string, words: readonly string[]): Action {
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (!action) {
    throw usageError('models_action', `say what to do: flowcast models ${Object.keys(ACTIONS).join('|')}`);
  }
  const [min, max] = action.words;
  if (words.length < min || words.length > max) {
    throw usageError(
      'models_arguments',
      `models ${name}: wrong number of arguments; see flowcast models --help`,
    );
  }
  return action;
}

function parseAlias(text: string | undefined): Alias | null {
  if (text === undefined) return null;
  const alias = ALIASES.find((candidate) => candidate === text);
  if (!alias) throw usageError('models_alias', `--alias takes ${ALIASES.join(' or ')}, not ${text}`);
  return alias;
}

function userOf({ env }: CommandIo): string {
  return env.USER ?? env.LOGNAME ?? 'unknown';
}

async function list({ log, prefix }: Registry): Promise<object[]> {
  const catalogue = await readReleases(log, prefix);
  return catalogue.releases().map((release) => summaryOf(release, catalogue));
}

async function show({ log, prefix }: Registry, [name, version]: readonly string[]): Promise<object[]> {
  const catalogue = await readReleases(log, prefix);
  const release = releaseNamed(catalogue, name!, version);
  const aliases = catalogue.aliases().filter((target) => target.name === name);
  const manifest: unknown = JSON.parse(release.manifest);
  return [{ ...summaryOf(release, catalogue), history: aliases, manifest }];
}

async function publish(
  { log, prefix, alias, note }: Registry,
  [folder]: readonly string[],
): Promise<object[]> {
  const artefact = await readArtefact(folder!);
  refuseForeignFeatures(artefact.manifest);
  await publishArtefact(log, prefix, artefact, { ...note, alias });
  const { name, version } = artefact.manifest;
  return [{ name, version, alias }];
}

async function promote(
  { log, prefix, alias, note }: Registry,
  [name, version]: readonly string[],
): Promise<object[]> {
  const target = { name: name!, version: version!, alias: alias ?? 'champion' };
  await promoteRelease(log, prefix, target, note);
  return [target];
}

async function rollback({ log, prefix, note }: Registry, [name]: readonly string[]): Promise<object[]> {
  const version = await rollbackRelease(log, prefix, name!, note);
  return [{ name, version, alias: 'champion' }];
}

async function retire({ log, prefix, alias, note }: Registry, [name]: readonly string[]): Promise<object[]> {
  const retired = alias ?? 'champion';
  await retireAlias(log, prefix, name!, retired, note.clock);
  return [{ name, alias: retired, version: null }];
}

async function exportModel(
  { log, prefix, out }: Registry,
  [name, version]: readonly string[],
): Promise<object[]> {
  if (out === undefined) throw usageError('models_out', 'say where the model goes: --out DIR');
  const catalogue = await readReleases(log, prefix);
  const artefact = await readReleasedArtefact(log, prefix, releaseNamed(catalogue, name!, version));
  await writeArtefact(out, artefact, cardOf(artefact.manifest.name, artefact.manifest.version));
  return [{ name, version: artefact.manifest.version, directory: out }];
}

function releaseNamed(catalogue: ReleaseCatalogue, name: string, version: string | undefined): Release {
  const wanted = version ?? catalogue.alias(name, 'champion')?.version;
  const release = wanted === undefined ? undefined : catalogue.release(name, wanted);
  if (!release) {
    const what = version === undefined ? `${name} has no champion` : `there is no ${name} ${version}`;
    throw usageError('model.unknown', `${what}; see "flowcast models list"`);
  }
  return release;
}

function summaryOf(release: Release, catalogue: ReleaseCatalogue): object {
  const { name, version, onnxBytes, publishedUs, publishedBy, comment } = release;
  const aliases = ALIASES.filter((alias) => catalogue.alias(name, alias)?.version === version);
  return { name, version, aliases, onnxBytes, publishedUs, publishedBy, comment };
}

/** Releases carry no card: what stands in its place says where to look. */
function cardOf(name: string, version: string): string {
  return `# ${name} ${version}\n\nExported from the registry, which keeps no card; its training is described in manifest.json.\n`;
}
