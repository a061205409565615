import type * as Y from 'yjs';
import type { Database } from '../db/client.ts';
import { entries } from '../db/schema.ts';
import { readAnchor } from '../lib/board/anchors.ts';
import { findClaim } from '../lib/board/discussion-doc.ts';
import type { Claim, Comment, Evidence } from '../lib/board/records.ts';
import { idsOf, type Member } from './access.ts';
import type { App } from './app.ts';
import { Refusal } from './refusal.ts';
import type { Room } from './realtime/room.ts';

/** What comments, claims and evidence have in common: an id that a client made, an anchor, and a place in the discussion. */

type Kind = 'comment' | 'claim' | 'evidence';

interface NewEntry<T> {
  id: string;
  kind: Kind;
  find: (doc: Y.Doc, id: string) => T | null;
  /** written in the same transaction, where the entry is new */
  alongside?: (tx: Database) => Promise<void>;
}

/**
 * Applies an entry with a client-made id once: a retry gets what the first attempt made. An id that was used
 * elsewhere, by somebody else, or for what has been deleted since, is refused.
 */
export async function addEntry<T extends Comment | Claim | Evidence>(
  app: App,
  member: Member,
  entry: NewEntry<T>,
  make: (doc: Y.Doc) => T,
): Promise<T> {
  const { id, kind, find } = entry;
  const { boardId } = member;
  const mine = await idsOf(app.db, member);
  let isRetry = false;
  const change = (doc: Y.Doc): T => {
    const found = find(doc, id);
    isRetry = found !== null;
    if (!found) return make(doc);
    if (!mine.has(found.author.id)) throw idTaken(kind, id);
    return found;
  };
  const alongside = async (tx: Database) => {
    if (isRetry) return;
    const row = { id, boardId, kind, authorId: member.id, createdAt: app.now() };
    const added = await tx.insert(entries).values(row).onConflictDoNothing().returning({ id: entries.id });
    if (added.length === 0) throw idTaken(kind, id);
    await entry.alongside?.(tx);
  };
  return inDiscussion(app, boardId, (room) => room.edit(change, alongside));
}

export function inDiscussion<T>({ rooms }: App, boardId: string, work: (room: Room) => Promise<T>): Promise<T> {
  return rooms.use({ kind: 'discussion', boardId }, work);
}

export function checkAnchor(doc: Y.Doc, anchor: string): void {
  const read = readAnchor(anchor);
  if (!read)
    throw new Refusal('bad-request', 'anchor', 'a path, suffix, edge, node, feature, token:N, group:ID, run:ID or claim:ID', quote(anchor));
  if (read.kind === 'claim') requireRecord(findClaim(doc, read.id), 'claim', anchor);
}

export function requireRecord<T>(record: T | null, kind: string, id: string): T {
  if (record) return record;
  throw new Refusal('not-found', kind, `a ${kind} of this board`, quote(id));
}

export function quote(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}

function idTaken(kind: Kind, id: string): Refusal {
  return new Refusal('conflict', `${kind} id`, 'an id that was never used', id);
}
