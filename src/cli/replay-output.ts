import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createCodec, type RecordName, type RecordTypes } from '../codec/avro.ts';
import { COUNTER_COLUMNS, type FeatureBatch, type LateFlow } from '../codec/records.ts';
import type { CommitLog, StoredRecord } from '../commit-log/port.ts';
import { type TopicName, topicName } from '../commit-log/topics.ts';
import { flowToJson } from '../flow/flow-json.ts';
import { FEATURE_SETS } from '../preprocess/feature-sets/registry.ts';

/** What a replay amounts to; `summary.json`. Flows: read = in windows + late. Bytes and packets: both directions, exact. */
export interface ReplaySummary {
  flows: { read: number; inWindows: number; late: number };
  rejects: Record<string, number>;
  bytes: { inWindows: number; late: number };
  packets: { inWindows: number; late: number };
  /** Sums are over the host rows of the shortest window; these are the rows of every set. */
  featureRows: Record<string, number>;
  forecasts: number;
  classifications: Record<string, number>;
  /** Microseconds since the epoch: from the first window's start to the last one's end. */
  timeRangeUs: [number, number] | null;
}

type LineOf<T> = (value: T) => Iterable<object>;

/** Writes the output topics of a finished replay as NDJSON into `directory` and adds them up. */
export async function writeReplayOutput(
  log: CommitLog,
  prefix: string,
  directory: string,
  windowSeconds: number,
): Promise<ReplaySummary> {
  const summary: ReplaySummary = {
    flows: { read: 0, inWindows: 0, late: 0 },
    rejects: {},
    bytes: { inWindows: 0, late: 0 },
    packets: { inWindows: 0, late: 0 },
    featureRows: {},
    forecasts: 0,
    classifications: {},
    timeRangeUs: null,
  };
  const write = <N extends RecordName>(
    file: string,
    topics: TopicName[],
    name: N,
    lines: LineOf<RecordTypes[N]>,
  ) =>
    writeTopics(
      log,
      join(directory, file),
      topics.map((topic) => topicName(prefix, topic)),
      decodeWith(name),
      lines,
    );

  const features: TopicName[] = ['features.link.v1', 'features.host.v1', 'features.flow.v1'];
  await write('features.ndjson', features, 'feature-batch.v1', (batch) => {
    addFeatures(summary, batch, windowSeconds);
    return featureLines(batch);
  });
  await write('late.ndjson', ['late.v1'], 'late-flow.v1', (late) => {
    addLate(summary, late, windowSeconds);
    return [{ ...late, flow: flowToJson(late.exporter, late.flow) }];
  });
  await write('forecasts.ndjson', ['forecasts.v1'], 'forecast.v1', (forecast) => {
    summary.forecasts++;
    return [forecast];
  });
  await write('classifications.ndjson', ['classifications.v1'], 'classification.v1', (classification) => {
    summary.classifications[classification.class] = (summary.classifications[classification.class] ?? 0) + 1;
    return [classification];
  });
  const rejects = [topicName(prefix, 'rejects.v1')];
  await writeTopics(
    log,
    join(directory, 'rejects.ndjson'),
    rejects,
    (record) => record,
    (record) => {
      const reason = record.headers['flowcast-reason'] ?? 'unexpected';
      summary.rejects[reason] = (summary.rejects[reason] ?? 0) + 1;
      return [{ ...record.headers, bytes: Buffer.from(record.value ?? []).toString('base64') }];
    },
  );
  summary.flows.read = summary.flows.inWindows + summary.flows.late;
  return summary;
}

function decodeWith<N extends RecordName>(name: N): (record: StoredRecord) => RecordTypes[N] | null {
  const codec = createCodec(name);
  return (record) => record.value && codec.decode(record.value);
}

async function writeTopics<T>(
  log: CommitLog,
  file: string,
  topics: readonly string[],
  decode: (record: StoredRecord) => T | null,
  lines: LineOf<T>,
): Promise<void> {
  const stream = createWriteStream(file);
  for (const topic of topics) {
    for await (const batch of log.read({ topic, from: 'earliest', until: 'end' })) {
      for (const record of batch) {
        const value = decode(record);
        if (value === null) continue;
        let text = '';
        for (const line of lines(value)) text += `${JSON.stringify(line)}\n`;
        if (!stream.write(text)) await once(stream, 'drain');
      }
    }
  }
  stream.end();
  await once(stream, 'close');
}

function addFeatures(summary: ReplaySummary, batch: FeatureBatch, windowSeconds: number): void {
  const rows = batch.entities.length;
  summary.featureRows[batch.featureSet] = (summary.featureRows[batch.featureSet] ?? 0) + rows;
  const range = summary.timeRangeUs;
  summary.timeRangeUs = range
    ? [Math.min(range[0], batch.windowStartUs), Math.max(range[1], batch.windowEndUs)]
    : [batch.windowStartUs, batch.windowEndUs];
  // Every flow is in exactly one host row of each window length it touches.
  if (batch.featureSet !== 'host' || batch.windowSeconds !== windowSeconds) return;
  for (let row = 0; row < rows; row++) {
    const { flows, bytes, packets, reverseBytes, reversePackets } = countersOf(batch, row);
    summary.flows.inWindows += flows;
    summary.bytes.inWindows += bytes + reverseBytes;
    summary.packets.inWindows += packets + reversePackets;
  }
}

function addLate(summary: ReplaySummary, late: LateFlow, windowSeconds: number): void {
  if (late.windowSeconds !== windowSeconds) return;
  if (late.whole) summary.flows.late++;
  summary.bytes.late += late.bytes + late.reverseBytes;
  summary.packets.late += late.packets + late.reversePackets;
}

type Counters = Record<(typeof COUNTER_COLUMNS)[number], number>;

function countersOf(batch: FeatureBatch, row: number): Counters {
  const at = (column: number) => batch.counters.readDoubleLE((row * COUNTER_COLUMNS.length + column) * 8);
  return Object.fromEntries(COUNTER_COLUMNS.map((name, column) => [name, at(column)])) as Counters;
}

/** One line a row: who, when, the exact counters, and the features by name. */
function* featureLines(batch: FeatureBatch): Iterable<object> {
  const { featureSet, version, exporter, windowStartUs, windowEndUs, windowSeconds } = batch;
  const names = FEATURE_SETS[featureSet as keyof typeof FEATURE_SETS].features.map((feature) => feature.name);
  for (const [row, entity] of batch.entities.entries()) {
    const value = (column: number) => batch.values.readFloatLE((row * names.length + column) * 4);
    yield {
      featureSet,
      version,
      exporter,
      windowStartUs,
      windowEndUs,
      windowSeconds,
      entity,
      ...countersOf(batch, row),
      features: Object.fromEntries(names.map((name, column) => [name, value(column)])),
      ...(batch.labels.length > 0 && { label: batch.labels[row] }),
    };
  }
}
