const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const MINUS = 0x2d;

/**
 * The digits of an integer member of a JSON object, in a number or in quotes: what `JSON.parse` would round beyond 2^53. '' when the
 * member is missing or no integer. `text` must have been parsed already. The last of several members of that name counts, as
 * in `JSON.parse`; meant for flat objects, it does not look at nesting.
 */
export function integerDigits(text: string, key: string): string {
  const quoted = `"${key}"`;
  for (let at = text.lastIndexOf(quoted); at >= 0; at = at > 0 ? text.lastIndexOf(quoted, at - 1) : -1) {
    // A quote after a backslash belongs to some string's content.
    if (text.charCodeAt(at - 1) === BACKSLASH) continue;
    let from = skipSpace(text, at + quoted.length);
    if (text.charCodeAt(from) !== COLON) continue;
    from = skipSpace(text, from + 1);
    if (text.charCodeAt(from) === QUOTE) from++;
    const start = from;
    if (text.charCodeAt(from) === MINUS) from++;
    const firstDigit = from;
    while (isDigit(text.charCodeAt(from))) from++;
    const next = text[from];
    return from === firstDigit || next === '.' || next === 'e' || next === 'E' ? '' : text.slice(start, from);
  }
  return '';
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) <= 0x20) at++;
  return at;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
