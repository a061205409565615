import { getTableName, sql } from 'drizzle-orm';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { boards, invites, ownerLinks, people, runs, updates } from '../db/schema.ts';
import { setApp } from './app.ts';
import { serve } from './front-door.ts';
import { captureConsole, createLog, log, setLog } from './log.ts';
import { answerApi } from './testing/api.ts';
import { PASSWORD, openWorld, type Actor, type World } from './testing/world.ts';

/** Whatever people write holds this word; the log of a server that is busy and broken must not. */
const CANARY = 'canary';

const before = log();
const lines: string[] = [];
const answers: string[] = [];
let release: () => void;
let world: World;
let owner: Actor;
let origin: string;

beforeAll(async () => {
  setLog(createLog('debug', { write: (line) => void lines.push(line) }));
  release = captureConsole();
  world = await openWorld({ signUp: 'open' });
  owner = await world.owner();
  setApp(world.app);
  origin = `http://127.0.0.1:${world.port}`;
  world.server.removeAllListeners('request');
  serve(world.server, world.app, answerApi);
});

afterAll(async () => {
  release();
  setLog(before);
  await world.stop();
});

async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<unknown> {
  const response = await fetch(`${origin}${path}`, {
    method,
    redirect: 'manual',
    headers: { origin, cookie: `${owner.cookie}; theme=${CANARY}`, 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (response.status >= 500) answers.push(text);
  return text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text;
}

/** Everything that a person may write, and what they may get wrong. */
async function beBusy(boardId: string): Promise<void> {
  const board = `/api/boards/${boardId}`;
  const setup = { model: 'toy', prompt: `${CANARY} went`, counterfactual: null, position: null, target: null, foil: null };
  await ask('POST', '/api/boards', { title: `${CANARY} title`, setup });
  await ask('POST', '/api/boards', { title: 5, setup: CANARY });
  await ask('POST', `${board}/comments`, { id: randomUUID(), anchor: 'a0.h0', body: `${CANARY} body` });
  await ask('POST', `${board}/claims`, { id: randomUUID(), anchor: null, text: `${CANARY} claim` });
  await ask('POST', '/api/analyze', { view: 'paths', model: 'toy', prompt: CANARY });
  await ask('POST', '/api/analyze', { view: 'paths', model: CANARY, prompt: CANARY });
  await ask('POST', `${board}/runs`, { view: 'paths', model: 'toy', prompt: CANARY });
  await ask('POST', `${board}/publish`, { title: CANARY, question: CANARY, findings: CANARY, threads: false });
  await ask('GET', `/p/${CANARY}`);
  await ask('POST', `/api/models/${CANARY}/tokenize`, { text: CANARY });
  await ask('GET', `/api/models/toy/tokens?q=${CANARY}`);
  await ask('GET', `/enter?token=${CANARY}`);
  await ask('GET', `/api/join?token=${CANARY}`);
  await ask('POST', '/api/join', { token: CANARY, name: CANARY });
  await ask('PATCH', '/api/me', { name: `${CANARY}\u200b` });
  await ask('PATCH', '/api/me', { name: `Owner ${CANARY}` });
  const account = { email: `${CANARY}@example.org`, password: `${CANARY} of ten` };
  await ask('POST', '/api/auth/sign-in/email', account);
  await ask('POST', '/api/auth/sign-up/email', { ...account, name: CANARY });
  await ask('POST', '/api/auth/sign-up/email', { ...account, name: CANARY });
  await ask('GET', `/${CANARY}/%`, undefined, { referer: CANARY, 'user-agent': CANARY });
  await ask('POST', `/api/boards?${CANARY}=1`, {}, { origin: `http://${CANARY}.example` });
}

test('the log tells nothing that people write, nor an answer what a statement held, when the server is busy and its database breaks', async () => {
  const boardId = await world.board(owner);
  const client = world.connect(owner, `board/${boardId}`);
  await client.synced();
  client.labels.set(CANARY, { text: CANARY });
  await beBusy(boardId);
  expect(answers).toEqual([]);
  const sound = lines.length;
  // Every statement fails that reads or writes one of these, parameters and all; the second time at the door.
  for (const tables of [[boards, updates, invites, runs, ownerLinks], [people]]) {
    for (const table of tables) {
      const name = getTableName(table);
      await world.app.db.execute(sql.raw(`alter table "${name}" rename to "broken_${name}"`));
    }
    client.labels.set(`${CANARY} 2`, { text: CANARY });
    await beBusy(boardId);
  }
  client.destroy();

  const faults = lines.slice(sound).filter((line) => line.includes('"level":"error"'));
  expect(faults.length).toBeGreaterThan(10);
  expect(faults.some((line) => line.includes('Failed query'))).toBe(true);
  expect(answers.length).toBeGreaterThan(5);
  for (const line of lines) {
    expect(line).not.toMatch(/canary/i);
    expect(line).not.toContain(PASSWORD);
    expect(line).not.toContain(owner.cookie.split('=')[1]);
  }
  // Of the path alone, which is the asker's own.
  for (const answer of answers) expect(answer.replace(/[A-Z]+ \/\S+/, '')).not.toMatch(/canary|query|params|select|insert|relation/i);
});
