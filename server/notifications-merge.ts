import { eq } from 'drizzle-orm';
import type { Database } from '../db/client.ts';
import { notifications, threadMarks } from '../db/schema.ts';

/** What a guest was told and had read is the account's that they turned out to be. */
export async function giveNotifications(tx: Database, from: string, to: string): Promise<void> {
  const told = await tx.delete(notifications).where(eq(notifications.personId, from)).returning();
  const fresh = told.filter(({ actorId }) => actorId !== to);
  if (fresh.length > 0)
    await tx
      .insert(notifications)
      .values(fresh.map((row) => ({ ...row, personId: to })))
      .onConflictDoNothing();
  const marks = await tx.delete(threadMarks).where(eq(threadMarks.personId, from)).returning();
  if (marks.length > 0)
    await tx
      .insert(threadMarks)
      .values(marks.map((row) => ({ ...row, personId: to })))
      .onConflictDoNothing();
}
