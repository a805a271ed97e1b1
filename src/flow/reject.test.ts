import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { REJECT_REASONS } from './reject.ts';

describe('docs/rejects.md', () => {
  it('has a row for every reason, in their order, and for no other', () => {
    const page = readFileSync(new URL('../../docs/rejects.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| `(\w+)` \| (.+) \| (.+) \|$/gm)];
    expect(rows.map(([, reason]) => reason)).toEqual([...REJECT_REASONS]);
    for (const [, , meaning, remedy] of rows) {
      expect(meaning).toMatch(/\w.*\.$/);
      expect(remedy).toMatch(/\w.*\.$/);
    }
  });
});
