import Fastify, { type FastifyInstance } from 'fastify';
import { messageOf, usageError } from '../kernel/errors.ts';
import type { Component } from '../kernel/lifecycle.ts';
import type { Health } from '../telemetry/health.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { firstPage } from './first-page.ts';
import type { LatestPredictions } from './latest.ts';

export interface HttpDependencies {
  readonly host: string;
  readonly port: number;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly latest: LatestPredictions;
  /** Told the address once it listens. */
  readonly onListening: (url: string) => void;
}

/** The HTTP face of a process: `/`, `/metrics`, `/healthz` (is it making progress) and `/readyz` (can it serve). */
export function createHttpServer(dependencies: HttpDependencies): Component {
  const app = buildApp(dependencies);
  return {
    name: 'http',
    async start() {
      const { host, port } = dependencies;
      try {
        dependencies.onListening(await app.listen({ host, port }));
      } catch (error) {
        const inUse = (error as { code?: string }).code === 'EADDRINUSE';
        const why = inUse
          ? 'is in use; give another one with --port, 0 takes any free one'
          : `cannot be listened on: ${messageOf(error)}`;
        throw usageError('http_listen', `port ${port} on ${host} ${why}`, error);
      }
    },
    stop: () => app.close(),
  };
}

function buildApp({ metrics, health, latest }: HttpDependencies): FastifyInstance {
  const app = Fastify({ logger: false, forceCloseConnections: true });
  app.get('/metrics', async (_request, reply) =>
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(await metrics.render()),
  );
  app.get('/healthz', (_request, reply) => {
    const report = health.report();
    return reply.code(report.healthy ? 200 : 503).send(report);
  });
  app.get('/readyz', (_request, reply) => {
    const report = health.report();
    return reply.code(report.ready ? 200 : 503).send(report);
  });
  app.get('/v1/forecasts', () => latest.forecasts());
  app.get('/v1/classifications', () => latest.alerts());
  app.get('/', (_request, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .header(
        'content-security-policy',
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'",
      )
      .send(firstPage()),
  );
  return app;
}
