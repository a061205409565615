import { once } from 'node:events';
import { Agent, request, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerOptions } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { configOf, type Config } from './config.ts';
import { FrontDoor, createFrontServer, listen, type Respond, type Upgrade } from './front-door.ts';
import { openLimits, type Limits } from './rate-limits.ts';
import { openWorld, until, type World } from './testing/world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.stop());

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

/** A door before the world's app, with a configuration and a room behind it of the test's own. */
class House {
  port = 0;
  limits!: Limits;
  readonly door: FrontDoor;

  private constructor(readonly server: Server) {
    this.door = new FrontDoor(server);
  }

  static async listen(options: ServerOptions = {}): Promise<House> {
    const house = new House(createFrontServer(options));
    house.port = await listen(house.server, '127.0.0.1', 0);
    return house;
  }

  open(respond: Respond, given: Partial<Config> = {}, upgrade: Upgrade | null = null): void {
    const config = configOf({ ...given, home: world.home, port: this.port });
    this.limits = openLimits(config);
    this.door.open({ ...world.app, config, limits: this.limits }, respond, upgrade);
  }

  ask(path: string, { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {}): Promise<Answer> {
    return new Promise((done, failed) => {
      const sent = request({ host: '127.0.0.1', port: this.port, method, path, headers, agent: false }, (response) => {
        let text = '';
        response.on('data', (data: Buffer) => (text += data.toString()));
        response.on('end', () => done({ status: response.statusCode ?? 0, headers: response.headers, text }));
      });
      sent.on('error', failed);
      sent.end();
    });
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

let house: House;
beforeEach(async () => {
  house = await House.listen();
});
afterEach(() => house.stop());

const served: Respond = async (_, response) => void response.end('served');

test.each<[string, (incoming: IncomingMessage) => unknown]>([
  ['nobody touched', () => {}],
  ['somebody wrapped', (incoming) => Readable.toWeb(incoming)],
  ['somebody began to read', (incoming) => void Readable.toWeb(incoming).getReader().read()],
  ['somebody listens to', (incoming) => incoming.on('readable', () => {})],
  ['somebody paused', (incoming) => incoming.on('data', () => {}).pause()],
])('a body that %s and that comes after its answer ends, and the connection stays', async (_, touch) => {
  for (const gap of [0, 1, 20]) {
    const closed = vi.fn<() => void>();
    house.open(async (incoming, response) => {
      incoming.once('close', closed);
      touch(incoming);
      await new Promise((done) => setTimeout(done, gap));
      response.end('served');
    });
    const socket = connect(house.port, '127.0.0.1');
    const host = `127.0.0.1:${house.port}`;
    socket.write(`POST / HTTP/1.1\r\nHost: ${host}\r\nOrigin: http://${host}\r\nContent-Length: 6\r\n\r\nabc`);
    expect(String((await once(socket, 'data'))[0])).toContain('200 OK');
    socket.write('def');
    await until(() => closed.mock.calls.length > 0, 2000);
    expect(socket.readyState).toBe('open');
    socket.destroy();
  }
});

test('a body that is answered before it is read keeps nobody from the next answer', async () => {
  // As a route that begins to read and then refuses.
  house.open(async (incoming, response) => {
    if (incoming.method === 'POST') await Readable.toWeb(incoming).getReader().read();
    response.end('served');
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const send = (method: string, body?: Buffer) =>
    new Promise<number | undefined>((done, failed) => {
      const headers = { origin: `http://127.0.0.1:${house.port}` };
      const sent = request({ host: '127.0.0.1', port: house.port, method, path: '/', headers, agent, timeout: 10_000 }, (response) => {
        response.resume().on('end', () => done(response.statusCode));
      });
      sent.on('timeout', () => sent.destroy(new Error('expected an answer')));
      sent.on('error', failed);
      sent.end(body);
    });
  expect(await send('POST', Buffer.alloc(4_000_000))).toBe(200);
  expect(await send('GET')).toBe(200);
  agent.destroy();
});

describe('headers', () => {
  test('scripts need the nonce of their own answer, which what renders the page is told', async () => {
    const told: string[] = [];
    house.open(async ({ headers }, response) => {
      told.push(String(headers['content-security-policy']));
      response.end();
    });
    const [first, second] = [
      await house.ask('/'),
      await house.ask('/', { headers: { 'content-security-policy': "script-src 'nonce-evil'" } }),
    ];
    const nonces = [first, second].map(({ headers }) => /'nonce-([^']+)'/.exec(String(headers['content-security-policy']))?.[1]);
    expect(told).toEqual([first.headers['content-security-policy'], second.headers['content-security-policy']]);
    expect(nonces[0]).toMatch(/^[A-Za-z0-9+/]{22}==$/);
    expect(nonces[1]).not.toBe(nonces[0]);
    const scripts = /script-src ([^;]+)/.exec(String(first.headers['content-security-policy']))?.[1];
    expect(scripts).toBe(`'self' 'nonce-${nonces[0]}' 'wasm-unsafe-eval'`);
    expect(first.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'permissions-policy': expect.stringContaining('camera=()'),
    });
    expect(first.headers['strict-transport-security']).toBeUndefined();
  });

  test('over TLS browsers are told never to come without it', async () => {
    house.open(served, { publicUrl: 'https://board.example.org' });
    expect((await house.ask('/')).headers['strict-transport-security']).toBe('max-age=31536000');
  });

  test.each<[string, Respond]>([
    ['set beforehand', async (_, response) => void response.setHeader('Content-Security-Policy', "default-src 'none'").end()],
    [
      'written with the status',
      async (_, response) => void response.writeHead(404, { 'Content-Security-Policy': "default-src 'none'" }).end(),
    ],
  ])('a policy of the page’s own stays alone when it is %s', async (_, respond) => {
    house.open(respond);
    const { headers } = await house.ask('/p/page');
    expect(headers['content-security-policy']).toBe("default-src 'none'");
    expect(headers['x-frame-options']).toBe('DENY');
  });

  test('refusals and faults have them too', async () => {
    house.open(async () => {
      throw new Error('a fault');
    });
    for (const [path, status] of [
      ['/%', 400],
      ['/', 500],
    ] as const) {
      const answer = await house.ask(path);
      expect(answer.status).toBe(status);
      expect(answer.headers['content-security-policy']).toContain("frame-ancestors 'none'");
    }
  });

  test('a page of ours may frame what computes for it, and no other page', async () => {
    house.open(async (_, response) => void response.end());
    for (const [path, frames, option] of [
      ['/verify/a-page/v1?framed', "'self'", 'SAMEORIGIN'],
      ['/verify', "'none'", 'DENY'],
      ['/boards/verify/', "'none'", 'DENY'],
    ] as const) {
      const { headers } = await house.ask(path);
      expect([headers['content-security-policy'], headers['x-frame-options']]).toEqual([
        expect.stringContaining(`frame-ancestors ${frames}`),
        option,
      ]);
    }
  });

  test('what a client says about proxies goes no further', async () => {
    const told: IncomingHttpHeaders[] = [];
    const claims = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      'x-forwarded-for': '1.1.1.1',
      forwarded: 'for=1.1.1.1',
    };
    house.open(async ({ headers }, response) => {
      told.push({ ...headers });
      response.end();
    });
    await house.ask('/', { headers: claims });
    expect(told[0]).toMatchObject({ 'x-forwarded-proto': 'http' });
    expect(Object.keys(told[0]!)).not.toEqual(expect.arrayContaining(['x-forwarded-host']));
    expect(JSON.stringify(told)).not.toMatch(/evil|1\.1\.1\.1/);
  });
});

describe('limits', () => {
  const statuses = async (count: number, ask: () => Promise<Answer>) => {
    const all: number[] = [];
    for (let made = 0; made < count; made++) all.push((await ask()).status);
    return all;
  };

  test('an address that guesses is told to wait', async () => {
    house.open(async (_, response) => void response.writeHead(401).end(), { rateLimits: 'on' });
    const origin = `http://127.0.0.1:${house.port}`;
    const guess = () => house.ask('/api/auth/sign-in/email', { method: 'POST', headers: { origin } });
    expect(await statuses(11, guess)).toEqual([...Array.from({ length: 10 }, () => 401), 429]);
    const { headers, text } = await guess();
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(JSON.parse(text)).toEqual({ error: { code: 'too-fast', message: expect.stringContaining('at most 10 a minute') } });
    expect((await house.ask('/')).status).toBe(401);
  });

  test('an address that signs in is not', async () => {
    house.open(served, { rateLimits: 'on' });
    const origin = `http://127.0.0.1:${house.port}`;
    const signIn = () => house.ask('/api/auth/sign-in/email', { method: 'POST', headers: { origin } });
    expect(await statuses(30, signIn)).not.toContain(429);
  });

  test('an address is the client’s only where proxies are trusted', async () => {
    house.open(async (_, response) => void response.writeHead(401).end(), { rateLimits: 'on', trustedProxies: 1 });
    const enter = (client: string) => () => house.ask('/enter?token=guess', { headers: { 'x-forwarded-for': `made up, ${client}` } });
    expect(await statuses(11, enter('1.1.1.1'))).toContain(429);
    expect(await statuses(10, enter('1.1.1.2'))).not.toContain(429);
    house.stop();
    house = await House.listen();
    house.open(async (_, response) => void response.writeHead(401).end(), { rateLimits: 'on' });
    let client = 0;
    expect(await statuses(11, () => enter(`1.1.1.${client++}`)())).toContain(429);
  });

  test('the command on this machine is not counted', async () => {
    house.open(async (_, response) => void response.writeHead(401).end(), { rateLimits: 'on' });
    const headers = { 'x-pathboard-secret': world.app.config.localSecret };
    expect(await statuses(30, () => house.ask('/enter', { headers }))).not.toContain(429);
  });

  test('an address opens only so many sockets a minute, and none of a server that starts', async () => {
    let upgrades = 0;
    const upgrade: Upgrade = (_, socket) => {
      upgrades += 1;
      socket.destroy();
    };
    expect(await failureOf(house)).toContain('503');
    house.open(served, { rateLimits: 'on' }, upgrade);
    // All but three of what a minute allows.
    for (let made = 0; made < 1197; made++) await house.limits.take('upgrade', { address: '127.0.0.1' });
    const messages = [];
    for (let made = 0; made < 4; made++) messages.push(await failureOf(house));
    expect(upgrades).toBe(3);
    expect(messages[3]).toContain('429');
  });
});

test('a head that comes too slowly is cut off, and an answer that takes long is not', async () => {
  house.stop();
  house = await House.listen({ headersTimeout: 150, requestTimeout: 150, connectionsCheckingInterval: 50 });
  house.open(async (_, response) => {
    response.write('first ');
    await new Promise((done) => setTimeout(done, 600));
    response.end('last');
  });
  const slow = new Promise<string>((done) => {
    let answer = '';
    const socket = connect(house.port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: '));
    socket.on('data', (data) => (answer += data.toString()));
    socket.on('close', () => done(answer));
  });
  expect((await house.ask('/')).text).toBe('first last');
  expect(await slow).toMatch(/^HTTP\/1.1 408 /);
});

describe('health', () => {
  test('a server that starts lives and is not ready; who comes meanwhile is answered afterwards', async () => {
    expect(await house.ask('/healthz')).toMatchObject({ status: 200, text: '{"alive":true}\n' });
    const early = house.ask('/');
    const { status, text } = await house.ask('/readyz');
    expect([status, JSON.parse(text)]).toEqual([503, { ready: false, server: 'starting', database: 'not open yet', bus: 'not open yet' }]);
    expect((await house.ask('/metrics')).status).toBe(503);
    house.open(served);
    expect((await early).text).toBe('served');
    expect(JSON.parse((await house.ask('/readyz')).text)).toEqual({ ready: true, server: 'running', database: 'answers', bus: 'none' });
  });

  test('whatever balances the load asks by any name', async () => {
    house.open(served);
    for (const path of ['/healthz', '/readyz']) {
      expect((await house.ask(path, { headers: { host: '10.0.0.7' } })).status).toBe(200);
      expect((await house.ask(path, { method: 'HEAD' })).status).toBe(200);
      expect((await house.ask(path, { method: 'POST' })).status).toBe(405);
    }
    expect((await house.ask('/', { headers: { host: '10.0.0.7' } })).status).toBe(403);
  });

  test.each<[string, () => Promise<void>]>([
    ['fails', () => Promise.reject(new Error('canary'))],
    ['hangs', () => new Promise(() => {})],
  ])('a server whose database %s is not ready', async (_, ping) => {
    const config = configOf({ home: world.home, port: house.port });
    house.door.open({ ...world.app, config, database: { engine: 'postgres', ping } }, served);
    const began = performance.now();
    const { status, text } = await house.ask('/readyz');
    expect([status, JSON.parse(text)]).toEqual([503, { ready: false, server: 'running', database: 'does not answer', bus: 'none' }]);
    expect(performance.now() - began).toBeLessThan(4000);
  });

  test('measurements are for this machine alone, or for who has the token', async () => {
    house.open(served);
    const { status, headers, text } = await house.ask('/metrics');
    expect(status).toBe(200);
    expect(headers['content-type']).toContain('text/plain');
    for (const name of ['store_seconds', 'sockets', 'rooms', 'waiting_updates', 'engine_waiting', 'http_seconds', 'run_seconds']) {
      expect(text).toContain(`# HELP pathboard_${name} `);
    }
    expect((await house.ask('/metrics', { headers: { 'x-forwarded-for': '1.1.1.1' } })).status).toBe(404);
    expect((await house.ask('/metrics', { headers: { host: 'board.example.org' } })).status).toBe(404);
    house.stop();
    house = await House.listen();
    house.open(served, { metricsToken: 'a token of sixteen' });
    const outside = { 'x-forwarded-for': '1.1.1.1' };
    expect((await house.ask('/metrics', { headers: outside })).status).toBe(401);
    expect((await house.ask('/metrics', { headers: { ...outside, authorization: 'Bearer a token of' } })).status).toBe(401);
    expect((await house.ask('/metrics', { headers: { ...outside, authorization: 'Bearer a token of sixteen' } })).status).toBe(200);
  });

  test('a server that stops finishes what it has begun and begins nothing', async () => {
    const idle = () => {};
    let finish: () => void = idle;
    house.open(async (_, response) => {
      await new Promise<void>((done) => (finish = done));
      response.end('finished');
    });
    const begun = house.ask('/');
    while (finish === idle) await new Promise((done) => setTimeout(done, 5));
    const closed = house.door.close(10_000);
    expect(JSON.parse((await house.ask('/readyz')).text)).toMatchObject({ ready: false, server: 'stopping' });
    expect((await house.ask('/healthz')).status).toBe(200);
    expect(await house.ask('/')).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    finish();
    expect((await begun).text).toBe('finished');
    expect(await closed).toBe(0);
  });

  test('a server that stops waits only so long', async () => {
    house.open(() => new Promise(() => {}));
    house.ask('/').catch(() => {});
    while ((await connections(house.server)) === 0) await new Promise((done) => setTimeout(done, 5));
    expect(await house.door.close(100)).toBe(1);
  });
});

/** Why a page of ours gets no socket. */
function failureOf({ port }: House): Promise<string> {
  return new Promise((done) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/collab/board/abcdefgh`, { origin: `http://127.0.0.1:${port}` });
    socket.on('error', (error) => done(error.message));
  });
}

function connections(server: Server): Promise<number> {
  return new Promise((done, failed) => server.getConnections((error, count) => (error ? failed(error) : done(count))));
}
