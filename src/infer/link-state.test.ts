import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseStateKey, StateChanges, type StateKey, stateKey } from './link-state.ts';

const exporter = fc.string({ unit: 'binary' });
const entity = fc.constantFrom('0/UNKNOWN', '12/INGRESS', '4294967295/EGRESS');
const number = fc.nat(2 ** 31 - 1);
const model = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,9}$/);
const version = fc.stringMatching(/^[0-9a-f]{12}$/);
const keys: fc.Arbitrary<StateKey> = fc.oneof(
  fc.record({ kind: fc.constant('exporter' as const), windowSeconds: number, exporter }),
  fc.record({
    kind: fc.constant('history' as const),
    windowSeconds: number,
    exporter,
    entity,
    segment: number,
  }),
  fc.record({
    kind: fc.constant('pending' as const),
    windowSeconds: number,
    exporter,
    entity,
    baseIndex: number,
    model,
    modelVersion: version,
  }),
);

describe('state keys', () => {
  it('are read as they were written, whatever an exporter is called', () => {
    fc.assert(
      fc.property(keys, (key) => {
        expect(parseStateKey(stateKey(key))).toEqual(key);
      }),
    );
  });

  it('of others are none of ours', () => {
    expect(['', 'x|1|a', 'h|1|2', 'p|60|1/INGRESS|x|m@1|e'].map(parseStateKey)).toEqual([
      null,
      null,
      null,
      null,
    ]);
  });
});

describe('StateChanges', () => {
  const key = (exporter: string) => ({ kind: 'exporter' as const, windowSeconds: 60, exporter });
  const value = Uint8Array.of(1);

  it('keeps the last change of a key, and nothing of what came and went', () => {
    const changes = new StateChanges();
    changes.set(key('a'), Uint8Array.of(0));
    changes.set(key('a'), value);
    changes.add(key('b'), value);
    changes.remove(key('b'));
    changes.remove(key('c'));
    expect(changes.take()).toEqual([
      { key: 'e|60|a', value },
      { key: 'e|60|c', value: null },
    ]);
  });

  it('removes in a later step what an earlier one added', () => {
    const changes = new StateChanges();
    changes.add(key('a'), value);
    changes.take();
    changes.remove(key('a'));
    expect(changes.take()).toEqual([{ key: 'e|60|a', value: null }]);
  });
});
