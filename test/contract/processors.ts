import type {
  Assignment,
  CreateProcessor,
  OutputRecord,
  Step,
  StoredRecord,
} from '../../src/commit-log/port.ts';
import { record, text } from './harness.ts';

/** Inputs that make one window of `windowSums`. */
export const WINDOW = 10;

export interface Watch {
  /** Called for each batch before it is processed; may throw or wait. */
  readonly before?: (assignment: Assignment, batch: readonly StoredRecord[]) => void | Promise<void>;
}

/**
 * Every input gives one output `number@sum`, the sum over all inputs up to it. The sum is in the state, so a lost or
 * doubled step shows in everything that follows.
 */
export function runningSums(output: string, watch: Watch = {}): CreateProcessor {
  return (assignment) => {
    let sum = Number(text(assignment.state.get('sum') ?? null) ?? 0);
    let next = assignment.resumeOffset;
    return {
      async process(batch): Promise<Step> {
        await watch.before?.(assignment, batch);
        const outputs: OutputRecord[] = [];
        for (const { value, offset, partition } of batch) {
          sum += Number(text(value));
          next = offset + 1;
          outputs.push(record(output, partition, `${text(value)}@${sum}`));
        }
        const state = batch.length > 0 ? [{ key: 'sum', value: Buffer.from(String(sum)) }] : [];
        return { outputs, state, resumeOffset: next };
      },
    };
  };
}

/** What `runningSums` gives for the inputs 0, 1, 2 … count - 1. */
export function expectedRunningSums(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${i}@${(i * (i + 1)) / 2}`);
}

/**
 * Every input gives an echo, and every `WINDOW` inputs the sum of the window. The open window is not in the state: it is
 * read again from the resume offset, and what lies below the processed offset emits nothing a second time.
 */
export function windowSums(output: string, watch: Watch = {}): CreateProcessor {
  return (assignment) => {
    let sum = 0;
    let next = assignment.resumeOffset;
    let resumeOffset = assignment.resumeOffset;
    return {
      async process(batch): Promise<Step> {
        await watch.before?.(assignment, batch);
        const outputs: OutputRecord[] = [];
        for (const { value, offset, partition } of batch) {
          const number = Number(text(value));
          const isNew = offset >= assignment.processedOffset;
          sum += number;
          next = offset + 1;
          if (isNew) outputs.push(record(output, partition, `echo ${number}`));
          if (number % WINDOW !== WINDOW - 1) continue;
          if (isNew) outputs.push(record(output, partition, `sum ${sum}`));
          sum = 0;
          resumeOffset = next;
        }
        return { outputs, state: [], resumeOffset };
      },
    };
  };
}

/** What `windowSums` gives for the inputs 0, 1, 2 … count - 1. */
export function expectedWindowSums(count: number): string[] {
  const outputs: string[] = [];
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum += i;
    outputs.push(`echo ${i}`);
    if (i % WINDOW !== WINDOW - 1) continue;
    outputs.push(`sum ${sum}`);
    sum = 0;
  }
  return outputs;
}
