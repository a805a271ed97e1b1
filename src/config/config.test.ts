import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { configurationPage, environmentExample } from './document.ts';
import { loadConfig } from './load.ts';
import { ConfigSchema } from './schema.ts';
import { settingsOf } from './walk.ts';

const directory = mkdtempSync(join(tmpdir(), 'flowcast-config-'));
afterAll(() => rmSync(directory, { recursive: true }));
const fileWith = (text: string) => {
  const file = join(directory, 'flowcast.yaml');
  writeFileSync(file, text);
  return file;
};

describe('loadConfig', () => {
  it('gives defaults without any source', () => {
    expect(loadConfig({ environment: {} }).http.port).toBe(8080);
  });

  it('lets file < environment < flags win', () => {
    const file = fileWith('http: { port: 1001 }\ncommitLog: { partitions: 2 }\nlog: { level: warn }');
    const environment = { FLOWCAST_HTTP_PORT: '1002', FLOWCAST_LOG_LEVEL: 'error' };
    const config = loadConfig({ file, environment, flags: { 'http.port': '1003' } });
    expect([config.http.port, config.commitLog.partitions, config.log.level]).toEqual([1003, 2, 'error']);
  });

  it('reads NAME_FILE', () => {
    const file = fileWith('0.0.0.0\n');
    expect(loadConfig({ environment: { FLOWCAST_HTTP_HOST_FILE: file } }).http.host).toBe('0.0.0.0');
  });

  it.each([
    [{ flags: { 'http.prot': '1' } }, /unknown configuration key http\.prot/],
    [{ environment: { FLOWCAST_HTPP_PORT: '1' } }, /unknown setting FLOWCAST_HTPP_PORT/],
    [{ environment: { FLOWCAST_HTTP_PORT: 'many' } }, /http\.port must be integer/],
    [{ environment: { FLOWCAST_HTTP_PORT: '70000' } }, /http\.port/],
    [{ file: '/nonexistent/flowcast.yaml' }, /cannot read configuration file/],
  ])('refuses %j', (sources, message) => {
    expect(() => loadConfig({ environment: {}, ...sources })).toThrow(message);
  });

  it('refuses unknown keys in the file and says what was meant', () => {
    expect(() => loadConfig({ file: fileWith('http: { Port: 1 }'), environment: {} })).toThrow(
      /did you mean http\.port/,
    );
  });

  it('is frozen', () => {
    expect(Object.isFrozen(loadConfig({ environment: {} }).http)).toBe(true);
  });
});

describe('the schema', () => {
  const settings = settingsOf(ConfigSchema);

  it('gives every setting a description, a default and an environment name of its own', () => {
    for (const { path, node } of settings) {
      expect(node.description, path).toBeTruthy();
      expect(node.default, path).toBeDefined();
    }
    expect(new Set(settings.map((setting) => setting.environment)).size).toBe(settings.length);
  });

  it('matches the committed documentation', () => {
    const root = new URL('../../', import.meta.url);
    expect(readFileSync(new URL('docs/configuration.md', root), 'utf8')).toBe(configurationPage());
    expect(readFileSync(new URL('.env.example', root), 'utf8')).toBe(environmentExample());
  });
});
