import { asc, eq, inArray, sql } from 'drizzle-orm';
import * as Y from 'yjs';
import type { Database } from '../../db/client.ts';
import { snapshots, updates, writers } from '../../db/schema.ts';

const PORTION = 10_000;

export interface Stored {
  doc: Y.Doc;
  writers: Map<number, string | null>;
  /** rows in the log, not yet compacted */
  rows: number;
  bytes: number;
}

export interface Entry {
  data: Uint8Array;
  /** null for the server */
  personId: string | null;
  /** client ids that this entry writes under for the first time */
  clients: readonly number[];
}

/** Loads a room from its snapshot and the log since. */
export async function loadRoom(db: Database, room: string): Promise<Stored> {
  const [snapshot] = await db.select().from(snapshots).where(eq(snapshots.room, room));
  const rows = await db.select({ id: updates.id, data: updates.data }).from(updates).where(eq(updates.room, room)).orderBy(asc(updates.id));
  const known = await db.select().from(writers).where(eq(writers.room, room));
  const doc = new Y.Doc();
  if (snapshot) applyStored(doc, snapshot.data, `${room}: snapshot`);
  for (const row of rows) applyStored(doc, row.data, `${room}: log row ${row.id}`);
  return {
    doc,
    writers: new Map(known.map(({ clientId, personId }) => [clientId, personId])),
    rows: rows.length,
    bytes: (snapshot?.data.length ?? 0) + rows.reduce((total, row) => total + row.data.length, 0),
  };
}

function applyStored(doc: Y.Doc, data: Uint8Array, where: string): void {
  try {
    Y.applyUpdate(doc, data);
  } catch (cause) {
    throw new Error(`${where}: expected an update that loads, got one that does not`, { cause });
  }
}

/** Adds entries to the log, all or none, together with what `alongside` writes. */
export async function appendEntries(
  db: Database,
  room: string,
  entries: readonly Entry[],
  now: number,
  alongside?: (tx: Database) => Promise<void>,
): Promise<void> {
  await db.transaction(async (tx) => {
    await insertEntries(tx, room, entries, now);
    await alongside?.(tx);
  });
}

/** As {@link appendEntries}, in a transaction of the caller's. */
export async function insertEntries(tx: Database, room: string, entries: readonly Entry[], now: number): Promise<void> {
  const rows = entries.map(({ data, personId }) => ({ room, data, personId, createdAt: now }));
  for (const portion of portionsOf(rows)) await tx.insert(updates).values(portion);
  const fresh = entries.flatMap(({ clients, personId }) => clients.map((clientId) => ({ room, clientId, personId })));
  for (const portion of portionsOf(fresh)) await tx.insert(writers).values(portion).onConflictDoNothing();
}

/** A statement takes at most 65,535 parameters. */
function portionsOf<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / PORTION) }, (_, index) => items.slice(index * PORTION, (index + 1) * PORTION));
}

/**
 * Replaces the rows read by one snapshot, proven to load before the rows go. Going through a document, rather
 * than merging bytes, is what removes deleted text from storage. Returns the size of the snapshot.
 */
export async function compactRoom(db: Database, room: string, now: number): Promise<number> {
  return db.transaction(async (tx) => {
    // Another instance must neither compact the same room meanwhile nor lose the rows that it adds.
    await tx.execute(sql`select pg_advisory_xact_lock(hashtext(${room}))`);
    const [snapshot] = await tx.select().from(snapshots).where(eq(snapshots.room, room));
    const rows = await tx
      .select({ id: updates.id, data: updates.data })
      .from(updates)
      .where(eq(updates.room, room))
      .orderBy(asc(updates.id));
    const doc = new Y.Doc();
    if (snapshot) applyStored(doc, snapshot.data, `${room}: snapshot`);
    for (const row of rows) applyStored(doc, row.data, `${room}: log row ${row.id}`);
    const data = Y.encodeStateAsUpdate(doc);
    proveLoadable(data, doc, room);
    await tx
      .insert(snapshots)
      .values({ room, data, createdAt: now })
      .onConflictDoUpdate({ target: snapshots.room, set: { data, createdAt: now } });
    for (const ids of portionsOf(rows.map(({ id }) => id))) await tx.delete(updates).where(inArray(updates.id, ids));
    return data.length;
  });
}

function proveLoadable(data: Uint8Array, doc: Y.Doc, room: string): void {
  const loaded = new Y.Doc();
  Y.applyUpdate(loaded, data);
  if (!Y.equalSnapshots(Y.snapshot(loaded), Y.snapshot(doc))) {
    throw new Error(`${room}: expected a snapshot that loads into the same document, got another one`);
  }
}
