import type * as Y from 'yjs';
import type { z } from 'zod';
import type { Database } from '../db/client.ts';
import { entries } from '../db/schema.ts';
import { readAnchor } from '../lib/board/anchors.ts';
import { findClaim, findComment, findEvidence, findThread, readComments, readThreads } from '../lib/board/discussion-doc.ts';
import { parsePredicate } from '../lib/board/predicate.ts';
import type { Claim, Comment, Evidence, Thread } from '../lib/board/records.ts';
import { verdictOf } from '../lib/board/verdict.ts';
import { may, rolesFor } from '../lib/roles.ts';
import type { Author, newClaim, newComment, newEvidence, stanceRequest } from '../lib/wire.ts';
import { authorOf, authorise, idsOf, type Member, type Person } from './access.ts';
import type { App } from './app.ts';
import { audit } from './audit.ts';
import type { AnalyzeOptions } from './context.ts';
import { Refusal } from './refusal.ts';
import type { Room } from './realtime/room.ts';
import { findBoardRun, repeatRun } from './runs.ts';

type Kind = 'comment' | 'claim' | 'evidence';

/** Adds a comment under its anchor's thread, which it opens where there is none. */
export async function addComment(app: App, person: Person, boardId: string, request: z.infer<typeof newComment>): Promise<Comment> {
  const member = await authorise(app, person, 'board.comment', boardId);
  const { id, anchor, body } = request;
  const createdAt = app.now();
  const author = authorOf(member);
  return addEntry(app, member, { id, kind: 'comment', find: findComment }, (doc) => {
    checkAnchor(doc, anchor);
    const thread = threadAt(doc, anchor) ?? { id: crypto.randomUUID(), anchor, author, createdAt, resolved: null };
    const comment: Comment = { id, threadId: thread.id, author, body, createdAt, editedAt: null };
    if (!doc.getMap('threads').has(thread.id)) doc.getMap('threads').set(thread.id, thread satisfies Thread);
    doc.getMap('comments').set(id, comment);
    return comment;
  });
}

export async function editComment(app: App, person: Person, boardId: string, id: string, body: string): Promise<Comment> {
  const member = await authorise(app, person, 'board.comment', boardId);
  const mine = await idsOf(app.db, member);
  return inDiscussion(app, boardId, (room) =>
    room.edit((doc) => {
      const comment = require(findComment(doc, id), 'comment', id);
      // Words under somebody's name are theirs: who may take them away may still not change them.
      if (!mine.has(comment.author.id)) throw new Refusal('forbidden', 'comment', 'its author', member.name);
      const edited = { ...comment, body, editedAt: app.now() };
      doc.getMap('comments').set(id, edited);
      return edited;
    }),
  );
}

/** Removes a comment, and its thread with the last one; its text leaves the log too. */
export async function deleteComment(app: App, person: Person, boardId: string, id: string): Promise<void> {
  const member = await authorise(app, person, 'board.comment', boardId);
  const mine = await idsOf(app.db, member);
  let author: Author | null = null;
  const remove = (doc: Y.Doc) => {
    const { threadId, author: wrote } = require(findComment(doc, id), 'comment', id);
    if (!mine.has(wrote.id) && !may(member.role, 'board.moderate')) {
      throw new Refusal('forbidden', 'comment', `its author or the role ${rolesFor('board.moderate').join(' or ')}`, member.name);
    }
    author = wrote;
    doc.getMap('comments').delete(id);
    const others = readComments(doc).records.some((comment) => comment.threadId === threadId);
    if (!others) doc.getMap('threads').delete(threadId);
  };
  const noteDown = (tx: Database) => {
    const details = { commentId: id, authorId: author?.id ?? null, authorName: author?.name ?? null };
    return audit(tx, { at: app.now(), workspaceId: member.workspaceId, boardId, by: member, action: 'comment.deleted', details });
  };
  return inDiscussion(app, boardId, (room) => room.edit(remove, noteDown, { purge: true }));
}

export async function resolveThread(app: App, person: Person, boardId: string, id: string, resolved: boolean): Promise<Thread> {
  const member = await authorise(app, person, 'board.comment', boardId);
  return inDiscussion(app, boardId, (room) =>
    room.edit((doc) => {
      const thread = require(findThread(doc, id), 'thread', id);
      if ((thread.resolved !== null) === resolved) return thread;
      const changed = { ...thread, resolved: resolved ? { by: authorOf(member), at: app.now() } : null };
      doc.getMap('threads').set(id, changed);
      return changed;
    }),
  );
}

export async function addClaim(app: App, person: Person, boardId: string, request: z.infer<typeof newClaim>): Promise<Claim> {
  const member = await authorise(app, person, 'board.comment', boardId);
  const { id, anchor, text } = request;
  return addEntry(app, member, { id, kind: 'claim', find: findClaim }, (doc) => {
    if (anchor !== null) checkAnchor(doc, anchor);
    const claim: Claim = { id, anchor, text, author: authorOf(member), createdAt: app.now(), stances: {} };
    doc.getMap('claims').set(id, claim);
    return claim;
  });
}

/** A person has one stance on a claim, or none. */
export async function takeStance(
  app: App,
  person: Person,
  boardId: string,
  claimId: string,
  { stance, reason }: z.infer<typeof stanceRequest>,
): Promise<Claim> {
  const member = await authorise(app, person, 'board.comment', boardId);
  const mine = await idsOf(app.db, member);
  return inDiscussion(app, boardId, (room) =>
    room.edit((doc) => {
      const claim = require(findClaim(doc, claimId), 'claim', claimId);
      const others = Object.entries(claim.stances).filter(([id]) => !mine.has(id));
      const taken = stance && { [member.id]: { author: authorOf(member), stance, reason, at: app.now() } };
      const changed: Claim = { ...claim, stances: { ...Object.fromEntries(others), ...taken } };
      doc.getMap('claims').set(claimId, changed);
      return changed;
    }),
  );
}

/** Ties runs to a claim; the verdict is computed from their stored outputs. */
export async function addEvidence(
  app: App,
  person: Person,
  boardId: string,
  claimId: string,
  { id, runIds, predicate }: z.infer<typeof newEvidence>,
): Promise<Evidence> {
  const member = await authorise(app, person, 'board.evidence', boardId);
  const parsed = parsePredicate(predicate);
  const runs = await Promise.all(runIds.map((runId) => findBoardRun(app, boardId, runId)));
  const { value, left } = verdictOf(
    parsed,
    runs.map(({ answer }) => answer),
  );
  return addEntry(app, member, { id, kind: 'evidence', find: findEvidence }, (doc) => {
    require(findClaim(doc, claimId), 'claim', claimId);
    const at = app.now();
    const author = authorOf(member);
    const evidence: Evidence = { id, claimId, runIds, predicate, author, createdAt: at, verdict: { value, left, at }, reruns: [] };
    doc.getMap('evidence').set(id, evidence);
    return evidence;
  });
}

/** Executes every run of the evidence anew and notes whether it came out the same. */
export async function repeatEvidence(app: App, person: Person, boardId: string, id: string, options: AnalyzeOptions): Promise<Evidence> {
  const member = await authorise(app, person, 'board.evidence', boardId);
  const { runIds } = await inDiscussion(app, boardId, (room) => room.read((doc) => require(findEvidence(doc, id), 'evidence', id)));
  const reruns: Evidence['reruns'] = [];
  for (const runId of runIds) {
    const { run, agrees, maxDifference } = await repeatRun(app, member, await findBoardRun(app, boardId, runId), options);
    reruns.push({ runId: run.id, by: authorOf(member), at: run.createdAt, agrees, maxDifference });
  }
  return inDiscussion(app, boardId, (room) =>
    room.edit((doc) => {
      const evidence = require(findEvidence(doc, id), 'evidence', id);
      const repeated: Evidence = { ...evidence, reruns: [...evidence.reruns, ...reruns] };
      doc.getMap('evidence').set(id, repeated);
      return repeated;
    }),
  );
}

/**
 * Applies an entry with a client-made id once: a retry gets what the first attempt made. An id that was used
 * elsewhere, by somebody else, or for what has been deleted since, is refused.
 */
async function addEntry<T extends Comment | Claim | Evidence>(
  app: App,
  member: Member,
  entry: { id: string; kind: Kind; find: (doc: Y.Doc, id: string) => T | null },
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
  };
  return inDiscussion(app, boardId, (room) => room.edit(change, alongside));
}

function inDiscussion<T>({ rooms }: App, boardId: string, work: (room: Room) => Promise<T>): Promise<T> {
  return rooms.use({ kind: 'discussion', boardId }, work);
}

function threadAt(doc: Y.Doc, anchor: string): Thread | null {
  return readThreads(doc).records.find((thread) => thread.anchor === anchor) ?? null;
}

function checkAnchor(doc: Y.Doc, anchor: string): void {
  const read = readAnchor(anchor);
  if (!read) throw new Refusal('bad-request', 'anchor', 'a path, suffix, edge, node, token:N, group:ID, run:ID or claim:ID', quote(anchor));
  if (read.kind === 'claim') require(findClaim(doc, read.id), 'claim', anchor);
}

function require<T>(record: T | null, kind: string, id: string): T {
  if (record) return record;
  throw new Refusal('not-found', kind, `a ${kind} of this board`, quote(id));
}

function idTaken(kind: Kind, id: string): Refusal {
  return new Refusal('conflict', `${kind} id`, 'an id that was never used', id);
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}
