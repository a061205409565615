import { connect } from 'node:net';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { refuseRequest, refuseUpgrade } from './guard.ts';
import { openWorld, type World } from './testing/world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.stop());

const own = () => `http://127.0.0.1:${world.port}`;

function statusOf(method: string, headers: Record<string, string>, path = '/api/boards'): Promise<number> {
  return new Promise((done, failed) => {
    const sent = request({ host: '127.0.0.1', port: world.port, method, path, headers }, (response) => {
      response.resume();
      done(response.statusCode ?? 0);
    });
    sent.on('error', failed);
    sent.end();
  });
}

/** What comes back for bytes that no well-behaved client sends. */
function answerTo(text: string): Promise<string> {
  return new Promise((done, failed) => {
    const socket = connect(world.port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (data) => (answer += data.toString()));
    socket.on('error', failed);
    socket.on('close', () => done(answer));
  });
}

test('a name that somebody points at this machine is refused, for reading too', async () => {
  expect(await statusOf('GET', { host: `evil.example:${world.port}` })).toBe(403);
  expect(await statusOf('GET', { host: '127.0.0.1:1' })).toBe(403);
  expect(await statusOf('GET', { host: `127.0.0.1.evil.example:${world.port}` })).toBe(403);
  for (const name of ['127.0.0.1', 'localhost', '[::1]']) expect(await statusOf('GET', { host: `${name}:${world.port}` })).toBe(200);
});

test.each(['POST', 'PUT', 'PATCH', 'DELETE'])('%s needs a page of ours', async (method) => {
  expect(await statusOf(method, {})).toBe(403);
  expect(await statusOf(method, { origin: 'http://evil.example' })).toBe(403);
  expect(await statusOf(method, { origin: 'null' })).toBe(403);
  expect(await statusOf(method, { origin: `http://127.0.0.1:${world.port + 1}` })).toBe(403);
  expect(await statusOf(method, { origin: own() })).toBe(200);
  expect(await statusOf(method, { 'x-pathboard-secret': world.app.config.localSecret })).toBe(200);
  expect(await statusOf(method, { 'x-pathboard-secret': 'guess' })).toBe(403);
});

test.each([
  ['another site’s page', { origin: 'http://evil.example' }],
  ['no page', {}],
  ['a name pointed here', { origin: 'http://evil.example', headers: { host: 'evil.example' } }],
])('a socket opened by %s is refused', async (_, options) => {
  const socket = new WebSocket(`ws://127.0.0.1:${world.port}/collab/board/abcdefgh`, options);
  const message = await new Promise<string>((done) => socket.on('error', (error) => done(error.message)));
  expect(message).toContain('403');
});

test('an upgrade to anywhere else is cut off', async () => {
  const socket = new WebSocket(`ws://127.0.0.1:${world.port}/elsewhere`, { origin: own() });
  const message = await new Promise<string>((done) => socket.on('error', (error) => done(error.message)));
  expect(message).toContain('socket hang up');
});

describe('behind a public name', () => {
  const publicUrl = 'https://board.example.org';
  const loopback = { host: '127.0.0.1', port: 3000, publicUrl, localSecret: 'secret' };
  const everywhere = { ...loopback, host: '0.0.0.0' };
  const post = (host: string, origin?: string) => ({ method: 'POST', headers: { host, ...(origin && { origin }) } });

  test('its pages are ours, however the proxy calls the server', () => {
    expect(refuseRequest(post('board.example.org', publicUrl), loopback)).toBeNull();
    expect(refuseRequest(post('127.0.0.1:3000', publicUrl), loopback)).toBeNull();
    expect(refuseUpgrade(post('board.example.org', publicUrl), everywhere)).toBeNull();
    for (const origin of ['http://board.example.org', 'https://evil.board.example.org', 'https://board.example.org:444', undefined]) {
      expect(refuseRequest(post('board.example.org', origin), loopback)).toContain('Origin: expected https://board.example.org, got');
    }
  });

  test('a page of another server on the visitor’s own machine is not ours', () => {
    expect(refuseRequest(post('board.example.org', 'http://127.0.0.1:3000'), loopback)).toContain('Origin: expected');
    expect(refuseRequest(post('localhost:3000', 'http://localhost:3000'), loopback)).toBeNull();
  });

  test('whoever listens everywhere is addressed by the public name alone, but for the command on this machine', () => {
    expect(refuseRequest(post('127.0.0.1:3000', 'http://127.0.0.1:3000'), everywhere)).toContain('Host: expected board.example.org, got');
    expect(refuseRequest({ method: 'POST', headers: { host: '127.0.0.1:3000', 'x-pathboard-secret': 'secret' } }, everywhere)).toBeNull();
    expect(
      refuseRequest({ method: 'POST', headers: { host: '127.0.0.1:3000', 'x-pathboard-secret': 'secre' } }, everywhere),
    ).not.toBeNull();
  });
});

test('an address whose escapes are no UTF-8 is the sender’s fault', async () => {
  const host = `127.0.0.1:${world.port}`;
  for (const path of ['/p/%E0%80', '/%', '/boards/%FF?q=1']) expect(await statusOf('GET', { host }, path)).toBe(400);
  expect(await statusOf('GET', { host }, '/p/%C3%BC?q=%FF')).toBe(200);
  expect(await statusOf('GET', { host }, `/${'a'.repeat(9000)}`)).toBe(400);
});

test.each(['TRACE', 'PROPFIND', 'PURGE', 'M-SEARCH'])('%s is not served', async (method) => {
  expect(await statusOf(method, { origin: own() })).toBe(405);
});

test('what only proxies are asked is not served', async () => {
  const host = `Host: 127.0.0.1:${world.port}`;
  expect(await answerTo(`CONNECT evil.example:80 HTTP/1.1\r\n${host}\r\n\r\n`)).toMatch(/^HTTP\/1.1 405 /);
  expect(await answerTo(`GET http://evil.example/ HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n`)).toMatch(/^HTTP\/1.1 400 /);
});

test('a body must tell its length, and be of a size that some route takes', async () => {
  const head = (path: string, more: string) =>
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${world.port}\r\nOrigin: ${own()}\r\nContent-Type: application/json\r\n${more}\r\n\r\n`;
  expect(await answerTo(`${head('/api/boards', 'Transfer-Encoding: chunked')}2\r\n{}\r\n0\r\n\r\n`)).toMatch(/^HTTP\/1.1 411 /);
  expect(await answerTo(head('/api/boards', 'Content-Length: 5000001'))).toMatch(/^HTTP\/1.1 413 /);
  expect(await answerTo(head('/api/auth/sign-in/email', 'Content-Length: 64001'))).toMatch(/^HTTP\/1.1 413 /);
  expect(await answerTo(`${head('/api/boards', 'Content-Length: 2\r\nConnection: close')}{}`)).toMatch(/^HTTP\/1.1 200 /);
});

test('a header that does not end is cut off', async () => {
  expect(await answerTo(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${world.port}\r\nX-Long: ${'a'.repeat(40_000)}\r\n\r\n`)).toMatch(
    /^HTTP\/1.1 431 /,
  );
});
