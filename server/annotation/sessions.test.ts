import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { annotationLabels, annotationSessions, audit, boards } from '../../db/schema.ts';
import { agreementOf } from '../../lib/board/agreement.ts';
import { putGroup } from '../../lib/board/board-doc.ts';
import { readAnnotations, readSessions } from '../../lib/board/discussion-doc.ts';
import type { OwnLabel, QueueItem, SessionDetail, SessionResults, SessionSummary } from '../../lib/wire.ts';
import { mergeGuest } from '../access/guests.ts';
import { setApp } from '../app.ts';
import { ask } from '../testing/routes.ts';
import { openWorld, until, type Actor, type World } from '../testing/world.ts';

let world: World;
let owner: Actor;
let board: string;
let ann: Actor;
let bo: Actor;
let cy: Actor;
let names = 0;

beforeAll(async () => {
  world = await openWorld({ rateLimits: 'off' });
  setApp(world.app);
  owner = await world.owner();
});
afterAll(() => world.stop());

beforeEach(async () => {
  board = await world.board(owner);
  names += 1;
  ann = await world.guest(board, `Ann ${names}`, 'commenter');
  bo = await world.guest(board, `Bo ${names}`, 'commenter');
  cy = await world.guest(board, `Cy ${names}`, 'editor');
});

const id = () => crypto.randomUUID();

async function call<T>(actor: Actor, method: string, path: string, body?: unknown): Promise<T> {
  const response = await ask(actor, method, path, body === undefined ? {} : { body });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

async function refusal(actor: Actor, method: string, path: string, body?: unknown): Promise<[number, string]> {
  const response = await ask(actor, method, path, body === undefined ? {} : { body });
  return [response.status, response.ok ? '' : (await response.json()).error.message];
}

const fresh = (more: object = {}) => ({
  id: id(),
  name: 'What the heads do',
  instructions: 'Say what it does.',
  labels: ['copies', 'moves', 'noise'],
  pick: { by: 'top', count: 3 },
  annotators: [ann.person.id, bo.person.id],
  perItem: null,
  hidesNumbers: false,
  ...more,
});

const make = (more: object = {}) => call<SessionDetail>(cy, 'POST', `/api/boards/${board}/sessions`, fresh(more));
const queueOf = (actor: Actor, session: string) => call<QueueItem[]>(actor, 'GET', `/api/sessions/${session}/queue`);
const detail = (actor: Actor, session: string) => call<SessionDetail>(actor, 'GET', `/api/sessions/${session}`);
const put = (actor: Actor, session: string, item: number, label: string, more: { id?: string; unsure?: boolean; note?: string } = {}) => {
  const { id: labelId = id(), unsure = false, note = '' } = more;
  return call<OwnLabel | null>(actor, 'PUT', `/api/sessions/${session}/labels/${labelId}`, { item, label, unsure, note });
};
const set = (session: string, state: string) => call<SessionDetail>(cy, 'PATCH', `/api/sessions/${session}`, { state });

test('a session has the largest paths in order, with what the engine says of them', async () => {
  const session = await make();
  expect(session).toMatchObject({
    state: 'open',
    items: 3,
    annotators: 2,
    labels: ['copies', 'moves', 'noise'],
    facilitator: { name: `Cy ${names}` },
    mine: null,
    answer: { metric: 2, terms: [], model: { hash: 'f00d' } },
  });
  expect((await queueOf(ann, session.id)).map(({ item, anchor, value, mine }) => [item, anchor, value, mine])).toEqual([
    [1, 'input->logits', 0.5, null],
    [2, 'input->a0.h0->logits', 1.75, null],
    [3, 'input->a0.h0->a1.h0->logits', -0.25, null],
  ]);
  expect(await queueOf(cy, session.id)).toEqual([]);
  expect((await call<SessionSummary[]>(ann, 'GET', `/api/boards/${board}/sessions`)).map(({ id: found, mine }) => [found, mine])).toEqual([
    [session.id, { tasks: 3, done: 0 }],
  ]);
});

test('a board has so many sessions and no more', async () => {
  const { id: first } = await make();
  const [row] = await world.app.db.select().from(annotationSessions).where(eq(annotationSessions.id, first));
  await world.app.db.insert(annotationSessions).values(Array.from({ length: 199 }, () => ({ ...row!, id: id() })));
  expect(await refusal(cy, 'POST', `/api/boards/${board}/sessions`, fresh())).toEqual([
    413,
    expect.stringContaining('at most 200 sessions'),
  ]);
});

test('paths are picked by threshold and by hand, and what cannot be is refused with nothing left behind', async () => {
  const anchors = async (pick: object) => (await queueOf(ann, (await make({ pick })).id)).map(({ anchor, value }) => [anchor, value]);
  expect(await anchors({ by: 'threshold', of: 'value', least: 0.5 })).toEqual([
    ['input->logits', 0.5],
    ['input->a0.h0->logits', 1.75],
  ]);
  expect(await anchors({ by: 'threshold', of: 'share', least: 0.3 })).toEqual([['input->a0.h0->logits', 1.75]]);
  expect(await anchors({ by: 'hand', anchors: ['a0.h0->a1.h0', 'input->a0.h0->logits', 'm0'] })).toEqual([
    ['a0.h0->a1.h0', null],
    ['input->a0.h0->logits', 1.75],
    ['m0', null],
  ]);
  const editor = world.connect(cy, `board/${board}`);
  await editor.synced();
  const group = (members: string[]) => putGroup(editor.doc, { id: id(), name: 'Repeats the name', members, createdAt: 1 });
  const [ofPaths, ofNodes] = [group(['input->logits', 'input->a0.h0->a1.h0->logits']), group(['input->logits', 'm0'])];
  await until(() => editor.persisted >= 3);
  const { id: session } = await make({ pick: { by: 'hand', anchors: [`group:${ofPaths.id}`, `group:${ofNodes.id}`] } });
  expect(await queueOf(ann, session)).toMatchObject([
    { title: 'Repeats the name', members: ofPaths.members, value: 0.25 },
    { title: 'Repeats the name', members: ofNodes.members, value: null },
  ]);
  const before = (await call<unknown[]>(cy, 'GET', `/api/boards/${board}/sessions`)).length;
  for (const [more, message] of [
    [{ pick: { by: 'threshold', of: 'value', least: 99 } }, 'expected a threshold that some path passes'],
    [{ pick: { by: 'hand', anchors: ['a0.h0->nowhere'] } }, 'expected paths, suffixes, edges, nodes or mechanisms'],
    [{ pick: { by: 'hand', anchors: ['m7->logits'] } }, 'expected parts of the expansion of this model'],
    [{ pick: { by: 'hand', anchors: ['group:nowhere'] } }, 'expected paths, suffixes, edges, nodes or mechanisms'],
    [{ pick: { by: 'hand', anchors: ['m0', 'm0'] } }, 'expected every item once'],
    [{ labels: ['Copies', 'copies'] }, 'expected labels that can be told apart'],
    [{ labels: ['one'] }, 'at least 2'],
    [
      { annotators: [(await world.guest(board, `Vi ${names}`, 'viewer')).person.id] },
      'expected somebody with the role owner, editor, commenter',
    ],
    [{ perItem: 3 }, 'expected at most 2'],
  ] as const) {
    expect(await refusal(cy, 'POST', `/api/boards/${board}/sessions`, fresh(more))).toEqual([400, expect.stringContaining(message)]);
  }
  expect(await call<unknown[]>(cy, 'GET', `/api/boards/${board}/sessions`)).toHaveLength(before);
});

test('making it is applied once; the id is nobody else’s to use', async () => {
  const request = fresh();
  const path = `/api/boards/${board}/sessions`;
  const first = await call<SessionDetail>(cy, 'POST', path, request);
  expect(await call<SessionDetail>(cy, 'POST', path, { ...request, name: 'another' })).toEqual(first);
  expect((await refusal(owner, 'POST', path, request))[0]).toBe(409);
  expect(await call<unknown[]>(cy, 'GET', path)).toHaveLength(1);
  const entries = await world.app.db.select().from(audit).where(eq(audit.boardId, board));
  expect(entries.filter(({ action }) => action === 'session.made')).toHaveLength(1);
});

test('a label is given, changed, taken back and retried; each id is applied once', async () => {
  const { id: session } = await make();
  const first = id();
  const given = await put(ann, session, 1, 'copies', { id: first, note: 'the name' });
  expect(given).toMatchObject({ id: first, label: 'copies', note: 'the name', blind: true });
  expect(await put(ann, session, 1, 'moves', { id: first })).toEqual(given);
  const second = await put(ann, session, 1, 'moves', { unsure: true });
  expect((await queueOf(ann, session))[0]!.mine).toEqual(second);
  // The first one's retry comes late: it does not come back.
  expect(await put(ann, session, 1, 'copies', { id: first })).toBeNull();
  expect((await queueOf(ann, session))[0]!.mine).toEqual(second);
  const remove = (labelId: string) => call(ann, 'DELETE', `/api/sessions/${session}/labels/${labelId}`);
  await remove(second!.id);
  await remove(second!.id);
  expect((await queueOf(ann, session))[0]!.mine).toBeNull();
  expect(await put(ann, session, 1, 'moves', { id: second!.id })).toBeNull();
  // What was taken back is nowhere.
  const rows = await world.app.db.select().from(annotationLabels).where(eq(annotationLabels.sessionId, session));
  expect(rows.map(({ label, note }) => [label, note])).toEqual([
    [null, ''],
    [null, ''],
  ]);
  expect(
    await refusal(ann, 'PUT', `/api/sessions/${session}/labels/${id()}`, { item: 1, label: 'other', unsure: false, note: '' }),
  ).toEqual([400, 'label: expected one of copies, moves, noise, got "other"']);
});

test('two labels of one person for one item at once: one of them stands', async () => {
  const { id: session } = await make();
  const given = await Promise.all(['copies', 'moves', 'noise', 'copies'].map((label) => put(ann, session, 2, label)));
  const rows = await world.app.db.select().from(annotationLabels).where(eq(annotationLabels.sessionId, session));
  const standing = rows.filter(({ label }) => label !== null);
  expect([rows.length, standing.length]).toEqual([4, 1]);
  expect(given.map((one) => one?.id)).toContain(standing[0]!.id);
});

test('only annotators label, only what is in their queue, and only their own labels', async () => {
  const { id: session } = await make({ perItem: 1 });
  const mine = (await queueOf(ann, session)).map(({ item }) => item);
  const theirs = (await queueOf(bo, session)).map(({ item }) => item);
  expect([...mine, ...theirs].sort()).toEqual([1, 2, 3]);
  const label = await put(ann, session, mine[0]!, 'copies');
  const path = `/api/sessions/${session}/labels`;
  const body = { item: theirs[0], label: 'copies', unsure: false, note: '' };
  expect(await refusal(ann, 'PUT', `${path}/${id()}`, body)).toEqual([403, expect.stringContaining('one of your queue')]);
  expect(await refusal(cy, 'PUT', `${path}/${id()}`, body)).toEqual([403, expect.stringContaining('one of its annotators')]);
  expect(await refusal(cy, 'POST', `/api/sessions/${session}/skip`, { item: 1 })).toEqual([403, expect.anything()]);
  // Somebody else's label is as one that there is not.
  const foreign = await refusal(bo, 'DELETE', `${path}/${label!.id}`);
  const unknown = await refusal(bo, 'DELETE', `${path}/${id()}`);
  expect([foreign[0], unknown[0]]).toEqual([404, 404]);
  expect((await queueOf(ann, session)).find(({ item }) => item === mine[0])!.mine).toEqual(label);
});

test('a pause holds labels off, and nothing is lost by it', async () => {
  const { id: session } = await make();
  await put(ann, session, 1, 'copies');
  expect(await set(session, 'paused')).toMatchObject({ state: 'paused' });
  const entry = { id: id() };
  await expect(put(ann, session, 2, 'moves', entry)).rejects.toThrow('409 {"error":{"code":"conflict"');
  expect(await refusal(ann, 'POST', `/api/sessions/${session}/skip`, { item: 2 })).toEqual([409, expect.stringContaining('got paused')]);
  await set(session, 'paused');
  await set(session, 'open');
  expect(await put(ann, session, 2, 'moves', entry)).toMatchObject({ label: 'moves', blind: true });
  const actions = (await world.app.db.select().from(audit).where(eq(audit.boardId, board))).map(({ action }) => action);
  expect(actions.filter((action) => action.startsWith('session.'))).toEqual(['session.made', 'session.paused', 'session.resumed']);
});

test('progress is the facilitator’s to see', async () => {
  const { id: session } = await make();
  await put(ann, session, 1, 'copies');
  await put(ann, session, 3, 'copies');
  await call(bo, 'POST', `/api/sessions/${session}/skip`, { item: 1 });
  const progress = (actor: Actor) =>
    detail(actor, session).then((one) => one.progress?.map(({ tasks, done, skipped }) => [tasks, done, skipped]));
  expect(await progress(cy)).toEqual([
    [3, 2, 0],
    [3, 0, 1],
  ]);
  expect(await progress(owner)).toEqual(await progress(cy));
  expect(await progress(ann)).toBeUndefined();
  expect((await detail(ann, session)).mine).toEqual({ tasks: 3, done: 2 });
  expect((await queueOf(bo, session)).map(({ skipped }) => skipped)).toEqual([true, false, false]);
});

test('what one has not labelled goes to another; what they have anyway is only taken away', async () => {
  const { id: session } = await make();
  await put(ann, session, 2, 'copies');
  const reassign = (to: Actor) =>
    call<{ moved: number; dropped: number }>(cy, 'POST', `/api/sessions/${session}/reassign`, { from: ann.person.id, to: to.person.id });
  const dee = await world.guest(board, `Dee ${names}`, 'commenter');
  expect(await reassign(dee)).toEqual({ moved: 2, dropped: 0 });
  expect((await queueOf(ann, session)).map(({ item }) => item)).toEqual([2]);
  expect((await queueOf(dee, session)).map(({ item, takenOver }) => [item, takenOver])).toEqual([
    [1, true],
    [3, true],
  ]);
  await expect(put(ann, session, 1, 'copies')).rejects.toThrow('403');
  const back = await call(cy, 'POST', `/api/sessions/${session}/reassign`, { from: dee.person.id, to: bo.person.id });
  expect(back).toEqual({ moved: 0, dropped: 2 });
  expect(await queueOf(dee, session)).toEqual([]);
  expect(await refusal(cy, 'POST', `/api/sessions/${session}/reassign`, { from: owner.person.id, to: bo.person.id })).toEqual([
    404,
    expect.anything(),
  ]);
});

test('who comes late gets every item, or a part of what is open', async () => {
  const everyone = (await make()).id;
  const join = (session: string, actor: Actor) =>
    call<SessionDetail>(cy, 'POST', `/api/sessions/${session}/annotators`, { personId: actor.person.id });
  expect(await join(everyone, cy)).toMatchObject({ annotators: 3, mine: { tasks: 3, done: 0 } });
  expect(await join(everyone, cy)).toMatchObject({ annotators: 3 });
  const few = (await make({ perItem: 1 })).id;
  await join(few, cy);
  const queues = await Promise.all([ann, bo, cy].map((actor) => queueOf(actor, few)));
  expect(
    queues
      .flat()
      .map(({ item }) => item)
      .sort(),
  ).toEqual([1, 2, 3]);
  expect(queues[2]!.length).toBe(1);
});

test('at the reveal the labels enter the discussion; who labels later is told apart and does not count', async () => {
  const { id: session } = await make();
  const reader = world.connect(ann, `discussion/${board}`);
  await until(() => readSessions(reader.doc).records[0]?.state === 'open');
  const said = { ann: ['copies', 'moves', 'copies'], bo: ['copies', 'moves', 'noise'] };
  for (const [index, label] of said.ann.entries()) await put(ann, session, index + 1, label);
  for (const [index, label] of said.bo.entries()) await put(bo, session, index + 1, label, { note: `because ${index}` });
  expect((await refusal(cy, 'GET', `/api/sessions/${session}/results`))[0]).toBe(409);
  const revealed = await set(session, 'revealed');
  expect(revealed.revealedAt).toEqual(expect.any(Number));
  await until(() => readAnnotations(reader.doc).records.length === 3);
  expect(readAnnotations(reader.doc).flaws).toEqual([]);
  expect(readSessions(reader.doc).records[0]).toMatchObject({ id: session, state: 'revealed', revealedAt: revealed.revealedAt });

  // A blind label stays as it was.
  const blind = (await queueOf(ann, session))[0]!.mine!;
  expect((await refusal(ann, 'DELETE', `/api/sessions/${session}/labels/${blind.id}`))[0]).toBe(409);
  await expect(put(ann, session, 1, 'noise')).rejects.toThrow('given before it, which stays as it was');

  await call(cy, 'POST', `/api/sessions/${session}/annotators`, { personId: cy.person.id });
  const late = await put(cy, session, 1, 'noise');
  expect(late).toMatchObject({ blind: false });
  await until(() => readAnnotations(reader.doc).records[0]!.labels.length === 3);
  expect(readAnnotations(reader.doc).records[0]!.labels.map(({ author, label, blind: was }) => [author.id, label, was])).toEqual([
    [ann.person.id, 'copies', true],
    [bo.person.id, 'copies', true],
    [cy.person.id, 'noise', false],
  ]);
  await call(cy, 'DELETE', `/api/sessions/${session}/labels/${late!.id}`);
  await until(() => readAnnotations(reader.doc).records[0]!.labels.length === 2);
  await put(cy, session, 1, 'moves');

  const results = await call<SessionResults>(await world.guest(board, `Vic ${names}`, 'viewer'), 'GET', `/api/sessions/${session}/results`);
  const ratings = [ann, bo].flatMap(({ person }, who) =>
    [said.ann, said.bo][who]!.map((label, index) => ({ item: index + 1, rater: person.id, label })),
  );
  expect(results.agreement).toEqual(agreementOf(['copies', 'moves', 'noise'], [ann.person.id, bo.person.id], ratings));
  expect(results.agreement.pairs[0]!.kappa.value).toBeCloseTo(0.5, 12);
  expect(results.items[0]!.labels.map(({ author, label }) => [author.name, label])).toEqual([
    [`Ann ${names}`, 'copies'],
    [`Bo ${names}`, 'copies'],
    [`Cy ${names}`, 'moves'],
  ]);
});

test('closing ends it, revealed or not', async () => {
  const { id: session } = await make();
  await put(ann, session, 1, 'copies');
  await set(session, 'closed');
  await expect(put(ann, session, 2, 'copies')).rejects.toThrow('got closed');
  expect((await refusal(cy, 'PATCH', `/api/sessions/${session}`, { state: 'revealed' }))[0]).toBe(409);
  expect((await refusal(cy, 'GET', `/api/sessions/${session}/results`))[0]).toBe(409);
  expect((await queueOf(ann, session))[0]!.mine).toMatchObject({ label: 'copies' });
  const other = (await make()).id;
  await put(ann, other, 1, 'copies');
  await set(other, 'revealed');
  await set(other, 'closed');
  expect((await call<SessionResults>(bo, 'GET', `/api/sessions/${other}/results`)).items[0]!.labels).toHaveLength(1);
});

test('files: a row a label, a row an item, and everything', async () => {
  const { id: session } = await make({ name: 'Heads, "all"' });
  await put(ann, session, 1, 'copies', { note: '=1+1, "really"' });
  await put(bo, session, 1, 'moves', { unsure: true });
  await put(bo, session, 3, 'noise');
  await set(session, 'revealed');
  await put(ann, session, 2, 'noise');
  const file = async (form: string) => ask(ann, 'GET', `/api/sessions/${session}/export?as=${form}`);
  const long = await file('long');
  expect([long.headers.get('content-type'), long.headers.get('content-disposition')]).toEqual([
    'text/csv; charset=utf-8',
    'attachment; filename="pathboard-session-Heads-all--long.csv"',
  ]);
  const lines = (await long.text()).split('\r\n');
  expect(lines[0]).toBe('session,item,anchor,title,value (logits),annotator,annotator id,label,blind,unsure,note,at');
  expect(lines).toHaveLength(6);
  expect(lines[1]).toMatch(
    new RegExp(`^"Heads, ""all""",1,input->logits,,0.5,Ann ${names},${ann.person.id},copies,true,false,"'=1\\+1, ""really""",\\d{4}-.*Z$`),
  );
  expect(lines[3]).toContain(`,noise,false,false,,`);
  expect((await (await file('matrix')).text()).split('\r\n')).toEqual([
    `item,anchor,title,value (logits),Ann ${names},Bo ${names}`,
    '1,input->logits,,0.5,copies,moves',
    '2,input->a0.h0->logits,,1.75,,',
    '3,input->a0.h0->a1.h0->logits,,-0.25,,noise',
    '',
  ]);
  const everything = (await (await file('json')).json()) as SessionDetail & SessionResults;
  expect(everything).toMatchObject({
    name: 'Heads, "all"',
    labels: ['copies', 'moves', 'noise'],
    agreement: { items: 1 },
    answer: { metric: 2 },
  });
  expect(everything.items[0]!.labels[0]!.note).toBe('=1+1, "really"');
  expect('progress' in everything || 'mine' in everything).toBe(false);
  expect((await file('xlsx')).status).toBe(400);
});

test('a guest who turns out to be somebody keeps queue and labels', async () => {
  const { id: session } = await make();
  await put(ann, session, 1, 'copies');
  const [{ workspaceId } = { workspaceId: '' }] = await world.app.db.select().from(boards).where(eq(boards.id, board));
  const account = await world.account(`Anna ${names}`, { workspaceId, role: 'commenter' });
  await mergeGuest(world.app, ann.person, account.person.id);
  expect((await queueOf(account, session)).map(({ mine }) => mine?.label ?? null)).toEqual(['copies', null, null]);
  await put(account, session, 2, 'moves');
  await set(session, 'revealed');
  const { people } = await call<SessionResults>(bo, 'GET', `/api/sessions/${session}/results`);
  expect(people.map(({ name }) => name)).toContain(`Anna ${names}`);
});

test('who loses the role that it takes labels no more, and can be relieved', async () => {
  const { id: session } = await make();
  await call(owner, 'PATCH', `/api/boards/${board}/members/${ann.person.id}`, { role: 'viewer' });
  await expect(put(ann, session, 1, 'copies')).rejects.toThrow('403');
  expect(await call(cy, 'POST', `/api/sessions/${session}/reassign`, { from: ann.person.id, to: cy.person.id })).toEqual({
    moved: 3,
    dropped: 0,
  });
  expect((await refusal(cy, 'POST', `/api/sessions/${session}/reassign`, { from: bo.person.id, to: ann.person.id }))[0]).toBe(400);
});
