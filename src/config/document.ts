import { ConfigSchema } from './schema.ts';
import { type SchemaNode, settingsOf } from './walk.ts';

/** `docs/configuration.md`: one table a section, made from the schema. */
export function configurationPage(): string {
  const lines = [
    '# Configuration',
    '',
    'Made by `flowcast config docs`; a test fails when it is out of date. Later sources win: defaults, then the file given by',
    '`--config FILE` (YAML or JSON), then the environment, then `--set section.key=value`. Unknown keys are refused.',
    'Lists and objects are given as JSON in the environment. Secrets come by environment or `NAME_FILE` only.',
    '`flowcast config check` says whether a configuration is valid, `flowcast config print` shows the result with secrets redacted.',
  ];
  const sections = (ConfigSchema as unknown as SchemaNode).properties!;
  for (const [name, node] of Object.entries(sections)) {
    lines.push(
      '',
      `## ${name}`,
      '',
      node.description ?? '',
      '',
      '| key | environment | default | meaning |',
      '|---|---|---|---|',
    );
    for (const setting of settingsOf(ConfigSchema).filter(({ path }) => path.startsWith(`${name}.`))) {
      const { node: leaf } = setting;
      const key = setting.path.slice(name.length + 1);
      lines.push(
        `| \`${key}\` | \`${setting.environment}\` | \`${JSON.stringify(leaf.default)}\` | ${leaf.description ?? ''}${choices(leaf)} |`,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}

/** `.env.example`: every setting with its default, commented out. */
export function environmentExample(): string {
  const lines = ['# Every setting with its default; made by `flowcast config docs`.'];
  for (const { environment, node } of settingsOf(ConfigSchema)) {
    const value = typeof node.default === 'string' ? node.default : JSON.stringify(node.default);
    lines.push('', `# ${node.description ?? ''}`, `# ${environment}=${value}`);
  }
  return `${lines.join('\n')}\n`;
}

function choices(node: SchemaNode): string {
  const values = node.anyOf
    ?.filter((option) => option.const !== undefined)
    .map((option) => `\`${option.const}\``);
  return values && values.length > 1 ? ` One of ${values.join(', ')}.` : '';
}
