import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

// Apache Kafka (KRaft) without Docker: the jars come from Maven Central once, any Java from 17 on runs them.

const run = promisify(execFile);
const POM = fileURLToPath(new URL('pom.xml', import.meta.url));
const READY_WITHIN_MS = 90_000;

/** Where the jars are kept between runs. */
export function jarDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const cache = environment.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const version = /<artifactId>kafka_2\.13<\/artifactId>\s*<version>([^<]+)/.exec(
    readFileSync(POM, 'utf8'),
  )![1]!;
  return join(cache, 'flowcast', `kafka-${version}`);
}

/** Whether the jars have been fetched before. */
export function jarsAreHere(): boolean {
  return existsSync(join(jarDirectory(), 'complete'));
}

/** Fetches the jars unless they are there. Needs Maven and Java 17; some 43 MB. */
export async function fetchJars(): Promise<string> {
  const directory = jarDirectory();
  if (existsSync(join(directory, 'complete'))) return directory;
  mkdirSync(directory, { recursive: true });
  await run('mvn', ['-q', '-B', '-f', POM, 'dependency:copy-dependencies', `-DoutputDirectory=${directory}`]);
  writeFileSync(join(directory, 'complete'), '');
  return directory;
}

export interface BrokerOptions {
  /** Data, configuration and logs of this node; made if missing. */
  readonly directory: string;
  readonly nodeId: number;
  readonly port: number;
  readonly controllerPort: number;
  /** `id@host:port` of every controller. */
  readonly quorum: string;
  readonly clusterId: string;
  /** Further lines of server.properties; they win over the defaults here. */
  readonly properties?: Readonly<Record<string, string>>;
  readonly heapMb?: number;
}

/** One broker process: combined broker and controller. */
export class Broker {
  readonly address: string;
  readonly #options: BrokerOptions;
  #process: ChildProcess | null = null;

  constructor(options: BrokerOptions) {
    this.#options = options;
    this.address = `127.0.0.1:${options.port}`;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Formats the storage at the first start, launches, and resolves when the port answers. */
  async start(): Promise<void> {
    const { directory, clusterId, port, heapMb = 512 } = this.#options;
    const jars = `${await fetchJars()}/*`;
    mkdirSync(directory, { recursive: true });
    const propertiesFile = join(directory, 'server.properties');
    writeFileSync(propertiesFile, serverProperties(this.#options));
    if (!existsSync(join(directory, 'data', 'meta.properties'))) {
      await run('java', [
        '-cp',
        jars,
        'kafka.tools.StorageTool',
        'format',
        '-t',
        clusterId,
        '-c',
        propertiesFile,
      ]);
    }
    const log = openSync(join(directory, 'broker.log'), 'a');
    const args = [`-Xmx${heapMb}m`, '-XX:+UseSerialGC', '-cp', jars, 'kafka.Kafka', propertiesFile];
    this.#process = spawn('java', args, { stdio: ['ignore', log, log] });
    await answering(port, () => this.#process?.exitCode ?? null, join(directory, 'broker.log'));
  }

  /** Ends the process with a signal and waits until it is gone. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const process = this.#process;
    this.#process = null;
    if (!process || process.exitCode !== null || process.signalCode !== null) return;
    const gone = new Promise((resolve) => process.once('exit', resolve));
    process.kill(signal);
    await gone;
  }
}

/** `count` brokers of one cluster on ports from `port` on; inert until each is started. */
export function createCluster(
  directory: string,
  count: number,
  port: number,
  properties: Readonly<Record<string, string>> = {},
): Broker[] {
  const nodes = Array.from({ length: count }, (_, i) => ({
    nodeId: i + 1,
    port: port + i,
    controllerPort: port + 100 + i,
  }));
  const quorum = nodes.map((node) => `${node.nodeId}@127.0.0.1:${node.controllerPort}`).join(',');
  const replication = String(Math.min(3, count));
  return nodes.map(
    (node) =>
      new Broker({
        ...node,
        directory: join(directory, `node-${node.nodeId}`),
        quorum,
        clusterId: 'Zmxvd2Nhc3QtdGVzdC0wMQ',
        heapMb: count > 1 ? 256 : 512,
        properties: {
          'offsets.topic.replication.factor': replication,
          'transaction.state.log.replication.factor': replication,
          'transaction.state.log.min.isr': count > 1 ? '2' : '1',
          ...properties,
        },
      }),
  );
}

function serverProperties({
  directory,
  nodeId,
  port,
  controllerPort,
  quorum,
  properties,
}: BrokerOptions): string {
  const all: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': String(nodeId),
    'controller.quorum.voters': quorum,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': join(directory, 'data'),
    'auto.create.topics.enable': 'false',
    'group.initial.rebalance.delay.ms': '0',
    'offsets.topic.num.partitions': '8',
    'transaction.state.log.num.partitions': '8',
    'broker.session.timeout.ms': '3000',
    ...properties,
  };
  return Object.entries(all)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

async function answering(port: number, exitCode: () => number | null, logFile: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < READY_WITHIN_MS; waitedMs += 100) {
    if (exitCode() !== null) throw new Error(`the broker ended with ${exitCode()}; see ${logFile}`);
    if (await accepts(port)) return;
    await pause(100);
  }
  throw new Error(
    `the broker did not answer on port ${port} within ${READY_WITHIN_MS / 1000} s; see ${logFile}`,
  );
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
