import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { POST as analyzeRoute } from './analyze/route.ts';
import { GET as boardRuns } from './boards/[boardId]/runs/route.ts';
import { POST as boards } from './boards/route.ts';
import { HEAD as enterHead, GET as enter } from '../enter/route.ts';
import { PATCH as me } from './me/route.ts';
import { POST as link } from './local/link/route.ts';
import { makeOwnerLink } from '../../server/access.ts';
import { setApp } from '../../server/app.ts';
import { createLog, setLog } from '../../server/log.ts';
import { SETUP, openWorld, until, type Actor, type World } from '../../server/testing/world.ts';

let world: World;
let owner: Actor;

beforeAll(async () => {
  world = await openWorld();
  owner = await world.owner();
  setApp(world.app);
});
afterAll(() => world.stop());

const none = { params: Promise.resolve({}) };

function ask(body: unknown, headers: Record<string, string> = {}, signal?: AbortSignal): Request {
  return new Request('http://127.0.0.1/api/test', {
    method: 'POST',
    headers: { 'content-type': 'application/json', cookie: `theme=dark; ${owner.cookie}`, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(signal && { signal }),
  });
}

async function messageOf(response: Response): Promise<[number, string, string]> {
  const { error } = await response.json();
  return [response.status, error.code, error.message];
}

test.each<[unknown, number, string, string]>([
  ['', 400, 'bad-request', 'body: expected JSON, got nothing'],
  ['{', 400, 'bad-request', 'body: expected JSON, got "{"'],
  [[], 400, 'bad-request', 'body: expected a value of type object, got []'],
  [{ setup: 5 }, 400, 'bad-request', 'setup: expected a value of type object, got 5'],
  [{ setup: { ...SETUP, prompt: '' } }, 400, 'bad-request', 'setup.prompt: expected at least one character, got ""'],
  [{ setup: { ...SETUP, position: 1.5 } }, 400, 'bad-request', 'setup.position: expected a value of type int, got 1.5'],
  [{ setup: SETUP, colour: 1 }, 400, 'bad-request', 'body: expected known fields alone, got "colour"'],
  [{ setup: { ...SETUP, model: 'none' } }, 404, 'unknown-model', 'model: expected toy, got "none"'],
  ['x'.repeat(1_000_001), 413, 'too-large', 'body: expected at most 1000000 bytes, got more'],
])('a board of %j is refused in one line', async (body, status, code, message) => {
  expect(await messageOf(await boards(ask(body), none))).toEqual([status, code, message]);
});

test('a value nested deeper than it can be written out is refused like any other', async () => {
  const deep = '['.repeat(400_000) + ']'.repeat(400_000);
  expect(await messageOf(await boards(ask(deep), none))).toEqual([400, 'bad-request', 'body: expected a value of type object, got […]']);
});

test('a body that is too large is read to its end, so that the next request on its connection is heard', async () => {
  const sent = ask('');
  let left = 9;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (left === 0) return controller.close();
      left -= 1;
      controller.enqueue(new Uint8Array(1_000_000));
    },
  });
  const { status } = await boards(
    new Request(sent.url, { method: 'POST', headers: sent.headers, body, duplex: 'half' } as RequestInit),
    none,
  );
  expect([status, left]).toEqual([413, 0]);
});

test('a body must say that it is JSON, and a request who sends it', async () => {
  expect((await messageOf(await boards(ask({}, { 'content-type': 'text/plain' }), none)))[2]).toContain(
    'content-type: expected application/json',
  );
  expect((await messageOf(await boards(ask({}, { cookie: '' }), none)))[0]).toBe(401);
  expect((await messageOf(await boards(ask({}, { cookie: 'pathboard.session_token=guess' }), none)))[0]).toBe(401);
});

test('an id that is none does not reach the database', async () => {
  const call = boardRuns(ask({}), { params: Promise.resolve({ boardId: "x' or 1" }) });
  expect(await messageOf(await call)).toEqual([
    404,
    'not-found',
    'board: expected an id of 8 to 40 letters, digits, _ or -, got "x\' or 1"',
  ]);
});

test('a fault is logged and told to nobody', async () => {
  const lines: string[] = [];
  setLog(createLog('warn', { write: (line) => void lines.push(line) }));
  vi.spyOn(world.engine, 'analyze').mockRejectedValueOnce(new Error('secret detail'));
  const [status, code, message] = await messageOf(await boards(ask({ setup: SETUP }), none));
  expect([status, code]).toEqual([500, 'internal']);
  expect(message).not.toContain('secret');
  expect(lines.join('')).toContain('secret detail');
});

const ANALYSIS = { view: 'paths', model: 'toy', prompt: 'When Mary' };
const NDJSON = { accept: 'application/x-ndjson' };

test('an analysis answers with JSON, or with lines of progress and a result', async () => {
  const whole = await (await analyzeRoute(ask(ANALYSIS), none)).json();
  const lines = (await (await analyzeRoute(ask(ANALYSIS, NDJSON), none)).text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toEqual([
    { type: 'progress', done: 1, total: 2, what: 'paths' },
    { type: 'result', answer: whole },
  ]);
});

test('a refusal within a stream is its last line', async () => {
  const text = await (await analyzeRoute(ask({ ...ANALYSIS, model: 'none' }, NDJSON), none)).text();
  expect(JSON.parse(text)).toMatchObject({ type: 'error', error: { code: 'unknown-model' } });
});

test('a client that goes away cancels its analysis', async () => {
  world.engine.stalls = true;
  const reader = (await analyzeRoute(ask(ANALYSIS, NDJSON), none)).body?.getReader();
  await reader?.read();
  await reader?.cancel();
  await until(() => world.engine.cancelled === 1);
  const asked = world.engine.asked;
  const leaving = new AbortController();
  const answer = analyzeRoute(ask(ANALYSIS, {}, leaving.signal), none);
  await until(() => world.engine.asked > asked);
  leaving.abort();
  expect((await answer).status).toBe(499);
  world.engine.stalls = false;
});

test('the owner’s link sets a cookie that scripts cannot read, once; asking for its head uses nothing up', async () => {
  const url = await makeOwnerLink(world.app);
  expect(enterHead().status).toBe(405);
  const first = await enter(new Request(url), none);
  expect([first.status, first.headers.get('location')]).toEqual([303, '/']);
  expect(first.headers.get('set-cookie')).toMatch(/^pathboard\.session_token=[^;]{40,}; Max-Age=7776000; Path=\/; HttpOnly; SameSite=Lax$/);
  expect((await enter(new Request(url), none)).status).toBe(401);
});

test('the owner has a name of their own choice', async () => {
  const response = await me(ask({ name: 'Ada' }), none);
  expect(await response.json()).toEqual({ person: { id: owner.person.id, name: 'Ada' }, owner: true, email: null, guest: false });
});

test('a new link is for those who can read the secret', async () => {
  expect((await link(ask({}), none)).status).toBe(403);
  const response = await link(ask({}, { 'x-pathboard-secret': world.app.config.localSecret }), none);
  expect((await response.json()).url).toContain('/enter?token=');
});
