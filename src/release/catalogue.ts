import type { Codec } from '../codec/avro.ts';
import { createCodec } from '../codec/avro.ts';
import type { ModelRelease } from '../codec/records.ts';
import type { StoredRecord } from '../commit-log/port.ts';

/** What a version can be used as: `champion` answers, `shadow` answers beside it and is compared. */
export const ALIASES = ['champion', 'shadow'] as const;
export type Alias = (typeof ALIASES)[number];

/** A published version, without its weights: those stay on the topic, at `offset`. */
export interface Release {
  readonly name: string;
  readonly version: string;
  readonly offset: number;
  /** `manifest.json` as published; parsed and checked when it is loaded. */
  readonly manifest: string;
  readonly onnxBytes: number;
  readonly publishedUs: number;
  readonly publishedBy: string;
  readonly comment: string;
}

/** Where an alias points, and where it pointed before. */
export interface AliasTarget {
  readonly name: string;
  readonly alias: Alias;
  readonly version: string;
  /** Newest first. */
  readonly formerVersions: readonly string[];
  readonly publishedUs: number;
  readonly publishedBy: string;
  readonly comment: string;
}

/** Kafka key of an artefact record. */
export const artefactKey = (name: string, version: string) => `model/${name}/${version}`;
/** Kafka key of an alias record. */
export const aliasKey = (name: string, alias: Alias) => `alias/${name}/${alias}`;

/** What models.v1 says up to some offset: a fold over its records in order. Records that are no release are counted and passed over. */
export class ReleaseCatalogue {
  readonly #codec: Codec<ModelRelease> = createCodec('model-release.v1');
  readonly #releases = new Map<string, Release>();
  readonly #aliases = new Map<string, AliasTarget>();
  #nextOffset = 0;
  #unreadable = 0;

  /** One past the newest record applied. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  /** Records that were no release. */
  get unreadable(): number {
    return this.#unreadable;
  }

  apply(record: StoredRecord): void {
    this.#nextOffset = record.offset + 1;
    const key = record.key === null ? '' : Buffer.from(record.key).toString('utf8');
    if (record.value === null) {
      this.#releases.delete(key);
      this.#aliases.delete(key);
      return;
    }
    const release = this.#codec.decode(record.value);
    if (release === null) this.#unreadable++;
    else if (release.alias === null) this.#applyArtefact(key, release, record.offset);
    else this.#applyAlias(key, release);
  }

  /** All versions, by name, then in the order of publication. */
  releases(): Release[] {
    return [...this.#releases.values()].sort(
      (a, b) => compare(a.name, b.name) || a.publishedUs - b.publishedUs || a.offset - b.offset,
    );
  }

  release(name: string, version: string): Release | undefined {
    return this.#releases.get(artefactKey(name, version));
  }

  /** All aliases, by name, champion first. */
  aliases(): AliasTarget[] {
    return [...this.#aliases.values()].sort((a, b) => compare(a.name, b.name) || compare(a.alias, b.alias));
  }

  alias(name: string, alias: Alias): AliasTarget | undefined {
    return this.#aliases.get(aliasKey(name, alias));
  }

  get isEmpty(): boolean {
    return this.#releases.size === 0;
  }

  #applyArtefact(key: string, release: ModelRelease, offset: number): void {
    if (key !== artefactKey(release.name, release.version)) {
      this.#unreadable++;
      return;
    }
    const { name, version, manifest, publishedUs, publishedBy, comment } = release;
    const onnxBytes = release.onnx.length;
    this.#releases.set(key, {
      name,
      version,
      offset,
      manifest,
      onnxBytes,
      publishedUs,
      publishedBy,
      comment,
    });
  }

  #applyAlias(key: string, release: ModelRelease): void {
    const alias = ALIASES.find((candidate) => candidate === release.alias);
    if (alias === undefined || key !== aliasKey(release.name, alias)) {
      this.#unreadable++;
      return;
    }
    const { name, version, formerVersions, publishedUs, publishedBy, comment } = release;
    this.#aliases.set(key, { name, alias, version, formerVersions, publishedUs, publishedBy, comment });
  }
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
