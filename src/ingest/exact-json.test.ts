import { expect, it } from 'vitest';
import { integerDigits } from './exact-json.ts';

it.each([
  ['{"t":1681583295157626123}', '1681583295157626123'],
  ['{"t" : \n "1681583295157626123" , "u":1}', '1681583295157626123'],
  ['{"t":-5}', '-5'],
  ['{"t":1,"t":2}', '2'],
  ['{"a":"t","t":7}', '7'],
  ['{"t":7,"a":"t"}', '7'],
  [String.raw`{"t":7,"a":"\"t\":9"}`, '7'],
  [String.raw`{"t":7,"x\"t":9}`, '7'],
  ['{"t":1.5}', ''],
  ['{"t":1e3}', ''],
  ['{"t":null}', ''],
  ['{"t":""}', ''],
  ['{"u":1}', ''],
])('%s', (text, digits) => {
  expect(JSON.parse(text)).toBeTypeOf('object');
  expect(integerDigits(text, 't')).toBe(digits);
});
