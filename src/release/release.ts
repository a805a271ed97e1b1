import type { Codec } from '../codec/avro.ts';
import { createCodec } from '../codec/avro.ts';
import type { ModelRelease } from '../codec/records.ts';
import type { CommitLog, OutputRecord } from '../commit-log/port.ts';
import { topicName } from '../commit-log/topics.ts';
import type { Clock } from '../kernel/clock.ts';
import { usageError } from '../kernel/errors.ts';
import { checkArtefact } from '../model/artefact.ts';
import type { ModelArtefact } from '../model/manifest.ts';
import { type Alias, aliasKey, artefactKey, type Release, ReleaseCatalogue } from './catalogue.ts';

/** Who publishes, and why; recorded with every release. */
export interface PublishNote {
  readonly clock: Clock;
  readonly by: string;
  readonly comment: string;
}

/** models.v1 has one partition: its order is the history. */
const PARTITION = 0;
/** How many former versions an alias remembers. */
const FORMER_VERSIONS_MAX = 50;

const codec: Codec<ModelRelease> = createCodec('model-release.v1');

/** Reads models.v1 up to what is committed now. */
export async function readReleases(log: CommitLog, prefix: string): Promise<ReleaseCatalogue> {
  const catalogue = new ReleaseCatalogue();
  const topic = topicName(prefix, 'models.v1');
  for await (const batch of log.read({ topic, from: 'earliest', until: 'end' })) {
    for (const record of batch) catalogue.apply(record);
  }
  return catalogue;
}

/**
 * Follows models.v1: yields when everything committed at the call has been read, then after each further batch, always
 * the same catalogue object, brought up to date. Ends when the signal aborts.
 */
export async function* followReleases(
  log: CommitLog,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<ReleaseCatalogue, void, undefined> {
  const catalogue = await readReleases(log, prefix);
  yield catalogue;
  const topic = topicName(prefix, 'models.v1');
  const from = new Map([[PARTITION, catalogue.nextOffset]]);
  for await (const batch of log.read({ topic, from, until: 'never', signal })) {
    for (const record of batch) catalogue.apply(record);
    yield catalogue;
  }
}

/** Reads a version's artefact back and checks it. Usage error where it is damaged or has been removed meanwhile. */
export async function readReleasedArtefact(
  log: CommitLog,
  prefix: string,
  release: Release,
): Promise<ModelArtefact> {
  const origin = `${release.name} ${release.version} on the models topic`;
  const topic = topicName(prefix, 'models.v1');
  const from = new Map([[PARTITION, release.offset]]);
  for await (const [record] of log.read({ topic, from, until: 'end' })) {
    const found = record?.offset === release.offset && record.value ? codec.decode(record.value) : null;
    if (found === null) break;
    return checkArtefact(parseManifest(found.manifest, origin), new Uint8Array(found.onnx), origin);
  }
  throw usageError('model.gone', `${origin} is no longer there; publish it again`);
}

/** Publishes an artefact, unless this very version is out already, and points the alias (if any) to it. Durable when it resolves. */
export async function publishArtefact(
  log: CommitLog,
  prefix: string,
  artefact: ModelArtefact,
  options: PublishNote & { readonly alias: Alias | null },
): Promise<void> {
  const { name, version } = artefact.manifest;
  const catalogue = await readReleases(log, prefix);
  const records: OutputRecord[] = [];
  if (!catalogue.release(name, version)) {
    const release = {
      ...blankRelease(name, version, options),
      manifest: JSON.stringify(artefact.manifest),
      onnx: Buffer.from(artefact.onnx),
    };
    records.push(recordOf(prefix, artefactKey(name, version), release, release.publishedUs));
  }
  if (options.alias !== null) {
    records.push(...aliasMove(catalogue, prefix, name, options.alias, version, options));
  }
  await log.append(records);
}

/** Points an alias of a name to a published version. Usage error where there is no such version. */
export async function promoteRelease(
  log: CommitLog,
  prefix: string,
  target: { readonly name: string; readonly version: string; readonly alias: Alias },
  note: PublishNote,
): Promise<void> {
  const { name, version, alias } = target;
  const catalogue = await readReleases(log, prefix);
  requireRelease(catalogue, name, version);
  await log.append(aliasMove(catalogue, prefix, name, alias, version, note));
}

/** Points the champion alias back to the version before; resolves with that version. A second rollback goes one further back. */
export async function rollbackRelease(
  log: CommitLog,
  prefix: string,
  name: string,
  note: PublishNote,
): Promise<string> {
  const catalogue = await readReleases(log, prefix);
  const champion = catalogue.alias(name, 'champion');
  if (!champion) throw usageError('model.no_champion', `${name} has no champion; see "flowcast models list"`);
  const [version, ...formerVersions] = champion.formerVersions;
  if (version === undefined) {
    throw usageError('model.no_former', `${name} has no champion before ${champion.version} to go back to`);
  }
  requireRelease(catalogue, name, version);
  const release = { ...blankRelease(name, version, note), alias: 'champion', formerVersions };
  await log.append([recordOf(prefix, aliasKey(name, 'champion'), release, release.publishedUs)]);
  return version;
}

/** Takes an alias away: the name then has no champion (or shadow) and is not served. Usage error where there is none. */
export async function retireAlias(
  log: CommitLog,
  prefix: string,
  name: string,
  alias: Alias,
  clock: Clock,
): Promise<void> {
  const catalogue = await readReleases(log, prefix);
  if (!catalogue.alias(name, alias)) {
    throw usageError('model.no_alias', `${name} has no ${alias}; see "flowcast models list"`);
  }
  await log.append([recordOf(prefix, aliasKey(name, alias), null, clock.nowUs())]);
}

function aliasMove(
  catalogue: ReleaseCatalogue,
  prefix: string,
  name: string,
  alias: Alias,
  version: string,
  note: PublishNote,
): OutputRecord[] {
  const present = catalogue.alias(name, alias);
  if (present?.version === version) return [];
  const formerVersions = present
    ? [present.version, ...present.formerVersions].slice(0, FORMER_VERSIONS_MAX)
    : [];
  const release = { ...blankRelease(name, version, note), alias, formerVersions };
  return [recordOf(prefix, aliasKey(name, alias), release, release.publishedUs)];
}

function requireRelease(catalogue: ReleaseCatalogue, name: string, version: string): void {
  if (catalogue.release(name, version)) return;
  const versions = catalogue
    .releases()
    .filter((release) => release.name === name)
    .map((release) => release.version);
  const known = versions.length > 0 ? `its versions are ${versions.join(', ')}` : 'no model has that name';
  throw usageError('model.unknown', `there is no ${name} ${version}: ${known}`);
}

function blankRelease(name: string, version: string, note: PublishNote): ModelRelease {
  return {
    name,
    version,
    alias: null,
    manifest: '',
    onnx: Buffer.alloc(0),
    publishedUs: note.clock.nowUs(),
    publishedBy: note.by,
    comment: note.comment,
    formerVersions: [],
  };
}

/** `release` null removes what stands under the key. */
function recordOf(prefix: string, key: string, release: ModelRelease | null, nowUs: number): OutputRecord {
  return {
    topic: topicName(prefix, 'models.v1'),
    partition: PARTITION,
    key: Buffer.from(key),
    value: release === null ? null : codec.encode(release),
    timestampMs: Math.floor(nowUs / 1000),
  };
}

function parseManifest(text: string, origin: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw usageError('model.manifest', `${origin}: its manifest is not JSON; publish it again`);
  }
}
