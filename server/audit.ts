import type { Database } from '../db/client.ts';
import { audit as entries } from '../db/schema.ts';
import type { AuditEntry, Author } from '../lib/wire.ts';

/** What is written down: who got in, who may do what, what was made public, what was deleted. */
export type AuditAction =
  | 'workspace.made'
  | 'workspace.renamed'
  | 'workspace.deleted'
  | 'member.joined'
  | 'member.role'
  | 'member.removed'
  | 'member.left'
  | 'member.merged'
  | 'ownership.transferred'
  | 'invite.made'
  | 'invite.revoked'
  | 'board.made'
  | 'board.deleted'
  | 'board.undeleted'
  | 'board.purged'
  | 'board.published'
  | 'comment.deleted'
  | 'session.made'
  | 'session.paused'
  | 'session.resumed'
  | 'session.joined'
  | 'session.reassigned'
  | 'session.revealed'
  | 'session.closed'
  | 'version.restored'
  | 'version.deleted';

export interface AuditRecord {
  at: number;
  workspaceId: string;
  boardId?: string | null;
  /** null: the server itself */
  by: Author | null;
  action: AuditAction;
  details?: AuditEntry['details'];
}

/** Writes it down in the transaction of what it tells about: neither is ever there without the other. */
export async function audit(tx: Database, { at, workspaceId, boardId = null, by, action, details = {} }: AuditRecord): Promise<void> {
  const who = { personId: by?.id ?? null, personName: by?.name ?? 'Pathboard' };
  await tx.insert(entries).values({ at, workspaceId, boardId, ...who, action, details });
}
