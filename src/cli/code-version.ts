import { readFileSync } from 'node:fs';

/** Version of this program, as manifests record it. */
export function codeVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
