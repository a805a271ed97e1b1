import Type from 'typebox';

const section = <T extends Parameters<typeof Type.Object>[0]>(description: string, properties: T) =>
  Type.Object(properties, { description, additionalProperties: false });

const file = (description: string) => Type.String({ description, default: '' });

const SslConfig = section('TLS towards the brokers.', {
  enabled: Type.Boolean({
    description: 'Whether connections are encrypted.',
    default: false,
  }),
  caFile: file(
    'PEM file with the authorities that sign the brokers; empty = those of the system. Files are read anew at each connection, so replaced certificates are taken up without a restart.',
  ),
  certFile: file('PEM file with the client certificate (mutual TLS); empty = none.'),
  keyFile: file('PEM file with the key of the client certificate; empty = none.'),
});

const SaslConfig = section('Who this process is towards the brokers.', {
  mechanism: Type.Union(
    ['none', 'plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'].map((name) => Type.Literal(name)),
    { description: 'How it proves it.', default: 'none' },
  ),
  username: Type.String({ description: 'Name for PLAIN and SCRAM.', default: '' }),
  password: Type.String({ description: 'Password for PLAIN and SCRAM.', default: '', secret: true }),
  tokenFile: file('File with the bearer token for OAUTHBEARER; read anew at each authentication.'),
});

/** Settings of the Kafka driver: section `commitLog.kafka`. */
export const KafkaConfig = section('Apache Kafka, where `driver` is `kafka`.', {
  brokers: Type.Array(Type.String({ pattern: '^.+:[0-9]{1,5}$' }), {
    description: 'Brokers to ask first, as host:port.',
    default: ['127.0.0.1:9092'],
    minItems: 1,
  }),
  clientId: Type.String({
    description: "Name of this program in the brokers' logs and quotas.",
    default: 'flowcast',
    minLength: 1,
  }),
  ssl: SslConfig,
  sasl: SaslConfig,
  replicationFactor: Type.Integer({
    description: 'Copies of each partition of the topics that flowcast creates.',
    default: 1,
    minimum: 1,
    maximum: 9,
  }),
  minInSyncReplicas: Type.Integer({
    description:
      'Copies that must have a record before it counts as written, in the topics that flowcast creates.',
    default: 1,
    minimum: 1,
    maximum: 9,
  }),
  transactionTimeoutMs: Type.Integer({
    description:
      'An open transaction of a dead process holds readers back until its heir takes over, this long at most.',
    default: 10_000,
    minimum: 1000,
    maximum: 900_000,
  }),
  sessionTimeoutMs: Type.Integer({
    description: 'A process that is not heard of for this long loses its partitions.',
    default: 10_000,
    minimum: 1000,
  }),
  heartbeatIntervalMs: Type.Integer({
    description: 'How often a process says that it is there; joins and leaves are noticed at this pace.',
    default: 1000,
    minimum: 50,
  }),
  requestTimeoutMs: Type.Integer({
    description: 'A request without an answer for this long has failed.',
    default: 15_000,
    minimum: 1000,
  }),
});

export type KafkaConfig = Type.Static<typeof KafkaConfig>;
