import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Framing } from './format.ts';
import { createFramer, type Framed } from './framing.ts';

/** Frames `content` after cutting it at the given places. */
function frame(framing: Framing, content: Uint8Array, cuts: readonly number[] = []): Framed[] {
  const framer = createFramer(framing);
  const into: Framed[] = [];
  const places = [0, ...cuts.map((cut) => cut % (content.length + 1)).sort((a, b) => a - b), content.length];
  for (let i = 1; i < places.length; i++) {
    framer.push(Buffer.from(content.subarray(places[i - 1]!, places[i]!)), into);
  }
  framer.end(into);
  return into;
}

const texts = (framed: readonly Framed[]) => framed.map(({ bytes }) => Buffer.from(bytes).toString());

describe('lines', () => {
  it('are cut at line ends of both kinds; blank ones are nothing, the last needs no end', () => {
    expect(texts(frame('lines', Buffer.from('a\r\n\n\r\nbc\nd')))).toEqual(['a', 'bc', 'd']);
  });

  it('do not depend on where the chunks end', () => {
    const content = Buffer.from('{"a":1}\n\n{"b":"ü"}\r\n{"c":3}');
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 5 }), (cuts) => {
        expect(frame('lines', content, cuts)).toEqual(frame('lines', content));
      }),
    );
  });
});

describe('table', () => {
  it('repeats its header in each message', () => {
    const rows = Array.from({ length: 1200 }, (_, i) => `${i},x`);
    const framed = frame('table', Buffer.from(`a,b\n${rows.join('\n')}\n`));
    expect(framed.map(({ records }) => records)).toEqual([500, 500, 200]);
    expect(texts(framed).every((text) => text.startsWith('a,b\n'))).toBe(true);
    expect(texts(framed).flatMap((text) => text.trimEnd().split('\n').slice(1))).toEqual(rows);
  });

  it('keeps messages near 64 KB however long the rows', () => {
    const row = 'y'.repeat(30_000);
    expect(frame('table', Buffer.from(`h\n${`${row}\n`.repeat(7)}`)).map(({ records }) => records)).toEqual([
      3, 3, 1,
    ]);
  });

  it('takes directives as header, follows a new one, and drops closing remarks', () => {
    const log = (name: string, rows: string) => `#separator \\x09\n#fields\t${name}\n${rows}#close\t2026\n`;
    const framed = frame('table', Buffer.from(log('a', '1\n2\n') + log('b', '3\n')));
    expect(texts(framed)).toEqual([
      '#separator \\x09\n#fields\ta\n1\n2\n',
      '#close\t2026\n#separator \\x09\n#fields\tb\n3\n',
    ]);
  });

  it('under a plain header leaves # lines to the decoder', () => {
    expect(frame('table', Buffer.from('a,b\n1,2\n#3,4\n'))[0]!.records).toBe(2);
  });

  it('without rows has no message', () => expect(frame('table', Buffer.from('a,b\n'))).toEqual([]));
});

describe('length-prefixed', () => {
  const message = (length: number) =>
    Buffer.concat([
      Buffer.from(length < 128 ? [length] : [(length & 0x7f) | 0x80, length >> 7]),
      Buffer.alloc(length, 7),
    ]);

  it('keeps the prefix, does not depend on chunks, and hands over a cut end as it is', () => {
    const content = Buffer.concat([message(3), message(300), message(1), message(100).subarray(0, 50)]);
    expect(frame('length-prefixed', content).map(({ bytes }) => bytes.length)).toEqual([4, 302, 2, 50]);
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 8 }), (cuts) => {
        expect(texts(frame('length-prefixed', content, cuts))).toEqual(
          texts(frame('length-prefixed', content)),
        );
      }),
    );
  });

  it('survives a length that is none', () => {
    expect(frame('length-prefixed', Buffer.alloc(40, 0xff)).map(({ bytes }) => bytes.length)).toEqual([40]);
  });
});

it('whole files are one message', () => {
  expect(texts(frame('whole', Buffer.from('[1,\n2]'), [2]))).toEqual(['[1,\n2]']);
});
