import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Row } from './row.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

function rows(text: string, delimiter = ','): string[][] {
  const row = new Row();
  row.open(bytes(text), delimiter.charCodeAt(0));
  const found: string[][] = [];
  while (row.nextLine()) {
    row.split();
    found.push(Array.from({ length: row.fieldCount }, (_, column) => row.text(column)));
  }
  return found;
}

test('line endings of either kind and blank lines', () => {
  expect(rows('a,b\r\n\r\nc,d\n\ne,f')).toEqual([
    ['a', 'b'],
    ['c', 'd'],
    ['e', 'f'],
  ]);
  expect(rows('')).toEqual([]);
  expect(rows('\n\r\n')).toEqual([]);
});

test('empty fields count, also the last', () => {
  expect(rows('a,,\n,b,')).toEqual([
    ['a', '', ''],
    ['', 'b', ''],
  ]);
});

test('quotes shield the delimiter and never reach past their line', () => {
  expect(rows('"a,b",c,""\n"open,x\ny,z')).toEqual([['a,b', 'c', ''], ['open,x'], ['y', 'z']]);
});

test('a row longer than the cursor loses its tail and nothing else', () => {
  const row = new Row(3);
  row.open(bytes('1,2,3,4,5\n6,7'), 0x2c);
  row.nextLine();
  row.split();
  expect(row.fieldCount).toBe(3);
  row.nextLine();
  row.split();
  expect([row.fieldCount, row.text(1)]).toEqual([2, '7']);
});

test('has: absent column, empty field and the word for unset', () => {
  const row = new Row();
  row.unset = bytes('-');
  row.open(bytes('-,,x,--'), 0x2c);
  row.nextLine();
  row.split();
  expect([-1, 0, 1, 2, 3, 4].map((column) => row.has(column))).toEqual([
    false,
    false,
    false,
    true,
    true,
    false,
  ]);
});

test('word gives the text of the bytes, however many different ones came before', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-zé€]{0,70}$/), { minLength: 1, maxLength: 200 }), (words) => {
      const row = new Row();
      row.open(bytes(words.join(',')), 0x2c);
      if (!row.nextLine()) return;
      row.split();
      for (let column = 0; column < row.fieldCount; column++) {
        expect(row.word(column)).toBe(row.text(column));
        expect(row.word(column)).toBe(words[column]);
      }
    }),
    { numRuns: 50 },
  );
});

test('bytes that are no UTF-8 are read as Latin-1', () => {
  const row = new Row();
  row.open(Uint8Array.of(0xe9, 0x2c, 0x41), 0x2c);
  row.nextLine();
  row.split();
  expect([row.text(0), row.word(1)]).toEqual(['é', 'A']);
});
