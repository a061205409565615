import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { addLabel, readLabels } from '@/lib/board/board-doc.ts';
import type { Role } from '@/lib/wire.ts';
import { rooms } from '@/db/schema.ts';
import { authorise } from '@/server/access.ts';
import { changeBoardRole, removeFromBoard } from '@/server/members.ts';
import { isRefusal } from '@/server/refusal.ts';
import { openWorld, socketOf, until, type Actor, type World } from '@/server/testing/world.ts';
import { BoardVisit } from './board-visit.ts';
import type { KeptAside } from './kept-aside.ts';
import { applyAgain } from './own-edits.ts';

let world: World;
let owner: Actor;
let boardId: string;
let visit: BoardVisit | null = null;

beforeEach(async () => {
  world = await openWorld({ unloadAfter: 10 });
  owner = await world.owner();
  boardId = await world.board(owner);
});

afterEach(async () => {
  visit?.destroy();
  visit = null;
  vi.unstubAllGlobals();
  await world.stop();
});

/** Opens the board as a browser of the actor's would that has no database. */
async function open(actor: Actor, role: Role): Promise<BoardVisit> {
  const kept = new Map<string, string>();
  vi.stubGlobal('location', { protocol: 'http:', host: `127.0.0.1:${world.port}` });
  vi.stubGlobal('window', new EventTarget());
  vi.stubGlobal('WebSocket', socketOf(`http://127.0.0.1:${world.port}`, actor.cookie));
  vi.stubGlobal('localStorage', {
    get length() {
      return kept.size;
    },
    key: (index: number) => [...kept.keys()][index] ?? null,
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  });
  vi.stubGlobal('fetch', async () =>
    authorise(world.app, actor.person, 'board.read', boardId).then(
      (member) => Response.json({ role: member.role }),
      (error: unknown) => {
        if (!isRefusal(error)) throw error;
        return Response.json({ error: { code: error.code, message: error.message } }, { status: error.code === 'not-found' ? 404 : 401 });
      },
    ),
  );
  const opened = new BoardVisit(boardId, actor.person.id, role);
  visit = opened;
  await until(() => opened.state.session.connection.status === 'connected');
  return opened;
}

function keptAside(actor: Actor): KeptAside[] {
  return JSON.parse(localStorage.getItem(`pathboard.aside.${actor.person.id}.${boardId}`) ?? '[]') as KeptAside[];
}

const labelsOf = (opened: BoardVisit) => readLabels(opened.state.session.boardDoc).records.map(({ text }) => text);

async function storedLabels(): Promise<string[]> {
  const client = world.connect(owner, `board/${boardId}`);
  await client.synced();
  return readLabels(client.doc).records.map(({ text }) => text);
}

it('goes on with another role, and says what it is', async () => {
  const guest = await world.guest(boardId, 'Vera', 'viewer');
  const opened = await open(guest, 'viewer');
  expect(opened.state.session.editable).toBe(false);

  await changeBoardRole(world.app, owner.person, boardId, guest.person.id, 'editor');
  await until(() => opened.state.session.editable && opened.state.session.connection.status === 'connected');
  expect(opened.state.role).toBe('editor');
  expect(opened.state.notice?.text).toContain('editor');
  addLabel(opened.state.session.boardDoc, 'a0.h0', 'as an editor', 1);
  await until(() => opened.state.session.connection.unsaved === 0);
  expect(await storedLabels()).toEqual(['as an editor']);

  await changeBoardRole(world.app, owner.person, boardId, guest.person.id, 'commenter');
  await until(() => opened.state.role === 'commenter' && opened.state.session.connection.status === 'connected');
  expect(keptAside(guest)).toEqual([]);
  expect(labelsOf(opened)).toEqual(['as an editor']);
});

it('keeps aside what could not be sent before the right to edit was lost', async () => {
  const guest = await world.guest(boardId, 'Vera', 'editor');
  const opened = await open(guest, 'editor');
  opened.state.session.disconnect();
  addLabel(opened.state.session.boardDoc, 'a0.h0', 'too late', 1);
  expect(opened.state.session.connection.unsaved).toBe(1);
  await changeBoardRole(world.app, owner.person, boardId, guest.person.id, 'viewer');
  opened.state.session.connect();

  await until(() => opened.state.role === 'viewer' && opened.state.session.connection.status === 'connected');
  expect(labelsOf(opened)).toEqual([]);
  expect(await storedLabels()).toEqual([]);
  const [aside, ...others] = keptAside(guest);
  expect(others).toEqual([]);
  expect(aside).toMatchObject({ why: 'role', changes: [{ map: 'labels', value: { text: 'too late', anchor: 'a0.h0' } }] });
});

it('starts afresh where the room was mended, and applies the rest again', async () => {
  const opened = await open(owner, 'owner');
  addLabel(opened.state.session.boardDoc, 'a0.h0', 'stored', 1);
  await until(() => opened.state.session.connection.unsaved === 0);
  opened.state.session.disconnect();
  addLabel(opened.state.session.boardDoc, 'a0.h1', 'not stored', 2);
  await raiseEpoch();
  const before = opened.state.session;
  before.connect();
  await until(() => opened.state.session !== before);
  expect(labelsOf(opened)).toEqual(['stored']);
  const [aside] = keptAside(owner);
  expect(aside?.why).toBe('epoch');
  for (const change of aside!.changes) applyAgain(opened.state.session.boardDoc, change);
  await until(() => opened.state.session.connection.unsaved === 0);
  expect(await storedLabels()).toEqual(['stored', 'not stored']);
});

it('says why where access is lost, and keeps what was not sent', async () => {
  const guest = await world.guest(boardId, 'Vera', 'editor');
  const opened = await open(guest, 'editor');
  await removeFromBoard(world.app, owner.person, boardId, guest.person.id);
  await until(() => opened.state.role === null);
  expect(opened.state.notice).toMatchObject({ final: true });
  expect(opened.state.notice?.text).not.toBe('');
  expect(opened.state.session.connection.status).toBe('closed');
  expect(keptAside(guest)).toEqual([]);
});

/** As when the room was loaded anew, without a row of its log that would not load. */
async function raiseEpoch(): Promise<void> {
  await until(() => world.app.rooms.stats().rooms === 0);
  const row = { room: `board/${boardId}`, epoch: 1 };
  await world.app.db.insert(rooms).values(row).onConflictDoUpdate({ target: rooms.room, set: row });
}
