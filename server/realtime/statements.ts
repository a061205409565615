import { and, desc, eq, inArray, sql, type SQL } from 'drizzle-orm';
import { unionAll } from 'drizzle-orm/pg-core';
import type { Database } from '../../db/client.ts';
import { rooms, snapshots, updates, writers } from '../../db/schema.ts';

/** The statements of a room's log. What they amount to together is in log.ts, compaction.ts and mending.ts. */

const PORTION = 10_000;

export interface LogRow {
  id: number;
  data: Uint8Array;
  /** null for the server */
  personId: string | null;
}

export interface Snapshot {
  /** the last row that is in it */
  lastId: number;
  data: Uint8Array;
}

/** What was in the database at one moment. */
export interface Reading {
  epoch: number;
  snapshot: Snapshot | null;
  /** those after the snapshot, or after the row asked for; by id */
  rows: LogRow[];
}

export interface Entry {
  data: Uint8Array;
  /** null for the server */
  personId: string | null;
  /** client ids that this entry writes under for the first time */
  clients: readonly number[];
}

/**
 * Whoever writes to a room, or takes rows out of its log, holds this until the transaction ends. So the ids within
 * a room are committed in order, and who has seen row N misses nothing with a smaller number.
 * What the caller reads must be read after this: a statement sees what was there when it began.
 */
export async function lockRoom(tx: Database, room: string): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${room}, 0))`);
}

/** The newest snapshot and the rows since. */
export function readLog(db: Database, room: string): Promise<Reading> {
  const newest = newestSnapshot(room);
  return read(db, room, sql`${snapshots.lastId} = ${newest}`, sql`${updates.id} > coalesce(${newest}, 0)`);
}

/**
 * The rows after `last`. Where that row itself is gone, others after it may be, too: then the newest snapshot, which
 * holds them, comes along.
 */
export function readSince(db: Database, room: string, last: number): Promise<Reading> {
  const newest = newestSnapshot(room);
  const isGone = sql`not exists (select 1 from updates where room = ${room} and id = ${last})`;
  return read(db, room, sql`${snapshots.lastId} > ${last} and ${snapshots.lastId} = ${newest} and ${isGone}`, sql`${updates.id} > ${last}`);
}

function newestSnapshot(room: string): SQL {
  return sql`(select max(last_id) from snapshots where room = ${room})`;
}

/** One statement, so that a compaction which ends meanwhile is seen as a whole or not at all. */
async function read(db: Database, room: string, whichSnapshot: SQL, whichRows: SQL): Promise<Reading> {
  const nobody = sql<string | null>`null::text`;
  const found = await unionAll(
    db
      .select({
        kind: sql<'epoch' | 'snapshot' | 'row'>`'epoch'`,
        id: sql`${rooms.epoch}::bigint`.mapWith(Number),
        data: sql<Uint8Array>`''::bytea`,
        personId: nobody,
      })
      .from(rooms)
      .where(eq(rooms.room, room)),
    db
      .select({
        kind: sql<'snapshot'>`'snapshot'`,
        id: sql`${snapshots.lastId}`.mapWith(Number),
        data: sql<Uint8Array>`${snapshots.data}`,
        personId: nobody,
      })
      .from(snapshots)
      .where(and(eq(snapshots.room, room), whichSnapshot)),
    db
      .select({
        kind: sql<'row'>`'row'`,
        id: sql`${updates.id}`.mapWith(Number),
        data: sql<Uint8Array>`${updates.data}`,
        personId: sql<string | null>`${updates.personId}`,
      })
      .from(updates)
      .where(and(eq(updates.room, room), whichRows)),
  );
  const snapshot = found.find(({ kind }) => kind === 'snapshot');
  return {
    epoch: found.find(({ kind }) => kind === 'epoch')?.id ?? 0,
    snapshot: snapshot ? { lastId: snapshot.id, data: snapshot.data } : null,
    rows: found.filter(({ kind }) => kind === 'row').sort((a, b) => a.id - b.id),
  };
}

/** Adds entries under the room's lock, and gives their rows. A room that nobody can know yet needs no lock. */
export async function insertEntries(tx: Database, room: string, entries: readonly Entry[], now: number): Promise<number[]> {
  const ids: number[] = [];
  for (const portion of portionsOf(entries)) {
    const rows = portion.map(({ data, personId }) => ({ room, data, personId, createdAt: now }));
    const inserted = await tx.insert(updates).values(rows).returning({ id: updates.id });
    ids.push(...inserted.map(({ id }) => id));
  }
  const fresh = entries.flatMap(({ clients, personId }) => clients.map((clientId) => ({ room, clientId, personId })));
  for (const portion of portionsOf(fresh)) await tx.insert(writers).values(portion).onConflictDoNothing();
  return ids;
}

/** On what the log stands now: the last row of its newest snapshot, null where there is none, and its epoch. */
export async function baseOf(tx: Database, room: string): Promise<{ lastId: number | null; epoch: number }> {
  const [newest] = await tx
    .select({ lastId: snapshots.lastId })
    .from(snapshots)
    .where(eq(snapshots.room, room))
    .orderBy(desc(snapshots.lastId))
    .limit(1);
  const [mended] = await tx.select({ epoch: rooms.epoch }).from(rooms).where(eq(rooms.room, room));
  return { lastId: newest?.lastId ?? null, epoch: mended?.epoch ?? 0 };
}

/** How many client ids a person has written under. */
export async function countClients(tx: Database, room: string, personId: string): Promise<number> {
  return tx.$count(writers, and(eq(writers.room, room), eq(writers.personId, personId)));
}

/** Whose these client ids are, of those that anybody has written under. */
export async function writersOf(tx: Database, room: string, clientIds: readonly number[]): Promise<Map<number, string | null>> {
  const owners = new Map<number, string | null>();
  for (const portion of portionsOf(clientIds)) {
    const rows = await tx
      .select({ clientId: writers.clientId, personId: writers.personId })
      .from(writers)
      .where(and(eq(writers.room, room), inArray(writers.clientId, portion)));
    for (const { clientId, personId } of rows) owners.set(clientId, personId);
  }
  return owners;
}

/** Where each room's log ends, and its epoch. A room without either is left out. */
export async function latestOf(db: Database, names: readonly string[]): Promise<{ room: string; last: number; epoch: number }[]> {
  const ends = unionAll(
    db
      .select({ room: updates.room, last: sql`max(${updates.id})`.mapWith(Number).as('last'), epoch: sql`0`.mapWith(Number).as('epoch') })
      .from(updates)
      .where(inArray(updates.room, [...names]))
      .groupBy(updates.room),
    db
      .select({ room: snapshots.room, last: sql`max(${snapshots.lastId})`.mapWith(Number), epoch: sql`0`.mapWith(Number) })
      .from(snapshots)
      .where(inArray(snapshots.room, [...names]))
      .groupBy(snapshots.room),
    db
      .select({ room: rooms.room, last: sql`0`.mapWith(Number), epoch: sql`${rooms.epoch}`.mapWith(Number) })
      .from(rooms)
      .where(inArray(rooms.room, [...names])),
  ).as('ends');
  return db
    .select({ room: ends.room, last: sql`max(${ends.last})`.mapWith(Number), epoch: sql`max(${ends.epoch})`.mapWith(Number) })
    .from(ends)
    .groupBy(ends.room);
}

export async function deleteRows(tx: Database, ids: readonly number[]): Promise<void> {
  for (const portion of portionsOf(ids)) await tx.delete(updates).where(inArray(updates.id, portion));
}

/** A statement takes at most 65,535 parameters. */
function portionsOf<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / PORTION) }, (_, index) => items.slice(index * PORTION, (index + 1) * PORTION));
}
