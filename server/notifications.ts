import { and, desc, eq, inArray, isNotNull, isNull, lt, or, sql } from 'drizzle-orm';
import { randomUUID } from 'node:crypto';
import type { Database } from '../db/client.ts';
import { boards, members, memberships, notifications, people, threadMarks } from '../db/schema.ts';
import { findThread, readThreads } from '../lib/board/discussion-doc.ts';
import type { Author, Notification, Notifications, ThreadMark } from '../lib/wire.ts';
import { authorise, type Person } from './access.ts';
import type { App } from './app.ts';
import { inDiscussion, requireRecord } from './discussion-entries.ts';

/** What people are told of what others did, and how far they have read. */

export type NewsKind = Notification['kind'];

/** Something that happened, and whom it concerns. */
export interface News {
  kind: NewsKind;
  boardId: string;
  /** who did it; they are not told */
  by: Author;
  /** the comment, claim or evidence; the board for `role` */
  subjectId: string;
  anchor: string | null;
  threadId: string | null;
  /** epoch ms */
  at: number;
  to: readonly string[];
}

const LISTED = 100;
/** After that nobody asks any more. */
const KEPT_MS = 90 * 24 * 3_600_000;

/** Everybody with a role on the board, under the name that the others see. */
export async function peopleOf(db: Database, boardId: string): Promise<Author[]> {
  return db
    .select({ id: people.id, name: people.name })
    .from(boards)
    .innerJoin(members, eq(members.workspaceId, boards.workspaceId))
    .innerJoin(people, eq(people.id, members.personId))
    .leftJoin(memberships, and(eq(memberships.boardId, boards.id), eq(memberships.personId, people.id)))
    .where(and(eq(boards.id, boardId), isNull(boards.deletedAt), hasRole()));
}

/**
 * Notes down who is told of what, each person once, under the first kind that concerns them; nobody of what they may not
 * see. Answers with whose notifications changed: tell them when the transaction is through.
 */
export async function notify(tx: Database, news: readonly News[]): Promise<string[]> {
  const told = new Set<string>();
  for (const one of news) {
    const to = await recipients(tx, one, told);
    if (to.length === 0) continue;
    const { kind, boardId, by, subjectId, anchor, threadId, at: createdAt } = one;
    const row = { boardId, kind, subjectId, anchor, threadId, actorId: by.id, actorName: by.name, createdAt, readAt: null };
    await tx
      .insert(notifications)
      .values(to.map((personId) => ({ id: randomUUID(), personId, ...row })))
      .onConflictDoUpdate({
        target: [notifications.personId, notifications.kind, notifications.subjectId, notifications.actorId],
        set: { createdAt, readAt: null, actorName: by.name },
      });
    for (const personId of to) told.add(personId);
  }
  return [...told];
}

/** Who a guest turned out to be counts; who muted the thread is spared its replies. */
async function recipients(tx: Database, { to, by, boardId, kind, threadId }: News, told: ReadonlySet<string>): Promise<string[]> {
  if (to.length === 0) return [];
  const named = await tx
    .select({ id: people.id, mergedInto: people.mergedInto })
    .from(people)
    .where(inArray(people.id, [...new Set([...to, by.id])]));
  const actual = new Map(named.map(({ id, mergedInto }) => [id, mergedInto ?? id]));
  const wanted = new Set(to.map((id) => actual.get(id) ?? id));
  for (const id of [by.id, actual.get(by.id) ?? by.id, ...told]) wanted.delete(id);
  const here = (await peopleOf(tx, boardId)).map(({ id }) => id).filter((id) => wanted.has(id));
  if (kind !== 'reply' || threadId === null || here.length === 0) return here;
  const muted = await tx
    .select({ personId: threadMarks.personId })
    .from(threadMarks)
    .where(and(eq(threadMarks.threadId, threadId), eq(threadMarks.muted, true), inArray(threadMarks.personId, here)));
  return here.filter((id) => !muted.some(({ personId }) => personId === id));
}

/** Takes back what was told of something that is deleted. Answers with whose notifications changed. */
export async function forgetSubject(tx: Database, boardId: string, subjectId: string): Promise<string[]> {
  const gone = await tx
    .delete(notifications)
    .where(and(eq(notifications.boardId, boardId), eq(notifications.subjectId, subjectId)))
    .returning({ personId: notifications.personId });
  return [...new Set(gone.map(({ personId }) => personId))];
}

/** A person's latest, newest first, of boards that they may still see. */
export async function listNotifications({ db, now }: App, person: Person): Promise<Notifications> {
  await db.delete(notifications).where(and(eq(notifications.personId, person.id), lt(notifications.createdAt, now() - KEPT_MS)));
  const mine = and(eq(notifications.personId, person.id), isNull(boards.deletedAt), hasRole());
  const [counted] = await db
    .select({ unread: sql<number>`count(*)::int` })
    .from(notifications)
    .innerJoin(boards, eq(boards.id, notifications.boardId))
    .leftJoin(members, and(eq(members.workspaceId, boards.workspaceId), eq(members.personId, person.id)))
    .leftJoin(memberships, and(eq(memberships.boardId, boards.id), eq(memberships.personId, person.id)))
    .where(and(mine, isNull(notifications.readAt)));
  const rows = await db
    .select({ notification: notifications, boardTitle: boards.title })
    .from(notifications)
    .innerJoin(boards, eq(boards.id, notifications.boardId))
    .leftJoin(members, and(eq(members.workspaceId, boards.workspaceId), eq(members.personId, person.id)))
    .leftJoin(memberships, and(eq(memberships.boardId, boards.id), eq(memberships.personId, person.id)))
    .where(mine)
    .orderBy(desc(notifications.createdAt), desc(notifications.id))
    .limit(LISTED);
  const list = rows.map(({ notification, boardTitle }): Notification => {
    const { id, boardId, kind, subjectId, anchor, threadId, actorId, actorName, createdAt, readAt } = notification;
    return { id, boardId, boardTitle, kind, subjectId, anchor, threadId, by: { id: actorId, name: actorName }, createdAt, readAt };
  });
  return { unread: counted?.unread ?? 0, list };
}

/** Marks one's own notifications as read: those named, those about a thread, or all. */
export async function readNotifications(app: App, person: Person, ids: readonly string[] | 'all'): Promise<void> {
  const which = ids === 'all' ? undefined : inArray(notifications.id, [...ids]);
  const read = await app.db
    .update(notifications)
    .set({ readAt: app.now() })
    .where(and(eq(notifications.personId, person.id), isNull(notifications.readAt), which))
    .returning({ id: notifications.id });
  if (read.length > 0) app.rooms.tellNews([person.id]);
}

/** How far this person has read the board's threads. */
export async function listMarks(app: App, person: Person, boardId: string): Promise<ThreadMark[]> {
  await authorise(app, person, 'board.read', boardId);
  const rows = await app.db
    .select()
    .from(threadMarks)
    .where(and(eq(threadMarks.boardId, boardId), eq(threadMarks.personId, person.id)));
  return rows.map(({ threadId, readAt, muted }) => ({ threadId, readAt, muted }));
}

/** Notes down how far this person has read a thread, never less than before, or whether its replies are to be told. */
export async function markThread(
  app: App,
  person: Person,
  boardId: string,
  threadId: string,
  change: { readAt?: number | undefined; muted?: boolean | undefined },
): Promise<void> {
  await authorise(app, person, 'board.read', boardId);
  await inDiscussion(app, boardId, (room) => room.read((doc) => requireRecord(findThread(doc, threadId), 'thread', threadId)));
  const { readAt = 0, muted } = change;
  await app.db
    .insert(threadMarks)
    .values({ personId: person.id, boardId, threadId, readAt, muted: muted ?? false })
    .onConflictDoUpdate({
      target: [threadMarks.personId, threadMarks.threadId],
      set: { readAt: sql`greatest(${threadMarks.readAt}, ${readAt})`, ...(muted !== undefined && { muted }) },
    });
  if (change.readAt !== undefined) await readOfThread(app, person, threadId, readAt);
  app.rooms.tellNews([person.id]);
}

/** Every thread of the board is read up to now. */
export async function markAllRead(app: App, person: Person, boardId: string): Promise<void> {
  await authorise(app, person, 'board.read', boardId);
  const threads = await inDiscussion(app, boardId, (room) => room.read((doc) => readThreads(doc).records.map(({ id }) => id)));
  const readAt = app.now();
  if (threads.length > 0) {
    await app.db
      .insert(threadMarks)
      .values(threads.map((threadId) => ({ personId: person.id, boardId, threadId, readAt, muted: false })))
      .onConflictDoUpdate({ target: [threadMarks.personId, threadMarks.threadId], set: { readAt } });
  }
  await app.db
    .update(notifications)
    .set({ readAt })
    .where(
      and(
        eq(notifications.personId, person.id),
        eq(notifications.boardId, boardId),
        isNotNull(notifications.threadId),
        isNull(notifications.readAt),
      ),
    );
  app.rooms.tellNews([person.id]);
}

/** Whoever reads a thread has seen what they were told of it. */
async function readOfThread({ db, now }: App, person: Person, threadId: string, readAt: number): Promise<void> {
  await db
    .update(notifications)
    .set({ readAt: now() })
    .where(
      and(
        eq(notifications.personId, person.id),
        eq(notifications.threadId, threadId),
        isNull(notifications.readAt),
        lt(notifications.createdAt, readAt + 1),
      ),
    );
}

function hasRole() {
  return or(isNotNull(members.role), isNotNull(memberships.role));
}
