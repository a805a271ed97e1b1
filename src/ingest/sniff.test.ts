import { describe, expect, it } from 'vitest';
import type { Format } from './format.ts';
import { FORMATS, formatNames, formatsNamed } from './formats/registry.ts';
import { chooseFormat, sniff } from './sniff.ts';

const format = (name: string, confidence: number): Format => ({
  name,
  family: 'made-up',
  framing: 'lines',
  sniff: () => confidence,
  createDecoder: () => ({ decode: () => {} }),
});
const bytes = Buffer.from('x');

describe('sniff', () => {
  it('takes the surest', () => {
    const [a, b] = [format('a', 0.5), format('b', 0.9)];
    expect(sniff(bytes, [a, b])).toEqual({ format: b, rivals: null });
  });

  it('names two that are too near to each other', () => {
    const [a, b, c] = [format('a', 0.9), format('b', 0.88), format('c', 0.5)];
    expect(sniff(bytes, [c, b, a])).toEqual({ format: null, rivals: [a, b] });
  });

  it('does not guess, but believes whoever leaves no choice', () => {
    const a = format('a', 0.1);
    expect(sniff(bytes, [a, format('b', 0)])).toEqual({ format: null, rivals: null });
    expect(sniff(bytes, [a])).toEqual({ format: a, rivals: null });
  });
});

describe('the registry', () => {
  it('finds formats by name and by family, and lists the names it knows', () => {
    expect(formatsNamed('goflow2').map(({ name }) => name)).toEqual(['goflow2']);
    expect(formatsNamed('zeek').map(({ name }) => name)).toEqual(['zeek-json', 'zeek-tsv']);
    expect(formatsNamed('auto')).toEqual(FORMATS);
    expect(() => formatsNamed('netflux')).toThrow(
      /there is no format netflux; choose one of auto, .*argus, .*zeek-tsv/,
    );
    for (const name of formatNames()) expect(formatsNamed(name).length).toBeGreaterThan(0);
  });

  it('has unique names', () => expect(new Set(FORMATS.map(({ name }) => name)).size).toBe(FORMATS.length));

  it.each(['', '\n', 'a text file\n', '{"a":1}', '[]', '{}', 'a,b,c\n1,2,3\n', '\u0000\u0001\u0002'])(
    'no format claims %j',
    (text) => expect(chooseFormat('auto', Buffer.from(text))).toBeNull(),
  );
});
