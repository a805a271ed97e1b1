import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CommitLog } from '../commit-log/port.ts';
import type { Clock } from '../kernel/clock.ts';
import { readArtefact } from '../model/artefact.ts';
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

/** Publishes model folders as champions of their names. Usage error where one is unreadable. */
export async function publishModelFolders(
  log: CommitLog,
  prefix: string,
  folders: readonly string[],
  clock: Clock,
): Promise<void> {
  for (const folder of folders) {
    const artefact = await readArtefact(folder);
    await publishArtefact(log, prefix, artefact, {
      alias: 'champion',
      clock,
      by: 'flowcast',
      comment: `from ${folder}`,
    });
  }
}
