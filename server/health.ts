import type { IncomingMessage, ServerResponse } from 'node:http';
import { isLocal } from './address.ts';
import type { App } from './app.ts';
import { reportFault } from './faults.ts';
import { holdsSecret, isAddressedLocally } from './guard.ts';
import { metrics } from './metrics.ts';

/** What watches the server asks here: whether the process lives, whether it can serve, and how it fares. */

export type State = 'starting' | 'running' | 'stopping';

/** Milliseconds in which the database must answer, and for which its answer holds. */
const PATIENCE = 2000;
const FRESH = 1000;

export interface Watched {
  state: State;
  /** null while the server starts */
  app: App | null;
}

/**
 * Answers a request that asks how the server is, whatever its Host: what balances the load asks by address.
 * Returns false where it asks something else.
 */
export function answerHealth(request: IncomingMessage, response: ServerResponse, watched: Watched): boolean {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const answer = path === '/healthz' ? health : path === '/readyz' ? readiness : path === '/metrics' ? measurements : null;
  if (answer === null) return false;
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    send(response, 405, { error: `expected GET or HEAD, got ${request.method}` }, { allow: 'GET, HEAD' });
    return true;
  }
  answer(request, response, watched).catch((error: unknown) => {
    reportFault(path, error);
    send(response, 500, { error: 'a fault that the server has logged' });
  });
  return true;
}

/** The process answers; nothing that it depends on is asked. */
async function health(_: IncomingMessage, response: ServerResponse): Promise<void> {
  send(response, 200, { alive: true });
}

async function readiness(_: IncomingMessage, response: ServerResponse, { state, app }: Watched): Promise<void> {
  const database = app === null ? 'not open yet' : await databaseState(app);
  const ready = state === 'running' && database === 'answers';
  send(response, ready ? 200 : 503, { ready, server: state, database, bus: app === null ? 'not open yet' : await busState(app) });
}

async function measurements(request: IncomingMessage, response: ServerResponse, { app }: Watched): Promise<void> {
  if (app === null) return send(response, 503, { error: 'the server is starting' });
  const { metricsToken } = app.config;
  const isOwn = isLocal(request) && isAddressedLocally(request.headers.host, app.config.port);
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (!isOwn && metricsToken === null) return send(response, 404, { error: 'METRICS_TOKEN is not set' });
  if (!isOwn && metricsToken !== null && !holdsSecret(token, metricsToken)) {
    return send(response, 401, { error: 'expected the token of METRICS_TOKEN' }, { 'www-authenticate': 'Bearer' });
  }
  const { rooms, sockets, waiting } = app.rooms.stats();
  const queue = app.engine.queue();
  metrics.rooms.set(rooms);
  metrics.sockets.set(sockets);
  metrics.waitingUpdates.set(waiting);
  metrics.engineRunning.set(queue.running);
  metrics.engineWaiting.set(queue.waiting);
  const text = await metrics.registry.metrics();
  response.writeHead(200, { 'content-type': metrics.registry.contentType, 'cache-control': 'no-store' }).end(text);
}

/** The bus tells the metrics how it is; where there is none, several instances do not exist. */
async function busState({ config }: App): Promise<'none' | 'connected' | 'lost'> {
  if (config.redisUrl === null) return 'none';
  const [value] = (await metrics.busUp.get()).values;
  return value?.value === 1 ? 'connected' : 'lost';
}

const asked = new WeakMap<App, { at: number; state: Promise<'answers' | 'does not answer'> }>();

/** However many ask, the database is asked once a second. */
function databaseState(app: App): Promise<'answers' | 'does not answer'> {
  const before = asked.get(app);
  if (before && Date.now() - before.at < FRESH) return before.state;
  const state = inTime(app.database.ping()).then(
    () => 'answers' as const,
    () => 'does not answer' as const,
  );
  asked.set(app, { at: Date.now(), state });
  return state;
}

function inTime(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout;
  const late = new Promise<never>((_, failed) => {
    timer = setTimeout(() => failed(new Error('no answer in time')), PATIENCE);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function send(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  if (response.headersSent) return;
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers })
    .end(`${JSON.stringify(body)}\n`);
}
