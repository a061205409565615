import type * as Y from 'yjs';
import type { z } from 'zod';
import type { Database } from '../db/client.ts';
import { entries } from '../db/schema.ts';
import { isAnchor } from '../lib/board/board-doc.ts';
import { findClaim, findComment, findEvidence, findThread, readComments, readThreads } from '../lib/board/discussion-doc.ts';
import { parsePredicate } from '../lib/board/predicate.ts';
import type { Claim, Comment, Evidence, Thread } from '../lib/board/records.ts';
import { verdictOf } from '../lib/board/verdict.ts';
import type { newClaim, newComment, newEvidence, stanceRequest } from '../lib/wire.ts';
import type { Person } from './access.ts';
import type { App } from './app.ts';
import { authorOf } from './boards.ts';
import type { AnalyzeOptions } from './context.ts';
import { Refusal } from './refusal.ts';
import type { Room } from './realtime/room.ts';
import { findBoardRun, repeatRun } from './runs.ts';

type Kind = 'comment' | 'claim' | 'evidence';

/** Adds a comment under its anchor's thread, which it opens where there is none. */
export function addComment(app: App, person: Person, boardId: string, { id, anchor, body }: z.infer<typeof newComment>): Promise<Comment> {
  const createdAt = app.now();
  const author = authorOf(person);
  return addEntry(app, person, boardId, { id, kind: 'comment', find: findComment }, (doc) => {
    checkAnchor(doc, anchor);
    const thread = threadAt(doc, anchor) ?? { id: crypto.randomUUID(), anchor, author, createdAt, resolved: null };
    const comment: Comment = { id, threadId: thread.id, author, body, createdAt, editedAt: null };
    if (!doc.getMap('threads').has(thread.id)) doc.getMap('threads').set(thread.id, thread satisfies Thread);
    doc.getMap('comments').set(id, comment);
    return comment;
  });
}

export function editComment(app: App, person: Person, boardId: string, id: string, body: string): Promise<Comment> {
  return inDiscussion(app, boardId, (room) =>
    room.edit((doc) => {
      const comment = requireOwn(person, findComment(doc, id), 'comment', id);
      const edited = { ...comment, body, editedAt: app.now() };
      doc.getMap('comments').set(id, edited);
      return edited;
    }),
  );
}

/** Removes a comment, and its thread with the last one; its text leaves the log too. */
export function deleteComment(app: App, person: Person, boardId: string, id: string): Promise<void> {
  return inDiscussion(app, boardId, async (room) => {
    await room.edit((doc) => {
      const { threadId } = requireOwn(person, findComment(doc, id), 'comment', id);
      doc.getMap('comments').delete(id);
      const others = readComments(doc).records.some((comment) => comment.threadId === threadId);
      if (!others) doc.getMap('threads').delete(threadId);
    });
    await room.compact();
  });
}

export function resolveThread(app: App, person: Person, boardId: string, id: string, resolved: boolean): Promise<Thread> {
  return inDiscussion(app, boardId, (room) =>
    room.edit((doc) => {
      const thread = require(findThread(doc, id), 'thread', id);
      if ((thread.resolved !== null) === resolved) return thread;
      const changed = { ...thread, resolved: resolved ? { by: authorOf(person), at: app.now() } : null };
      doc.getMap('threads').set(id, changed);
      return changed;
    }),
  );
}

export function addClaim(app: App, person: Person, boardId: string, { id, anchor, text }: z.infer<typeof newClaim>): Promise<Claim> {
  return addEntry(app, person, boardId, { id, kind: 'claim', find: findClaim }, (doc) => {
    if (anchor !== null) checkAnchor(doc, anchor);
    const claim: Claim = { id, anchor, text, author: authorOf(person), createdAt: app.now(), stances: {} };
    doc.getMap('claims').set(id, claim);
    return claim;
  });
}

/** A person has one stance on a claim, or none. */
export function takeStance(
  app: App,
  person: Person,
  boardId: string,
  claimId: string,
  { stance, reason }: z.infer<typeof stanceRequest>,
): Promise<Claim> {
  return inDiscussion(app, boardId, (room) =>
    room.edit((doc) => {
      const claim = require(findClaim(doc, claimId), 'claim', claimId);
      const { [person.id]: _, ...others } = claim.stances;
      const mine = stance && { [person.id]: { author: authorOf(person), stance, reason, at: app.now() } };
      const changed: Claim = { ...claim, stances: { ...others, ...mine } };
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
  const parsed = parsePredicate(predicate);
  const runs = await Promise.all(runIds.map((runId) => findBoardRun(app, boardId, runId)));
  const { value, left } = verdictOf(
    parsed,
    runs.map(({ answer }) => answer),
  );
  return addEntry(app, person, boardId, { id, kind: 'evidence', find: findEvidence }, (doc) => {
    require(findClaim(doc, claimId), 'claim', claimId);
    const at = app.now();
    const author = authorOf(person);
    const evidence: Evidence = { id, claimId, runIds, predicate, author, createdAt: at, verdict: { value, left, at }, reruns: [] };
    doc.getMap('evidence').set(id, evidence);
    return evidence;
  });
}

/** Executes every run of the evidence anew and notes whether it came out the same. */
export async function repeatEvidence(app: App, person: Person, boardId: string, id: string, options: AnalyzeOptions): Promise<Evidence> {
  const { runIds } = await inDiscussion(app, boardId, (room) => room.read((doc) => require(findEvidence(doc, id), 'evidence', id)));
  const reruns: Evidence['reruns'] = [];
  for (const runId of runIds) {
    const { run, agrees, maxDifference } = await repeatRun(app, person, await findBoardRun(app, boardId, runId), options);
    reruns.push({ runId: run.id, by: authorOf(person), at: run.createdAt, agrees, maxDifference });
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
function addEntry<T extends Comment | Claim | Evidence>(
  app: App,
  person: Person,
  boardId: string,
  entry: { id: string; kind: Kind; find: (doc: Y.Doc, id: string) => T | null },
  make: (doc: Y.Doc) => T,
): Promise<T> {
  const { id, kind, find } = entry;
  let isRetry = false;
  const change = (doc: Y.Doc): T => {
    const found = find(doc, id);
    if (!found) return make(doc);
    if (found.author.id !== person.id) throw idTaken(kind, id);
    isRetry = true;
    return found;
  };
  const alongside = async (tx: Database) => {
    if (isRetry) return;
    const row = { id, boardId, kind, authorId: person.id, createdAt: app.now() };
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
  if (anchor.startsWith('claim:')) require(findClaim(doc, anchor.slice('claim:'.length)), 'claim', anchor);
  else if (!isAnchor(anchor)) throw new Refusal('bad-request', 'anchor', 'a path, suffix, edge, node or claim:ID', quote(anchor));
}

function require<T>(record: T | null, kind: string, id: string): T {
  if (record) return record;
  throw new Refusal('not-found', kind, `a ${kind} of this board`, quote(id));
}

function requireOwn<T extends { author: { id: string } }>(person: Person, record: T | null, kind: string, id: string): T {
  const found = require(record, kind, id);
  if (person.owner || found.author.id === person.id) return found;
  throw new Refusal('forbidden', kind, `its author or the owner`, person.name);
}

function idTaken(kind: Kind, id: string): Refusal {
  return new Refusal('conflict', `${kind} id`, 'an id that was never used', id);
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}
