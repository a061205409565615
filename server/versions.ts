import { and, desc, eq, isNotNull, isNull, notInArray, sql } from 'drizzle-orm';
import * as Y from 'yjs';
import type { Database } from '../db/client.ts';
import { boards, versions } from '../db/schema.ts';
import { isEqual } from '../lib/board/json.ts';
import { contentOf } from '../lib/board/restore.ts';
import type { Version, VersionSummary } from '../lib/wire.ts';
import { authorise, type Person } from './access.ts';
import { newId } from './access/tokens.ts';
import type { App } from './app.ts';
import { audit } from './audit.ts';
import { storable } from './boards.ts';
import { Refusal } from './refusal.ts';

/** States of a board's document that one can look at and go back to. Going back is an edit that the client makes. */

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** Between two versions that are kept by themselves. */
const PAUSE = 10 * MINUTE;
/** Of those kept by themselves: all of the last day, one a day before, and no more than this. */
const KEPT = 100;
const NAMED = 1000;

type Row = Omit<typeof versions.$inferSelect, 'data'>;

const SUMMARY = {
  id: versions.id,
  boardId: versions.boardId,
  name: versions.name,
  authorId: versions.authorId,
  authorName: versions.authorName,
  createdAt: versions.createdAt,
};

/** Newest first. */
export async function listVersions(app: App, person: Person, boardId: string): Promise<VersionSummary[]> {
  await authorise(app, person, 'board.history', boardId);
  const rows = await app.db
    .select(SUMMARY)
    .from(versions)
    .where(eq(versions.boardId, boardId))
    .orderBy(desc(versions.createdAt), desc(versions.id));
  return rows.map(summaryOf);
}

export async function readVersion(app: App, person: Person, boardId: string, id: string): Promise<Version> {
  await authorise(app, person, 'board.history', boardId);
  const [row] = await app.db
    .select()
    .from(versions)
    .where(and(eq(versions.id, id), eq(versions.boardId, boardId)));
  if (!row) throw missing(id);
  return { ...summaryOf(row), content: contentOf(docOf(row.data)) };
}

/** Keeps the document as it is now, under a name. */
export async function keepVersion(app: App, person: Person, boardId: string, name: string): Promise<VersionSummary> {
  const member = await authorise(app, person, 'board.keep-version', boardId);
  const data = await app.rooms.use({ kind: 'board', boardId }, (room) => room.read((doc) => Y.encodeStateAsUpdate(doc)));
  const row = { id: newId(), boardId, name: storable(name), data, authorId: member.id, authorName: member.name, createdAt: app.now() };
  await app.db.transaction(async (tx) => {
    const named = await tx.$count(versions, and(eq(versions.boardId, boardId), isNotNull(versions.name)));
    if (named >= NAMED) throw new Refusal('conflict', 'version', `at most ${NAMED} named versions (delete one first)`, `${named}`);
    await tx.insert(versions).values(row);
  });
  return summaryOf(row);
}

/** A name also keeps a version that was kept by itself from being thinned out. */
export async function renameVersion(app: App, person: Person, boardId: string, id: string, name: string): Promise<VersionSummary> {
  await authorise(app, person, 'board.keep-version', boardId);
  const [row] = await app.db
    .update(versions)
    .set({ name: storable(name) })
    .where(and(eq(versions.id, id), eq(versions.boardId, boardId)))
    .returning(SUMMARY);
  if (!row) throw missing(id);
  return summaryOf(row);
}

export async function deleteVersion(app: App, person: Person, boardId: string, id: string): Promise<void> {
  const member = await authorise(app, person, 'board.keep-version', boardId);
  await app.db.transaction(async (tx) => {
    const [row] = await tx
      .delete(versions)
      .where(and(eq(versions.id, id), eq(versions.boardId, boardId)))
      .returning(SUMMARY);
    if (!row) throw missing(id);
    const { workspaceId } = member;
    await audit(tx, { at: app.now(), workspaceId, boardId, by: member, action: 'version.deleted', details: { name: row.name } });
  });
}

/**
 * Keeps versions by themselves, while a board is being edited: what it was before an edit, when the last one is older
 * than {@link PAUSE}. So what people left behind when they went is kept, too, whoever comes next. Told of every batch
 * before it is stored, it asks the database once in {@link PAUSE} for each board.
 */
export class AutomaticVersions {
  private readonly asked = new Map<string, number>();

  /** In the transaction that stores the edit: other instances wait. */
  async onStore(tx: Database, boardId: string, before: Y.Doc, now: number): Promise<void> {
    if (now - (this.asked.get(boardId) ?? Number.NEGATIVE_INFINITY) < PAUSE) return;
    const last = await this.lastOf(tx, boardId);
    const isRecent = now - last.createdAt < PAUSE && last.name === null;
    if (!isRecent && !(last.data && isEqual(contentOf(docOf(last.data)), contentOf(before)))) {
      const data = Y.encodeStateAsUpdate(before);
      await tx.insert(versions).values({ id: newId(), boardId, name: null, data, authorId: null, authorName: 'Pathboard', createdAt: now });
      await thinOut(tx, boardId, now);
    }
    // Also where the transaction fails: the next version is late then, and none is missing.
    this.asked.set(boardId, isRecent ? last.createdAt : now);
    if (this.asked.size > 10_000) this.forgetOld(now);
  }

  /** The newest version; of a board that has none, its beginning. */
  private async lastOf(tx: Database, boardId: string): Promise<{ data: Uint8Array | null; name: string | null; createdAt: number }> {
    const [last] = await tx
      .select({ data: versions.data, name: versions.name, createdAt: versions.createdAt })
      .from(versions)
      .where(eq(versions.boardId, boardId))
      .orderBy(desc(versions.createdAt), desc(versions.id))
      .limit(1);
    if (last) return last;
    const [board] = await tx.select({ createdAt: boards.createdAt }).from(boards).where(eq(boards.id, boardId));
    return { data: null, name: null, createdAt: board?.createdAt ?? Number.NEGATIVE_INFINITY };
  }

  private forgetOld(now: number): void {
    for (const [boardId, at] of this.asked) if (now - at >= PAUSE) this.asked.delete(boardId);
  }
}

async function thinOut(tx: Database, boardId: string, now: number): Promise<void> {
  const automatic = and(eq(versions.boardId, boardId), isNull(versions.name));
  const rows = await tx
    .select({ id: versions.id, createdAt: versions.createdAt })
    .from(versions)
    .where(automatic)
    .orderBy(desc(versions.createdAt), desc(versions.id));
  const days = new Set<number>();
  const kept = rows.filter(({ createdAt }) => {
    if (now - createdAt < DAY) return true;
    const day = Math.floor(createdAt / DAY);
    return !days.has(day) && days.add(day);
  });
  const ids = kept.slice(0, KEPT).map(({ id }) => id);
  if (ids.length < rows.length) await tx.delete(versions).where(and(automatic, ids.length > 0 ? notInArray(versions.id, ids) : sql`true`));
}

function docOf(data: Uint8Array): Y.Doc {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, data);
  return doc;
}

function summaryOf({ id, name, authorName, createdAt }: Row): VersionSummary {
  return { id, name, author: authorName, createdAt };
}

function missing(id: string): Refusal {
  return new Refusal('not-found', 'version', 'a version of this board', id);
}
