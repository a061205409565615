import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { snapshots, updates } from '../db/schema.ts';
import { readComments, readThreads } from '../lib/board/discussion-doc.ts';
import type { AnalyzeRequest } from '../lib/engine/index.ts';
import { addClaim, addComment, addEvidence, deleteComment, editComment, repeatEvidence, resolveThread, takeStance } from './discussion.ts';
import { findRun, listRuns, runOnBoard } from './runs.ts';
import { openWorld, until, type Actor, type World } from './testing/world.ts';

let world: World;
let owner: Actor;
let guest: Actor;
let board: string;

beforeAll(async () => {
  world = await openWorld();
  owner = await world.owner();
  board = await world.board(owner);
  guest = await world.guest(board, 'Grace');
});
afterAll(() => world.stop());

const id = () => crypto.randomUUID();
const ASKED: AnalyzeRequest = { view: 'degrees', model: 'toy', prompt: 'When Mary' };

test('a comment opens the thread of its anchor, the next one joins it', async () => {
  const first = await addComment(world.app, guest.person, board, { id: id(), anchor: 'a0.h0->logits', body: 'why?' });
  const second = await addComment(world.app, owner.person, board, { id: id(), anchor: 'a0.h0->logits', body: 'because' });
  expect(second.threadId).toBe(first.threadId);
  expect([first.author, second.author]).toEqual([
    { id: guest.person.id, name: 'Grace' },
    { id: owner.person.id, name: 'Owner' },
  ]);
  const reader = world.connect(guest, `discussion/${board}`);
  await until(() => reader.doc.getMap('comments').size === 2);
  const thread = await resolveThread(world.app, guest.person, board, first.threadId, true);
  expect(thread.resolved?.by.name).toBe('Grace');
  await until(() => readThreads(reader.doc).records[0]?.resolved !== null);
  expect((await resolveThread(world.app, owner.person, board, first.threadId, false)).resolved).toBeNull();
});

test('a retry is applied once, even after a deletion, and for its author alone', async () => {
  const entry = { id: id(), anchor: 'a0.h0', body: 'once' };
  const [first, retry] = await Promise.all([
    addComment(world.app, guest.person, board, entry),
    addComment(world.app, guest.person, board, entry),
  ]);
  expect(retry).toEqual(first);
  await expect(addComment(world.app, owner.person, board, entry)).rejects.toMatchObject({ code: 'conflict' });
  await deleteComment(world.app, guest.person, board, entry.id);
  await expect(addComment(world.app, guest.person, board, entry)).rejects.toMatchObject({ code: 'conflict' });
  const other = await world.board(owner);
  await expect(addComment(world.app, owner.person, other, entry)).rejects.toMatchObject({ code: 'conflict' });
  // Refused entries leave nothing behind, the opened thread included.
  const left = await discussionOf(other);
  expect([left.comments, left.threads]).toEqual([[], []]);
});

test('only its author and the owner change or delete a comment', async () => {
  const theirs = await addComment(world.app, owner.person, board, { id: id(), anchor: 'a0.h1', body: 'mine' });
  await expect(editComment(world.app, guest.person, board, theirs.id, 'stolen')).rejects.toMatchObject({ code: 'forbidden' });
  await expect(deleteComment(world.app, guest.person, board, theirs.id)).rejects.toMatchObject({ code: 'forbidden' });
  const ours = await addComment(world.app, guest.person, board, { id: id(), anchor: 'a0.h1', body: 'draft' });
  const edited = await editComment(world.app, guest.person, board, ours.id, 'final');
  expect(edited).toMatchObject({ body: 'final', editedAt: expect.any(Number), author: { name: 'Grace' } });
  await deleteComment(world.app, owner.person, board, ours.id);
  await expect(editComment(world.app, guest.person, board, ours.id, 'x')).rejects.toMatchObject({ code: 'not-found' });
});

test('a comment is edited so often and no more, and keeps its last words', async () => {
  const comment = await addComment(world.app, owner.person, board, { id: id(), anchor: 'a0.h1', body: 'draft 0' });
  for (let edit = 1; edit <= 100; edit++) await editComment(world.app, owner.person, board, comment.id, `draft ${edit}`);
  await expect(editComment(world.app, owner.person, board, comment.id, 'draft 101')).rejects.toMatchObject({ code: 'too-large' });
  expect((await discussionOf(board)).comments.find((one) => one.id === comment.id)?.body).toBe('draft 100');
});

test('a deleted comment’s text leaves the log and the snapshots, its empty thread too', async () => {
  const own = await world.board(owner);
  const secret = 'a-word-that-nobody-else-writes';
  const comment = await addComment(world.app, owner.person, own, { id: id(), anchor: 'm0', body: secret });
  expect(await storedBytes(own)).toContain(secret);
  await deleteComment(world.app, owner.person, own, comment.id);
  expect(await storedBytes(own)).not.toContain(secret);
  expect(await discussionOf(own)).toMatchObject({ comments: [], threads: [] });
});

test('an anchor must be of the grammar, or a claim that is there', async () => {
  const comment = (anchor: string) => addComment(world.app, owner.person, board, { id: id(), anchor, body: 'x' });
  await expect(comment('a0.h0->nowhere')).rejects.toMatchObject({ code: 'bad-request', where: 'anchor' });
  await expect(comment('claim:none')).rejects.toMatchObject({ code: 'not-found' });
  const claim = await addClaim(world.app, owner.person, board, { id: id(), anchor: null, text: 'It is exact.' });
  await expect(comment(`claim:${claim.id}`)).resolves.toBeDefined();
});

test('a person has one stance on a claim', async () => {
  const claim = await addClaim(world.app, owner.person, board, { id: id(), anchor: 'a0.h0', text: 'This head matters.' });
  await takeStance(world.app, guest.person, board, claim.id, { stance: 'for', reason: 'it does' });
  await takeStance(world.app, owner.person, board, claim.id, { stance: 'unsure', reason: '' });
  const changed = await takeStance(world.app, guest.person, board, claim.id, { stance: 'against', reason: 'no' });
  expect(Object.values(changed.stances).map(({ author, stance }) => [author.name, stance])).toEqual([
    ['Owner', 'unsure'],
    ['Grace', 'against'],
  ]);
  const taken = await takeStance(world.app, guest.person, board, claim.id, { stance: null, reason: '' });
  expect(Object.keys(taken.stances)).toEqual([owner.person.id]);
});

test('evidence has a verdict, and running again says whether it comes out the same', async () => {
  const claim = await addClaim(world.app, owner.person, board, { id: id(), anchor: null, text: 'Short paths carry it.' });
  const run = await runOnBoard(world.app, owner.person, board, ASKED, {});
  const attach = (predicate: string) => addEvidence(world.app, guest.person, board, claim.id, { id: id(), runIds: [run.id], predicate });
  expect((await attach('share(degree <= 1) > 2')).verdict).toMatchObject({ value: 'fails', left: 1.125 });
  expect((await attach('effect("input->logits") < 0')).verdict).toMatchObject({ value: 'not tested', left: null });
  const evidence = await attach('share(degree <= 1) > 1');
  expect(evidence).toMatchObject({ verdict: { value: 'holds', left: 1.125 }, author: { name: 'Grace' }, reruns: [] });
  await expect(attach('share(degree <= ) > 1')).rejects.toMatchObject({ where: 'predicate, column 17' });
  const same = await repeatEvidence(world.app, owner.person, board, evidence.id, {});
  world.engine.drift = 0.5;
  const different = await repeatEvidence(world.app, guest.person, board, evidence.id, {});
  world.engine.drift = 0;
  expect(same.reruns).toMatchObject([{ agrees: true, maxDifference: 0, by: { name: 'Owner' } }]);
  expect(different.reruns).toMatchObject([{ agrees: true }, { agrees: false, maxDifference: 0.5, by: { name: 'Grace' } }]);
  expect(new Set(different.reruns.map(({ runId }) => runId)).size).toBe(2);
});

test('evidence needs runs of its own board', async () => {
  const other = await world.board(owner);
  const run = await runOnBoard(world.app, owner.person, other, ASKED, {});
  const claim = await addClaim(world.app, owner.person, board, { id: id(), anchor: null, text: 'Elsewhere.' });
  const request = { id: id(), runIds: [run.id], predicate: 'metric > 1' };
  await expect(addEvidence(world.app, owner.person, board, claim.id, request)).rejects.toMatchObject({ code: 'not-found' });
  await expect(findRun(world.app, guest.person, run.id)).rejects.toMatchObject({ code: 'not-found' });
});

test('a run that is stored is not executed again', async () => {
  const own = await world.board(owner);
  const before = world.engine.asked;
  const first = await runOnBoard(world.app, owner.person, own, { ...ASKED, prompt: 'U+0000 \0 too' }, {});
  const again = await runOnBoard(world.app, owner.person, own, { ...ASKED, prompt: 'U+0000 \0 too' }, {});
  expect([again, world.engine.asked]).toEqual([first, before + 1]);
  // In other words it has to be executed to be known the same.
  const inOtherWords = await runOnBoard(world.app, owner.person, own, { view: 'degrees', model: 'toy', tokens: [1, 2, 3] }, {});
  expect([inOtherWords.id, world.engine.asked]).toEqual([first.id, before + 2]);
  expect((await listRuns(world.app, owner.person, own)).map((run) => run.id)).toEqual([first.id]);
});

async function discussionOf(boardId: string) {
  return world.app.rooms.use({ kind: 'discussion', boardId }, (room) =>
    room.read((doc) => ({ comments: readComments(doc).records, threads: readThreads(doc).records })),
  );
}

async function storedBytes(boardId: string): Promise<string> {
  const room = `discussion/${boardId}`;
  const rows = await world.app.db.select({ data: updates.data }).from(updates).where(eq(updates.room, room));
  const snapshot = await world.app.db.select({ data: snapshots.data }).from(snapshots).where(eq(snapshots.room, room));
  return [...rows, ...snapshot].map(({ data }) => Buffer.from(data).toString('latin1')).join('\n');
}

test('a discussion that is full takes no more, and can still be deleted from', async () => {
  const full = await world.board(owner);
  const first = await addComment(world.app, owner.person, full, { id: id(), anchor: 'a0.h0', body: 'first' });
  const filling = 'x'.repeat(31_999_900);
  await world.app.rooms.use({ kind: 'discussion', boardId: full }, (room) =>
    room.edit((doc) => void doc.getMap('sessions').set('filling', filling), undefined, { purge: true }),
  );
  const second = { id: id(), anchor: 'a0.h0', body: 'second' };
  await expect(addComment(world.app, owner.person, full, second)).rejects.toMatchObject({ code: 'too-large', where: 'discussion' });
  await expect(editComment(world.app, owner.person, full, first.id, 'other words')).rejects.toMatchObject({ code: 'too-large' });
  await deleteComment(world.app, owner.person, full, first.id);
  const left = await world.app.rooms.use({ kind: 'discussion', boardId: full }, (room) => room.read((doc) => readComments(doc).records));
  expect(left).toEqual([]);
});
