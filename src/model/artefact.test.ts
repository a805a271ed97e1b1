import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkFeatures, type ManifestDraft, readArtefact, sealManifest, writeArtefact } from './artefact.ts';
import type { ModelArtefact } from './manifest.ts';
import { OnnxGraphBuilder } from './onnx/graph.ts';

const draft: ManifestDraft = {
  name: 'test-tree',
  kind: 'classifier',
  featureSet: { name: 'flow', version: 1, features: [{ name: 'bytes', unit: 'B', transform: 'log1p' }] },
  windowSeconds: [],
  training: {
    trainer: 'cart',
    seed: 1,
    codeVersion: '0.1.0',
    data: ['a.csv'],
    dataFingerprint: '00',
    rows: 10,
    trainRangeUs: [0, 1],
    validationRangeUs: [1, 2],
    parameters: { depthMax: 3 },
  },
  metrics: { macroF1: 0.5 },
};

function artefact(factor: number): ModelArtefact {
  const graph = new OnnxGraphBuilder('scale');
  graph.floats('factor', [1], [factor]);
  graph.node('Mul', [graph.input('x', 'float', ['rows', 1]), 'factor'], { outputs: ['y'] });
  graph.output('y', 'float', ['rows', 1]);
  const onnx = graph.toBytes();
  return { onnx, manifest: sealManifest(draft, onnx) };
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flowcast-artefact-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('a model folder', () => {
  it('is read as it was written, and leaves nothing beside it', async () => {
    const path = join(folder, 'deep', 'model');
    await writeArtefact(path, artefact(2), '# card\n');
    expect(await readArtefact(path)).toEqual(artefact(2));
    expect(await readdir(path)).toEqual(['card.md', 'manifest.json', 'model.onnx']);
    expect(await readdir(join(folder, 'deep'))).toEqual(['model']);
  });

  it('replaces an older model and an empty folder, but nothing else', async () => {
    await writeArtefact(folder, artefact(2), '');
    await writeArtefact(folder, artefact(3), '');
    expect((await readArtefact(folder)).manifest.version).toBe(artefact(3).manifest.version);
    const foreign = join(folder, 'foreign');
    await mkdir(foreign);
    await writeFile(join(foreign, 'thesis.txt'), 'years of work');
    await expect(writeArtefact(foreign, artefact(2), '')).rejects.toMatchObject({ code: 'model.write' });
    expect(await readdir(foreign)).toEqual(['thesis.txt']);
  });

  it('is refused with what to do when a file is missing, damaged, swapped or edited', async () => {
    await expect(readArtefact(folder)).rejects.toThrow(
      /not a model folder: it has no .*give one made by train/,
    );
    await writeArtefact(folder, artefact(2), '');
    const manifest = await readFile(join(folder, 'manifest.json'), 'utf8');
    await writeFile(join(folder, 'model.onnx'), artefact(3).onnx);
    await expect(readArtefact(folder)).rejects.toMatchObject({ code: 'model.checksum' });
    await writeFile(join(folder, 'model.onnx'), artefact(2).onnx);
    await writeFile(join(folder, 'manifest.json'), manifest.replace('"seed": 1', '"seed": 2'));
    await expect(readArtefact(folder)).rejects.toMatchObject({ code: 'model.version' });
    await writeFile(join(folder, 'manifest.json'), manifest.replace('"seed": 1', '"seed": "one"'));
    await expect(readArtefact(folder)).rejects.toThrow(/\/training\/seed/);
    await writeFile(join(folder, 'manifest.json'), manifest.slice(0, 50));
    await expect(readArtefact(folder)).rejects.toThrow('is not JSON');
  });
});

describe('a manifest', () => {
  it('has a version that follows the bytes and the content, not the order of keys', () => {
    const { version } = artefact(2).manifest;
    expect(version).toMatch(/^[0-9a-f]{12}$/);
    expect(artefact(3).manifest.version).not.toBe(version);
    const { onnx } = artefact(2);
    const reordered = Object.fromEntries(Object.entries(draft).reverse()) as unknown as ManifestDraft;
    expect(sealManifest(reordered, onnx).version).toBe(version);
    expect(sealManifest({ ...draft, name: 'other' }, onnx).version).not.toBe(version);
  });

  it('fits only the feature set it was made for', () => {
    const { manifest } = artefact(2);
    const { featureSet } = manifest;
    expect(() => checkFeatures(manifest, featureSet)).not.toThrow();
    expect(() => checkFeatures(manifest, { ...featureSet, version: 2 })).toThrow('it was trained on flow v1');
    const more = [...featureSet.features, { name: 'packets', transform: 'log1p' }];
    expect(() => checkFeatures(manifest, { ...featureSet, features: more })).toThrow(
      'feature 1 is missing in the model and packets (log1p) in the set',
    );
  });
});
