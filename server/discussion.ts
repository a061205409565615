import { and, asc, eq } from 'drizzle-orm';
import type * as Y from 'yjs';
import type { z } from 'zod';
import type { Database } from '../db/client.ts';
import { commentTexts, threadMarks } from '../db/schema.ts';
import { readAnchor } from '../lib/board/anchors.ts';
import { findClaim, findComment, findThread, readComments, readThreads } from '../lib/board/discussion-doc.ts';
import { mentionedIn } from '../lib/board/mentions.ts';
import type { Comment, Thread } from '../lib/board/records.ts';
import { may, rolesFor } from '../lib/roles.ts';
import type { Author, EarlierText, newComment } from '../lib/wire.ts';
import { authorOf, authorise, idsOf, type Person } from './access.ts';
import type { App } from './app.ts';
import { audit } from './audit.ts';
import { addEntry, checkAnchor, inDiscussion, requireRecord as require } from './discussion-entries.ts';
import { forgetSubject, notify, peopleOf, type News } from './notifications.ts';
import { Refusal } from './refusal.ts';

export { addClaim, addEvidence, editClaim, repeatEvidence, takeStance } from './claims.ts';

/** Threads and comments. */

/** Adds a comment under its anchor's thread, which it opens where there is none. */
export async function addComment(app: App, person: Person, boardId: string, request: z.infer<typeof newComment>): Promise<Comment> {
  const member = await authorise(app, person, 'board.comment', boardId);
  const { id, anchor, body, replyTo } = request;
  const createdAt = app.now();
  const author = authorOf(member);
  const mentions = mentionedIn(body, await peopleOf(app.db, boardId));
  let news: News[] = [];
  const alongside = async (tx: Database) => {
    told = await notify(tx, news);
  };
  let told: string[] = [];
  const comment = await addEntry(app, member, { id, kind: 'comment', find: findComment, alongside }, (doc) => {
    checkAnchor(doc, anchor);
    const thread = threadAt(doc, anchor) ?? { id: crypto.randomUUID(), anchor, author, createdAt, resolved: null };
    // What it answers may have been deleted while this was on its way: then it answers nobody.
    const answers = replyTo !== undefined && findComment(doc, replyTo)?.threadId === thread.id;
    const made: Comment = {
      id,
      threadId: thread.id,
      author,
      body,
      createdAt,
      editedAt: null,
      ...(answers && { replyTo }),
      ...(mentions.length > 0 && { mentions }),
    };
    const about = { boardId, by: author, subjectId: id, anchor, threadId: thread.id, at: createdAt };
    news = [
      { ...about, kind: 'mention', to: mentions.map((one) => one.id) },
      { ...about, kind: 'reply', to: participantsOf(doc, thread) },
    ];
    if (!doc.getMap('threads').has(thread.id)) doc.getMap('threads').set(thread.id, thread satisfies Thread);
    doc.getMap('comments').set(id, made);
    return made;
  });
  app.rooms.tellNews(told);
  return comment;
}

/** Of one comment. */
const MOST_EDITS = 100;

/** The text before stays to be seen, until the comment is deleted. Who is mentioned anew is told. */
export async function editComment(app: App, person: Person, boardId: string, id: string, body: string): Promise<Comment> {
  const member = await authorise(app, person, 'board.comment', boardId);
  const mine = await idsOf(app.db, member);
  const mentions = mentionedIn(body, await peopleOf(app.db, boardId));
  let before: Comment | null = null;
  let news: News[] = [];
  let told: string[] = [];
  const change = (doc: Y.Doc) => {
    const comment = require(findComment(doc, id), 'comment', id);
    // Words under somebody's name are theirs: who may take them away may still not change them.
    if (!mine.has(comment.author.id)) throw new Refusal('forbidden', 'comment', 'its author', member.name);
    before = comment.body === body ? null : comment;
    if (!before) return comment;
    const { mentions: mentioned = [], ...rest } = comment;
    const editedAt = app.now();
    const edited: Comment = { ...rest, body, editedAt, ...(mentions.length > 0 && { mentions }) };
    const anchor = findThread(doc, comment.threadId)?.anchor ?? null;
    const to = mentions.map((one) => one.id).filter((one) => !mentioned.some((other) => other.id === one));
    news = [{ kind: 'mention', boardId, by: authorOf(member), subjectId: id, anchor, threadId: comment.threadId, at: editedAt, to }];
    doc.getMap('comments').set(id, edited);
    return edited;
  };
  const keep = async (tx: Database) => {
    if (!before) return;
    const { body: earlier, editedAt, createdAt } = before;
    const edits = await tx.$count(commentTexts, and(eq(commentTexts.boardId, boardId), eq(commentTexts.commentId, id)));
    if (edits >= MOST_EDITS)
      throw new Refusal('too-large', 'comment', `at most ${MOST_EDITS} edits, all of which stay to be seen`, 'one more');
    await tx.insert(commentTexts).values({ boardId, commentId: id, body: earlier, writtenAt: editedAt ?? createdAt });
    told = await notify(tx, news);
  };
  const edited = await inDiscussion(app, boardId, (room) => room.edit(change, keep));
  app.rooms.tellNews(told);
  return edited;
}

/** What a comment said before it was edited, oldest first. */
export async function earlierTexts(app: App, person: Person, boardId: string, id: string): Promise<EarlierText[]> {
  await authorise(app, person, 'board.read', boardId);
  await inDiscussion(app, boardId, (room) => room.read((doc) => require(findComment(doc, id), 'comment', id)));
  const rows = await app.db
    .select()
    .from(commentTexts)
    .where(and(eq(commentTexts.boardId, boardId), eq(commentTexts.commentId, id)))
    .orderBy(asc(commentTexts.id));
  return rows.map(({ body, writtenAt }) => ({ body: String(body), writtenAt }));
}

/** Removes a comment, and its thread with the last one; all it ever said leaves the log and the tables too. */
export async function deleteComment(app: App, person: Person, boardId: string, id: string): Promise<void> {
  const member = await authorise(app, person, 'board.comment', boardId);
  const mine = await idsOf(app.db, member);
  let author: Author | null = null;
  let emptied: string | null = null;
  const remove = (doc: Y.Doc) => {
    const { threadId, author: wrote } = require(findComment(doc, id), 'comment', id);
    if (!mine.has(wrote.id) && !may(member.role, 'board.moderate')) {
      throw new Refusal('forbidden', 'comment', `its author or the role ${rolesFor('board.moderate').join(' or ')}`, member.name);
    }
    author = wrote;
    doc.getMap('comments').delete(id);
    const others = readComments(doc).records.some((comment) => comment.threadId === threadId);
    emptied = others ? null : threadId;
    if (!others) doc.getMap('threads').delete(threadId);
  };
  let told: string[] = [];
  const noteDown = async (tx: Database) => {
    await tx.delete(commentTexts).where(and(eq(commentTexts.boardId, boardId), eq(commentTexts.commentId, id)));
    told = await forgetSubject(tx, boardId, id);
    if (emptied !== null) await tx.delete(threadMarks).where(and(eq(threadMarks.boardId, boardId), eq(threadMarks.threadId, emptied)));
    const details = { commentId: id, authorId: author?.id ?? null, authorName: author?.name ?? null };
    return audit(tx, { at: app.now(), workspaceId: member.workspaceId, boardId, by: member, action: 'comment.deleted', details });
  };
  await inDiscussion(app, boardId, (room) => room.edit(remove, noteDown, { purge: true }));
  app.rooms.tellNews(told);
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

function threadAt(doc: Y.Doc, anchor: string): Thread | null {
  return readThreads(doc).records.find((thread) => thread.anchor === anchor) ?? null;
}

/** Who wrote in the thread, and whose claim it is about. */
function participantsOf(doc: Y.Doc, thread: Thread): string[] {
  const wrote = readComments(doc).records.filter((comment) => comment.threadId === thread.id);
  const read = readAnchor(thread.anchor);
  const claim = read?.kind === 'claim' ? findClaim(doc, read.id) : null;
  return [...wrote.map(({ author }) => author.id), ...(claim ? [claim.author.id] : [])];
}
