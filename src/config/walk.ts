import type { TSchema } from 'typebox';

/** What the loader needs to know of a schema node; TypeBox schemas are plain JSON Schema. */
export interface SchemaNode {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly description?: string;
  readonly default?: unknown;
  readonly anyOf?: readonly SchemaNode[];
  readonly const?: unknown;
  /** Given by environment or *_FILE only, and redacted wherever the configuration is printed. */
  readonly secret?: boolean;
}

/** One setting: a leaf of the configuration (a list counts as one setting). */
export interface Setting {
  /** Dotted path in the configuration file, for example `ingest.flowsPerBatchMax`. */
  readonly path: string;
  /** Name in the environment, for example FLOWCAST_INGEST_FLOWS_PER_BATCH_MAX. */
  readonly environment: string;
  readonly node: SchemaNode;
}

/** Every setting of a schema in declaration order. */
export function settingsOf(schema: TSchema): Setting[] {
  const settings: Setting[] = [];
  const walk = (node: SchemaNode, path: readonly string[]) => {
    if (node.properties) {
      for (const [name, child] of Object.entries(node.properties)) walk(child, [...path, name]);
    } else settings.push({ path: path.join('.'), environment: environmentName(path), node });
  };
  walk(schema as SchemaNode, []);
  return settings;
}

function environmentName(path: readonly string[]): string {
  const words = path.map((part) => part.replace(/([a-z0-9])([A-Z])/g, '$1_$2'));
  return `FLOWCAST_${words.join('_').toUpperCase()}`;
}

/** Reads a dotted path of a plain object. */
export function getPath(object: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], object);
}

/** Sets a dotted path of a plain object, making objects on the way. */
export function setPath(object: Record<string, unknown>, path: string, value: unknown): void {
  const keys = path.split('.');
  const last = keys.pop()!;
  let at = object;
  for (const key of keys) {
    at[key] ??= {};
    at = at[key] as Record<string, unknown>;
  }
  at[last] = value;
}
