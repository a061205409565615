import { createServer, type Server, type ServerResponse } from 'node:http';
import { isLocal } from './address.ts';
import { metrics } from './metrics.ts';

/** What watches a worker asks here, where it has a port: whether it lives, whether it can do its work, and how it fares. */
export function createWorkerServer(database: { ping(): Promise<void> }): Server {
  return createServer((request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0];
    if (path === '/healthz') return send(response, 200, { alive: true });
    if (path === '/readyz') {
      database.ping().then(
        () => send(response, 200, { ready: true, database: 'answers' }),
        () => send(response, 503, { ready: false, database: 'does not answer' }),
      );
      return;
    }
    if (path !== '/metrics' || !isLocal(request))
      return send(response, 404, { error: 'expected /healthz, /readyz, or /metrics from this machine' });
    metrics.registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': metrics.registry.contentType, 'cache-control': 'no-store' }).end(text),
      () => send(response, 500, { error: 'expected measurements, got a fault' }),
    );
  });
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(`${JSON.stringify(body)}\n`);
}
