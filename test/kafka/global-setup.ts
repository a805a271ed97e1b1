import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { createCluster, jarsAreHere } from '../../scripts/kafka/broker.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** host:port, comma separated; empty = there is none, and why not is in `kafkaReason`. */
    kafkaBrokers: string;
    kafkaReason: string;
  }
}

/** One broker for all test files: that of KAFKA_BROKERS, else one from local jars, else none. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.KAFKA_BROKERS;
  if (given) return provide(project, given, '');
  const reason = whyNot();
  if (reason !== null) {
    if (process.env.CI) throw new Error(`Kafka tests are mandatory here: ${reason}`);
    console.warn(`\n*** Kafka tests are SKIPPED: ${reason} ***\n`);
    return provide(project, '', reason);
  }
  const directory = await mkdtemp(join(tmpdir(), 'flowcast-kafka-'));
  const [broker] = createCluster(directory, 1, await freePort(), {
    // Other tests keep the machine busy.
    'broker.session.timeout.ms': '20000',
  });
  await broker!.start();
  provide(project, broker!.address, '');
  return async () => {
    await broker!.stop('SIGKILL');
    await rm(directory, { recursive: true, force: true });
  };
}

function provide(project: TestProject, brokers: string, reason: string) {
  project.provide('kafkaBrokers', brokers);
  project.provide('kafkaReason', reason);
  return () => Promise.resolve();
}

function whyNot(): string | null {
  const runs = (command: string, flag: string) => spawnSync(command, [flag]).status === 0;
  if (!runs('java', '-version')) return 'set KAFKA_BROKERS, or install Java 17 and Maven';
  if (!jarsAreHere() && !runs('mvn', '-version'))
    return 'set KAFKA_BROKERS, or install Maven to fetch the jars';
  return null;
}

/** A port with another free one a hundred further on, for the controller. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port > 65_000 ? port - 1000 : port;
}
