import type {
  CommitLog,
  Consumer,
  OutputRecord,
  Processor,
  StoredRecord,
} from '../../../src/commit-log/port.ts';

export const PARTITIONS = 4;
/** Which of its numbers a source sends where in the middle topic: so transactions of all sources interleave in each partition. */
export const middleOf = (source: number, number: number): number => (source + number) % PARTITIONS;

export interface Names {
  readonly input: string;
  readonly sums: string;
  readonly middle: string;
  readonly output: string;
  readonly group: string;
}

export function namesOf(scope: string): Names {
  return {
    input: `${scope}.in`,
    sums: `${scope}.sums`,
    middle: `${scope}.middle`,
    output: `${scope}.out`,
    group: `${scope}.group`,
  };
}

const BATCH_RECORDS_MAX = 50;
const STEP_PAUSE_MS = 10;
const SUBSCRIPTION = {
  batchRecordsMax: BATCH_RECORDS_MAX,
  batchBytesMax: 1 << 20,
  commitIntervalMs: 100,
  tickIntervalMs: 500,
};

/**
 * Two stages with state. The first writes `number@sum` to its own partition and `source:number` to one of all partitions;
 * the second counts what came from each source and writes `source:number#count`. A loss or a repeat anywhere shows in all
 * that follows.
 */
export async function startPipeline(log: CommitLog, names: Names): Promise<Consumer[]> {
  const subscribe = (topic: string, stage: string) => ({
    ...SUBSCRIPTION,
    group: `${names.group}.${stage}`,
    topics: [topic],
    stateTopic: `${names.group}.${stage}.state`,
  });
  return [
    await log.consume(subscribe(names.input, 'a'), ({ partition, state, resumeOffset }) =>
      stepwise(resumeOffset, (numbers, change) => {
        let sum = Number(text(state.get('sum')) || 0);
        return () => {
          const outputs = numbers().flatMap(({ value }) => {
            const number = Number(text(value));
            sum += number;
            return [
              output(names.sums, partition, `${number}@${sum}`),
              output(names.middle, middleOf(partition, number), `${partition}:${number}`),
            ];
          });
          change('sum', String(sum));
          return outputs;
        };
      }),
    ),
    await log.consume(subscribe(names.middle, 'b'), ({ partition, state, resumeOffset }) =>
      stepwise(resumeOffset, (records, change) => {
        const counts = new Map([...state].map(([source, count]) => [source, Number(text(count))]));
        return () =>
          records().map(({ value }) => {
            const source = text(value).split(':')[0]!;
            const count = (counts.get(source) ?? 0) + 1;
            counts.set(source, count);
            change(source, String(count));
            return output(names.output, partition, `${text(value)}#${count}`);
          });
      }),
    ),
  ];
}

/** What the two stages have in common: a pause for each batch, so that there is time to be killed in, and the offsets. */
function stepwise(
  resumeOffset: number,
  create: (
    batch: () => readonly StoredRecord[],
    change: (key: string, value: string) => void,
  ) => () => OutputRecord[],
): Processor {
  let current: readonly StoredRecord[] = [];
  let next = resumeOffset;
  const changes = new Map<string, Buffer>();
  const step = create(
    () => current,
    (key, value) => changes.set(key, Buffer.from(value)),
  );
  return {
    async process(batch) {
      await new Promise((resolve) => setTimeout(resolve, STEP_PAUSE_MS));
      current = batch;
      if (batch.length > 0) next = batch.at(-1)!.offset + 1;
      const outputs = batch.length > 0 ? step() : [];
      const state = [...changes].map(([key, value]) => ({ key, value }));
      changes.clear();
      return { outputs, state, resumeOffset: next };
    },
  };
}

const text = (bytes: Uint8Array | null | undefined) => (bytes ? Buffer.from(bytes).toString() : '');

function output(topic: string, partition: number, value: string): OutputRecord {
  return { topic, partition, key: null, value: Buffer.from(value), timestampMs: 1_700_000_000_000 };
}
