import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type * as Y from 'yjs';
import { audit, snapshots, updates } from '../../db/schema.ts';
import { setApp } from '../app.ts';
import { ask } from '../testing/routes.ts';
import { openWorld, until, type Actor, type World } from '../testing/world.ts';

/**
 * Nothing of somebody else's label leaves the server before the reveal. The same story is played on boards of its own, and
 * one person's labels are all that differs: whatever anybody else can see must be the same, byte for byte.
 */

let world: World;
let owner: Actor;

beforeAll(async () => {
  world = await openWorld({ rateLimits: 'off' });
  setApp(world.app);
  owner = await world.owner();
});
afterAll(() => world.stop());

const SECRET = 'what-ann-thinks-of-it';

interface Story {
  /** Ann's labels, item by item; null for none */
  labels: (string | null)[];
  note?: string;
  unsure?: boolean;
}

interface Seen {
  /** by who sees it: answers of the API, whatever their status */
  answers: Record<string, Record<string, string>>;
  /** by who listens: what the discussion's socket brought, and in how many updates */
  heard: Record<string, { updates: number; content: unknown }>;
  /** rows of the log, and what the database says of the board */
  stored: { log: string; audit: unknown };
}

let stories = 0;

/** Plays the story up to just before the reveal, and looks at everything that others can look at. */
async function play({ labels, note = '', unsure = false }: Story): Promise<Seen> {
  const n = ++stories;
  const board = await world.board(owner);
  const people: Record<string, Actor> = {
    ann: await world.guest(board, `Ann ${n}`, 'commenter'),
    bo: await world.guest(board, `Bo ${n}`, 'commenter'),
    facilitator: await world.guest(board, `Cy ${n}`, 'editor'),
    viewer: await world.guest(board, `Vi ${n}`, 'viewer'),
    owner,
    stranger: await world.account(`Stranger ${n}`),
  };
  const { ann, bo, facilitator } = people as { ann: Actor; bo: Actor; facilitator: Actor };
  const session = crypto.randomUUID();
  const places = {
    board,
    session,
    label: crypto.randomUUID(),
    ...Object.fromEntries(Object.entries(people).map(([name, { person }]) => [name, person.id])),
  };
  const send = async (actor: Actor, method: string, path: string, body?: unknown) => {
    const response = await ask(actor, method, path, body === undefined ? {} : { body });
    return `${response.status} ${neutral(await response.text(), places, n)}`;
  };
  const made = await send(facilitator, 'POST', `/api/boards/${board}/sessions`, {
    id: session,
    name: 'Heads',
    instructions: '',
    labels: ['copies', 'moves', 'noise'],
    pick: { by: 'top', count: 3 },
    annotators: [ann.person.id, bo.person.id],
    perItem: null,
    hidesNumbers: false,
  });
  expect(made).toMatch(/^200 /);
  const listeners = Object.fromEntries(
    ['bo', 'facilitator', 'viewer'].map((name) => {
      const client = world.connect(people[name]!, `discussion/${board}`);
      const listener = { client, updates: 0 };
      client.doc.on('update', () => (listener.updates += 1));
      return [name, listener];
    }),
  );
  for (const { client } of Object.values(listeners)) await until(() => client.doc.getMap('sessions').has(session));
  const before = Object.fromEntries(Object.entries(listeners).map(([name, { updates: count }]) => [name, count]));

  for (const [index, label] of labels.entries()) {
    if (label === null) continue;
    const body = { item: index + 1, label, unsure, note };
    expect(await send(ann, 'PUT', `/api/sessions/${session}/labels/${crypto.randomUUID()}`, body)).toMatch(/^200 .*/);
  }
  // Bo labels the same in every story; what Bo is answered must not depend on what Ann said.
  const answers: Seen['answers'] = {};
  const look = async (name: string, method: string, path: string, body?: unknown) => {
    const asked = `${method} ${path.replace(session, 'S').replace(board, 'B').replace(places.label, 'L')} ${body === undefined ? '' : JSON.stringify(body)}`;
    (answers[name] ??= {})[neutral(asked, places, n)] = await send(people[name]!, method, path, body);
  };
  await look('bo', 'PUT', `/api/sessions/${session}/labels/${places.label}`, {
    item: 1,
    label: 'copies',
    unsure: false,
    note: '',
  });
  for (const name of ['bo', 'facilitator', 'viewer', 'owner', 'stranger']) {
    for (const path of [
      `/api/sessions/${session}`,
      `/api/sessions/${session}/queue`,
      `/api/sessions/${session}/results`,
      ...['long', 'matrix', 'json', 'other'].map((form) => `/api/sessions/${session}/export?as=${form}`),
      `/api/boards/${board}/sessions`,
      `/api/boards/${board}/runs`,
      `/api/boards/${board}/versions`,
    ]) {
      await look(name, 'GET', path);
    }
    await look(name, 'POST', `/api/sessions/${session}/skip`, { item: 1 });
    await look(name, 'POST', `/api/sessions/${session}/skip`, { item: 77 });
    await look(name, 'DELETE', `/api/sessions/${session}/labels/00000000-0000-4000-8000-000000000000`);
    await look(name, 'PUT', `/api/sessions/${session}/labels/ffffffff-0000-4000-8000-ffffffffffff`, {
      item: 9,
      label: 'copies',
      unsure: false,
      note: '',
    });
  }
  for (const name of ['bo', 'viewer', 'stranger']) {
    for (const state of ['revealed', 'paused', 'closed']) await look(name, 'PATCH', `/api/sessions/${session}`, { state });
    await look(name, 'POST', `/api/sessions/${session}/reassign`, { from: ann.person.id, to: bo.person.id });
  }
  await look('facilitator', 'PATCH', `/api/sessions/${session}`, { state: 'paused' });
  await look('facilitator', 'PATCH', `/api/sessions/${session}`, { state: 'open' });
  await look('facilitator', 'POST', `/api/sessions/${session}/annotators`, { personId: facilitator.person.id });
  await look('facilitator', 'GET', `/api/sessions/${session}/queue`);

  const expected = before['bo']! + 3;
  await until(() => listeners['bo']!.updates >= expected);
  const heard = Object.fromEntries(
    Object.entries(listeners).map(([name, { client, updates: count }]) => [
      name,
      { updates: count - before[name]!, content: JSON.parse(neutral(JSON.stringify(contentOf(client.doc)), places, n)) },
    ]),
  );
  for (const { client } of Object.values(listeners)) client.destroy();
  return { answers, heard, stored: await storedOf(board, places, n) };
}

function contentOf(doc: Y.Doc): unknown {
  return Object.fromEntries([...doc.share.keys()].sort().map((name) => [name, doc.getMap(name).toJSON()]));
}

/** Ids, names and times are of the story, not of the labels. */
function neutral(text: string, places: Record<string, string>, n: number): string {
  let out = text;
  for (const [name, id] of Object.entries(places)) out = out.replaceAll(id, name.toUpperCase());
  return out
    .replaceAll(new RegExp(`(Ann|Bo|Cy|Vi|Stranger) ${n}\\b`, 'g'), '$1')
    .replaceAll(/\b1[0-9]{12}\b/g, '0')
    .replaceAll(/"elapsedMs":[\d.]+/g, '"elapsedMs":0');
}

async function storedOf(board: string, places: Record<string, string>, n: number): Promise<Seen['stored']> {
  const room = `discussion/${board}`;
  const { db } = world.app;
  const rows = [
    ...(await db.select({ data: updates.data }).from(updates).where(eq(updates.room, room))),
    ...(await db.select({ data: snapshots.data }).from(snapshots).where(eq(snapshots.room, room))),
  ];
  const entries = await db.select({ action: audit.action, details: audit.details }).from(audit).where(eq(audit.boardId, board));
  return {
    log: rows.map(({ data }) => Buffer.from(data).toString('latin1')).join('\n'),
    audit: JSON.parse(neutral(JSON.stringify(entries.filter(({ action }) => action.startsWith('session.'))), places, n)),
  };
}

/** Progress is the facilitator's to see: how many, and nothing of which or what. */
function withoutProgress(answers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(answers).map(([path, answer]) => [path, answer.replaceAll(/"done":\d+/g, '"done":N')]));
}

test('what one says is the same to everybody else as the opposite', async () => {
  const one = await play({ labels: ['copies', 'copies', 'moves'] });
  const other = await play({ labels: ['moves', 'noise', 'copies'], note: SECRET, unsure: true });
  expect(other.answers).toEqual(one.answers);
  expect(other.heard).toEqual(one.heard);
  expect(other.stored.audit).toEqual(one.stored.audit);
  for (const { log } of [one.stored, other.stored]) expect(log).not.toMatch(/copies|moves|noise|what-ann/);
  expect(JSON.stringify(other.answers)).not.toContain(SECRET);
  // The test sees what there is to be seen.
  expect(one.answers['bo']!['GET /api/sessions/S/queue ']).toContain('"mine":{"id":');
  expect(one.answers['facilitator']!['GET /api/sessions/S ']).toContain('"done":3');
  expect(one.answers['stranger']!['GET /api/sessions/S ']).toMatch(/^404 /);
  expect(one.answers['owner']!['GET /api/sessions/S/results ']).toMatch(/^409 .*revealed, got open/);
  expect(one.answers['bo']!['PATCH /api/sessions/S {"state":"revealed"}']).toMatch(/^403 /);
  // The facilitator paused, resumed and joined: nothing else was told, whatever Ann did.
  expect(one.heard['bo']!.updates).toBe(3);
});

test('whether one has labelled, and which item, is nobody’s to see; how many is the facilitator’s', async () => {
  const nothing = await play({ labels: [null, null, null] });
  const first = await play({ labels: ['copies', null, null] });
  const last = await play({ labels: [null, null, 'noise'], note: SECRET });
  for (const seen of [first, last]) {
    for (const name of ['bo', 'viewer', 'stranger']) expect(seen.answers[name]).toEqual(nothing.answers[name]);
    for (const name of ['facilitator', 'owner'])
      expect(withoutProgress(seen.answers[name]!)).toEqual(withoutProgress(nothing.answers[name]!));
    expect(seen.heard).toEqual(nothing.heard);
    expect(seen.stored.audit).toEqual(nothing.stored.audit);
  }
  // Which one it was is not even the facilitator's to see.
  expect(last.answers['facilitator']).toEqual(first.answers['facilitator']);
  expect(first.answers['facilitator']).not.toEqual(nothing.answers['facilitator']);
});

test('a session that is closed without a reveal keeps its labels for good', async () => {
  const board = await world.board(owner);
  const ann = await world.guest(board, 'Ann who was cut short', 'commenter');
  const session = crypto.randomUUID();
  const call = async (actor: Actor, method: string, path: string, body?: unknown) => {
    const response = await ask(actor, method, path, body === undefined ? {} : { body });
    return [response.status, await response.text()] as const;
  };
  const request = {
    name: 'Heads',
    instructions: '',
    labels: ['copies', 'moves'],
    pick: { by: 'top', count: 2 },
    perItem: null,
    hidesNumbers: true,
  };
  await call(owner, 'POST', `/api/boards/${board}/sessions`, { ...request, id: session, annotators: [ann.person.id] });
  await call(ann, 'PUT', `/api/sessions/${session}/labels/${crypto.randomUUID()}`, {
    item: 1,
    label: 'moves',
    unsure: false,
    note: SECRET,
  });
  expect((await call(owner, 'PATCH', `/api/sessions/${session}`, { state: 'closed' }))[0]).toBe(200);
  expect((await call(owner, 'PATCH', `/api/sessions/${session}`, { state: 'revealed' }))[0]).toBe(409);
  for (const path of ['results', 'export?as=json', 'export?as=long', 'export?as=matrix']) {
    const [status, text] = await call(owner, 'GET', `/api/sessions/${session}/${path}`);
    expect([status, text.includes(SECRET)]).toEqual([409, false]);
  }
  // Numbers that the session hides are in no answer either.
  const [, queue] = await call(ann, 'GET', `/api/sessions/${session}/queue`);
  expect(JSON.parse(queue).map(({ value }: { value: unknown }) => value)).toEqual([null, null]);
});

test('a refusal says nothing of what another person did with the same item', async () => {
  const board = await world.board(owner);
  const ann = await world.guest(board, 'Ann of the refusals', 'commenter');
  const bo = await world.guest(board, 'Bo of the refusals', 'commenter');
  const session = crypto.randomUUID();
  const send = async (actor: Actor, method: string, path: string, body?: unknown) => {
    const response = await ask(actor, method, path, body === undefined ? {} : { body });
    return `${response.status} ${await response.text()}`;
  };
  const request = {
    name: 'Heads',
    instructions: '',
    labels: ['copies', 'moves'],
    pick: { by: 'top', count: 2 },
    perItem: 1,
    hidesNumbers: false,
  };
  await send(owner, 'POST', `/api/boards/${board}/sessions`, { ...request, id: session, annotators: [ann.person.id, bo.person.id] });
  const theirs = JSON.parse((await send(ann, 'GET', `/api/sessions/${session}/queue`)).slice(4)) as { item: number }[];
  const { item } = theirs[0]!;
  const attempt = () =>
    send(bo, 'PUT', `/api/sessions/${session}/labels/${crypto.randomUUID()}`, { item, label: 'copies', unsure: false, note: '' });
  const unlabelled = await attempt();
  const label = crypto.randomUUID();
  await send(ann, 'PUT', `/api/sessions/${session}/labels/${label}`, { item, label: 'moves', unsure: false, note: SECRET });
  expect(await attempt()).toBe(unlabelled);
  const words = (text: string, id: string) => text.replaceAll(id, 'ID');
  const unknown = crypto.randomUUID();
  expect(words(await send(bo, 'DELETE', `/api/sessions/${session}/labels/${label}`), label)).toBe(
    words(await send(bo, 'DELETE', `/api/sessions/${session}/labels/${unknown}`), unknown),
  );
});
