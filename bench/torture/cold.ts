import { and, asc, desc, eq, gt } from 'drizzle-orm';
import * as Y from 'yjs';
import type { Database } from '../../db/client.ts';
import { snapshots, updates } from '../../db/schema.ts';

/**
 * A room's document as the database has it: the last snapshot and the rows after it. Read here by the tables'
 * meaning alone, so that a mistake which the server makes both in writing and in reading is seen.
 */
export async function loadCold(db: Database, room: string): Promise<Y.Doc> {
  return db.transaction(
    async (tx) => {
      const [snapshot] = await tx.select().from(snapshots).where(eq(snapshots.room, room)).orderBy(desc(snapshots.lastId)).limit(1);
      const rows = await tx
        .select({ data: updates.data })
        .from(updates)
        .where(and(eq(updates.room, room), gt(updates.id, snapshot?.lastId ?? 0)))
        .orderBy(asc(updates.id));
      const doc = new Y.Doc();
      for (const { data } of snapshot ? [snapshot, ...rows] : rows) Y.applyUpdate(doc, data);
      return doc;
    },
    { isolationLevel: 'repeatable read' },
  );
}

/** The same from the snapshot before the last, which is kept with the rows since; null where there is none. */
export async function loadFromSnapshotBefore(db: Database, room: string): Promise<Y.Doc | null> {
  const kept = await db.select().from(snapshots).where(eq(snapshots.room, room)).orderBy(desc(snapshots.lastId)).limit(2);
  const before = kept[1];
  if (before === undefined) return null;
  const rows = await db
    .select({ data: updates.data })
    .from(updates)
    .where(and(eq(updates.room, room), gt(updates.id, before.lastId)))
    .orderBy(asc(updates.id));
  const doc = new Y.Doc();
  for (const { data } of [before, ...rows]) Y.applyUpdate(doc, data);
  return doc;
}
