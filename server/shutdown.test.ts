import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { configOf } from './config.ts';
import { freePort } from './testing/services.ts';
import { Client, newHome, openWorld, until, type Actor } from './testing/world.ts';

const CHILD = fileURLToPath(new URL('testing/served.ts', import.meta.url));

let home: string;
let port: number;
let boardId: string;
let owner: Actor;
let writers: Actor[];
const clients: Client[] = [];
const children: ChildProcess[] = [];

beforeEach(async () => {
  home = await newHome();
  port = await freePort();
  const world = await openWorld({ home });
  owner = await world.owner();
  boardId = await world.board(owner);
  writers = await Promise.all(Array.from({ length: 4 }, (_, index) => world.guest(boardId, `Writer ${index}`)));
  await world.stop();
});

afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
});

/** Resolves when the server serves. */
async function startChild(...args: string[]): Promise<ChildProcess> {
  const env = {
    ...process.env,
    HOST: '127.0.0.1',
    PORT: String(port),
    PATHBOARD_HOME: home,
    // The cookies of the actors are signed with it.
    PATHBOARD_SECRET: configOf({ home }).authSecret,
    LOG_LEVEL: 'fatal',
  };
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await once(child.stdout, 'data');
  return child;
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null) await once(child, 'exit');
  return child.exitCode;
}

function open(actor: Actor): Client {
  const client = new Client(port, actor, `board/${boardId}`);
  clients.push(client);
  return client;
}

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const origin = `http://127.0.0.1:${port}`;
  return fetch(`${origin}${path}`, { ...init, headers: { cookie: owner.cookie, origin, 'content-type': 'application/json' } });
}

/** An analysis that never ends by itself; null once the connection is cut. */
async function beginAnalysis(): Promise<{ answer: Promise<Response | null> }> {
  const body = JSON.stringify({ view: 'paths', model: 'toy', prompt: 'When Mary' });
  const answer = ask('/api/analyze', { method: 'POST', body }).catch(() => null);
  const isRunning = async () => /^pathboard_engine_running 1$/m.test(await (await ask('/metrics')).text());
  while (!(await isRunning())) await new Promise((done) => setTimeout(done, 10));
  return { answer };
}

test('a server that is told to stop under load loses nothing that it acknowledged, and clients go on with the next one', async () => {
  const first = await startChild();
  const writing = writers.map(open);
  await Promise.all(writing.map((client) => client.synced()));
  // Later ones are of attempts to reconnect.
  const firstCloses = writing.map(
    ({ provider }) =>
      new Promise<number | undefined>((done) => provider.once('connection-close', (event: CloseEvent | null) => done(event?.code))),
  );
  let written = 0;
  const timer = setInterval(() => {
    for (const [index, client] of writing.entries()) client.labels.set(`${index}:${written}`, { text: `label ${written}` });
    written += 1;
  }, 20);
  await until(() => writing.every(({ persisted }) => persisted > 20), 30_000);
  first.kill('SIGTERM');
  expect(await exitOf(first)).toBe(0);

  const second = await startChild();
  await until(() => writing.every(({ provider }) => provider.wsconnected && provider.synced), 30_000);
  clearInterval(timer);
  expect(await Promise.all(firstCloses)).toEqual(writing.map(() => 1012));
  const reader = open(owner);
  await reader.synced();
  await until(() => reader.labels.size === written * writing.length, 30_000);
  second.kill('SIGTERM');
  expect(await exitOf(second)).toBe(0);
}, 120_000);

test('what was acknowledged is stored when the process is gone', async () => {
  const child = await startChild();
  const [writer] = writers as [Actor];
  const client = open(writer);
  await client.synced();
  let written = 0;
  const timer = setInterval(() => {
    client.labels.set(`${written}`, { text: 'x' });
    written += 1;
  }, 5);
  await until(() => client.persisted > 100, 30_000);
  child.kill('SIGTERM');
  await exitOf(child);
  clearInterval(timer);
  // The first is the answer to what the server asked when the room was entered.
  const acknowledged = Array.from({ length: client.persisted - 1 }, (_, index) => `${index}`);
  client.destroy();

  const world = await openWorld({ home });
  const reader = world.connect(owner, `board/${boardId}`);
  await reader.synced();
  const stored = new Set(reader.labels.keys());
  await world.stop();
  expect(acknowledged.length).toBeGreaterThanOrEqual(100);
  expect(acknowledged.filter((name) => !stored.has(name))).toEqual([]);
});

test('a server that stops is not ready and takes nothing new, but answers what it has begun', async () => {
  const child = await startChild('stalls');
  const { answer } = await beginAnalysis();
  child.kill('SIGTERM');
  // Whoever calls anew finds nobody; the analysis, which never ends by itself, is cut off in the end.
  await expect
    .poll(() =>
      ask('/readyz').then(
        () => 'served',
        () => 'refused',
      ),
    )
    .toBe('refused');
  expect(await exitOf(child)).toBe(0);
  expect(await answer).toBeNull();
});

test('a second signal ends it at once', async () => {
  const child = await startChild('stalls');
  await beginAnalysis();
  child.kill('SIGTERM');
  await new Promise((done) => setTimeout(done, 1100));
  expect(child.exitCode).toBeNull();
  const told = performance.now();
  child.kill('SIGTERM');
  expect(await exitOf(child)).toBe(1);
  expect(performance.now() - told).toBeLessThan(1000);
});
