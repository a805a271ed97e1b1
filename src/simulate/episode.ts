import { Random } from '../kernel/random.ts';
import { type Conversation, seenShare } from './conversation.ts';
import { hash, hashUnit } from './hash.ts';
import type { Host, Link, Network } from './network.ts';
import type { BehaviourName, BehaviourSpec, ClassName } from './scenario.ts';

/** What an episode is about, drawn once when it is planned. */
export interface Plan {
  readonly link: Link;
  /** Who begins the conversations: attackers, or benign hosts of the behaviour. */
  readonly sources: readonly Host[];
  readonly targets: readonly Host[];
  readonly ports: readonly number[];
  readonly protocol: number;
  /** Packets of a typical conversation, for what a sampler sees of it. */
  readonly packets: number;
  /** Share of the conversations that are answered, 0..1. */
  readonly replyShare: number;
  /** 0 = machine-exact intervals, 0.9 = nearly random. */
  readonly jitter: number;
  /** For bulk behaviours: the level they aim at; 0 = natural sizes. */
  readonly bitsPerSecond: number;
  /** One long flow, reported as its exporter reports long flows, instead of many conversations. */
  readonly continuous: boolean;
  /** A draw of the behaviour's own, 0..1. */
  readonly variant: number;
}

/** One behaviour: how an episode is planned and what its k-th conversation looks like. */
export interface Behaviour {
  readonly label: ClassName;
  plan(network: Network, random: Random, spec: BehaviourSpec): Plan;
  /**
   * Fills client, server, ports, counters of both directions and flags, and moves `startUs` back from `endUs` by the
   * duration. `number` counts the episode's conversations, seen by a sampler or not. Where `answered` is false the
   * server's counters are dropped afterwards.
   */
  fill(conversation: Conversation, episode: Episode, number: number, answered: boolean, random: Random): void;
}

/** A stretch of time in which a behaviour is going on. */
export interface Episode {
  readonly name: BehaviourName;
  readonly label: ClassName;
  readonly startUs: number;
  readonly endUs: number;
  readonly seed: number;
  /** Mean time between two conversations that are reported. */
  readonly intervalUs: number;
  /** Share of the conversations a sampling exporter reports. */
  readonly seenShare: number;
  readonly plan: Plan;
  readonly behaviour: Behaviour;
}

/** Conversations of the episode exported before `timeUs`: closed form, so that any tick is computed alone. */
export function conversationsBefore(episode: Episode, timeUs: number): number {
  const at = (Math.min(timeUs, episode.endUs) - episode.startUs) / episode.intervalUs;
  if (at <= 0) return 0;
  const whole = Math.floor(at);
  const jitter = episode.plan.jitter;
  return whole + (whole + jitter * hashUnit(episode.seed, whole) < at ? 1 : 0);
}

/** When conversation `number` is exported. */
export function exportedAt(episode: Episode, number: number): number {
  return (
    episode.startUs + (number + episode.plan.jitter * hashUnit(episode.seed, number)) * episode.intervalUs
  );
}

/** Answered conversations among the first `count`: spread evenly, so that they can be counted without looking at each. */
export function repliesBefore(episode: Episode, count: number): number {
  return Math.floor(count * episode.plan.replyShare);
}

/** Whether conversation `number` is answered; agrees with `repliesBefore`. */
export function isAnswered(episode: Episode, number: number): boolean {
  return repliesBefore(episode, number + 1) > repliesBefore(episode, number);
}

/** One sequence of slots in time with one episode each; several lanes of a behaviour overlap. */
export class Lane {
  readonly #spec: BehaviourSpec;
  readonly #behaviour: Behaviour;
  readonly #network: Network;
  readonly #seed: number;
  readonly #originUs: number;
  readonly #slotUs: number;
  readonly #cache = new Map<number, Episode>();

  constructor(
    spec: BehaviourSpec,
    behaviour: Behaviour,
    network: Network,
    seed: number,
    originUs: number,
    slotUs: number,
  ) {
    this.#spec = spec;
    this.#behaviour = behaviour;
    this.#network = network;
    this.#seed = seed;
    this.#originUs = originUs;
    this.#slotUs = slotUs;
  }

  /** Calls back with every episode that may overlap [fromUs, toUs), in order of their slots. */
  forEach(fromUs: number, toUs: number, visit: (episode: Episode) => void): void {
    const last = Math.floor((toUs - 1 - this.#originUs) / this.#slotUs);
    for (let slot = Math.max(0, Math.floor((fromUs - this.#originUs) / this.#slotUs)); slot <= last; slot++) {
      const episode = this.#episode(slot);
      if (episode.startUs < toUs && episode.endUs > fromUs) visit(episode);
    }
  }

  #episode(slot: number): Episode {
    const known = this.#cache.get(slot);
    if (known) return known;
    if (this.#cache.size >= 4) this.#cache.clear();
    const episode = this.#planned(slot);
    this.#cache.set(slot, episode);
    return episode;
  }

  #planned(slot: number): Episode {
    const seed = hash(this.#seed, slot);
    const random = new Random(seed);
    const plan = this.#behaviour.plan(this.#network, random, this.#spec);
    const lengthUs = Math.min(logUniform(this.#spec.durationSeconds, random) * 1e6, this.#slotUs);
    // Early in its slot: whoever waits for a first episode does not wait a whole slot.
    const slack = 0.3 * random.uniform() * (this.#slotUs - lengthUs);
    const startUs = Math.floor(this.#originUs + slot * this.#slotUs + slack);
    const { samplingRate, longFlows, activeTimeoutSeconds } = plan.link.exporter.spec;
    const seen = seenShare(plan.packets, samplingRate);
    const isWhole = plan.continuous && longFlows === 'whole';
    const interval = logUniform(this.#spec.ratePerSecond, random) ** -1 / seen;
    const endUs = Math.floor(startUs + lengthUs);
    return {
      name: this.#spec.name,
      label: this.#behaviour.label,
      // A whole long flow is one report at its end; in pieces, each report covers the interval before it.
      startUs: isWhole ? endUs - 1 : startUs,
      endUs,
      seed,
      intervalUs: plan.continuous ? (isWhole ? lengthUs : activeTimeoutSeconds * 1e6) : interval * 1e6,
      seenShare: plan.continuous ? 1 : seen,
      plan,
      behaviour: this.#behaviour,
    };
  }
}

/** As many lanes as it takes to have an episode every `everySeconds` and each fit into its slot. */
export function lanesOf(
  spec: BehaviourSpec,
  behaviour: Behaviour,
  network: Network,
  seed: number,
  originUs: number,
  stagger: number,
): Lane[] {
  const lanes = Math.ceil((spec.durationSeconds[1] * 1.05) / spec.everySeconds);
  const slotUs = Math.round(spec.everySeconds * lanes * 1e6);
  return Array.from(
    { length: lanes },
    (_, lane) =>
      new Lane(
        spec,
        behaviour,
        network,
        hash(seed, 31, lane),
        originUs + Math.round(((lane + stagger) / lanes) * slotUs),
        slotUs,
      ),
  );
}

/** Between the bounds, each order of magnitude as likely as the next. */
export function logUniform(range: readonly [min: number, max: number], random: Random): number {
  return range[0] * (range[1] / range[0]) ** random.uniform();
}
