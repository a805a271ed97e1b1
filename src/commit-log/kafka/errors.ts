import { FlowcastError, fatalError, messageOf, transientError } from '../../kernel/errors.ts';

/** What people can do about answers of a broker that trying again will not mend. */
const ADVICE: Readonly<Record<string, string>> = {
  TOPIC_AUTHORIZATION_FAILED: 'grant this user Describe, Read and Write on the topics',
  GROUP_AUTHORIZATION_FAILED: 'grant this user Read on the consumer group',
  CLUSTER_AUTHORIZATION_FAILED: 'grant this user what it needs on the cluster',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    'grant this user Write and Describe on transactional ids that begin with the group name',
  SASL_AUTHENTICATION_FAILED: 'check commitLog.kafka.sasl',
  UNSUPPORTED_SASL_MECHANISM: 'check commitLog.kafka.sasl.mechanism',
  ILLEGAL_SASL_STATE: 'check commitLog.kafka.sasl and commitLog.kafka.ssl',
  MESSAGE_TOO_LARGE: 'raise max.message.bytes of the topic',
  RECORD_LIST_TOO_LARGE: 'raise max.message.bytes of the topic',
  INVALID_TRANSACTION_TIMEOUT:
    'lower commitLog.kafka.transactionTimeoutMs or raise transaction.max.timeout.ms of the brokers',
  INVALID_SESSION_TIMEOUT:
    'keep commitLog.kafka.sessionTimeoutMs within group.min/max.session.timeout.ms of the brokers',
  INVALID_REPLICATION_FACTOR: 'lower commitLog.kafka.replicationFactor or add brokers',
  POLICY_VIOLATION: 'the policy of the cluster forbids it',
  UNSUPPORTED_VERSION: 'the brokers are too old or too new for this client',
};

const NAME_ADVICE: Readonly<Record<string, string>> = {
  KafkaJSSASLAuthenticationError: ADVICE.SASL_AUTHENTICATION_FAILED!,
  KafkaJSNotImplemented: 'the records use a compression or a protocol that this client does not know',
  KafkaJSServerDoesNotSupportApiKey: ADVICE.UNSUPPORTED_VERSION!,
};

interface ClientError extends Error {
  readonly type?: string;
  readonly originalError?: unknown;
}

/** Something the client threw as an error that says what happens next: fatal where a person has to act, else transient. */
export function errorOf(error: unknown, doing: string): FlowcastError {
  for (const cause of causesOf(error)) {
    if (cause instanceof FlowcastError) return cause;
    const { type, name } = cause as ClientError;
    const advice = (type === undefined ? undefined : ADVICE[type]) ?? NAME_ADVICE[name];
    if (advice) {
      const code = `kafka_${(type ?? 'client').toLowerCase()}`;
      return fatalError(code, `${doing}: ${messageOf(cause)}; ${advice}`, error);
    }
  }
  return transientError('kafka_unavailable', `${doing}: ${messageOf(error)}`, error);
}

/** Whether the error, or one that led to it, is of this protocol type. */
export function hasType(error: unknown, type: string): boolean {
  return causesOf(error).some((cause) => (cause as ClientError).type === type);
}

/** The error and what led to it, outermost first. */
function causesOf(error: unknown): Error[] {
  const causes: Error[] = [];
  let at: unknown = error;
  while (at instanceof Error && !causes.includes(at)) {
    causes.push(at);
    at = (at as ClientError).cause ?? (at as ClientError).originalError;
  }
  return causes;
}
