import { and, eq, lt, lte, sql } from 'drizzle-orm';
import type { Database } from '../../db/client.ts';
import { quarantine, rooms, snapshots, updates } from '../../db/schema.ts';
import { storedOf, type Stored } from './log.ts';
import { deleteRows, lockRoom, readLog, type LogRow, type Snapshot } from './statements.ts';
import { buildDoc, StoredFlaw } from './stored.ts';

export interface Opened extends Stored {
  /** what was taken out of the log so that it loads: a line each */
  mended: string[];
}

/** Loads a room. What of its log does not load is put aside, so that the rest does. */
export async function openRoom(db: Database, room: string, now: number): Promise<Opened> {
  const reading = await readLog(db, room);
  try {
    return { ...storedOf(reading, buildDoc(reading)), mended: [] };
  } catch (error) {
    if (!(error instanceof StoredFlaw)) throw error;
    return db.transaction((tx) => mendRoom(tx, room, now));
  }
}

/** Moves to quarantine what does not load: all of it or, where the board cannot be saved so, nothing. */
async function mendRoom(tx: Database, room: string, now: number): Promise<Opened> {
  await lockRoom(tx, room);
  const mended: string[] = [];
  let hasLostBase = false;
  let isRaised = false;
  for (;;) {
    const reading = await readLog(tx, room);
    try {
      return { ...storedOf(reading, buildDoc(reading)), mended };
    } catch (error) {
      // Without the snapshot that they stand on all rows would go.
      if (!(error instanceof StoredFlaw) || hasLostBase || (!error.rows && !reading.snapshot)) throw error;
      if (error.rows) {
        if (!isRaised) await raiseEpoch(tx, room);
        isRaised = true;
        await removeRows(tx, room, error.rows, error.message, now);
        mended.push(...error.rows.map(({ id }) => `row ${id}: ${error.message}`));
      } else if (reading.snapshot) {
        if (!(await isSpare(tx, room, reading.snapshot))) throw error;
        await removeSnapshot(tx, room, reading.snapshot, error.message, now);
        mended.push(`snapshot up to row ${reading.snapshot.lastId}: ${error.message}`);
        hasLostBase = (await readLog(tx, room)).snapshot === null;
      }
    }
  }
}

/** Whether what a snapshot holds is also in an older one and the rows since, or in the rows alone: those are kept together. */
async function isSpare(tx: Database, room: string, { lastId }: Snapshot): Promise<boolean> {
  const older = await tx.$count(snapshots, and(eq(snapshots.room, room), lt(snapshots.lastId, lastId)));
  return older > 0 || (await tx.$count(updates, and(eq(updates.room, room), lte(updates.id, lastId)))) > 0;
}

/** A row that goes is gone from the document, and perhaps not from a client's copy: clients must start afresh. */
async function raiseEpoch(tx: Database, room: string): Promise<void> {
  await tx
    .insert(rooms)
    .values({ room, epoch: 1 })
    .onConflictDoUpdate({ target: rooms.room, set: { epoch: sql`${rooms.epoch} + 1` } });
}

async function removeRows(tx: Database, room: string, rows: readonly LogRow[], reason: string, now: number): Promise<void> {
  for (const { id, data, personId } of rows) {
    await tx.insert(quarantine).values({ room, updateId: id, data, personId, reason, removedAt: now });
  }
  await deleteRows(
    tx,
    rows.map(({ id }) => id),
  );
}

async function removeSnapshot(tx: Database, room: string, { lastId, data }: Snapshot, reason: string, now: number): Promise<void> {
  await tx.insert(quarantine).values({ room, updateId: null, data, personId: null, reason, removedAt: now });
  await tx.delete(snapshots).where(and(eq(snapshots.room, room), eq(snapshots.lastId, lastId)));
}
