import { and, eq, inArray, notExists, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import type { Database } from '../../db/client.ts';
import { annotationLabels, annotationSessions, annotationTasks, annotators } from '../../db/schema.ts';

/**
 * A guest turned out to be somebody with an account: queue and labels are theirs from now on. Where both label in one
 * session they stay two annotators, as they were: two labels for one item could not be one person's.
 */
export async function handOverAnnotations(tx: Database, guestId: string, accountId: string): Promise<void> {
  const others = alias(annotators, 'others');
  const both = tx
    .select({ one: sql`1` })
    .from(others)
    .where(and(eq(others.sessionId, annotators.sessionId), eq(others.personId, accountId)));
  const moved = await tx
    .update(annotators)
    .set({ personId: accountId })
    .where(and(eq(annotators.personId, guestId), notExists(both)))
    .returning({ id: annotators.sessionId });
  const ids = moved.map(({ id }) => id);
  if (ids.length > 0) {
    for (const table of [annotationTasks, annotationLabels]) {
      await tx
        .update(table)
        .set({ personId: accountId })
        .where(and(eq(table.personId, guestId), inArray(table.sessionId, ids)));
    }
  }
  await tx.update(annotationSessions).set({ facilitatorId: accountId }).where(eq(annotationSessions.facilitatorId, guestId));
}
