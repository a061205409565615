import { and, desc, eq, inArray, lt, ne, or } from 'drizzle-orm';
import { randomBytes } from 'node:crypto';
import * as Y from 'yjs';
import type { z } from 'zod';
import type { Database } from '../db/client.ts';
import { boards, memberships } from '../db/schema.ts';
import { readSetup, readTitle, setSetup, setTitle } from '../lib/board/board-doc.ts';
import type { AnalyzeRequest } from '../lib/engine/index.ts';
import type { Author, BoardSummary, Setup, newBoard } from '../lib/wire.ts';
import { addMember, ensureOwner, invite, originOf, type Person } from './access.ts';
import type { App } from './app.ts';
import { insertEntries } from './realtime/log.ts';
import type { RoomName } from './realtime/room.ts';
import { roomKey } from './realtime/rooms.ts';

/** For how long a list may show an older time of the last change. */
const SUMMARY_AGE = 10_000;

/**
 * Makes a board whose document holds the setup from the start. The engine is asked first, so that a prompt or
 * target that it refuses leaves nothing behind.
 */
export async function createBoard(app: App, person: Person, request: z.infer<typeof newBoard>): Promise<{ id: string }> {
  const { setup } = request;
  await app.engine.analyze({ ...requestOf(setup), view: 'logits', top: 1 });
  const id = randomBytes(12).toString('base64url');
  const title = request.title || titleOf(setup.prompt);
  const doc = new Y.Doc();
  doc.transact(() => {
    setSetup(doc, setup);
    setTitle(doc, title);
  });
  const at = app.now();
  await app.db.transaction(async (tx) => {
    const owner = await ensureOwner(tx, at);
    await tx.insert(boards).values({ id, ...summaryOf(setup, title), createdBy: person.id, createdAt: at, updatedAt: at });
    await addMember(tx, id, owner, at);
    await addMember(tx, id, person, at);
    const data = Y.encodeStateAsUpdate(doc);
    await insertEntries(tx, roomKey({ kind: 'board', boardId: id }), [{ data, personId: null, clients: [doc.clientID] }], at);
  });
  return { id };
}

/** The boards that the person is a member of, last changed first. */
export async function listBoards({ db }: App, person: Person): Promise<BoardSummary[]> {
  const mine = db.select({ id: memberships.boardId }).from(memberships).where(eq(memberships.personId, person.id));
  const { id, title, model, prompt, createdAt, updatedAt } = boards;
  return db
    .select({ id, title, model, prompt, createdAt, updatedAt })
    .from(boards)
    .where(person.owner ? undefined : inArray(boards.id, mine))
    .orderBy(desc(updatedAt), desc(id));
}

/** The address of a page that lets somebody join. */
export async function inviteToBoard(app: App, person: Person, boardId: string): Promise<{ url: string }> {
  const token = await invite(app, person, boardId);
  return { url: `${originOf(app.config.host, app.config.port)}/join/${token}` };
}

/** The question that a board asks, as the engine takes it; the view is still to be named. */
export function requestOf(setup: Setup): Omit<AnalyzeRequest, 'view'> {
  return {
    model: setup.model,
    prompt: setup.prompt,
    ...(setup.counterfactual !== null && { counterfactual: setup.counterfactual }),
    ...(setup.position !== null && { position: setup.position }),
    ...(setup.target !== null && { target: setup.target }),
    ...(setup.foil !== null && { foil: setup.foil }),
  };
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
  const setup = readSetup(doc);
  if (!setup) return;
  const summary = summaryOf(setup, readTitle(doc));
  await tx
    .update(boards)
    .set({ ...summary, updatedAt: now })
    .where(
      and(
        eq(boards.id, boardId),
        or(
          lt(boards.updatedAt, now - SUMMARY_AGE),
          ne(boards.title, summary.title),
          ne(boards.model, summary.model),
          ne(boards.prompt, summary.prompt),
        ),
      ),
    );
}

function summaryOf(setup: Setup, title: string): { title: string; model: string; prompt: string } {
  return { title: storable(title) || titleOf(setup.prompt), model: storable(setup.model), prompt: storable(setup.prompt.slice(0, 1000)) };
}

function titleOf(prompt: string): string {
  const line = storable(prompt).replaceAll(/\s+/g, ' ').trim();
  return line.length > 60 ? `${line.slice(0, 59)}…` : line || 'Untitled';
}

/** Postgres keeps no U+0000 in text. */
function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}

export function authorOf({ id, name }: Person): Author {
  return { id, name };
}
