import { Random } from '../kernel/random.ts';
import { Background } from './background.ts';
import { BEHAVIOURS } from './behaviours/table.ts';
import { Conversation, report, type SimulatedFlow } from './conversation.ts';
import {
  conversationsBefore,
  type Episode,
  exportedAt,
  isAnswered,
  type Lane,
  lanesOf,
  repliesBefore,
} from './episode.ts';
import { hash } from './hash.ts';
import { buildNetwork, type Network } from './network.ts';
import type { BehaviourName, ClassName, Scenario } from './scenario.ts';

/** An episode for people and tests: who did what to whom, when. */
export interface EpisodeSummary {
  readonly name: BehaviourName;
  readonly label: ClassName;
  readonly exporter: string;
  readonly startUs: number;
  readonly endUs: number;
  readonly sources: readonly Uint8Array[];
  readonly targets: readonly Uint8Array[];
}

/** Simulated traffic, computed tick by tick; a tick depends on (seed, scenario, index) alone, so that any can be asked for first. */
export interface Simulation {
  readonly scenario: Scenario;
  readonly network: Network;
  /** Begin of tick `index`, microseconds since the epoch. */
  tickStartUs(index: number): number;
  /** The records exported in tick `index` >= 0, in the order of their export. */
  tick(index: number): readonly SimulatedFlow[];
  /** How many records `tick(index)` has, without making them. */
  count(index: number): number;
  /** Episodes that overlap [fromUs, toUs). */
  episodes(fromUs: number, toUs: number): EpisodeSummary[];
}

/** Builds the standing parts (network, levels, schedules) of a scenario; nothing random is left after (scenario, seed). */
export function createSimulation(scenario: Scenario, seed: number): Simulation {
  return new TickSimulation(scenario, seed);
}

class TickSimulation implements Simulation {
  readonly scenario: Scenario;
  readonly network: Network;
  readonly #seed: number;
  readonly #tickUs: number;
  readonly #backgrounds: readonly Background[];
  readonly #lanes: readonly Lane[];
  readonly #conversation: Conversation;

  constructor(scenario: Scenario, seed: number) {
    this.scenario = scenario;
    this.network = buildNetwork(scenario, seed);
    this.#seed = hash(seed, 41);
    this.#tickUs = scenario.tickSeconds * 1e6;
    this.#backgrounds = this.network.links.map((link) => new Background(link, this.network, scenario));
    this.#lanes = scenario.behaviours.flatMap((spec, i) =>
      lanesOf(
        spec,
        BEHAVIOURS[spec.name],
        this.network,
        hash(seed, 42, i),
        scenario.behavioursFromUs,
        i / scenario.behaviours.length,
      ),
    );
    this.#conversation = new Conversation(this.network.remoteV4[0]!);
  }

  tickStartUs(index: number): number {
    return this.scenario.startUs + index * this.#tickUs;
  }

  tick(index: number): readonly SimulatedFlow[] {
    const fromUs = this.tickStartUs(index);
    const toUs = fromUs + this.#tickUs;
    const random = new Random(hash(this.#seed, index));
    const out: SimulatedFlow[] = [];
    for (const background of this.#backgrounds) {
      background.generate(fromUs, toUs, random, this.#conversation, out);
    }
    this.#forEachEpisode(fromUs, toUs, (episode) => this.#generate(episode, fromUs, toUs, random, out));
    return out.sort(byExportTime);
  }

  count(index: number): number {
    const fromUs = this.tickStartUs(index);
    const toUs = fromUs + this.#tickUs;
    let records = 0;
    for (const background of this.#backgrounds) records += background.records(fromUs, toUs);
    this.#forEachEpisode(fromUs, toUs, (episode) => {
      if (isSilent(episode, fromUs, toUs)) return;
      const from = conversationsBefore(episode, fromUs);
      const to = conversationsBefore(episode, toUs);
      records += to - from;
      if (!this.scenario.bidirectional) records += repliesBefore(episode, to) - repliesBefore(episode, from);
    });
    return records;
  }

  episodes(fromUs: number, toUs: number): EpisodeSummary[] {
    const found: EpisodeSummary[] = [];
    this.#forEachEpisode(fromUs, toUs, ({ name, label, startUs, endUs, plan }) => {
      found.push({
        name,
        label,
        exporter: plan.link.exporter.spec.address,
        startUs,
        endUs,
        sources: plan.sources.map((host) => host.address),
        targets: plan.targets.map((host) => host.address),
      });
    });
    return found;
  }

  #forEachEpisode(fromUs: number, toUs: number, visit: (episode: Episode) => void): void {
    for (const lane of this.#lanes) lane.forEach(fromUs, toUs, visit);
  }

  #generate(episode: Episode, fromUs: number, toUs: number, random: Random, out: SimulatedFlow[]): void {
    if (isSilent(episode, fromUs, toUs)) return;
    const c = this.#conversation;
    const { link } = episode.plan;
    const earliestUs = Math.max(link.outages.lastEndUs(toUs), link.exporter.outages.lastEndUs(toUs));
    const lagUs = Math.min(link.exporter.spec.inactiveTimeoutSeconds, 1) * 1e6;
    const end = conversationsBefore(episode, toUs);
    for (let number = conversationsBefore(episode, fromUs); number < end; number++) {
      const answered = isAnswered(episode, number);
      c.exportedUs = Math.min(Math.max(exportedAt(episode, number), fromUs), toUs - 1);
      c.endUs = Math.max(c.exportedUs - lagUs * random.uniform(), Math.min(earliestUs, c.exportedUs));
      c.label = episode.label;
      c.tos = 0;
      episode.behaviour.fill(c, episode, Math.floor(number / episode.seenShare), answered, random);
      c.startUs = Math.max(c.startUs, Math.min(earliestUs, c.endUs));
      if (!answered) {
        c.serverBytes = 0;
        c.serverPackets = 0;
        c.serverFlags = 0;
      }
      report(c, link.exporter, this.scenario.bidirectional, random, out);
    }
  }
}

/** An exporter or a link that is down in the middle of a tick is down for all of it. */
function isSilent(episode: Episode, fromUs: number, toUs: number): boolean {
  const middleUs = (fromUs + toUs) / 2;
  const { link } = episode.plan;
  return link.outages.silentAt(middleUs) || link.exporter.outages.silentAt(middleUs);
}

/** Stable: both directions of a conversation stay together. */
function byExportTime(a: SimulatedFlow, b: SimulatedFlow): number {
  return a.flow.receivedUs - b.flow.receivedUs;
}
