import { usageError } from '../../kernel/errors.ts';
import type { ClassifierSpec, FeatureSpec, Manifest, ModelArtefact } from '../manifest.ts';
import { readOnnx } from '../onnx/read.ts';
import { type ModelSession, openSession, type TensorSpec } from '../runtime.ts';
import { DecisionRule, UNKNOWN_INDEX } from './decision.ts';
import { pathInWords } from './path.ts';
import { treeFromOnnx } from './to-onnx.ts';
import { leafOf, type TreeNodes } from './tree.ts';

/** The answers for one batch. Valid as long as the batch's values are not overwritten. */
export interface ClassifiedRows {
  readonly rows: number;
  /** Index into the manifest's classes; -1 = unknown. */
  readonly classIndex: Int32Array;
  /** rows x classes. */
  readonly probabilities: Float32Array;
  /** Why: the tests on the way to the row's leaf in words, '' where the model is not a single tree. */
  pathOf(row: number): string;
}

/** A loaded classifier: ours, or any ONNX model whose manifest has a `classifier` part. */
export interface Classifier {
  readonly manifest: Manifest;
  /** Scores `rows` rows of the feature set, row-major, in one call of the runtime. Rows with a value that is not finite are unknown. */
  classify(values: Float32Array, rows: number): Promise<ClassifiedRows>;
  close(): Promise<void>;
}

/** Loads a classifier. Usage errors: `model.kind` for a forecaster, `model.shape` where inputs or outputs do not fit the manifest. */
export async function createClassifier({ manifest, onnx }: ModelArtefact): Promise<Classifier> {
  const spec = manifest.classifier;
  if (!spec) throw usageError('model.kind', `model ${manifest.name} is a ${manifest.kind}, not a classifier`);
  if (spec.thresholds.length !== spec.classes.length) {
    throw usageError('model.manifest', `model ${manifest.name}: give one threshold for each class`);
  }
  const session = await openSession(onnx);
  try {
    const ports = matchPorts(manifest, spec, session);
    return new OnnxClassifier(manifest, spec, session, ports, treeFromOnnx(readOnnx(onnx)));
  } catch (error) {
    await session.close();
    throw error;
  }
}

interface Ports {
  readonly input: string;
  readonly probabilities: string;
}

function matchPorts(manifest: Manifest, spec: ClassifierSpec, session: ModelSession): Ports {
  const width = manifest.featureSet.features.length;
  const refuse = (what: string) =>
    usageError('model.shape', `model ${manifest.name} does not fit its manifest: ${what}`);
  const [input] = session.inputs;
  if (!input || session.inputs.length !== 1 || !isMatrix(input, width)) {
    throw refuse(`it needs one float32 input [rows, ${width}], one column for each feature`);
  }
  const output = session.outputs.find((candidate) => isMatrix(candidate, spec.classes.length));
  if (!output) {
    throw refuse(
      `it needs a float32 output [rows, ${spec.classes.length}] of probabilities (scikit-learn: export with zipmap off)`,
    );
  }
  return { input: input.name, probabilities: output.name };
}

/** A dimension left open (by name, -1 or 0) fits; a fixed one must be the width. */
function isMatrix({ type, shape }: TensorSpec, width: number): boolean {
  const last = shape[1];
  return (
    type === 'float32' && shape.length === 2 && (typeof last !== 'number' || last <= 0 || last === width)
  );
}

class OnnxClassifier implements Classifier {
  readonly manifest: Manifest;
  readonly #session: ModelSession;
  readonly #ports: Ports;
  readonly #rule: DecisionRule;
  readonly #classes: number;
  readonly #explainer: PathExplainer | null;

  constructor(
    manifest: Manifest,
    spec: ClassifierSpec,
    session: ModelSession,
    ports: Ports,
    tree: TreeNodes | null,
  ) {
    this.manifest = manifest;
    this.#session = session;
    this.#ports = ports;
    this.#rule = new DecisionRule(spec);
    this.#classes = spec.classes.length;
    this.#explainer = tree && new PathExplainer(tree, manifest.featureSet.features);
  }

  async classify(values: Float32Array, rows: number): Promise<ClassifiedRows> {
    const width = this.manifest.featureSet.features.length;
    if (values.length !== rows * width) {
      throw usageError('model.input', `${values.length} values are not ${rows} rows of ${width} features`);
    }
    const probabilities = rows === 0 ? new Float32Array(0) : await this.#probabilities(values, rows, width);
    const classIndex = new Int32Array(rows);
    for (let row = 0; row < rows; row++) {
      classIndex[row] = allFinite(values, row * width, width)
        ? this.#rule.decide(probabilities, row * this.#classes)
        : UNKNOWN_INDEX;
    }
    const explainer = this.#explainer;
    const pathOf = (row: number) => explainer?.pathOf(values, row * width) ?? '';
    return { rows, classIndex, probabilities, pathOf };
  }

  async #probabilities(values: Float32Array, rows: number, width: number): Promise<Float32Array> {
    const outputs = await this.#session.run({ [this.#ports.input]: { data: values, dims: [rows, width] } });
    const { data } = outputs[this.#ports.probabilities]!;
    if (!(data instanceof Float32Array) || data.length !== rows * this.#classes) {
      throw usageError(
        'model.shape',
        `model ${this.manifest.name} gave no ${this.#classes} probabilities a row`,
      );
    }
    return data;
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}

function allFinite(values: Float32Array, offset: number, width: number): boolean {
  // A sum is finite only if every term is; float32 terms cannot overflow a double.
  let sum = 0;
  for (let i = offset; i < offset + width; i++) sum += values[i]!;
  return Number.isFinite(sum);
}

/** Leaf paths as text, each made once. */
class PathExplainer {
  readonly #tree: TreeNodes;
  readonly #features: readonly FeatureSpec[];
  readonly #paths = new Map<number, string>();

  constructor(tree: TreeNodes, features: readonly FeatureSpec[]) {
    this.#tree = tree;
    this.#features = features;
  }

  pathOf(values: Float32Array, offset: number): string {
    const leaf = leafOf(this.#tree, values, offset);
    let path = this.#paths.get(leaf);
    if (path === undefined) {
      path = pathInWords(this.#tree, this.#features, values, offset);
      this.#paths.set(leaf, path);
    }
    return path;
  }
}
