import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { refuseHost } from './guard.ts';
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
  expect(await statusOf(method, { 'x-pathboard-secret': world.app.config.secret })).toBe(200);
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

test('nothing but loopback is served', () => {
  for (const host of ['127.0.0.1', 'localhost', '::1', '[::1]']) expect(refuseHost(host)).toBeNull();
  for (const host of ['0.0.0.0', '::', '192.168.0.2', 'example.org']) expect(refuseHost(host)).toContain(`got ${host}`);
});

test('an address whose escapes are no UTF-8 is the sender’s fault', async () => {
  const host = `127.0.0.1:${world.port}`;
  for (const path of ['/p/%E0%80', '/%', '/boards/%FF?q=1']) expect(await statusOf('GET', { host }, path)).toBe(400);
  expect(await statusOf('GET', { host }, '/p/%C3%BC?q=%FF')).toBe(200);
});
