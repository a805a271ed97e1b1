import type { TopicSpec } from '../commit-log/port.ts';
import { topicSpecs } from '../commit-log/topics.ts';
import type { Config } from '../config/schema.ts';
import { usageError } from '../kernel/errors.ts';
import type { Command } from './command.ts';
import { openLog } from './open-log.ts';
import { CONFIG_USAGE, parseWithConfig } from './options.ts';

export const topicsCommand: Command = {
  name: 'topics',
  summary: 'create the topics, or check that they are as they should be',
  usage: `usage: flowcast topics create|check [options]

  create  create the topics that are missing; existing ones are left alone
  check   exit 1 and say what differs, one line a difference

${CONFIG_USAGE}`,
  async run(args, io) {
    const { config, positionals } = parseWithConfig(args, io, {});
    const action = positionals[0];
    if (action !== 'create' && action !== 'check') {
      throw usageError('topics_action', 'say what to do: flowcast topics create or check');
    }
    const log = await openLog(config, io.clock);
    try {
      const wanted = wantedTopics(config);
      const actual =
        action === 'create'
          ? await log.ensureTopics(wanted)
          : await log.describeTopics(wanted.map(({ name }) => name));
      const differences = differencesOf(wanted, actual);
      for (const difference of differences) io.stderr.write(`${difference}\n`);
      io.stdout.write(`${JSON.stringify({ topics: actual.length, differences: differences.length })}\n`);
      return action === 'check' && differences.length > 0 ? 1 : 0;
    } finally {
      await log.close();
    }
  },
};

/** Every topic of the installation, with what only Kafka has where the log is Kafka. */
export function wantedTopics({ commitLog }: Config): TopicSpec[] {
  const specs = topicSpecs(commitLog.topicPrefix, commitLog.partitions);
  if (commitLog.driver !== 'kafka') return specs;
  const { replicationFactor, minInSyncReplicas } = commitLog.kafka;
  return specs.map((spec) => ({ ...spec, replicationFactor, minInSyncReplicas }));
}

const PROPERTIES = [
  'partitions',
  'cleanup',
  'retentionMs',
  'retentionBytes',
  'replicationFactor',
  'minInSyncReplicas',
] as const;

/** One line for each property in which a topic is not as wanted. */
export function differencesOf(wanted: readonly TopicSpec[], actual: readonly TopicSpec[]): string[] {
  const found = new Map(actual.map((topic) => [topic.name, topic]));
  return wanted.flatMap((spec) => {
    const topic = found.get(spec.name);
    if (!topic) return [`${spec.name}: missing; flowcast topics create makes it`];
    return PROPERTIES.filter((property) => topic[property] !== spec[property]).map(
      (property) =>
        `${spec.name}: ${property} is ${topic[property] ?? 'unset'}, should be ${spec[property] ?? 'unset'}`,
    );
  });
}
