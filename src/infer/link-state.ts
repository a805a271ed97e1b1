import type { StateChange } from '../commit-log/port.ts';

// Keys of the infer state of one partition. The exporter comes last: it is the one part that may hold any character.
//   e|<windowSeconds>|<exporter>                                   number of the last closed window
//   h|<windowSeconds>|<entity>|<segment>|<exporter>                history, one segment
//   p|<windowSeconds>|<entity>|<base>|<model>@<version>|<exporter> a forecast that waits for its truth

/** Where a state record belongs. */
export type StateKey =
  | { readonly kind: 'exporter'; readonly windowSeconds: number; readonly exporter: string }
  | {
      readonly kind: 'history';
      readonly windowSeconds: number;
      readonly exporter: string;
      readonly entity: string;
      readonly segment: number;
    }
  | {
      readonly kind: 'pending';
      readonly windowSeconds: number;
      readonly exporter: string;
      readonly entity: string;
      readonly baseIndex: number;
      readonly model: string;
      readonly modelVersion: string;
    };

/** The text of a state key. */
export function stateKey(key: StateKey): string {
  switch (key.kind) {
    case 'exporter':
      return `e|${key.windowSeconds}|${key.exporter}`;
    case 'history':
      return `h|${key.windowSeconds}|${key.entity}|${key.segment}|${key.exporter}`;
    case 'pending':
      return `p|${key.windowSeconds}|${key.entity}|${key.baseIndex}|${key.model}@${key.modelVersion}|${key.exporter}`;
  }
}

const PATTERNS = {
  exporter: /^e\|(\d+)\|(.*)$/s,
  history: /^h\|(\d+)\|([^|]+)\|(\d+)\|(.*)$/s,
  pending: /^p\|(\d+)\|([^|]+)\|(\d+)\|([^|@]+)@([^|]+)\|(.*)$/s,
} as const;

/** The inverse of `stateKey`; null for a key that is none of ours. */
export function parseStateKey(text: string): StateKey | null {
  const exporter = PATTERNS.exporter.exec(text);
  if (exporter) return { kind: 'exporter', windowSeconds: Number(exporter[1]), exporter: exporter[2]! };
  const history = PATTERNS.history.exec(text);
  if (history) {
    const [, windowSeconds, entity, segment, name] = history;
    return {
      kind: 'history',
      windowSeconds: Number(windowSeconds),
      exporter: name!,
      entity: entity!,
      segment: Number(segment),
    };
  }
  const pending = PATTERNS.pending.exec(text);
  if (!pending) return null;
  const [, windowSeconds, entity, base, model, version, name] = pending;
  return {
    kind: 'pending',
    windowSeconds: Number(windowSeconds),
    exporter: name!,
    entity: entity!,
    baseIndex: Number(base),
    model: model!,
    modelVersion: version!,
  };
}

/** State records as little-endian float64. */
export function encodeNumbers(values: Float64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** The inverse of `encodeNumbers`. */
export function decodeNumbers(bytes: Uint8Array): Float64Array {
  return new Float64Array(bytes.slice().buffer);
}

/** The state changes of one step: the last one of a key counts. */
export class StateChanges {
  readonly #changes = new Map<string, Uint8Array | null>();
  readonly #added = new Set<string>();

  set(key: StateKey, value: Uint8Array): void {
    this.#changes.set(stateKey(key), value);
  }

  /** `set` for a key that is not in the state: when it is removed within the step there is nothing to commit. */
  add(key: StateKey, value: Uint8Array): void {
    const text = stateKey(key);
    this.#added.add(text);
    this.#changes.set(text, value);
  }

  remove(key: StateKey): void {
    const text = stateKey(key);
    if (this.#added.delete(text)) this.#changes.delete(text);
    else this.#changes.set(text, null);
  }

  /** Hands over what has gathered and begins anew. */
  take(): StateChange[] {
    const changes = Array.from(this.#changes, ([key, value]) => ({ key, value }));
    this.#changes.clear();
    this.#added.clear();
    return changes;
  }
}
