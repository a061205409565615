import { and, eq, gte, inArray, isNotNull, isNull, lt, notExists, sql } from 'drizzle-orm';
import type { Database } from '../db/client.ts';
import { boards, publicationVersions, publications, quarantine, rooms as epochs, snapshots, updates, writers } from '../db/schema.ts';
import { may } from '../lib/roles.ts';
import type { BoardSummary } from '../lib/wire.ts';
import { authorise, authoriseUndeletion, authoriseWorkspace, type Person } from './access.ts';
import type { App } from './app.ts';
import { audit } from './audit.ts';
import { selectBoards } from './boards.ts';
import { roomKey } from './realtime/rooms.ts';
import { Refusal } from './refusal.ts';

/**
 * Deleted boards can be brought back for a while. What was published stays public, or goes along where the owner wants
 * so: hidden while the board is in the bin, removed with it. Its address is never anybody else's.
 */

const BIN_LIFE = 30 * 24 * 3_600_000;
const ROOM_TABLES = [updates, snapshots, writers, quarantine, epochs] as const;

export async function deleteBoard(app: App, person: Person, boardId: string, pages: 'keep' | 'remove' = 'keep'): Promise<void> {
  const member = await authorise(app, person, 'board.delete', boardId);
  const { workspaceId } = member;
  await app.db.transaction(async (tx) => {
    const [deleted] = await tx
      .update(boards)
      .set({ deletedAt: app.now(), pagesGo: pages === 'remove' })
      .where(and(eq(boards.id, boardId), isNull(boards.deletedAt)))
      .returning({ title: boards.title });
    if (!deleted) return;
    await audit(tx, { at: app.now(), workspaceId, boardId, by: member, action: 'board.deleted', details: { title: deleted.title, pages } });
  });
  await app.rooms.accessChanged({ personId: null, boardId });
}

export async function undeleteBoard(app: App, person: Person, boardId: string): Promise<void> {
  const member = await authoriseUndeletion(app, person, boardId);
  const { workspaceId } = member;
  await app.db.transaction(async (tx) => {
    const [board] = await tx.select().from(boards).where(eq(boards.id, boardId)).for('update');
    if (!board || board.deletedAt === null) return;
    if (board.deletedAt < app.now() - BIN_LIFE) throw new Refusal('not-found', 'board', 'one deleted in the last 30 days', boardId);
    await tx.update(boards).set({ deletedAt: null, pagesGo: false }).where(eq(boards.id, boardId));
    await audit(tx, { at: app.now(), workspaceId, boardId, by: member, action: 'board.undeleted', details: { title: board.title } });
  });
}

/** The deleted boards of a workspace that the person may bring back, last changed first. */
export async function listBin(app: App, person: Person, workspaceId: string): Promise<BoardSummary[]> {
  await authoriseWorkspace(app, person, 'workspace.read', workspaceId);
  const deleted = await selectBoards(
    app.db,
    person.id,
    and(gte(boards.deletedAt, app.now() - BIN_LIFE), eq(boards.workspaceId, workspaceId)),
  );
  return deleted.filter(({ role }) => may(role, 'board.delete'));
}

/** Removes what has been in the bin for too long, with all that was ever written there, and what was written to boards while they were removed. */
export async function purgeBin({ db, now }: App): Promise<number> {
  const isOld = lt(boards.deletedAt, now() - BIN_LIFE);
  const old = await db.select({ id: boards.id }).from(boards).where(isOld);
  let purged = 0;
  for (const { id } of old) {
    await db.transaction(async (tx) => {
      // Somebody may have brought it back, or another instance been faster.
      const [gone] = await tx
        .select()
        .from(boards)
        .where(and(eq(boards.id, id), isOld))
        .for('update');
      if (!gone) return;
      await removePages(tx, [id]);
      await tx.delete(boards).where(eq(boards.id, id));
      await deleteRooms(tx, [id]);
      const { workspaceId, title } = gone;
      await audit(tx, { at: now(), workspaceId, boardId: id, by: null, action: 'board.purged', details: { title } });
      purged += 1;
    });
  }
  for (const table of ROOM_TABLES) await db.delete(table).where(notExists(boardOf(db, table)));
  return purged;
}

/** The published versions of those of the boards whose pages go along. */
export async function removePages(tx: Database, boardIds: readonly string[]): Promise<void> {
  if (boardIds.length === 0) return;
  const going = tx
    .select({ slug: publications.slug })
    .from(publications)
    .innerJoin(boards, eq(boards.id, publications.boardId))
    .where(and(inArray(boards.id, [...boardIds]), isNotNull(boards.deletedAt), eq(boards.pagesGo, true)));
  await tx.delete(publicationVersions).where(inArray(publicationVersions.slug, going));
}

/** What the rooms of boards keep is found by name: no row of a board takes it along. */
export async function deleteRooms(tx: Database, boardIds: readonly string[]): Promise<void> {
  const keys = boardIds.flatMap((boardId) => [roomKey({ kind: 'board', boardId }), roomKey({ kind: 'discussion', boardId })]);
  if (keys.length === 0) return;
  for (const table of ROOM_TABLES) await tx.delete(table).where(inArray(table.room, keys));
}

function boardOf(db: Database, { room }: (typeof ROOM_TABLES)[number]) {
  return db
    .select({ one: sql`1` })
    .from(boards)
    .where(eq(boards.id, sql`split_part(${room}, '/', 2)`));
}
