import type { Codec } from '../codec/avro.ts';
import { createCodec } from '../codec/avro.ts';
import { ClassificationEncoder } from '../codec/classification-encoder.ts';
import type { EntityKind, FeatureBatch } from '../codec/records.ts';
import type { Assignment, OutputRecord, Processor, Step, StoredRecord } from '../commit-log/port.ts';
import { topicName } from '../commit-log/topics.ts';
import { isBenignLabel } from '../flow/label.ts';
import { type Clock, startStopwatch } from '../kernel/clock.ts';
import { messageOf } from '../kernel/errors.ts';
import type { Manifest } from '../model/manifest.ts';
import type { ClassifiedRows, Classifier } from '../model/tree/classifier.ts';
import { UNKNOWN_CLASS } from '../model/tree/decision.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { InferConfig } from './config.ts';
import { readFeatureBatch } from './feature-batch.ts';
import type { InferMetrics } from './metrics.ts';
import type { ModelSource, Served } from './served-models.ts';
import { VerdictCache } from './verdict-cache.ts';

export interface ClassificationDependencies {
  readonly models: ModelSource;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: InferMetrics;
  readonly config: InferConfig;
  readonly prefix: string;
}

/** The rows of one feature batch as one model sees them: a stretch of a run. */
interface Stretch {
  readonly verdicts: VerdictCache;
  readonly answers: ClassifiedRows;
  readonly firstRow: number;
}

type Answer = 'benign' | 'attack' | 'unknown';

/** One partition of the host or flow features: classifies every row. Keeps nothing. */
export class ClassificationProcessor implements Processor {
  readonly #dependencies: ClassificationDependencies;
  readonly #partition: number;
  readonly #entityKind: EntityKind;
  readonly #topic: string;
  readonly #featureCodec: Codec<FeatureBatch> = createCodec('feature-batch.v1');
  readonly #encoder = new ClassificationEncoder();
  /** One for each model in use. */
  #verdicts = new Map<Classifier, VerdictCache>();
  #resumeOffset: number;

  constructor(assignment: Assignment, entityKind: EntityKind, dependencies: ClassificationDependencies) {
    this.#dependencies = dependencies;
    this.#partition = assignment.partition;
    this.#entityKind = entityKind;
    this.#topic = topicName(dependencies.prefix, 'classifications.v1');
    this.#resumeOffset = assignment.resumeOffset;
  }

  async process(records: readonly StoredRecord[]): Promise<Step> {
    const last = records.at(-1);
    if (last === undefined) return { outputs: [], state: [], resumeOffset: this.#resumeOffset };
    const lease = this.#dependencies.models.lease();
    try {
      this.#renewVerdicts(lease.classifiers);
      const batches = this.#readBatches(records);
      const stretches = new Map<FeatureBatch, Stretch[]>(batches.map((batch) => [batch, []]));
      for (const served of lease.classifiers) await this.#run(served, batches, stretches);
      const outputs: OutputRecord[] = [];
      const nowUs = this.#dependencies.clock.nowUs();
      for (const [batch, answered] of stretches) {
        if (answered.length === 0) this.#skip('no_model');
        for (const stretch of answered) this.#emit(batch, stretch, nowUs, outputs);
      }
      this.#resumeOffset = last.offset + 1;
      return { outputs, state: [], resumeOffset: this.#resumeOffset };
    } finally {
      lease.release();
    }
  }

  #renewVerdicts(classifiers: readonly Served<Classifier>[]): void {
    const verdicts = new Map<Classifier, VerdictCache>();
    for (const { model, role } of classifiers) {
      const present = this.#verdicts.get(model);
      const fits = present?.role === role;
      verdicts.set(model, fits ? present : new VerdictCache(model.manifest, role, this.#encoder));
    }
    this.#verdicts = verdicts;
  }

  #readBatches(records: readonly StoredRecord[]): FeatureBatch[] {
    const batches: FeatureBatch[] = [];
    for (const record of records) {
      const batch = readFeatureBatch(this.#featureCodec, record);
      if (batch === null) this.#skip('unreadable');
      else if (batch.entities.length > 0) batches.push(batch);
    }
    return batches;
  }

  /** Classifies all rows that this model serves, whole batches together up to the bound. */
  async #run(
    { model }: Served<Classifier>,
    batches: readonly FeatureBatch[],
    stretches: ReadonlyMap<FeatureBatch, Stretch[]>,
  ): Promise<void> {
    const served = batches.filter((batch) => this.#serves(model.manifest, batch));
    let from = 0;
    while (from < served.length) {
      let rows = 0;
      let to = from;
      do rows += served[to++]!.entities.length;
      while (
        to < served.length &&
        rows + served[to]!.entities.length <= this.#dependencies.config.rowsPerRunMax
      );
      const together = served.slice(from, to);
      const answers = await this.#classify(model, together, rows);
      let firstRow = 0;
      for (const batch of together) {
        if (answers) stretches.get(batch)!.push({ verdicts: this.#verdicts.get(model)!, answers, firstRow });
        firstRow += batch.entities.length;
      }
      from = to;
    }
  }

  /** A run that fails must not hold up the partition: null, and the rows are without an answer of this model. */
  async #classify(
    model: Classifier,
    batches: readonly FeatureBatch[],
    rows: number,
  ): Promise<ClassifiedRows | null> {
    const { metrics, logger } = this.#dependencies;
    const { name, version } = model.manifest;
    const seconds = startStopwatch();
    try {
      return await model.classify(joinValues(batches), rows);
    } catch (error) {
      metrics.runsFailed.add(1, { model: name, version });
      logger.error({ model: name, version, error: messageOf(error) }, 'classification failed');
      return null;
    } finally {
      metrics.runSeconds.observe(seconds(), { model: name });
    }
  }

  #serves({ featureSet, windowSeconds }: Manifest, batch: FeatureBatch): boolean {
    if (featureSet.name !== batch.featureSet || featureSet.version !== batch.version) return false;
    if (batch.windowSeconds > 0 ? !windowSeconds.includes(batch.windowSeconds) : windowSeconds.length > 0) {
      return false;
    }
    const fits = batch.values.length === batch.entities.length * featureSet.features.length * 4;
    if (!fits) this.#skip('shape');
    return fits;
  }

  #emit(
    batch: FeatureBatch,
    { verdicts, answers, firstRow }: Stretch,
    nowUs: number,
    outputs: OutputRecord[],
  ): void {
    const { exporter, windowStartUs, windowEndUs, windowSeconds, entities, labels } = batch;
    const { config } = this.#dependencies;
    const emittedUs = Math.max(nowUs, windowEndUs);
    const timestampMs = Math.floor(emittedUs / 1000);
    const idTail = `${windowStartUs}|${windowSeconds}|${verdicts.name}`;
    const tally = new Map<string, number>();
    const answerCounts: Record<Answer, number> = { benign: 0, attack: 0, unknown: 0 };
    this.#encoder.begin({
      exporter,
      entityKind: this.#entityKind,
      windowStartUs,
      windowEndUs,
      emittedUs,
      idTail,
    });
    for (let i = 0; i < entities.length; i++) {
      const verdict = verdicts.verdictOf(answers, firstRow + i);
      const label = labels[i] || null;
      const answer = answerOf(verdict);
      answerCounts[answer]++;
      if (label !== null) count(tally, labelledKey(label, verdict, answer));
      if (verdict.benign && config.emit === 'nonBenign') continue;
      const { key, value } = this.#encoder.encode(entities[i]!, verdict.bytes, label);
      outputs.push({ topic: this.#topic, partition: this.#partition, key, value, timestampMs });
    }
    this.#report(verdicts, answerCounts, tally);
  }

  #report(
    { manifest, role }: VerdictCache,
    answers: Readonly<Record<Answer, number>>,
    tally: ReadonlyMap<string, number>,
  ): void {
    const { metrics } = this.#dependencies;
    const { name: model, version } = manifest;
    for (const answer of ['benign', 'attack', 'unknown'] as const) {
      if (answers[answer] === 0) continue;
      metrics.classifications.add(answers[answer], { model, version, role, kind: this.#entityKind, answer });
    }
    for (const [key, rows] of tally) {
      const [truth, answer, right] = key.split(' ') as [string, string, string];
      metrics.labelledRows.add(rows, { model, version, truth, answer, right });
    }
  }

  #skip(reason: 'unreadable' | 'no_model' | 'shape'): void {
    this.#dependencies.metrics.batchesSkipped.add(1, { reason });
  }
}

/** The values of several batches as one block, rows after rows. */
function joinValues(batches: readonly FeatureBatch[]): Float32Array {
  const bytes = batches.reduce((sum, batch) => sum + batch.values.length, 0);
  const block = new Uint8Array(bytes);
  let at = 0;
  for (const { values } of batches) {
    block.set(values, at);
    at += values.length;
  }
  return new Float32Array(block.buffer);
}

function answerOf(verdict: { class: string; benign: boolean }): Answer {
  if (verdict.class === UNKNOWN_CLASS) return 'unknown';
  return verdict.benign ? 'benign' : 'attack';
}

/** Data sets have many words for harmless: any of them is right for any benign class. */
function labelledKey(label: string, verdict: { class: string; benign: boolean }, answer: Answer): string {
  const truth = isBenignLabel(label) ? 'benign' : 'attack';
  const right = label === verdict.class || (truth === 'benign' && verdict.benign);
  return `${truth} ${answer} ${right}`;
}

function count(tally: Map<string, number>, key: string): void {
  tally.set(key, (tally.get(key) ?? 0) + 1);
}
