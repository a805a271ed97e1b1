import { setTimeout as delay } from 'node:timers/promises';
import type { Role } from '../codec/records.ts';
import type { CommitLog } from '../commit-log/port.ts';
import { FlowcastError, messageOf, usageError } from '../kernel/errors.ts';
import { checkFeatures, type FeatureSetIdentity } from '../model/artefact.ts';
import type { Forecaster } from '../model/forecast/forecaster.ts';
import type { Manifest, ModelArtefact } from '../model/manifest.ts';
import type { Classifier } from '../model/tree/classifier.ts';
import type { AliasTarget, Release, ReleaseCatalogue } from '../release/catalogue.ts';
import { followReleases, readReleasedArtefact } from '../release/release.ts';
import type { Logger } from '../telemetry/logger.ts';
import { METRIC, UNIT } from './forecast-record.ts';
import type { InferMetrics } from './metrics.ts';

/** What serving needs of a forecaster. */
export type LinkForecaster = Pick<
  Forecaster,
  'manifest' | 'historySteps' | 'prepare' | 'forecastFrom' | 'close'
>;

/** Makes a published artefact ready to run; usage errors where it cannot. */
export interface ModelLoaders {
  readonly createForecaster: (artefact: ModelArtefact) => Promise<LinkForecaster>;
  readonly createClassifier: (artefact: ModelArtefact) => Promise<Classifier>;
}

/** A model in use, and as what. */
export interface Served<M extends LinkForecaster | Classifier> {
  readonly model: M;
  readonly role: Role;
}

/** The models of one step: they stay loaded until `release` is called. */
export interface Lease {
  readonly forecasters: readonly Served<LinkForecaster>[];
  readonly classifiers: readonly Served<Classifier>[];
  release(): void;
}

/** Where a processor gets its models from, anew for each step. */
export interface ModelSource {
  lease(): Lease;
}

interface LoadedModel {
  readonly manifest: Manifest;
  readonly runner:
    | { readonly kind: 'forecaster'; readonly model: LinkForecaster }
    | { readonly kind: 'classifier'; readonly model: Classifier };
  leases: number;
  isRetired: boolean;
}

interface Slot {
  readonly role: Role;
  readonly loaded: LoadedModel;
}

/** How many former champions are tried when the published one cannot be used at a start. */
const FORMER_TRIED_MAX = 5;
const RETRY_MS = 1000;

/** The link features are what forecasters understand; everything else is for classifiers. */
const LINK_FEATURE_SET = 'link';

/**
 * The models that models.v1 says are to be used: follows the topic, loads in the background, and swaps all at once
 * between leases. A model that cannot be used is refused; its place keeps the model it had, or after a restart the
 * newest former one that works.
 */
export class ServedModels implements ModelSource {
  readonly #log: CommitLog;
  readonly #prefix: string;
  readonly #logger: Logger;
  readonly #metrics: InferMetrics;
  readonly #featureSets: readonly FeatureSetIdentity[];
  readonly #loaders: ModelLoaders;
  readonly #stop = new AbortController();
  readonly #refused = new Set<string>();
  #slots = new Map<string, Slot>();
  #following: Promise<void> = Promise.resolve();

  constructor(dependencies: {
    log: CommitLog;
    prefix: string;
    logger: Logger;
    metrics: InferMetrics;
    featureSets: readonly FeatureSetIdentity[];
    loaders: ModelLoaders;
  }) {
    this.#log = dependencies.log;
    this.#prefix = dependencies.prefix;
    this.#logger = dependencies.logger;
    this.#metrics = dependencies.metrics;
    this.#featureSets = dependencies.featureSets;
    this.#loaders = dependencies.loaders;
  }

  /** Resolves when all that is published now has been taken up, so that a restart serves what ran before; at the latest after `waitMsMax`. */
  async start(waitMsMax: number): Promise<void> {
    const { promise: caughtUp, resolve } = Promise.withResolvers<void>();
    this.#following = this.#follow(resolve);
    // Real time, not the clock's: a clock that stands still must not cut the wait short.
    const timer = new AbortController();
    const late = delay(waitMsMax, true, { signal: timer.signal, ref: false }).catch(() => false);
    const isLate = await Promise.race([caughtUp.then(() => false), late]);
    timer.abort();
    if (isLate) this.#logger.warn({ waitMsMax }, 'published models not read in time; starting without');
  }

  /** Stops following and unloads everything that is not on lease. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#following;
    await this.#swap(new Map());
  }

  /** The models to use for one step. */
  lease(): Lease {
    const slots = [...this.#slots.values()];
    const forecasters: Served<LinkForecaster>[] = [];
    const classifiers: Served<Classifier>[] = [];
    for (const { role, loaded } of slots) {
      loaded.leases++;
      const { runner } = loaded;
      if (runner.kind === 'forecaster') forecasters.push({ model: runner.model, role });
      else classifiers.push({ model: runner.model, role });
    }
    const release = () => {
      for (const { loaded } of slots) {
        loaded.leases--;
        void this.#closeIfUnused(loaded);
      }
    };
    return { forecasters, classifiers, release };
  }

  async #follow(caughtUp: () => void): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        for await (const catalogue of followReleases(this.#log, this.#prefix, signal)) {
          await this.#takeUp(catalogue);
          caughtUp();
          if (signal.aborted) return;
        }
      } catch (error) {
        if (signal.aborted) return;
        this.#logger.warn({ error: messageOf(error) }, 'cannot follow the published models; trying again');
      }
      await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Makes `#slots` what the aliases say. */
  async #takeUp(catalogue: ReleaseCatalogue): Promise<void> {
    const slots = new Map<string, Slot>();
    const taken = new Set<LoadedModel>();
    for (const target of catalogue.aliases()) {
      const loaded = await this.#modelFor(target, catalogue, slots);
      // A version that is champion and shadow at once answers once.
      if (loaded === null || taken.has(loaded)) continue;
      taken.add(loaded);
      const role = target.alias === 'champion' ? 'CHAMPION' : 'SHADOW';
      slots.set(slotKey(target), { role, loaded });
    }
    await this.#swap(slots);
  }

  async #modelFor(
    target: AliasTarget,
    catalogue: ReleaseCatalogue,
    slots: ReadonlyMap<string, Slot>,
  ): Promise<LoadedModel | null> {
    const wanted = await this.#load(target.name, target.version, catalogue, slots);
    if (wanted) return wanted;
    const present = this.#slots.get(slotKey(target))?.loaded;
    if (present) return present;
    for (const version of target.formerVersions.slice(0, FORMER_TRIED_MAX)) {
      const former = await this.#load(target.name, version, catalogue, slots);
      if (former) return former;
    }
    return null;
  }

  /** null where the version is refused, now or before. */
  async #load(
    name: string,
    version: string,
    catalogue: ReleaseCatalogue,
    slots: ReadonlyMap<string, Slot>,
  ): Promise<LoadedModel | null> {
    const present = [...this.#slots.values(), ...slots.values()].find(
      ({ loaded }) => loaded.manifest.name === name && loaded.manifest.version === version,
    );
    if (present) return present.loaded;
    const release = catalogue.release(name, version);
    const attempt = `${name}@${version}@${release?.offset ?? 'none'}`;
    if (this.#refused.has(attempt)) return null;
    try {
      if (!release) throw usageError('model.unknown', 'no such version is published; publish it again');
      return await this.#open(await readReleasedArtefact(this.#log, this.#prefix, release), release);
    } catch (error) {
      // Only what lies in the model is held against it; a log that cannot be read now is tried again.
      if (!(error instanceof FlowcastError) || error.disposition !== 'usage') throw error;
      this.#refused.add(attempt);
      this.#metrics.modelsRefused.add(1, { reason: error.code });
      this.#logger.error(
        { model: name, version, reason: messageOf(error) },
        'model refused; the one before stays',
      );
      return null;
    }
  }

  /** Usage error where the artefact is not what was published, fits no feature set of ours, or does not run. */
  async #open(artefact: ModelArtefact, release: Release): Promise<LoadedModel> {
    const { manifest } = artefact;
    if (manifest.name !== release.name || manifest.version !== release.version) {
      throw usageError('model.manifest', 'its manifest names another model; publish it again');
    }
    const { name, version } = manifest.featureSet;
    const sets = this.#featureSets.filter((set) => set.name === name);
    const set = sets.find((candidate) => candidate.version === version) ?? sets[0];
    if (!set) throw usageError('model.features', `there is no feature set ${name}; train it on one of ours`);
    checkFeatures(manifest, set);
    if ((name === LINK_FEATURE_SET) !== (manifest.kind === 'forecaster')) {
      throw usageError('model.kind', `a ${manifest.kind} on the feature set ${name} has no use`);
    }
    try {
      return { manifest, runner: await this.#createRunner(artefact), leases: 0, isRetired: false };
    } catch (error) {
      if (error instanceof FlowcastError) throw error;
      throw usageError('model.unusable', messageOf(error), error);
    }
  }

  async #createRunner(artefact: ModelArtefact): Promise<LoadedModel['runner']> {
    const { kind, forecaster } = artefact.manifest;
    if (kind === 'classifier') return { kind, model: await this.#loaders.createClassifier(artefact) };
    if (forecaster?.metric !== METRIC || forecaster.unit !== UNIT || !forecaster.quantiles.includes(0.5)) {
      throw usageError('model.manifest', `a forecaster must give ${METRIC} in ${UNIT} with its median`);
    }
    return { kind, model: await this.#loaders.createForecaster(artefact) };
  }

  async #swap(slots: Map<string, Slot>): Promise<void> {
    const former = [...this.#slots.values()];
    this.#slots = slots;
    const kept = new Set([...slots.values()].map(({ loaded }) => loaded));
    for (const slot of former) this.#show(slot, 0);
    for (const slot of slots.values()) this.#show(slot, 1);
    for (const { loaded } of former) {
      if (kept.has(loaded)) continue;
      loaded.isRetired = true;
      await this.#closeIfUnused(loaded);
    }
  }

  #show({ role, loaded }: Slot, value: 0 | 1): void {
    const { name: model, version } = loaded.manifest;
    this.#metrics.modelServed.set(value, { model, version, role });
  }

  async #closeIfUnused(loaded: LoadedModel): Promise<void> {
    if (!loaded.isRetired || loaded.leases > 0) return;
    await loaded.runner.model.close().catch((error: unknown) => {
      this.#logger.warn({ model: loaded.manifest.name, error: messageOf(error) }, 'model not unloaded');
    });
  }
}

const slotKey = ({ name, alias }: AliasTarget) => `${name}/${alias}`;
