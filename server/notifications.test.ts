import { eq } from 'drizzle-orm';
import type * as Y from 'yjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commentTexts, notifications, snapshots, threadMarks, updates } from '../db/schema.ts';
import { putGroup, removeGroup } from '../lib/board/board-doc.ts';
import { mergeGuest } from './access/guests.ts';
import { authorise } from './access.ts';
import { setApp } from './app.ts';
import { deleteBoard } from './bin.ts';
import {
  addClaim,
  addComment,
  addEvidence,
  deleteComment,
  earlierTexts,
  editClaim,
  editComment,
  repeatEvidence,
  takeStance,
} from './discussion.ts';
import { changeBoardRole, removeFromBoard } from './members.ts';
import { listMarks, listNotifications, markAllRead, markThread, readNotifications } from './notifications.ts';
import { runOnBoard } from './runs.ts';
import { ask } from './testing/routes.ts';
import { MESSAGE_NEWS } from '../lib/wire.ts';
import { openWorld, until, type Actor, type World } from './testing/world.ts';

let world: World;
let owner: Actor;
let board: string;
let count = 0;

beforeAll(async () => {
  world = await openWorld();
  setApp(world.app);
  owner = await world.owner();
  board = await world.board(owner);
});
afterAll(() => world.stop());

const id = () => crypto.randomUUID();
const guest = (name: string, role: 'editor' | 'commenter' | 'viewer' = 'editor', on = board) => world.guest(on, `${name} ${++count}`, role);
const say = (actor: Actor, body: string, anchor = 'a0.h0', on = board) =>
  addComment(world.app, actor.person, on, { id: id(), anchor, body });
const told = async (actor: Actor) => (await listNotifications(world.app, actor.person)).list;
const kinds = async (actor: Actor) => (await told(actor)).map(({ kind, by }) => [kind, by.name]);

test('who is mentioned is told, by name, and stored with their id', async () => {
  const vera = await guest('Vera');
  const wim = await guest('Wim', 'viewer');
  const comment = await say(owner, `look, @${vera.person.name}: a0.h1, \`@${wim.person.name}\``);
  expect(comment.mentions).toEqual([{ id: vera.person.id, name: vera.person.name }]);
  expect(await told(vera)).toMatchObject([
    {
      kind: 'mention',
      subjectId: comment.id,
      anchor: 'a0.h0',
      threadId: comment.threadId,
      boardId: board,
      readAt: null,
      by: { name: 'Owner' },
    },
  ]);
  expect(await told(wim)).toEqual([]);
  // Named anew by an edit; who was named before is not told again.
  await editComment(world.app, owner.person, board, comment.id, `@${vera.person.name} and @${wim.person.name}`);
  expect(await kinds(wim)).toEqual([['mention', 'Owner']]);
  expect(await told(vera)).toHaveLength(1);
  // Nobody tells themselves.
  await say(vera, `@${vera.person.name}`, 'm0');
  expect(await told(vera)).toHaveLength(1);
});

test('a mention cannot be forged, and reaches nobody who is not on the board', async () => {
  const stranger = await world.account(`Stranger ${++count}`);
  const response = await ask(owner, 'POST', `/api/boards/${board}/comments`, {
    body: { id: id(), anchor: 'a0.h0', body: 'x', mentions: [{ id: stranger.person.id, name: 'Owner' }] },
  });
  expect(response.status).toBe(400);
  const comment = await say(owner, `hello @${stranger.person.name}`);
  expect(comment.mentions).toBeUndefined();
  expect(await told(stranger)).toEqual([]);
});

test('who takes part in a thread is told of replies, once, unless they muted it', async () => {
  const [vera, wim, xaver] = [await guest('Vera'), await guest('Wim'), await guest('Xaver')];
  const first = await say(vera, 'first', 'a1.h1');
  await say(wim, 'second', 'a1.h1');
  expect(await kinds(vera)).toEqual([['reply', wim.person.name]]);
  await markThread(world.app, vera.person, board, first.threadId, { muted: true });
  await say(xaver, 'third', 'a1.h1');
  expect(await told(vera)).toHaveLength(1);
  expect(await kinds(wim)).toEqual([['reply', xaver.person.name]]);
  // A mention comes through, and is no reply besides.
  await say(xaver, `@${vera.person.name} @${wim.person.name}`, 'a1.h1');
  expect(await kinds(vera)).toEqual([
    ['mention', xaver.person.name],
    ['reply', wim.person.name],
  ]);
  expect((await kinds(wim))[0]).toEqual(['mention', xaver.person.name]);
  expect(await told(wim)).toHaveLength(2);
  await markThread(world.app, vera.person, board, first.threadId, { muted: false });
  await say(wim, 'fourth', 'a1.h1');
  expect((await kinds(vera))[0]).toEqual(['reply', wim.person.name]);
});

test('a stance on one’s claim, a changed verdict and a rerun that differs are told to whom they concern', async () => {
  const on = await world.board(owner);
  const vera = await guest('Vera', 'editor', on);
  const wim = await guest('Wim', 'editor', on);
  const claim = await addClaim(world.app, vera.person, on, { id: id(), anchor: null, text: 'It is short.' });
  const stance = (actor: Actor, which: 'for' | 'against' | null) =>
    takeStance(world.app, actor.person, on, claim.id, { stance: which, reason: '' });
  await stance(vera, 'for');
  await stance(wim, 'for');
  await stance(wim, 'against');
  expect(await kinds(vera)).toEqual([['stance', wim.person.name]]);
  const run = await runOnBoard(world.app, owner.person, on, { view: 'degrees', model: 'toy', prompt: 'When Mary' }, {});
  const attach = (predicate: string, beside = false) =>
    addEvidence(world.app, owner.person, on, claim.id, { id: id(), runIds: [run.id], predicate, beside });
  const evidence = await attach('share(degree <= 1) > 1');
  expect((await kinds(vera))[0]).toEqual(['verdict', 'Owner']);
  expect(await kinds(wim)).toEqual([['verdict', 'Owner']]);
  await readNotifications(world.app, vera.person, 'all');
  await attach('metric > 1');
  await attach('metric > 100', true);
  expect((await listNotifications(world.app, vera.person)).unread).toBe(0);
  await attach('metric > 100');
  expect((await listNotifications(world.app, vera.person)).unread).toBe(1);

  await repeatEvidence(world.app, owner.person, on, evidence.id, {});
  expect((await kinds(vera)).map(([kind]) => kind)).not.toContain('rerun');
  world.engine.drift = -0.5;
  const differs = await repeatEvidence(world.app, owner.person, on, evidence.id, {});
  world.engine.drift = 0;
  expect(differs.reruns.map(({ agrees, verdict }) => [agrees, verdict])).toEqual([
    [true, 'holds'],
    [false, 'fails'],
  ]);
  expect((await kinds(vera))[0]).toEqual(['rerun', 'Owner']);
});

test('a changed role is told', async () => {
  const vera = await guest('Vera', 'viewer');
  await changeBoardRole(world.app, owner.person, board, vera.person.id, 'editor');
  expect(await told(vera)).toMatchObject([{ kind: 'role', subjectId: board, anchor: null }]);
});

test('nobody reads or marks what is another’s, or what they may not see any more', async () => {
  const on = await world.board(owner);
  const vera = await guest('Vera', 'commenter', on);
  const wim = await guest('Wim', 'commenter', on);
  const { threadId } = await say(vera, 'mine', 'm0', on);
  await say(wim, `@${vera.person.name}`, 'm0', on);
  const [notice] = await told(vera);
  const read = await ask(wim, 'POST', '/api/notifications', { body: { ids: [notice!.id] } });
  expect(read.status).toBe(204);
  expect((await told(vera))[0]!.readAt).toBeNull();
  await markThread(world.app, wim.person, on, threadId, { readAt: 5 });
  expect(await listMarks(world.app, vera.person, on)).toEqual([]);
  const stranger = await world.account(`Stranger ${++count}`);
  expect((await ask(stranger, 'PUT', `/api/boards/${on}/threads/${threadId}/mark`, { body: { readAt: 1 } })).status).toBe(404);
  expect((await ask(stranger, 'GET', `/api/boards/${on}/marks`)).status).toBe(404);
  expect((await ask(null, 'GET', '/api/notifications')).status).toBe(401);
  expect((await ask(wim, 'PUT', `/api/boards/${on}/threads/${threadId}/mark`, { body: {} })).status).toBe(400);
  expect((await ask(wim, 'PUT', `/api/boards/${on}/threads/unknown-one/mark`, { body: { readAt: 1 } })).status).toBe(404);

  await removeFromBoard(world.app, owner.person, on, vera.person.id);
  expect(await listNotifications(world.app, vera.person)).toEqual({ unread: 0, list: [] });
  await say(wim, `still @${vera.person.name}`, 'm0', on);
  expect(await listNotifications(world.app, vera.person)).toEqual({ unread: 0, list: [] });
  await say(owner, `@${wim.person.name}`, 'm0', on);
  expect(await told(wim)).not.toEqual([]);
  await deleteBoard(world.app, owner.person, on);
  expect(await told(wim)).toEqual([]);
});

test('reading a thread reads what was told of it; marks never go back', async () => {
  const vera = await guest('Vera');
  const { threadId } = await say(vera, 'mine', 'a9.h9');
  const reply = await say(owner, 'yours', 'a9.h9');
  expect((await listNotifications(world.app, vera.person)).unread).toBe(1);
  await markThread(world.app, vera.person, board, threadId, { readAt: reply.createdAt });
  expect((await listNotifications(world.app, vera.person)).unread).toBe(0);
  await markThread(world.app, vera.person, board, threadId, { readAt: 1 });
  expect(await listMarks(world.app, vera.person, board)).toEqual([{ threadId, readAt: reply.createdAt, muted: false }]);
  await say(owner, 'more', 'a9.h9');
  await markThread(world.app, vera.person, board, threadId, { muted: true });
  await markAllRead(world.app, vera.person, board);
  expect((await listNotifications(world.app, vera.person)).unread).toBe(0);
  const mark = (await listMarks(world.app, vera.person, board)).find((one) => one.threadId === threadId);
  expect(mark).toMatchObject({ muted: true });
  expect(mark!.readAt).toBeGreaterThan(reply.createdAt);
});

test('open boards are told at once that there is something, and nobody else is', async () => {
  const [vera, wim] = [await guest('Vera'), await guest('Wim')];
  const hints = { vera: 0, wim: 0, board: 0 };
  const listen = (actor: Actor, room: string, key: keyof typeof hints) => {
    const client = world.connect(actor, room);
    client.provider.messageHandlers[MESSAGE_NEWS] = () => void hints[key]++;
    return client.synced();
  };
  await listen(vera, `discussion/${board}`, 'vera');
  await listen(wim, `discussion/${board}`, 'wim');
  await listen(vera, `board/${board}`, 'board');
  await say(owner, `@${vera.person.name}`);
  await until(() => hints.vera === 1);
  await readNotifications(world.app, vera.person, 'all');
  await until(() => hints.vera === 2);
  expect(hints).toEqual({ vera: 2, wim: 0, board: 0 });
});

test('a comment’s earlier texts can be seen, and leave log, snapshots and tables when it is deleted', async () => {
  const on = await world.board(owner);
  const vera = await guest('Vera', 'commenter', on);
  const comment = await say(vera, 'first-secret-text', 'm0', on);
  await editComment(world.app, vera.person, on, comment.id, 'second-secret-text');
  await editComment(world.app, vera.person, on, comment.id, 'second-secret-text');
  await editComment(world.app, vera.person, on, comment.id, `third-secret-text @Owner \0`);
  expect((await earlierTexts(world.app, owner.person, on, comment.id)).map(({ body }) => body)).toEqual([
    'first-secret-text',
    'second-secret-text',
  ]);
  expect((await told(owner)).filter(({ subjectId }) => subjectId === comment.id)).toHaveLength(1);
  await markThread(world.app, owner.person, on, comment.threadId, { readAt: 1 });
  await deleteComment(world.app, vera.person, on, comment.id);
  const rows = await world.app.db.select().from(commentTexts).where(eq(commentTexts.boardId, on));
  const marks = await world.app.db.select().from(threadMarks).where(eq(threadMarks.boardId, on));
  const notes = await world.app.db.select().from(notifications).where(eq(notifications.boardId, on));
  expect([rows, marks, notes]).toEqual([[], [], []]);
  const room = `discussion/${on}`;
  const log = await world.app.db.select({ data: updates.data }).from(updates).where(eq(updates.room, room));
  const kept = await world.app.db.select({ data: snapshots.data }).from(snapshots).where(eq(snapshots.room, room));
  expect([...log, ...kept].map(({ data }) => Buffer.from(data).toString('latin1')).join()).not.toContain('secret-text');
  await expect(earlierTexts(world.app, owner.person, on, comment.id)).rejects.toMatchObject({ code: 'not-found' });
});

test('a claim’s sentence is its author’s to change while nobody else has a stance', async () => {
  const vera = await guest('Vera');
  const claim = await addClaim(world.app, vera.person, board, { id: id(), anchor: null, text: 'It is long.' });
  await takeStance(world.app, vera.person, board, claim.id, { stance: 'for', reason: '' });
  expect(await editClaim(world.app, vera.person, board, claim.id, 'It is short.')).toMatchObject({
    text: 'It is short.',
    editedAt: expect.any(Number),
  });
  await expect(editClaim(world.app, owner.person, board, claim.id, 'x')).rejects.toMatchObject({ code: 'forbidden' });
  await takeStance(world.app, owner.person, board, claim.id, { stance: 'against', reason: '' });
  await expect(editClaim(world.app, vera.person, board, claim.id, 'x')).rejects.toThrow('a stance of Owner');
  await takeStance(world.app, owner.person, board, claim.id, { stance: null, reason: '' });
  await expect(editClaim(world.app, vera.person, board, claim.id, 'It is.')).resolves.toMatchObject({ text: 'It is.' });
});

test('evidence keeps the mechanism as it was', async () => {
  const edit = (change: (doc: Y.Doc) => void) => world.app.rooms.use({ kind: 'board', boardId: board }, (room) => room.edit(change));
  await edit((doc) => void putGroup(doc, { id: 'g-1', name: 'copies', members: ['a0.h0->logits'], createdAt: 1 }));
  const run = await runOnBoard(world.app, owner.person, board, { view: 'degrees', model: 'toy', prompt: 'When Mary' }, {});
  const attach = (claimId: string, named?: string) =>
    addEvidence(world.app, owner.person, board, claimId, {
      id: id(),
      runIds: [run.id],
      predicate: 'metric > 1',
      ...(named && { group: named }),
    });
  const about = await addClaim(world.app, owner.person, board, { id: id(), anchor: 'group:g-1', text: 'It copies.' });
  const elsewhere = await addClaim(world.app, owner.person, board, { id: id(), anchor: null, text: 'Something copies.' });
  const kept = { id: 'g-1', name: 'copies', members: ['a0.h0->logits'] };
  expect((await attach(about.id)).group).toEqual(kept);
  expect((await attach(elsewhere.id, 'g-1')).group).toEqual(kept);
  expect((await attach(elsewhere.id)).group).toBeUndefined();
  await expect(attach(elsewhere.id, 'g-2')).rejects.toMatchObject({ code: 'not-found', where: 'mechanism' });
  await edit((doc) => removeGroup(doc, 'g-1'));
  expect((await attach(about.id)).group).toBeUndefined();
});

test('what a guest was told is the account’s that they turned out to be', async () => {
  const vera = await guest('Vera');
  const account = await world.account(`Account ${++count}`);
  const comment = await say(owner, `@${vera.person.name}`, 'm1');
  await markThread(world.app, vera.person, board, comment.threadId, { readAt: 1, muted: true });
  await mergeGuest(world.app, vera.person, account.person.id);
  expect(await told(account)).toMatchObject([{ subjectId: comment.id }]);
  expect(await listMarks(world.app, account.person, board)).toMatchObject([{ threadId: comment.threadId, muted: true }]);
  // What the guest began is the account's thread.
  const theirs = await authorise(world.app, account.person, 'board.comment', board);
  expect(theirs.role).toBe('editor');
});
