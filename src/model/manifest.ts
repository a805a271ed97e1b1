import Type from 'typebox';

const Integer = Type.Integer();

/** One input column of a model, as its feature set declares it. */
export const FeatureSpec = Type.Object({
  name: Type.String(),
  unit: Type.String(),
  /** How the value was normalised before it entered the batch. */
  transform: Type.Union([
    Type.Literal('none'),
    Type.Literal('log1p'),
    Type.Literal('share'),
    Type.Literal('entropy'),
    Type.Literal('rate'),
  ]),
});
export type FeatureSpec = Type.Static<typeof FeatureSpec>;

const Tensor = Type.Object({ name: Type.String(), shape: Type.Array(Type.Integer()), type: Type.String() });

/** What a forecaster adds: steps ahead, quantile levels, and how its input is built from history. */
export const ForecasterSpec = Type.Object({
  /** Steps (windows) ahead, ascending. */
  horizons: Type.Array(Type.Integer({ minimum: 1 })),
  /** Levels in (0, 1), ascending, 0.5 among them. */
  quantiles: Type.Array(Type.Number()),
  /** Length of the input sequence in steps. */
  inputSteps: Type.Integer({ minimum: 1 }),
  /** Names of the input channels of a step, in order. */
  channels: Type.Array(Type.String()),
  metric: Type.String(),
  unit: Type.String(),
});
export type ForecasterSpec = Type.Static<typeof ForecasterSpec>;

/** What a classifier adds: its classes in output order, which of them are harmless, and when it answers. */
export const ClassifierSpec = Type.Object({
  classes: Type.Array(Type.String()),
  benign: Type.Array(Type.String()),
  /** The likeliest attack class is answered when the attack classes together reach its threshold, otherwise the likeliest benign class. */
  thresholds: Type.Array(Type.Number()),
  /** Where neither the attack classes together nor a benign class reach this probability the answer is `unknown`. */
  unknownBelow: Type.Number(),
});
export type ClassifierSpec = Type.Static<typeof ClassifierSpec>;

/** Everything about a model but its weights; `manifest.json` beside `model.onnx`. Holds no wall time: same data and seed, same bytes. */
export const Manifest = Type.Object({
  manifestVersion: Type.Literal(1),
  name: Type.String({ pattern: '^[a-z0-9][a-z0-9-]*$' }),
  /** First 12 hex digits of the SHA-256 over the ONNX bytes and the rest of the manifest. */
  version: Type.String(),
  kind: Type.Union([Type.Literal('forecaster'), Type.Literal('classifier')]),
  featureSet: Type.Object({ name: Type.String(), version: Integer, features: Type.Array(FeatureSpec) }),
  /** Window lengths it was trained for; empty = not windowed (flow feature set). */
  windowSeconds: Type.Array(Type.Number()),
  forecaster: Type.Optional(ForecasterSpec),
  classifier: Type.Optional(ClassifierSpec),
  training: Type.Object({
    trainer: Type.String(),
    seed: Integer,
    codeVersion: Type.String(),
    data: Type.Array(Type.String()),
    /** SHA-256 of the training table. */
    dataFingerprint: Type.String(),
    rows: Integer,
    /** Event time in microseconds, [from, to). */
    trainRangeUs: Type.Tuple([Integer, Integer]),
    validationRangeUs: Type.Tuple([Integer, Integer]),
    parameters: Type.Record(Type.String(), Type.Union([Type.Number(), Type.String(), Type.Boolean()])),
  }),
  /** On the validation part. */
  metrics: Type.Record(Type.String(), Type.Number()),
  onnx: Type.Object({
    sha256: Type.String(),
    bytes: Integer,
    opset: Integer,
    inputs: Type.Array(Tensor),
    outputs: Type.Array(Tensor),
  }),
});
export type Manifest = Type.Static<typeof Manifest>;

/** A trained model as it is stored, published and loaded. */
export interface ModelArtefact {
  readonly manifest: Manifest;
  readonly onnx: Uint8Array;
}
