import { and, eq, lt, lte, ne } from 'drizzle-orm';
import type * as Y from 'yjs';
import type { Database } from '../../db/client.ts';
import { quarantine, snapshots, updates } from '../../db/schema.ts';
import { mergeLog } from './merging.ts';
import { baseOf, insertEntries, lockRoom, readLog, type Entry, type Reading } from './statements.ts';
import { buildDoc, provenState } from './stored.ts';

export { insertEntries, type Entry } from './statements.ts';

/** A room as it was in the database at one moment. */
export interface Stored {
  doc: Y.Doc;
  epoch: number;
  /** the last row of the log */
  last: number;
  /** rows since the snapshot, and their bytes */
  rows: number;
  logBytes: number;
  snapshotBytes: number;
}

/** What a compaction took out of the log, and how large its snapshot is. */
export interface Compaction {
  rows: number;
  bytes: number;
}

/** Loads a room from its snapshot and the log since. Throws a StoredFlaw where that does not load. */
export async function loadRoom(db: Database, room: string): Promise<Stored> {
  const reading = await readLog(db, room);
  return storedOf(reading, buildDoc(reading));
}

export function storedOf({ epoch, snapshot, rows }: Reading, doc: Y.Doc): Stored {
  return {
    doc,
    epoch,
    last: rows.at(-1)?.id ?? snapshot?.lastId ?? 0,
    rows: rows.length,
    logBytes: rows.reduce((total, { data }) => total + data.length, 0),
    snapshotBytes: snapshot?.data.length ?? 0,
  };
}

/** Adds entries to the log, all or none, and gives their rows. */
export async function appendEntries(db: Database, room: string, entries: readonly Entry[], now: number): Promise<number[]> {
  return db.transaction(async (tx) => {
    await lockRoom(tx, room);
    return insertEntries(tx, room, entries, now);
  });
}

/**
 * Adds a snapshot of all that the log holds, proven to load. The snapshot before it and the rows since stay, should
 * the new one be damaged; what is older goes. Going through a document, rather than merging bytes, is what removes
 * deleted text from storage. Null where there was nothing to do, or another instance was at it.
 */
export async function compactRoom(db: Database, room: string, now: number): Promise<Compaction | null> {
  // Rows up to one that was seen never change but by mending, which raises the epoch: so only the end needs the lock.
  const reading = await readLog(db, room);
  const lastId = reading.rows.at(-1)?.id;
  if (lastId === undefined) return null;
  const data = await mergeLog(reading);
  return db.transaction(async (tx) => {
    await lockRoom(tx, room);
    const base = await baseOf(tx, room);
    if (base.epoch !== reading.epoch || base.lastId !== (reading.snapshot?.lastId ?? null)) return null;
    await tx.insert(snapshots).values({ room, lastId, data, createdAt: now });
    if (base.lastId !== null) {
      await tx.delete(snapshots).where(and(eq(snapshots.room, room), lt(snapshots.lastId, base.lastId)));
      await tx.delete(updates).where(and(eq(updates.room, room), lte(updates.id, base.lastId)));
    }
    return { rows: reading.rows.length, bytes: data.length };
  });
}

/** Under the room's lock: one snapshot of what is there now, and nothing else. What was deleted is nowhere any more. */
export async function purgeRoom(tx: Database, room: string, now: number): Promise<Compaction | null> {
  const reading = await readLog(tx, room);
  const lastId = reading.rows.at(-1)?.id ?? reading.snapshot?.lastId;
  if (lastId === undefined) return null;
  const data = provenState(buildDoc(reading));
  await tx
    .insert(snapshots)
    .values({ room, lastId, data, createdAt: now })
    .onConflictDoUpdate({ target: [snapshots.room, snapshots.lastId], set: { data, createdAt: now } });
  await tx.delete(snapshots).where(and(eq(snapshots.room, room), ne(snapshots.lastId, lastId)));
  await tx.delete(updates).where(and(eq(updates.room, room), lte(updates.id, lastId)));
  await tx.delete(quarantine).where(eq(quarantine.room, room));
  return { rows: reading.rows.length, bytes: data.length };
}
