import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../kernel/random.ts';
import { balancedWeights, evenPrior } from './balance.ts';
import { binRows } from './bins.ts';
import { cartTrainer } from './cart.ts';
import { DecisionRule } from './decision.ts';
import { sortFloats } from './float-order.ts';
import { mlCartTrainer } from './ml-cart-trainer.ts';
import { pathInWords } from './path.ts';
import { pruneTree } from './prune.ts';
import { chooseThresholds } from './thresholds.ts';
import type { TrainingRows, TreeParameters } from './trainer.ts';
import { countRows, type DecisionTree, leafCount, leafOf, nodeProbabilities } from './tree.ts';

/** Three overlapping normal clouds in four columns, the last column noise. */
function clouds(rows: number, seed: number): TrainingRows {
  const random = new Random(seed);
  const labels = Int32Array.from({ length: rows }, () => random.below(3));
  const values = new Float32Array(rows * 4);
  labels.forEach((label, row) => {
    for (let f = 0; f < 3; f++) values[row * 4 + f] = random.normal() + (label === f ? 2.5 : 0);
    values[row * 4 + 3] = random.normal();
  });
  return { values, width: 4, labels, classes: 3 };
}

function parameters(changes: Partial<TreeParameters> = {}): TreeParameters {
  return { depthMax: 20, leafRowsMin: 1, classWeights: new Float64Array([1, 1, 1]), ...changes };
}

const ignore = () => {};
const even = Float64Array.of(1 / 3, 1 / 3, 1 / 3);

function accuracy(tree: DecisionTree, rows: TrainingRows): number {
  const probabilities = nodeProbabilities(tree, even, 1);
  let right = 0;
  rows.labels.forEach((label, row) => {
    const p = probabilities
      .subarray(leafOf(tree, rows.values, row * rows.width) * rows.classes)
      .slice(0, rows.classes);
    if (p.indexOf(Math.max(...p)) === label) right++;
  });
  return right / rows.labels.length;
}

describe('sortFloats', () => {
  it('orders like the numbers', () => {
    fc.assert(
      fc.property(fc.float32Array({ noNaN: true, maxLength: 50 }), (values) => {
        const expected = Array.from(values, (v) => (v === 0 ? 0 : v)).sort((a, b) => a - b);
        expect(Array.from(sortFloats(Float32Array.from(values)))).toEqual(expected);
      }),
    );
  });
});

describe('binRows', () => {
  it('puts every value between the edges of its bin', () => {
    const float = fc.float({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(fc.array(float, { minLength: 1, maxLength: 600 }), (column) => {
        const values = Float32Array.from(column);
        const labels = new Int32Array(values.length).fill(1);
        const { edges, codes } = binRows({ values, width: 1, labels, classes: 2 });
        const cuts = edges[0]!;
        for (let row = 0; row < values.length; row++) {
          const bin = codes[row]! >> 1;
          expect(codes[row]! & 1).toBe(1);
          if (bin > 0) expect(values[row]!).toBeGreaterThan(cuts[bin - 1]!);
          if (bin < cuts.length) expect(values[row]!).toBeLessThanOrEqual(cuts[bin]!);
        }
      }),
    );
  });
});

describe('the CART trainer', () => {
  it('fits training data without noise exactly when nothing stops it', () => {
    expect(accuracy(cartTrainer.train(clouds(250, 1), parameters(), ignore), clouds(250, 1))).toBe(1);
  });

  it('agrees with ml-cart on data where every value has a bin of its own', () => {
    const rows = clouds(200, 2);
    const changes = { depthMax: 4, leafRowsMin: 1 };
    const own = cartTrainer.train(rows, parameters(changes), ignore);
    const other = mlCartTrainer.train(rows, parameters(changes), ignore);
    expect(own.feature[0]).toBe(other.feature[0]);
    expect(own.threshold[0]).toBeCloseTo(other.threshold[0]!, 5);
    const test = clouds(2000, 3);
    let same = 0;
    const [p, q] = [nodeProbabilities(own, even, 1), nodeProbabilities(other, even, 1)];
    for (let row = 0; row < 2000; row++) {
      const a = leafOf(own, test.values, row * 4) * 3;
      const b = leafOf(other, test.values, row * 4) * 3;
      if (Math.abs(p[a]! - q[b]!) < 0.1 && Math.abs(p[a + 1]! - q[b + 1]!) < 0.1) same++;
    }
    expect(same / 2000).toBeGreaterThan(0.97);
    expect(Math.abs(accuracy(own, test) - accuracy(other, test))).toBeLessThan(0.01);
  });

  it('counts the rows of every node as they fall', () => {
    const rows = clouds(3000, 4);
    const tree = cartTrainer.train(rows, parameters({ leafRowsMin: 7, depthMax: 9 }), ignore);
    expect(tree.counts).toEqual(countRows(tree, rows.values, 4, rows.labels, 3));
    tree.feature.forEach((feature, node) => {
      const here = tree.counts.subarray(node * 3, node * 3 + 3).reduce((a, b) => a + b);
      if (feature < 0) expect(here).toBeGreaterThanOrEqual(7);
      else expect(tree.left[node]).toBeGreaterThan(node);
    });
  });

  it('follows the weights of classes', () => {
    const rows = clouds(3000, 5);
    const heavy = cartTrainer.train(
      rows,
      parameters({ depthMax: 1, classWeights: new Float64Array([1, 1, 50]) }),
      ignore,
    );
    expect(heavy.feature[0]).toBe(2);
    const first = cartTrainer.train(
      rows,
      parameters({ depthMax: 1, classWeights: new Float64Array([50, 1, 1]) }),
      ignore,
    );
    expect(first.feature[0]).toBe(0);
  });

  it('is a leaf where there is nothing to split', () => {
    const constant = { ...clouds(100, 6), values: new Float32Array(400) };
    expect(leafCount(cartTrainer.train(constant, parameters(), ignore))).toBe(1);
    const pure = { ...clouds(100, 6), labels: new Int32Array(100) };
    expect(leafCount(cartTrainer.train(pure, parameters(), ignore))).toBe(1);
  });

  it('reports progress up to the end', () => {
    const seen: number[] = [];
    cartTrainer.train(clouds(500, 7), parameters(), (done) => seen.push(done));
    expect(seen.at(-1)).toBe(1);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });
});

describe('pruning', () => {
  const isBenign = [true, false, false];
  const classWeights = new Float64Array([1, 1, 1]);

  it('gives nested trees of growing alpha and picks the one best on later rows', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 2, max: 60 }), (seed, leavesMax) => {
        const rows = clouds(400, seed);
        const tree = cartTrainer.train(rows, parameters(), ignore);
        const later = clouds(400, seed + 5000);
        const validationCounts = countRows(tree, later.values, 4, later.labels, 3);
        const {
          tree: pruned,
          chosen,
          steps,
        } = pruneTree(tree, { classWeights, validationCounts, isBenign, leavesMax });
        expect(steps[0]!.leaves).toBe(leafCount(tree));
        expect(steps.at(-1)!.leaves).toBe(1);
        for (let i = 1; i < steps.length; i++) {
          expect(steps[i]!.alpha).toBeGreaterThanOrEqual(steps[i - 1]!.alpha);
          expect(steps[i]!.leaves).toBeLessThan(steps[i - 1]!.leaves);
        }
        expect(leafCount(pruned)).toBe(chosen.leaves);
        expect(chosen.leaves).toBeLessThanOrEqual(leavesMax);
        const allowed = steps.filter((step) => step.leaves <= leavesMax);
        expect(chosen.validationLoss).toBe(Math.min(...allowed.map((step) => step.validationLoss)));
        expect(pruned.counts).toEqual(countRows(pruned, rows.values, 4, rows.labels, 3));
      }),
      { numRuns: 20 },
    );
  });

  it('beats the full tree on rows neither has seen', () => {
    const rows = clouds(1500, 11);
    const tree = cartTrainer.train(rows, parameters(), ignore);
    const later = clouds(1500, 12);
    const validationCounts = countRows(tree, later.values, 4, later.labels, 3);
    const { tree: pruned } = pruneTree(tree, { classWeights, validationCounts, isBenign, leavesMax: 500 });
    expect(leafCount(pruned)).toBeLessThan(leafCount(tree) / 3);
    expect(accuracy(pruned, clouds(5000, 13))).toBeGreaterThan(accuracy(tree, clouds(5000, 13)));
  });

  it('leaves one leaf where labels mean nothing, and that leaf is chance', () => {
    const rows = clouds(3000, 14);
    const shuffled = { ...rows, labels: Int32Array.from(new Random(1).shuffle(Array.from(rows.labels))) };
    const tree = cartTrainer.train(shuffled, parameters(), ignore);
    const later = clouds(3000, 15);
    const noise = Int32Array.from(new Random(2).shuffle(Array.from(later.labels)));
    const validationCounts = countRows(tree, later.values, 4, noise, 3);
    const { tree: pruned } = pruneTree(tree, { classWeights, validationCounts, isBenign, leavesMax: 500 });
    expect(leafCount(pruned)).toBeLessThan(8);
    const test = clouds(3000, 16);
    expect(accuracy(pruned, test)).toBeGreaterThan(0.25);
    expect(accuracy(pruned, test)).toBeLessThan(0.42);
  });
});

describe('thresholds', () => {
  it('keep the false-alarm budget on the rows they were chosen with, and use it', () => {
    const rows = clouds(4000, 21);
    const tree = cartTrainer.train(rows, parameters({ leafRowsMin: 20 }), ignore);
    const probabilities = nodeProbabilities(tree, even, 1);
    const later = clouds(4000, 22);
    const validationCounts = countRows(tree, later.values, 4, later.labels, 3);
    const called = (falseAlarmRateMax: number) => {
      const isBenign = [true, false, false];
      const options = { probabilities, validationCounts, isBenign, falseAlarmRateMax, probabilityMin: 0.3 };
      const thresholds = chooseThresholds(tree, options);
      expect(thresholds[0]).toBe(0);
      const rule = new DecisionRule({ classes: ['a', 'b', 'c'], benign: ['a'], thresholds, unknownBelow: 0 });
      let [alarms, benign, detected] = [0, 0, 0];
      later.labels.forEach((label, row) => {
        const at = leafOf(tree, later.values, row * 4) * 3;
        const attack = rule.decide(probabilities, at) > 0;
        if (label === 0) benign++;
        if (label === 0 && attack) alarms++;
        if (label !== 0 && attack) detected++;
      });
      return { rate: alarms / benign, detected };
    };
    expect(called(0.01).rate).toBeLessThanOrEqual(0.01);
    expect(called(0.1).rate).toBeLessThanOrEqual(0.1);
    expect(called(0.1).rate).toBeGreaterThan(0.02);
    expect(called(0.1).detected).toBeGreaterThan(called(0.01).detected);
    expect(called(0).rate).toBe(0);
  });

  it('balanced weights give every class the same weight in total', () => {
    const weights = balancedWeights(Int32Array.of(0, 0, 0, 1), 3, 1);
    expect(weights[0]! * 3).toBeCloseTo(weights[1]!);
    expect(balancedWeights(Int32Array.of(0, 0, 0, 1), 2, 0)).toEqual(Float64Array.of(1, 1));
  });
});

describe('probabilities', () => {
  it('start from the prior and move away from the parent by as much as rows were seen', () => {
    const prior = evenPrior([true, false, false]);
    expect(prior).toEqual(Float64Array.of(0.5, 0.25, 0.25));
    expect(evenPrior([false, false])).toEqual(Float64Array.of(0.5, 0.5));
    const tree = {
      classes: 3,
      counts: Float64Array.of(8, 8, 0, 8, 0, 0, 0, 8, 0),
      feature: Int32Array.of(0, -1, -1),
      threshold: new Float32Array(3),
      left: Int32Array.of(1, -1, -1),
      right: Int32Array.of(2, -1, -1),
    };
    const rounded = Array.from(nodeProbabilities(tree, prior, 4), (p) => Number(p.toFixed(4)));
    // Root (8 + 4 * .5) / 20, (8 + 4 * .25) / 20, 1 / 20; left (8 + 4 * .5) / 12, (4 * .45) / 12, (4 * .05) / 12.
    expect(rounded).toEqual([0.5, 0.45, 0.05, 0.8333, 0.15, 0.0167, 0.1667, 0.8167, 0.0167]);
  });
});

describe('the decision rule', () => {
  const rule = new DecisionRule({
    classes: ['benign', 'scan', 'flood', 'background'],
    benign: ['benign', 'background'],
    thresholds: [0, 0.5, 0.8, 0],
    unknownBelow: 0.4,
  });

  it('answers the likeliest attack when all attacks together reach its threshold', () => {
    expect(rule.decide(Float32Array.of(0.45, 0.3, 0.25, 0), 0)).toBe(1);
    expect(rule.decide(Float32Array.of(0.45, 0.25, 0.3, 0), 0)).toBe(0);
    expect(rule.decide(Float32Array.of(0.1, 0.3, 0.6, 0), 0)).toBe(2);
    expect(rule.decide(Float32Array.of(9, 0.1, 0.2, 0.1, 0.6), 1)).toBe(3);
  });

  it('does not know where nothing is likely, or the model gave no number', () => {
    expect(rule.decide(Float32Array.of(0.33, 0.15, 0.19, 0.33), 0)).toBe(-1);
    expect(rule.decide(new Float32Array(4).fill(Number.NaN), 0)).toBe(-1);
  });

  it('answers the likeliest class of a model without benign ones', () => {
    const attacks = new DecisionRule({
      classes: ['a', 'b'],
      benign: [],
      thresholds: [1, 1],
      unknownBelow: 0.5,
    });
    expect(attacks.decide(Float32Array.of(0.2, 0.8), 0)).toBe(1);
  });
});

describe('a path in words', () => {
  const features = [
    { name: 'distinct_dst_ports', unit: 'ports', transform: 'log1p' as const },
    { name: 'syn_share', unit: '1', transform: 'share' as const },
    { name: 'is_tcp', unit: '1', transform: 'none' as const },
    { name: 'service=http', unit: '1', transform: 'none' as const },
  ];
  // Tests in order: ports > 118, syn_share > .92, ports <= 400, is_tcp, service = http.
  const tree = {
    feature: Int32Array.of(0, -1, 1, -1, 0, 2, -1, 3, -1, -1, -1),
    threshold: Float32Array.of(Math.log1p(118.5), 0, 0.92, 0, Math.log1p(400.5), 0.5, 0, 0.5, 0, 0, 0),
    left: Int32Array.of(1, -1, 3, -1, 5, 6, -1, 8, -1, -1, -1),
    right: Int32Array.of(2, -1, 4, -1, 10, 7, -1, 9, -1, -1, -1),
  };
  const path = (ports: number, syn: number, tcp: number, http: number) =>
    pathInWords(tree, features, Float32Array.of(Math.log1p(ports), syn, tcp, http), 0);

  it("merges a feature's tests and speaks in its own unit", () => {
    expect(path(5, 0, 0, 0)).toBe('distinct_dst_ports <= 118');
    expect(path(119, 0.5, 0, 0)).toBe('distinct_dst_ports > 118 and syn_share <= 0.92');
    expect(path(999, 0.95, 0, 0)).toBe('distinct_dst_ports > 400 and syn_share > 0.92');
    expect(path(200, 0.95, 0, 0)).toBe('118 < distinct_dst_ports <= 400 and syn_share > 0.92 and not is_tcp');
    expect(path(200, 0.95, 1, 0)).toMatch(/ and is_tcp and service != http$/);
    expect(path(200, 0.95, 1, 1)).toMatch(/ and is_tcp and service = http$/);
  });
});
