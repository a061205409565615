import { and, desc, eq, lt } from 'drizzle-orm';
import { audit } from '../db/schema.ts';
import type { AuditEntry } from '../lib/wire.ts';
import { authoriseWorkspace, type Person } from './access.ts';
import type { App } from './app.ts';
import { Refusal } from './refusal.ts';

const PAGE = 100;

/** What was written down about a workspace, newest first; `before` is the id of the last entry that is known. */
export async function listAudit(app: App, person: Person, workspaceId: string, before: string | null): Promise<AuditEntry[]> {
  await authoriseWorkspace(app, person, 'workspace.audit', workspaceId);
  if (before !== null && !/^\d{1,15}$/.test(before)) {
    throw new Refusal('bad-request', 'before', 'the id of an entry', JSON.stringify(before.slice(0, 100)));
  }
  const { id, at, boardId, personId, personName, action, details } = audit;
  const rows = await app.db
    .select({ id, at, boardId, personId, personName, action, details })
    .from(audit)
    .where(and(eq(audit.workspaceId, workspaceId), before === null ? undefined : lt(audit.id, Number(before))))
    .orderBy(desc(audit.id))
    .limit(PAGE);
  // The column holds what was put there by {@link AuditRecord}.
  return rows.map((entry) => ({ ...entry, details: entry.details as AuditEntry['details'] }));
}
