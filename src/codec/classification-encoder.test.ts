import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCodec } from './avro.ts';
import { ClassificationEncoder } from './classification-encoder.ts';
import type { Classification } from './records.ts';

const time = fc.integer({ min: 0, max: 2 ** 51 });
const text = fc.string({ unit: 'binary', maxLength: 300 }).map((value) => value.toWellFormed());
const classification = fc.record({
  exporter: text,
  entityKind: fc.constantFrom('HOST' as const, 'FLOW' as const),
  entity: text,
  windowStartUs: time,
  windowEndUs: time,
  class: text,
  benign: fc.boolean(),
  probability: fc.double({ noNaN: true }),
  probabilities: fc.dictionary(text, fc.double({ noNaN: true }), { noNullPrototype: true }),
  path: text,
  threshold: fc.double({ noNaN: true }),
  model: text,
  modelVersion: text,
  role: fc.constantFrom('CHAMPION' as const, 'SHADOW' as const),
  featureSet: text,
  featureSetVersion: fc.integer({ min: 0, max: 99 }),
  emittedUs: time,
  label: fc.option(text),
});

describe('ClassificationEncoder', () => {
  it('writes the bytes of the general codec', () => {
    const codec = createCodec('classification.v1');
    const encoder = new ClassificationEncoder();
    fc.assert(
      fc.property(classification, text, (row, idTail) => {
        const whole: Classification = { id: `${row.exporter}|${row.entity}|${idTail}`, ...row };
        encoder.begin({ ...row, idTail });
        const { key, value } = encoder.encode(row.entity, encoder.verdict(row), row.label);
        expect(value.equals(codec.encode(whole))).toBe(true);
        expect(key.toString('utf8')).toBe(`${row.exporter}|${row.entity}`);
      }),
    );
  });

  it('leaves earlier records alone, past the end of a slab too', () => {
    const codec = createCodec('classification.v1');
    const encoder = new ClassificationEncoder();
    const scope = {
      exporter: 'e',
      entityKind: 'HOST' as const,
      windowStartUs: 0,
      windowEndUs: 60e6,
      emittedUs: 1,
    };
    encoder.begin({ ...scope, idTail: '0|60|m@1' });
    const verdict = encoder.verdict({
      class: 'scan',
      benign: false,
      probability: 0.9,
      probabilities: { scan: 0.9, benign: 0.1 },
      path: 'x > 1'.repeat(200),
      threshold: 0.5,
      model: 'm',
      modelVersion: '1',
      role: 'CHAMPION',
      featureSet: 'host',
      featureSetVersion: 1,
    });
    const records = Array.from({ length: 2000 }, (_, i) => encoder.encode(`10.0.0.${i}`, verdict, null));
    expect(records.map(({ value }) => codec.decode(value)?.entity)).toEqual(
      records.map((_, i) => `10.0.0.${i}`),
    );
  });
});
