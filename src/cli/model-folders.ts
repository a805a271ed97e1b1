import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CommitLog } from '../commit-log/port.ts';
import type { Clock } from '../kernel/clock.ts';
import { usageError } from '../kernel/errors.ts';
import { checkFeatures, readArtefact } from '../model/artefact.ts';
import type { Manifest } from '../model/manifest.ts';
import { FEATURE_SETS } from '../preprocess/feature-sets/registry.ts';
import { publishArtefact } from '../release/release.ts';

const MODELS = fileURLToPath(new URL('../../models/', import.meta.url));

/** The model folders that come with flowcast. */
export function bundledModelFolders(): string[] {
  if (!existsSync(MODELS)) return [];
  return readdirSync(MODELS)
    .sort()
    .map((name) => join(MODELS, name))
    .filter((folder) => existsSync(join(folder, 'manifest.json')));
}

/** Publishes model folders as champions of their names. Usage error where one is unreadable, or made for other features than ours. */
export async function publishModelFolders(
  log: CommitLog,
  prefix: string,
  folders: readonly string[],
  clock: Clock,
): Promise<void> {
  for (const folder of folders) {
    const artefact = await readArtefact(folder);
    refuseForeignFeatures(artefact.manifest);
    await publishArtefact(log, prefix, artefact, {
      alias: 'champion',
      clock,
      by: 'flowcast',
      comment: `from ${folder}`,
    });
  }
}

/** Usage error where no stage computes what the model was trained on. */
export function refuseForeignFeatures(manifest: Manifest): void {
  const { name } = manifest.featureSet;
  const set = Object.values(FEATURE_SETS).find((candidate) => candidate.name === name);
  if (!set) {
    const known = Object.keys(FEATURE_SETS).join(', ');
    throw usageError(
      'model.features',
      `model ${manifest.name} needs the feature set ${name}, but there are only ${known}`,
    );
  }
  checkFeatures(manifest, set);
}
