import { OnnxGraphBuilder } from '../onnx/graph.ts';
import type { OnnxModel, OnnxNode } from '../onnx/read.ts';
import type { TreeNodes } from './tree.ts';

/** A tree and the class probabilities of its nodes (nodes x classes; those of leaves are used). */
export interface ProbabilityTree {
  readonly nodes: TreeNodes;
  readonly classes: number;
  readonly probabilities: Float32Array;
}

/** Writes `features` [rows, width] -> `probabilities` [rows, classes] as one TreeEnsembleClassifier (ai.onnx.ml). */
export function treeToOnnx({ nodes, classes, probabilities }: ProbabilityTree, width: number): Uint8Array {
  const count = nodes.feature.length;
  const ids = Array.from({ length: count }, (_, node) => node);
  const zeros = new Array<number>(count).fill(0);
  const leaves = ids.filter((node) => nodes.feature[node]! < 0);
  const perClass = leaves.flatMap((leaf) => Array.from({ length: classes }, (_, k) => ({ leaf, k })));
  const graph = new OnnxGraphBuilder('decision-tree');
  graph.node('TreeEnsembleClassifier', [graph.input('features', 'float', ['rows', width])], {
    domain: 'ai.onnx.ml',
    outputs: ['label', 'probabilities'],
    attributes: {
      nodes_treeids: { ints: zeros },
      nodes_nodeids: { ints: ids },
      nodes_featureids: { ints: nodes.feature.map((feature) => Math.max(feature, 0)) },
      nodes_values: { floats: nodes.threshold },
      nodes_modes: { strings: ids.map((node) => (nodes.feature[node]! < 0 ? 'LEAF' : 'BRANCH_LEQ')) },
      nodes_truenodeids: { ints: nodes.left.map((node) => Math.max(node, 0)) },
      nodes_falsenodeids: { ints: nodes.right.map((node) => Math.max(node, 0)) },
      nodes_missing_value_tracks_true: { ints: zeros },
      class_treeids: { ints: perClass.map(() => 0) },
      class_nodeids: { ints: perClass.map(({ leaf }) => leaf) },
      class_ids: { ints: perClass.map(({ k }) => k) },
      class_weights: { floats: perClass.map(({ leaf, k }) => probabilities[leaf * classes + k]!) },
      classlabels_int64s: { ints: Array.from({ length: classes }, (_, k) => k) },
      post_transform: { string: 'NONE' },
    },
  });
  graph.output('probabilities', 'float', ['rows', classes]);
  return graph.toBytes();
}

/** The tests of a model that is one tree of `value <= threshold` tests and nothing else; null for every other model. */
export function treeFromOnnx(model: OnnxModel): TreeNodes | null {
  const node = model.nodes[0];
  if (!node || model.nodes.length !== 1 || node.opType !== 'TreeEnsembleClassifier') return null;
  const trees = ints(node, 'nodes_treeids');
  const ids = ints(node, 'nodes_nodeids');
  const modes = (node.attributes.get('nodes_modes') ?? []) as readonly string[];
  if (new Set(trees).size !== 1 || modes.length !== ids.length) return null;
  if (modes.some((mode) => mode !== 'LEAF' && mode !== 'BRANCH_LEQ')) return null;
  // Node numbers are free in ONNX; ours are positions, with the root first.
  const position = new Map(ids.map((id, at) => [id, at]));
  const link = (name: string) =>
    Int32Array.from(ints(node, name), (id, at) => (modes[at] === 'LEAF' ? -1 : (position.get(id) ?? -1)));
  const tree = {
    feature: Int32Array.from(ints(node, 'nodes_featureids'), (id, at) => (modes[at] === 'LEAF' ? -1 : id)),
    threshold: Float32Array.from((node.attributes.get('nodes_values') ?? []) as readonly number[]),
    left: link('nodes_truenodeids'),
    right: link('nodes_falsenodeids'),
  };
  return descendsFromFirst(tree) ? tree : null;
}

function ints(node: OnnxNode, name: string): readonly number[] {
  return (node.attributes.get(name) ?? []) as readonly number[];
}

/** Whether every test has both children and all of them come later, so that every walk from the first node ends. */
function descendsFromFirst({ feature, threshold, left, right }: TreeNodes): boolean {
  if (
    threshold.length !== feature.length ||
    left.length !== feature.length ||
    right.length !== feature.length
  ) {
    return false;
  }
  return feature.every((f, node) => f < 0 || (left[node]! > node && right[node]! > node));
}
