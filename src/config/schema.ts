import Type from 'typebox';
import { KafkaConfig } from '../commit-log/kafka/config.ts';
import { InferConfig } from '../infer/config.ts';
import { IngestConfig } from '../ingest/config.ts';
import { PreprocessConfig } from '../preprocess/config.ts';

const section = <T extends Parameters<typeof Type.Object>[0]>(description: string, properties: T) =>
  Type.Object(properties, { description, additionalProperties: false });

const LogConfig = section('What the process says of itself, as JSON lines on standard error.', {
  level: Type.Union(
    ['debug', 'info', 'warn', 'error', 'silent'].map((level) => Type.Literal(level)),
    {
      description: 'Least severe level that is written.',
      default: 'info',
    },
  ),
});

const CommitLogConfig = section('The commit log that the stages meet in.', {
  driver: Type.Union([Type.Literal('embedded'), Type.Literal('kafka')], {
    description:
      '`embedded`: durable, in one process, in one directory. `kafka`: Apache Kafka, for several processes.',
    default: 'embedded',
  }),
  directory: Type.String({
    description: 'Directory of the embedded log.',
    default: 'data/log',
    minLength: 1,
  }),
  topicPrefix: Type.String({
    description: 'Stands before every topic and group name.',
    default: 'flowcast.',
    pattern: '^[A-Za-z0-9._-]{0,100}$',
  }),
  partitions: Type.Integer({
    description: 'Partitions of the topics that flowcast creates; all stages share the count.',
    default: 4,
    minimum: 1,
    maximum: 4096,
  }),
  kafka: KafkaConfig,
});

const HttpConfig = section('Where metrics, health and the first page are served.', {
  host: Type.String({ description: 'Address to listen on.', default: '127.0.0.1' }),
  port: Type.Integer({
    description: 'Port to listen on; 0 = any free one.',
    default: 8080,
    minimum: 0,
    maximum: 65535,
  }),
});

const HealthConfig = section('When a process counts as unhealthy.', {
  stalledAfterMs: Type.Integer({
    description: 'A stage that has made no progress, not even a tick, for this long is unhealthy.',
    default: 60_000,
    minimum: 1000,
  }),
});

/** The one schema: types, defaults, validation, `docs/configuration.md` and `.env.example` all come from here. */
export const ConfigSchema = Type.Object(
  {
    log: LogConfig,
    commitLog: CommitLogConfig,
    http: HttpConfig,
    health: HealthConfig,
    ingest: IngestConfig,
    preprocess: PreprocessConfig,
    infer: InferConfig,
  },
  { additionalProperties: false },
);

/** The whole configuration, validated and frozen. Each part of the program receives only its own section. */
export type Config = Type.Static<typeof ConfigSchema>;
