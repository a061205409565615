import { and, asc, desc, eq, inArray, isNotNull, isNull, sql } from 'drizzle-orm';
import type * as Y from 'yjs';
import type { Database } from '../../db/client.ts';
import { annotationItems, annotationLabels, annotationSessions, annotationTasks, annotators, people } from '../../db/schema.ts';
import type { SessionRecord } from '../../lib/board/records.ts';
import { isEqual } from '../../lib/board/json.ts';
import type { Answer } from '../../lib/engine/index.ts';
import { may, type BoardAction } from '../../lib/roles.ts';
import type { Author, Pick as Picking, Progress, SessionDetail, SessionSummary, Setup } from '../../lib/wire.ts';
import { authorise, type Member, type Person } from '../access.ts';
import type { App } from '../app.ts';
import { Refusal, isRefusal } from '../refusal.ts';

/** Annotation sessions as they are stored: who may open one, what it looks like, and how one is changed. */

export type SessionRow = typeof annotationSessions.$inferSelect;

/** The session, for who may. Who is not on its board is not told whether there is one. */
export async function openSession(
  app: App,
  person: Person,
  id: string,
  action: BoardAction,
): Promise<{ session: SessionRow; member: Member }> {
  const [session] = await app.db.select().from(annotationSessions).where(eq(annotationSessions.id, id));
  const reader = session && (await authorise(app, person, 'board.read', session.boardId).catch(nobody));
  if (!session || !reader) throw new Refusal('not-found', 'session', 'a session of a board that you are a member of', id);
  return { session, member: may(reader.role, action) ? reader : await authorise(app, person, action, session.boardId) };
}

function nobody(error: unknown): null {
  if (isRefusal(error)) return null;
  throw error;
}

/**
 * One change of a session, under the lock of its board's discussion: the row is read again, `work` writes the tables,
 * `tell` the discussion document, and all of it is stored or nothing. Labels that are being given meanwhile wait.
 */
export function changeSession<T>(
  app: App,
  { boardId }: Pick<Member, 'boardId'>,
  id: string,
  work: (tx: Database, session: SessionRow) => Promise<T>,
  tell?: (doc: Y.Doc, result: T) => void,
): Promise<T> {
  const onRow = async (tx: Database) => {
    const [session] = await tx.select().from(annotationSessions).where(eq(annotationSessions.id, id)).for('update');
    if (!session) throw new Refusal('not-found', 'session', 'a session of this board', id);
    return work(tx, session);
  };
  return storeSession(app, boardId, id, onRow, tell);
}

/** As {@link changeSession}, where the row may not be there yet. */
export function storeSession<T>(
  { rooms }: App,
  boardId: string,
  id: string,
  work: (tx: Database) => Promise<T>,
  tell?: (doc: Y.Doc, result: T) => void,
): Promise<T> {
  return rooms.use({ kind: 'discussion', boardId }, async (room) => {
    let done: { record: SessionRecord; result: T } | null = null;
    const write = (doc: Y.Doc): T => {
      const { record, result } = done!;
      const records = doc.getMap('sessions');
      if (!isEqual(records.get(id), record)) records.set(id, record);
      tell?.(doc, result);
      return result;
    };
    const before = async (tx: Database) => {
      const result = await work(tx);
      done = { record: await readRecord(tx, id), result };
    };
    return room.edit(write, undefined, { before });
  });
}

/** What everybody on the board may know of the session at any time. */
export async function readRecord(db: Database, id: string): Promise<SessionRecord> {
  const [record] = await selectRecords(db, eq(annotationSessions.id, id));
  if (!record) throw new Error(`session: expected one with the id ${id}, got none`);
  const { boardId: _, ...rest } = record;
  return rest;
}

export async function listSessions(app: App, person: Person, boardId: string): Promise<SessionSummary[]> {
  await authorise(app, person, 'board.read', boardId);
  const records = await selectRecords(app.db, eq(annotationSessions.boardId, boardId));
  const mine = await readProgress(
    app.db,
    records.map(({ id }) => id),
    person.id,
  );
  return records.map((record) => ({ ...record, mine: ownOf(mine.get(record.id)?.[0]) }));
}

export async function readSession(app: App, person: Person, id: string): Promise<SessionDetail> {
  const { session, member } = await openSession(app, person, id, 'board.read');
  return detailOf(app, member, session);
}

export async function detailOf({ db }: App, member: Member, session: SessionRow): Promise<SessionDetail> {
  const record = await readRecord(db, session.id);
  const progress = (await readProgress(db, [session.id])).get(session.id) ?? [];
  const mine = progress.find(({ person }) => person.id === member.id);
  return {
    ...record,
    boardId: session.boardId,
    mine: ownOf(mine),
    instructions: session.instructions,
    // The columns hold what server/annotation/set-up.ts put there.
    labels: session.labels as string[],
    perItem: session.perItem,
    hidesNumbers: session.hidesNumbers,
    pick: session.picked as Picking,
    setup: session.setup as Setup,
    answer: session.answer as Answer,
    people: progress.map(({ person }) => person),
    progress: may(member.role, 'board.facilitate') ? progress : null,
  };
}

function ownOf(progress: Progress | undefined): SessionSummary['mine'] {
  return progress ? { tasks: progress.tasks, done: progress.done } : null;
}

async function selectRecords(db: Database, which: ReturnType<typeof eq>): Promise<(SessionRecord & { boardId: string })[]> {
  const { id, boardId, name, state, createdAt, revealedAt, revision } = annotationSessions;
  const rows = await db
    .select({ id, boardId, name, state, createdAt, revealedAt, revision, facilitator: { id: people.id, name: people.name } })
    .from(annotationSessions)
    .innerJoin(people, eq(people.id, annotationSessions.facilitatorId))
    .where(which)
    .orderBy(desc(createdAt), desc(id));
  const ids = rows.map((row) => row.id);
  const [items, joined] = [await countBySession(db, annotationItems, ids), await countBySession(db, annotators, ids)];
  return rows.map((row) => ({ ...row, items: items.get(row.id) ?? 0, annotators: joined.get(row.id) ?? 0 }));
}

async function countBySession(
  db: Database,
  table: typeof annotationItems | typeof annotators,
  ids: readonly string[],
): Promise<Map<string, number>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .select({ id: table.sessionId, count: sql<number>`count(*)::int` })
    .from(table)
    .where(inArray(table.sessionId, [...ids]))
    .groupBy(table.sessionId);
  return new Map(rows.map(({ id, count }) => [id, count]));
}

/** By session: everybody's in the order in which they joined, or one person's alone. */
async function readProgress(db: Database, ids: readonly string[], personId?: string): Promise<Map<string, Progress[]>> {
  if (ids.length === 0) return new Map();
  const { sessionId, joinedAt } = annotators;
  const own = and(eq(annotationTasks.sessionId, sessionId), eq(annotationTasks.personId, annotators.personId));
  const label = and(
    eq(annotationLabels.sessionId, annotationTasks.sessionId),
    eq(annotationLabels.item, annotationTasks.item),
    eq(annotationLabels.personId, annotationTasks.personId),
    isNotNull(annotationLabels.label),
  );
  const rows = await db
    .select({
      sessionId,
      person: { id: people.id, name: people.name },
      joinedAt,
      tasks: sql<number>`count(${annotationTasks.item})::int`,
      done: sql<number>`count(${annotationLabels.id})::int`,
      skipped: sql<number>`count(*) filter (where ${and(isNotNull(annotationTasks.skippedAt), isNull(annotationLabels.id))})::int`,
    })
    .from(annotators)
    .innerJoin(people, eq(people.id, annotators.personId))
    .leftJoin(annotationTasks, own)
    .leftJoin(annotationLabels, label)
    .where(and(inArray(sessionId, [...ids]), personId === undefined ? undefined : eq(annotators.personId, personId)))
    .groupBy(sessionId, people.id, people.name, joinedAt)
    .orderBy(asc(joinedAt), asc(people.name), asc(people.id));
  const found = new Map<string, Progress[]>();
  for (const { sessionId: of, ...progress } of rows) found.set(of, [...(found.get(of) ?? []), progress]);
  return found;
}

/** Those who label in it, in the order in which they joined. */
export async function readAnnotators(db: Database, id: string): Promise<Author[]> {
  return db
    .select({ id: people.id, name: people.name })
    .from(annotators)
    .innerJoin(people, eq(people.id, annotators.personId))
    .where(eq(annotators.sessionId, id))
    .orderBy(asc(annotators.joinedAt), asc(people.name), asc(people.id));
}
