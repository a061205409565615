import { and, asc, desc, eq, isNotNull, isNull, lt, ne, or, type SQL } from 'drizzle-orm';
import * as Y from 'yjs';
import type { z } from 'zod';
import type { Database } from '../db/client.ts';
import { boards, members, memberships } from '../db/schema.ts';
import { readSetup, readTitle, setSetup, setTitle } from '../lib/board/board-doc.ts';
import { higher, may } from '../lib/roles.ts';
import { questionOf } from '../lib/snapshot.ts';
import type { BoardSummary, Setup, newBoard } from '../lib/wire.ts';
import { authoriseWorkspace, type Person } from './access.ts';
import { giveBoardRole } from './access/membership.ts';
import { newId } from './access/tokens.ts';
import type { App } from './app.ts';
import { audit } from './audit.ts';
import type { RoomName } from './realtime/room.ts';
import { roomKey } from './realtime/rooms.ts';
import { insertEntries } from './realtime/statements.ts';
import { Refusal } from './refusal.ts';

/** For how long a list may show an older time of the last change. */
const SUMMARY_AGE = 10_000;

/**
 * Makes a board whose document holds the setup from the start. The engine is asked first, so that a prompt or
 * target that it refuses leaves nothing behind.
 */
export async function createBoard(app: App, person: Person, request: z.infer<typeof newBoard>): Promise<{ id: string }> {
  const { setup } = request;
  const workspaceId = request.workspaceId ?? (await firstWorkspace(app.db, person));
  await authoriseWorkspace(app, person, 'workspace.create-board', workspaceId);
  await app.engine.analyze({ ...questionOf(setup), view: 'logits', top: 1 }, { person: person.id });
  const id = newId();
  const title = request.title || titleOf(setup.prompt);
  const doc = new Y.Doc();
  doc.transact(() => {
    setSetup(doc, setup);
    setTitle(doc, title);
  });
  const at = app.now();
  const board = { id, workspaceId, ...summaryOf(setup, title), createdBy: person.id, createdAt: at, updatedAt: at };
  await app.db.transaction(async (tx) => {
    await tx.insert(boards).values(board);
    await giveBoardRole(tx, board, person, 'owner', at);
    await audit(tx, { at, workspaceId, boardId: id, by: person, action: 'board.made', details: { title: board.title } });
    const data = Y.encodeStateAsUpdate(doc);
    await insertEntries(tx, roomKey({ kind: 'board', boardId: id }), [{ data, personId: null, clients: [doc.clientID] }], at);
  });
  return { id };
}

/** The boards on which the person has a role, last changed first. */
export function listBoards({ db }: App, person: Person): Promise<BoardSummary[]> {
  return selectBoards(db, person.id, isNull(boards.deletedAt));
}

/** One of them, or null. */
export async function findBoard({ db }: App, person: Person, boardId: string): Promise<BoardSummary | null> {
  const [board] = await selectBoards(db, person.id, and(isNull(boards.deletedAt), eq(boards.id, boardId)));
  return board ?? null;
}

/** Those of `which` on which the person has a role, last changed first. */
export async function selectBoards(db: Database, personId: string, which: SQL | undefined): Promise<BoardSummary[]> {
  const { id, workspaceId, title, model, prompt, createdAt, updatedAt } = boards;
  const rows = await db
    .select({ board: { id, workspaceId, title, model, prompt, createdAt, updatedAt }, workspace: members.role, own: memberships.role })
    .from(boards)
    .leftJoin(members, and(eq(members.workspaceId, workspaceId), eq(members.personId, personId)))
    .leftJoin(memberships, and(eq(memberships.boardId, id), eq(memberships.personId, personId)))
    .where(and(which, or(isNotNull(members.role), isNotNull(memberships.role))))
    .orderBy(desc(updatedAt), desc(id));
  return rows.flatMap(({ board, workspace, own }) => {
    const role = higher(workspace, own);
    return role === null ? [] : [{ ...board, role }];
  });
}

async function firstWorkspace(db: Database, person: Person): Promise<string> {
  const mine = await db
    .select({ id: members.workspaceId, role: members.role })
    .from(members)
    .where(eq(members.personId, person.id))
    .orderBy(asc(members.joinedAt), asc(members.workspaceId));
  const first = mine.find(({ role }) => may(role, 'workspace.create-board'));
  if (first) return first.id;
  throw new Refusal('forbidden', 'workspace', 'one in which you may make boards', 'none');
}

/** Keeps the copies in the table true to the document, in the transaction that stores its change. */
export async function storeSummary(tx: Database, { kind, boardId }: RoomName, doc: Y.Doc, now: number): Promise<void> {
  if (kind === 'discussion') {
    await tx
      .update(boards)
      .set({ updatedAt: now })
      .where(and(eq(boards.id, boardId), lt(boards.updatedAt, now - SUMMARY_AGE)));
    return;
  }
  const [setup, title] = [readSetup(doc), readTitle(doc)];
  // Without a setup, which only a foreign client leaves behind, what was asked before stays listed.
  const summary = setup ? summaryOf(setup, title) : { ...(title !== '' && { title: storable(title) }) };
  const isOther = Object.entries(summary).map(([name, value]) => ne(boards[name as keyof typeof summary], value));
  await tx
    .update(boards)
    .set({ ...summary, updatedAt: now })
    .where(and(eq(boards.id, boardId), or(lt(boards.updatedAt, now - SUMMARY_AGE), ...isOther)));
}

function summaryOf(setup: Setup, title: string): { title: string; model: string; prompt: string } {
  return { title: storable(title) || titleOf(setup.prompt), model: storable(setup.model), prompt: storable(setup.prompt.slice(0, 1000)) };
}

function titleOf(prompt: string): string {
  const line = storable(prompt).replaceAll(/\s+/g, ' ').trim();
  return line.length > 60 ? `${line.slice(0, 59)}…` : line || 'Untitled';
}

/** Postgres keeps no U+0000 in text. */
export function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}
