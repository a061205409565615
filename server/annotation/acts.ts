import { and, eq, inArray, isNotNull, isNull } from 'drizzle-orm';
import type * as Y from 'yjs';
import type { Database } from '../../db/client.ts';
import { annotationItems, annotationLabels, annotationSessions, annotationTasks, annotators } from '../../db/schema.ts';
import { SESSION_LIMITS, takeOver, type Task } from '../../lib/board/queues.ts';
import type { Annotation, SessionState } from '../../lib/board/records.ts';
import { isEqual } from '../../lib/board/json.ts';
import type { SessionDetail } from '../../lib/wire.ts';
import type { Member, Person } from '../access.ts';
import type { App } from '../app.ts';
import { audit, type AuditAction, type AuditRecord } from '../audit.ts';
import { Refusal } from '../refusal.ts';
import { readAnnotations } from './results.ts';
import { changeSession, openSession, readSession, type SessionRow } from './sessions.ts';
import { checkAnnotators, checkTasks, insertTasks } from './set-up.ts';

/** What a facilitator does with a session. */

const NEXT: Record<SessionState, readonly SessionState[]> = {
  open: ['paused', 'revealed', 'closed'],
  paused: ['open', 'revealed', 'closed'],
  revealed: ['closed'],
  closed: [],
};

const ACTIONS: Record<SessionState, AuditAction> = {
  open: 'session.resumed',
  paused: 'session.paused',
  revealed: 'session.revealed',
  closed: 'session.closed',
};

/**
 * Pauses, resumes, reveals or closes. At the reveal the labels enter the discussion, all at once; a session that is
 * closed without one keeps them from everybody but their authors for good.
 */
export async function changeState(app: App, person: Person, id: string, state: SessionState): Promise<SessionDetail> {
  const { member } = await openSession(app, person, id, 'board.facilitate');
  const work = async (tx: Database, session: SessionRow): Promise<Annotation[]> => {
    if (session.state === state) return [];
    if (!NEXT[session.state].includes(state)) {
      const wanted = NEXT[session.state];
      throw new Refusal('conflict', 'session', wanted.length > 0 ? `one of ${wanted.join(', ')} next` : 'nothing any more', state);
    }
    const isReveal = state === 'revealed';
    await update(tx, session, { state, ...(isReveal && { revealedAt: app.now() }) });
    await note(tx, app, member, ACTIONS[state], { name: session.name });
    return isReveal ? readAnnotations(tx, id) : [];
  };
  await changeSession(app, member, id, work, writeAnnotations);
  return readSession(app, person, id);
}

export function writeAnnotations(doc: Y.Doc, annotations: readonly Annotation[]): void {
  const map = doc.getMap('annotations');
  for (const annotation of annotations) if (!isEqual(map.get(annotation.id), annotation)) map.set(annotation.id, annotation);
}

/** Somebody who comes late gets every item; or, where each has only so many people, a part of what is still open. */
export async function addAnnotator(app: App, person: Person, id: string, personId: string): Promise<SessionDetail> {
  const { member } = await openSession(app, person, id, 'board.facilitate');
  await changeSession(app, member, id, async (tx, session) => {
    requireUnclosed(session);
    if (await isAnnotator(tx, id, personId)) return;
    await join(tx, app, session, personId);
    if (session.perItem === null) await giveAll(tx, id, personId);
    else await move(tx, id, takeOver(await readOpen(tx, id), new Set()), personId);
    await update(tx, session, {});
    await note(tx, app, member, 'session.joined', { name: session.name, personId });
  });
  return readSession(app, person, id);
}

/** What `from` has not labelled goes to `to`. What `to` has in the queue already is taken off `from` alone. */
export async function reassign(
  app: App,
  person: Person,
  id: string,
  { from, to }: { from: string; to: string },
): Promise<{ moved: number; dropped: number }> {
  const { member } = await openSession(app, person, id, 'board.facilitate');
  return changeSession(app, member, id, async (tx, session) => {
    requireUnclosed(session);
    if (from === to) throw new Refusal('bad-request', 'to', 'somebody else', 'the same person');
    if (!(await isAnnotator(tx, id, from))) throw new Refusal('not-found', 'from', 'an annotator of this session', from);
    if (!(await isAnnotator(tx, id, to))) await join(tx, app, session, to);
    else await checkAnnotators(tx, session.boardId, [to]);
    const open = (await readOpen(tx, id)).filter(({ personId }) => personId === from);
    const theirs = new Set(
      (await tx.select({ item: annotationTasks.item }).from(annotationTasks).where(tasksOf(id, to))).map(({ item }) => item),
    );
    const moved = open.filter(({ item }) => !theirs.has(item));
    const dropped = open.filter(({ item }) => theirs.has(item)).map(({ item }) => item);
    await move(tx, id, moved, to);
    if (dropped.length > 0) await tx.delete(annotationTasks).where(and(tasksOf(id, from), inArray(annotationTasks.item, dropped)));
    await update(tx, session, {});
    const counts = { moved: moved.length, dropped: dropped.length };
    await note(tx, app, member, 'session.reassigned', { name: session.name, fromId: from, toId: to, ...counts });
    return counts;
  });
}

async function join(tx: Database, app: App, { id, boardId }: SessionRow, personId: string): Promise<void> {
  await checkAnnotators(tx, boardId, [personId]);
  const here = await tx.$count(annotators, eq(annotators.sessionId, id));
  if (here >= SESSION_LIMITS.annotators) {
    throw new Refusal('too-large', 'annotators', `at most ${SESSION_LIMITS.annotators} in a session`, `${here + 1}`);
  }
  await tx.insert(annotators).values({ sessionId: id, personId, joinedAt: app.now() });
}

async function giveAll(tx: Database, id: string, personId: string): Promise<void> {
  const items = await tx.select({ item: annotationItems.item }).from(annotationItems).where(eq(annotationItems.sessionId, id));
  checkTasks((await tx.$count(annotationTasks, eq(annotationTasks.sessionId, id))) + items.length);
  await insertTasks(
    tx,
    id,
    items.map(({ item }) => ({ item, personId })),
  );
}

async function move(tx: Database, id: string, tasks: readonly Task[], to: string): Promise<void> {
  const owners = new Set(tasks.map(({ personId }) => personId));
  for (const from of owners) {
    const items = tasks.filter(({ personId }) => personId === from).map(({ item }) => item);
    await tx
      .update(annotationTasks)
      .set({ personId: to, skippedAt: null, takenFrom: from })
      .where(and(tasksOf(id, from), inArray(annotationTasks.item, items)));
  }
}

/** Tasks without a label, in the order of the queue. */
async function readOpen(tx: Database, id: string): Promise<Task[]> {
  const { sessionId, item, personId } = annotationTasks;
  const labelled = and(
    eq(annotationLabels.sessionId, sessionId),
    eq(annotationLabels.item, item),
    eq(annotationLabels.personId, personId),
    // Of those taken back the row is there, without a label.
    isNotNull(annotationLabels.label),
  );
  return tx
    .select({ item, personId })
    .from(annotationTasks)
    .leftJoin(annotationLabels, labelled)
    .where(and(eq(sessionId, id), isNull(annotationLabels.id)))
    .orderBy(item, personId);
}

async function isAnnotator(tx: Database, id: string, personId: string): Promise<boolean> {
  return (await tx.$count(annotators, and(eq(annotators.sessionId, id), eq(annotators.personId, personId)))) > 0;
}

function tasksOf(id: string, personId: string) {
  return and(eq(annotationTasks.sessionId, id), eq(annotationTasks.personId, personId));
}

async function update(tx: Database, { id, revision }: SessionRow, changes: Partial<SessionRow>): Promise<void> {
  await tx
    .update(annotationSessions)
    .set({ ...changes, revision: revision + 1 })
    .where(eq(annotationSessions.id, id));
}

function requireUnclosed({ state }: SessionRow): void {
  if (state === 'closed') throw new Refusal('conflict', 'session', 'one that is not closed', state);
}

function note(
  tx: Database,
  { now }: App,
  member: Member,
  action: AuditAction,
  details: NonNullable<AuditRecord['details']>,
): Promise<void> {
  const { workspaceId, boardId } = member;
  return audit(tx, { at: now(), workspaceId, boardId, by: member, action, details });
}
