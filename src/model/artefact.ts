import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import Value from 'typebox/value';
import { messageOf, usageError } from '../kernel/errors.ts';
import { Manifest, type ModelArtefact } from './manifest.ts';
import { readOnnx } from './onnx/read.ts';

const ONNX_FILE = 'model.onnx';
const MANIFEST_FILE = 'manifest.json';
const CARD_FILE = 'card.md';

/** What a trainer knows; the rest of the manifest follows from the ONNX bytes. */
export type ManifestDraft = Omit<Manifest, 'manifestVersion' | 'version' | 'onnx'>;

/** A declared feature set, as much of it as a model depends on. */
export interface FeatureSetIdentity {
  readonly name: string;
  readonly version: number;
  readonly features: readonly { readonly name: string; readonly transform: string }[];
}

/** First 12 hex digits of the SHA-256 over the ONNX bytes and the manifest (keys sorted, `version` left out). */
export function versionOf(manifest: Omit<Manifest, 'version'>, onnx: Uint8Array): string {
  const { version: _, ...rest } = manifest as Manifest;
  return createHash('sha256').update(onnx).update(canonicalJson(rest)).digest('hex').slice(0, 12);
}

/** Completes a draft with what the ONNX bytes say and the version of the whole. Usage error where the bytes are no model. */
export function sealManifest(draft: ManifestDraft, onnx: Uint8Array): Manifest {
  const model = readOnnx(onnx);
  const tensor = (value: (typeof model.inputs)[number]) => ({
    name: value.name,
    shape: value.dims.map((d) => (typeof d === 'number' ? d : -1)),
    type: value.type,
  });
  const unversioned: Omit<Manifest, 'version'> = {
    ...draft,
    manifestVersion: 1,
    onnx: {
      sha256: sha256(onnx),
      bytes: onnx.length,
      opset: model.opset,
      inputs: model.inputs.map(tensor),
      outputs: model.outputs.map(tensor),
    },
  };
  return { ...unversioned, version: versionOf(unversioned, onnx) };
}

/**
 * Checks a manifest against its schema and its own bytes, wherever they came from (folder or topic).
 * Usage error `model.manifest` or `model.checksum`; `origin` names the place in the message.
 */
export function checkArtefact(manifest: unknown, onnx: Uint8Array, origin: string): ModelArtefact {
  if (!Value.Check(Manifest, manifest)) {
    const first = Value.Errors(Manifest, manifest)[0];
    const where = first ? `${first.instancePath || '/'} ${first.message}` : 'it does not fit the schema';
    throw usageError('model.manifest', `${origin}: bad manifest: ${where}; train or export the model again`);
  }
  if (manifest.onnx.sha256 !== sha256(onnx)) {
    throw usageError(
      'model.checksum',
      `${origin}: model.onnx is not the file its manifest was written for; copy both files again or train again`,
    );
  }
  const version = versionOf(manifest, onnx);
  if (manifest.version !== version) {
    throw usageError(
      'model.version',
      `${origin}: the manifest was edited after it was sealed (version ${manifest.version}, content ${version}); train or import it again`,
    );
  }
  return { manifest, onnx };
}

/** Refuses a model that was not trained for this feature set: usage error `model.features` naming the first difference. */
export function checkFeatures(manifest: Manifest, featureSet: FeatureSetIdentity): void {
  const wanted = manifest.featureSet;
  const refuse = (difference: string) => {
    const message = `model ${manifest.name} ${manifest.version} does not fit feature set ${featureSet.name} v${featureSet.version}: ${difference}; train it again`;
    return usageError('model.features', message);
  };
  if (wanted.name !== featureSet.name || wanted.version !== featureSet.version) {
    throw refuse(`it was trained on ${wanted.name} v${wanted.version}`);
  }
  const length = Math.max(wanted.features.length, featureSet.features.length);
  for (let i = 0; i < length; i++) {
    const theirs = wanted.features[i];
    const ours = featureSet.features[i];
    if (theirs?.name !== ours?.name || theirs?.transform !== ours?.transform) {
      throw refuse(`feature ${i} is ${describe(theirs)} in the model and ${describe(ours)} in the set`);
    }
  }
}

/** Writes the folder whole or not at all: into a temporary sibling, then renamed. Replaces a model, refuses to replace anything else. */
export async function writeArtefact(directory: string, artefact: ModelArtefact, card: string): Promise<void> {
  const target = resolve(directory);
  await refuseForeignFolder(target, directory);
  const sibling = join(dirname(target), `.${basename(target)}-${randomUUID().slice(0, 8)}`);
  const retired = `${sibling}-old`;
  try {
    await mkdir(sibling, { recursive: true });
    await writeFile(join(sibling, ONNX_FILE), artefact.onnx);
    await writeFile(join(sibling, MANIFEST_FILE), `${JSON.stringify(artefact.manifest, null, 2)}\n`);
    await writeFile(join(sibling, CARD_FILE), card);
    if (existsSync(target)) await rename(target, retired);
    await rename(sibling, target);
  } catch (error) {
    if (existsSync(retired) && !existsSync(target)) await rename(retired, target);
    throw usageError('model.write', `cannot write the model to ${directory}: ${messageOf(error)}`, error);
  } finally {
    await rm(sibling, { recursive: true, force: true });
    await rm(retired, { recursive: true, force: true });
  }
}

/** Refuses an output folder that cannot be written or holds something else, so that an hour of training is not lost to a typing error. */
export async function refuseForeignFolder(target: string, named: string = target): Promise<void> {
  let names: string[];
  try {
    names = await readdir(target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw usageError('model.write', `cannot write the model to ${named}: ${messageOf(error)}`, error);
  }
  if (names.length > 0 && !names.includes(MANIFEST_FILE)) {
    throw usageError('model.write', `${named} is not empty and holds no model; give a new or empty folder`);
  }
}

/** Reads and checks a model folder. Usage errors say what to do. */
export async function readArtefact(directory: string): Promise<ModelArtefact> {
  // One after the other: of two missing files the message names the same one each time.
  const text = await readModelFile(directory, MANIFEST_FILE);
  const onnx = await readModelFile(directory, ONNX_FILE);
  let manifest: unknown;
  try {
    manifest = JSON.parse(text.toString('utf8'));
  } catch (error) {
    throw usageError(
      'model.manifest',
      `${join(directory, MANIFEST_FILE)} is not JSON: ${messageOf(error)}`,
      error,
    );
  }
  return checkArtefact(manifest, new Uint8Array(onnx), directory);
}

async function readModelFile(directory: string, name: string): Promise<Buffer> {
  try {
    return await readFile(join(directory, name));
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? `it has no ${name}` : messageOf(error);
    throw usageError(
      'model.read',
      `${directory} is not a model folder: ${reason}; give one made by train`,
      error,
    );
  }
}

function describe(feature: { name: string; transform: string } | undefined): string {
  return feature ? `${feature.name} (${feature.transform})` : 'missing';
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** JSON with sorted keys: the same value gives the same text, whichever order it was built or parsed in. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, v: unknown) =>
    v !== null && typeof v === 'object' && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
      : v,
  );
}
