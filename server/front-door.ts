import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ApiError } from '../lib/wire.ts';
import { addressOf, isLoopback, networkOf } from './address.ts';
import type { App } from './app.ts';
import { reportFault } from './faults.ts';
import { METHODS, SECRET_HEADER, holdsSecret, refuseAddress, refuseRequest, refuseUpgrade } from './guard.ts';
import { answerHealth, type State } from './health.ts';
import { log } from './log.ts';
import { metrics } from './metrics.ts';
import { shapeOf } from './path-shape.ts';
import { TooFast } from './rate-limits.ts';
import { kindOf, type Kind } from './request-kind.ts';
import { secure } from './security-headers.ts';
import { StartError } from './start-error.ts';

export type Respond = (request: IncomingMessage, response: ServerResponse) => Promise<void>;
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Milliseconds in which a request's head, and all of it, must have come. Answers may take longer. */
const HEAD = 15_000;
const WHOLE = 120_000;
/** Milliseconds in which the rest of a body must come that was answered before it was read. */
const REST = 5000;
/** Longer than proxies keep a connection that nobody uses: they must be the ones who close it. */
const IDLE = 75_000;
/** Bytes of a body: to sign in, and for anything else. Routes have limits of their own below it. */
const SIGN_IN_BODY = 64_000;
const BODY = 5_000_000;
/** Connections of one address where no proxy stands between, sockets included. */
const CONNECTIONS = 1000;
/** Requests that wait for the server to start. */
const EARLY = 1000;

/** An HTTP server that does not wait for ever for those who send slowly. */
export function createFrontServer(options: ServerOptions = {}): Server {
  return createServer({
    headersTimeout: HEAD,
    requestTimeout: WHOLE,
    keepAliveTimeout: IDLE,
    connectionsCheckingInterval: 5000,
    ...options,
  });
}

/** Resolves with the port, which the system chooses when `port` is 0. */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((done, failed) => {
    server.once('error', (error) => failed('code' in error ? (refusalToListen(error.code, host, port) ?? error) : error));
    server.listen(port, host, () => {
      const address = server.address();
      done(typeof address === 'object' && address ? address.port : port);
    });
  });
}

function refusalToListen(code: unknown, host: string, port: number): StartError | null {
  if (code === 'EADDRINUSE') {
    return new StartError(`PORT: expected a free port, got ${port}, which another program uses (set PORT to another one)`);
  }
  if (code === 'EACCES') return new StartError(`PORT: expected one that this user may listen on, got ${port} (set PORT to 1024 or more)`);
  const isElsewhere = code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN';
  return isElsewhere ? new StartError(`HOST: expected an address of this machine, got ${host}`) : null;
}

/** A body that its answer did not wait for: while it lies there, the connection's next request is not heard. */
function dropRest(request: IncomingMessage): void {
  if (request.closed) return;
  request.removeAllListeners('data').removeAllListeners('readable');
  // A stream that nobody listens to would stop again.
  request.on('data', () => {}).resume();
  const late = setTimeout(() => request.socket.destroy(), REST).unref();
  request.once('close', () => clearTimeout(late));
}

/** A server's door, open from the start. */
export function serve(server: Server, app: App, respond: Respond): FrontDoor {
  const door = new FrontDoor(server);
  door.open(app, respond);
  return door;
}

/** Every request passes here: what another site's page may have sent, and what is too much, goes no further. */
export class FrontDoor {
  #state: State = 'starting';
  #app: App | null = null;
  #respond: Respond | null = null;
  #upgrade: Upgrade | null = null;
  #early: [IncomingMessage, ServerResponse][] = [];
  readonly #answering = new Set<ServerResponse>();

  constructor(server: Server) {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => this.#receive(request, response));
    // There from the start: without a listener an upgrade would count as a request.
    server.on('upgrade', (...given: Parameters<Upgrade>) => this.#admitSocket(...given));
    server.on('connect', (_, socket: Duplex) => {
      // Node listens for its errors no longer.
      socket.on('error', () => socket.destroy());
      refuseSocket(socket, '405 Method Not Allowed', 'CONNECT is not served');
    });
    countConnections(server, () => this.#app);
  }

  /** Lets requests in, those first who came before. Without `upgrade`, sockets are somebody else's business. */
  open(app: App, respond: Respond, upgrade: Upgrade | null = null): void {
    this.#app = app;
    this.#respond = respond;
    this.#upgrade = upgrade;
    this.#state = 'running';
    for (const both of this.#early.splice(0)) this.#receive(...both);
  }

  /** Pages of ours alone open sockets, and not too many of one address. */
  #admitSocket(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    // Clients of rooms try again by themselves.
    if (this.#state !== 'running') return refuseSocket(socket, '503 Service Unavailable', `the server is ${this.#state}`);
    const [app, upgrade] = [this.#app, this.#upgrade];
    if (app === null || upgrade === null) return;
    const forbidden = refuseUpgrade(request, app.config);
    if (forbidden) {
      log().info('refused', { status: 403, kind: 'upgrade', why: forbidden });
      return refuseSocket(socket, '403 Forbidden', forbidden);
    }
    const address = addressOf(request, app.config);
    app.limits.take('upgrade', { address }).then(
      () => {
        const closed = app.limits.openSocket(address);
        if (!closed) return refuseSocket(socket, '429 Too Many Requests', 'too many sockets of one address');
        if (socket.destroyed) return closed();
        socket.once('close', closed);
        upgrade(request, socket, head);
      },
      (error: unknown) => {
        const isLimit = error instanceof TooFast;
        if (!isLimit) reportFault('upgrade', error);
        refuseSocket(socket, isLimit ? '429 Too Many Requests' : '500 Internal Server Error', isLimit ? error.message : 'a fault');
      },
    );
  }

  /** No new requests from now on. Resolves once all are answered, or after `patience` milliseconds, with how many are not. */
  async close(patience: number): Promise<number> {
    this.#state = 'stopping';
    for (const [, response] of this.#early.splice(0))
      refuse(response, 503, 'unavailable', 'server: expected one that runs, got one that stops');
    const end = Date.now() + patience;
    while (this.#answering.size > 0 && Date.now() < end) await new Promise((done) => setTimeout(done, 20));
    return this.#answering.size;
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    if (answerHealth(request, response, { state: this.#state, app: this.#app })) return;
    if (this.#state === 'stopping' || this.#early.length >= EARLY) {
      refuse(response, 503, 'unavailable', `server: expected one that runs, got one that is ${this.#state}`, { 'retry-after': '1' });
    } else if (this.#app === null || this.#respond === null) {
      this.#early.push([request, response]);
    } else {
      this.#answer(request, response, this.#app, this.#respond);
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse, app: App, respond: Respond): void {
    const { method = 'GET', url = '/' } = request;
    response.once('finish', () => dropRest(request));
    const kind = kindOf(method, pathOf(url));
    this.#measure(request, response, kind);
    secure(request, response, app.config);
    const refused = refusalFor(request, app, kind);
    if (refused) {
      log().info('refused', { status: refused.status, kind, why: refused.message });
      return refuse(response, refused.status, refused.code, refused.message, refused.headers);
    }
    const address = addressOf(request, app.config);
    describeCaller(request, app);
    admit(request, response, app, kind, address)
      .then((admitted) => (admitted ? respond(request, response) : undefined))
      .catch((error: unknown) => {
        reportFault(`${method} ${shapeOf(url)}`, error);
        if (!response.headersSent) response.writeHead(500);
        response.end();
      });
  }

  #measure({ method = 'GET', url = '/' }: IncomingMessage, response: ServerResponse, kind: Kind): void {
    const began = performance.now();
    this.#answering.add(response);
    response.once('close', () => {
      this.#answering.delete(response);
      const seconds = (performance.now() - began) / 1000;
      // Whoever asked went away before there was an answer.
      const status = response.headersSent ? response.statusCode : 499;
      metrics.httpSeconds.observe({ route: kind, status: `${Math.floor(status / 100)}xx` }, seconds);
      log().debug('answered', { method, path: shapeOf(url), status, ms: Math.round(seconds * 1000) });
    });
  }
}

interface Refused {
  status: number;
  code: ApiError['error']['code'];
  message: string;
  headers?: Record<string, string>;
}

/** What is wrong with a request before anything is looked up, or null. */
function refusalFor(request: IncomingMessage, { config }: App, kind: Kind): Refused | null {
  const { method = 'GET', url, headers } = request;
  if (!METHODS.includes(method)) {
    const message = `method: expected ${METHODS.join(', ')}, got ${method}`;
    return { status: 405, code: 'bad-request', message, headers: { allow: METHODS.join(', ') } };
  }
  const forbidden = refuseRequest(request, config);
  if (forbidden) return { status: 403, code: 'forbidden', message: forbidden };
  const unreadable = refuseAddress(url);
  if (unreadable) return { status: 400, code: 'bad-request', message: unreadable };
  // One whose length is not told could not be refused before it is read. Browsers and proxies tell it.
  const close = { connection: 'close' };
  if (headers['transfer-encoding'] !== undefined) {
    return { status: 411, code: 'bad-request', message: 'content-length: expected the length of the body, got nothing', headers: close };
  }
  const limit = kind === 'sign-in' ? SIGN_IN_BODY : BODY;
  if (Number(headers['content-length'] ?? 0) <= limit) return null;
  return {
    status: 413,
    code: 'too-large',
    message: `body: expected at most ${limit} bytes, got ${headers['content-length']}`,
    headers: close,
  };
}

/** Counts the request for its address and answers where that was one too many. Attempts to sign in count where they fail. */
async function admit(
  { headers }: IncomingMessage,
  response: ServerResponse,
  { config, limits }: App,
  kind: Kind,
  address: string,
): Promise<boolean> {
  if (holdsSecret(headers[SECRET_HEADER], config.localSecret)) return true;
  const who = { address };
  try {
    await limits.take(kind, who);
  } catch (error) {
    if (!(error instanceof TooFast)) throw error;
    refuse(response, 429, 'too-fast', error.message, { 'retry-after': String(error.retryAfter) });
    return false;
  }
  if (kind === 'sign-in') {
    response.once('finish', () => {
      if (response.statusCode < 400) limits.giveBack(kind, who).catch((error: unknown) => reportFault('limits', error));
    });
  }
  return true;
}

/** What the client says about proxies is replaced by what the server knows: Next, behind, believes it. */
function describeCaller({ headers }: IncomingMessage, { config }: App): void {
  for (const name of Object.keys(headers)) if (name.startsWith('x-forwarded-') || name === 'forwarded') delete headers[name];
  headers['x-forwarded-proto'] = new URL(config.publicUrl).protocol.slice(0, -1);
}

/** Behind proxies all connections are theirs, and programs of this machine have no need to be kept out. */
function countConnections(server: Server, app: () => App | null): void {
  const open = new Map<string, number>();
  server.on('connection', (socket) => {
    const { remoteAddress = '' } = socket;
    const limited = app()?.config;
    if (!limited || limited.trustedProxies > 0 || limited.rateLimits === 'off' || isLoopback(remoteAddress)) return;
    const key = networkOf(remoteAddress);
    const others = open.get(key) ?? 0;
    if (others >= CONNECTIONS) {
      metrics.rateLimited.inc({ kind: 'connection' });
      socket.destroy();
      return;
    }
    open.set(key, others + 1);
    socket.once('close', () => {
      const left = (open.get(key) ?? 1) - 1;
      if (left > 0) open.set(key, left);
      else open.delete(key);
    });
  });
}

function refuse(
  response: ServerResponse,
  status: number,
  code: ApiError['error']['code'],
  message: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers });
  response.end(JSON.stringify({ error: { code, message } } satisfies ApiError));
}

function refuseSocket(socket: Duplex, status: string, message: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${message}\n`);
}

function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? '/';
}
