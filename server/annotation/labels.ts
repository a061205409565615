import { and, asc, eq, isNotNull } from 'drizzle-orm';
import type { z } from 'zod';
import type { Database } from '../../db/client.ts';
import { annotationItems, annotationLabels, annotationSessions, annotationTasks, annotators } from '../../db/schema.ts';
import type { OwnLabel, QueueItem, newLabel } from '../../lib/wire.ts';
import type { Member, Person } from '../access.ts';
import type { App } from '../app.ts';
import { storable } from '../boards.ts';
import { Refusal } from '../refusal.ts';
import { writeAnnotations } from './acts.ts';
import { namesOf, readAnnotations } from './results.ts';
import { changeSession, openSession, type SessionRow } from './sessions.ts';

/** What an annotator does. Everything here reads and writes what is the person's own, and nothing else. */

type LabelRow = typeof annotationLabels.$inferSelect;
type Request = z.infer<typeof newLabel>;

/** In order. Empty for who is no annotator of the session. */
export async function readQueue(app: App, person: Person, id: string): Promise<QueueItem[]> {
  const { session, member } = await openSession(app, person, id, 'board.annotate');
  const { sessionId, item, personId, skippedAt, takenFrom } = annotationTasks;
  const rows = await app.db
    .select({ item, named: annotationItems, skippedAt, takenFrom, label: annotationLabels })
    .from(annotationTasks)
    .innerJoin(annotationItems, and(eq(annotationItems.sessionId, sessionId), eq(annotationItems.item, item)))
    .leftJoin(annotationLabels, currentLabel(id, annotationTasks.item, member.id))
    .where(and(eq(sessionId, id), eq(personId, member.id)))
    .orderBy(asc(item));
  const isHidden = session.hidesNumbers && session.revealedAt === null;
  return rows.map((row) => ({
    item: row.item,
    ...namesOf(row.named),
    value: isHidden ? null : row.named.value,
    skipped: row.skippedAt !== null,
    takenOver: row.takenFrom !== null,
    mine: row.label && ownOf(row.label),
  }));
}

/**
 * Gives a label, in place of one's earlier label of the item. An id is applied once: a retry is answered as the first
 * attempt was, and with null where the label was taken back since.
 */
export async function putLabel(app: App, person: Person, id: string, labelId: string, request: Request): Promise<OwnLabel | null> {
  return label(app, person, id, async (tx, session, member) => {
    const known = await findLabel(tx, labelId);
    if (known && !isOwn(known, session, member)) throw new Refusal('conflict', 'label id', 'an id that was never used', labelId);
    if (known) return known;
    requireLabelling(session);
    const labels = session.labels as string[];
    if (!labels.includes(request.label)) throw new Refusal('bad-request', 'label', `one of ${labels.join(', ')}`, quote(request.label));
    await lockTask(tx, id, member.id, request.item);
    const blind = session.revealedAt === null;
    const [before] = await tx
      .select()
      .from(annotationLabels)
      .where(currentLabel(id, request.item, member.id));
    if (before) await takeBack(tx, before, blind);
    const { item, unsure, note } = request;
    const row = {
      id: labelId,
      sessionId: id,
      item,
      personId: member.id,
      label: request.label,
      unsure,
      note: storable(note),
      blind,
      at: app.now(),
    };
    await tx.insert(annotationLabels).values(row);
    return row;
  }).then((row) => ownOf(row));
}

/** Takes one's own label back; doing so again changes nothing. */
export async function removeLabel(app: App, person: Person, id: string, labelId: string): Promise<void> {
  await label(app, person, id, async (tx, session, member) => {
    const known = await findLabel(tx, labelId);
    if (!known || !isOwn(known, session, member)) throw new Refusal('not-found', 'label', 'a label of yours in this session', labelId);
    if (known.label === null) return known;
    requireLabelling(session);
    await takeBack(tx, known, session.revealedAt === null);
    return known;
  });
}

/** Puts an item off to the end of one's queue. */
export async function skipItem(app: App, person: Person, id: string, item: number): Promise<void> {
  const { member } = await openAsAnnotator(app, person, id);
  await app.db.transaction(async (tx) => {
    const session = await lockForLabelling(tx, id);
    requireLabelling(session);
    await lockTask(tx, id, member.id, item);
    await tx
      .update(annotationTasks)
      .set({ skippedAt: app.now() })
      .where(taskOf(id, member.id, item));
  });
}

/**
 * Before the reveal a label touches nothing but the tables; after it, it is told to everybody through the discussion, and
 * says that it was not blind. Which of the two it is, is decided under a lock.
 */
async function label(
  app: App,
  person: Person,
  id: string,
  work: (tx: Database, session: SessionRow, member: Member) => Promise<LabelRow>,
): Promise<LabelRow> {
  const { member, session } = await openAsAnnotator(app, person, id);
  const quiet =
    session.revealedAt === null &&
    (await app.db.transaction(async (tx) => {
      const locked = await lockForLabelling(tx, id);
      return locked.revealedAt === null ? work(tx, locked, member) : null;
    }));
  if (quiet) return quiet;
  const aloud = async (tx: Database, locked: SessionRow) => {
    const row = await work(tx, locked, member);
    return { row, told: await readAnnotations(tx, id, row.item) };
  };
  const { row } = await changeSession(app, member, id, aloud, (doc, { told }) => writeAnnotations(doc, told));
  return row;
}

async function openAsAnnotator(app: App, person: Person, id: string): Promise<{ session: SessionRow; member: Member }> {
  const { session, member } = await openSession(app, person, id, 'board.annotate');
  const isOne = await app.db.$count(annotators, and(eq(annotators.sessionId, id), eq(annotators.personId, member.id)));
  if (isOne === 0) throw new Refusal('forbidden', 'session', 'one of its annotators', member.name);
  return { session, member };
}

/** Shared by those who label, and waited for by who pauses, reassigns or reveals. */
async function lockForLabelling(tx: Database, id: string): Promise<SessionRow> {
  const [session] = await tx.select().from(annotationSessions).where(eq(annotationSessions.id, id)).for('share');
  if (session) return session;
  throw new Refusal('not-found', 'session', 'a session of this board', id);
}

/** Two labels of one person for one item take turns. */
async function lockTask(tx: Database, id: string, personId: string, item: number): Promise<void> {
  const [task] = await tx
    .select()
    .from(annotationTasks)
    .where(taskOf(id, personId, item))
    .for('update');
  if (!task) throw new Refusal('forbidden', 'item', 'one of your queue', String(item));
}

async function findLabel(tx: Database, id: string): Promise<LabelRow | null> {
  const [row] = await tx.select().from(annotationLabels).where(eq(annotationLabels.id, id));
  return row ?? null;
}

function isOwn({ sessionId, personId }: LabelRow, session: SessionRow, member: Member): boolean {
  return personId === member.id && sessionId === session.id;
}

async function takeBack(tx: Database, known: LabelRow, stillBlind: boolean): Promise<void> {
  if (known.blind && !stillBlind) {
    throw new Refusal('conflict', 'label', 'one given after the reveal', 'one given before it, which stays as it was');
  }
  await tx.update(annotationLabels).set({ label: null, note: '', unsure: false }).where(eq(annotationLabels.id, known.id));
}

function requireLabelling({ state }: SessionRow): void {
  if (state === 'open' || state === 'revealed') return;
  throw new Refusal('conflict', 'session', 'one that is open', state);
}

function taskOf(id: string, personId: string, item: number) {
  return and(eq(annotationTasks.sessionId, id), eq(annotationTasks.personId, personId), eq(annotationTasks.item, item));
}

function currentLabel(id: string, item: number | typeof annotationTasks.item, personId: string) {
  const { sessionId, label: text } = annotationLabels;
  return and(eq(sessionId, id), eq(annotationLabels.item, item), eq(annotationLabels.personId, personId), isNotNull(text));
}

function ownOf({ id, label: text, unsure, note, blind, at }: LabelRow): OwnLabel | null {
  return text === null ? null : { id, label: text, unsure, note, blind, at };
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}
