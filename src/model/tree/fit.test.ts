import { describe, expect, it } from 'vitest';
import { Random } from '../../kernel/random.ts';
import { sealManifest } from '../artefact.ts';
import { OnnxGraphBuilder } from '../onnx/graph.ts';
import { readOnnx } from '../onnx/read.ts';
import { evenPrior } from './balance.ts';
import { cartTrainer } from './cart.ts';
import { type Classifier, createClassifier } from './classifier.ts';
import { FIT_DEFAULTS, type FitRequest, fitTree } from './fit.ts';
import { type LabelledTable, splitByTime, TableBuilder } from './table.ts';
import { treeFromOnnx } from './to-onnx.ts';
import { leafOf, nodeProbabilities } from './tree.ts';

const featureSet = {
  name: 'test',
  version: 1,
  features: [
    { name: 'ports', unit: 'ports', transform: 'log1p' as const },
    { name: 'syn_share', unit: '1', transform: 'share' as const },
  ],
};

/** Hosts, some of which scan: many ports, mostly SYN. Times run backwards, so that the builder has to sort. */
function table(rows: number, seed: number, shuffleLabels = false): LabelledTable {
  const random = new Random(seed);
  const builder = new TableBuilder(featureSet, []);
  const truths = Array.from({ length: rows }, () => random.below(10) === 0);
  const labels = truths.map((scans) => (scans ? 'scan' : 'Benign'));
  if (shuffleLabels) random.shuffle(labels);
  truths.forEach((scans, row) => {
    const { values, offset } = builder.add(labels[row]!, 1e6 * (rows - row));
    values[offset] = Math.log1p(Math.floor(scans ? 20 + random.exponential(200) : random.exponential(8)));
    values[offset + 1] = scans ? 1 - random.uniform() / 4 : random.uniform();
  });
  return builder.build();
}

function request(data: LabelledTable, changes: Partial<FitRequest> = {}): FitRequest {
  return {
    table: data,
    isBenign: (label) => label.toLowerCase() === 'benign',
    trainer: cartTrainer,
    seed: 1,
    name: 'test-tree',
    codeVersion: '0',
    data: ['synthetic'],
    parameters: FIT_DEFAULTS,
    onProgress: () => {},
    ...changes,
  };
}

async function withClassifier<T>(
  fit: ReturnType<typeof fitTree>,
  use: (c: Classifier) => Promise<T>,
): Promise<T> {
  const classifier = await createClassifier(fit.artefact);
  try {
    return await use(classifier);
  } finally {
    await classifier.close();
  }
}

describe('fitTree', () => {
  it('gives the same bytes for the same data and seed, and other bytes for other data', () => {
    const [a, b] = [fitTree(request(table(2000, 1))), fitTree(request(table(2000, 1)))];
    expect(b.artefact).toEqual(a.artefact);
    expect(fitTree(request(table(2000, 2))).artefact.manifest.version).not.toBe(a.artefact.manifest.version);
  });

  it('answers in ONNX Runtime as the tree itself does, with the path in words', async () => {
    const fit = fitTree(request(table(3000, 3)));
    const test = table(1000, 4);
    await withClassifier(fit, async (classifier) => {
      const answers = await classifier.classify(test.values, 1000);
      const own = nodeProbabilities(fit.tree, evenPrior([true, false]), FIT_DEFAULTS.priorRows);
      let right = 0;
      for (let row = 0; row < 1000; row++) {
        const leaf = leafOf(fit.tree, test.values, row * 2);
        for (let k = 0; k < 2; k++)
          expect(answers.probabilities[row * 2 + k]).toBeCloseTo(own[leaf * 2 + k]!, 5);
        if (answers.classIndex[row] === test.labels[row]) right++;
      }
      expect(right).toBeGreaterThan(970);
      const scan = test.labels.indexOf(1);
      expect(answers.pathOf(scan)).toMatch(/ports > \d+/);
    });
  });

  it('keeps to the false-alarm budget on later rows', () => {
    const { validation, artefact } = fitTree(request(table(20000, 5)));
    expect(validation.falseAlarmRate).toBeLessThanOrEqual(FIT_DEFAULTS.falseAlarmRateMax);
    expect(validation.attackRecall).toBeGreaterThan(0.8);
    expect(artefact.manifest.metrics.attackRecall).toBe(validation.attackRecall);
    expect(artefact.manifest.classifier).toMatchObject({ classes: ['Benign', 'scan'], benign: ['Benign'] });
  });

  it('finds nothing where labels are shuffled', () => {
    const { validation } = fitTree(request(table(4000, 6, true)));
    expect(validation.attackRecall).toBeLessThan(0.1);
  });

  it('refuses data without labels, of one class, or with values that are no numbers', () => {
    const empty = new TableBuilder(featureSet, []).build();
    expect(() => fitTree(request(empty))).toThrow('no labelled rows');
    const one = table(100, 7);
    expect(() => fitTree(request({ ...one, classes: ['Benign'], labels: new Int32Array(100) }))).toThrow(
      'at least two classes',
    );
    const builder = new TableBuilder(featureSet, []);
    const { values, offset } = builder.add('Benign', 0);
    values[offset + 1] = Number.NaN;
    expect(() => builder.build()).toThrow('row 1: syn_share is NaN');
  });
});

describe('splitByTime', () => {
  it("keeps each class's latest rows for validation", () => {
    const data = table(1000, 8);
    const { training, validation, trainRangeUs } = splitByTime(data, 0.2);
    const count = (labels: Int32Array, k: number) => labels.filter((label) => label === k).length;
    for (const k of [0, 1]) {
      expect(count(validation.labels, k)).toBe(Math.floor(count(data.labels, k) * 0.2));
    }
    expect(training.labels.length + validation.labels.length).toBe(1000);
    expect(trainRangeUs[0]).toBe(1e6);
    expect(data.timesUs).toEqual(Float64Array.from(data.timesUs).sort());
  });
});

describe('a classifier', () => {
  it('calls rows that are not finite unknown and refuses a wrong number of values', async () => {
    await withClassifier(fitTree(request(table(500, 9))), async (classifier) => {
      const values = Float32Array.of(1, Number.NaN, Number.POSITIVE_INFINITY, 0.5, 1, 0.1);
      expect(Array.from((await classifier.classify(values, 3)).classIndex)).toEqual([-1, -1, 0]);
      await expect(classifier.classify(values, 2)).rejects.toMatchObject({ code: 'model.input' });
      expect((await classifier.classify(new Float32Array(0), 0)).rows).toBe(0);
    });
  });

  it('serves a foreign model without a path and refuses one whose shape does not fit', async () => {
    const { manifest } = fitTree(request(table(500, 10))).artefact;
    const foreign = (outputs: number) => {
      const graph = new OnnxGraphBuilder('logistic');
      graph.floats('w', [2, outputs], new Float32Array(2 * outputs).fill(0.1));
      const product = graph.node('MatMul', [graph.input('X', 'float', ['n', 2]), 'w']);
      graph.node('Softmax', [product], { outputs: ['p'] });
      graph.output('p', 'float', ['n', outputs]);
      const onnx = graph.toBytes();
      return { manifest: sealManifest(manifest, onnx), onnx };
    };
    const classifier = await createClassifier(foreign(2));
    const answers = await classifier.classify(Float32Array.of(1, 2), 1);
    expect(answers.probabilities[0]).toBeCloseTo(0.5);
    expect(answers.pathOf(0)).toBe('');
    await classifier.close();
    await expect(createClassifier(foreign(3))).rejects.toMatchObject({ code: 'model.shape' });
  });

  it('has no path where the tree in a model is not one', () => {
    const bytes = fitTree(request(table(500, 11))).artefact.onnx;
    const model = readOnnx(bytes);
    expect(treeFromOnnx(model)).not.toBeNull();
    const node = model.nodes[0]!;
    const broken = new Map(node.attributes).set('nodes_truenodeids', node.attributes.get('nodes_nodeids')!);
    expect(treeFromOnnx({ ...model, nodes: [{ ...node, attributes: broken }] })).toBeNull();
    expect(treeFromOnnx({ ...model, nodes: [node, node] })).toBeNull();
  });
});
