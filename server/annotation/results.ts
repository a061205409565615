import { setImmediate } from 'node:timers/promises';
import { and, asc, eq, isNotNull } from 'drizzle-orm';
import type { Database } from '../../db/client.ts';
import { annotationItems, annotationLabels, annotators, people } from '../../db/schema.ts';
import { agreementSteps, type Agreement } from '../../lib/board/agreement.ts';
import type { Annotation } from '../../lib/board/records.ts';
import type { Author, Named, SessionResults } from '../../lib/wire.ts';
import type { Person } from '../access.ts';
import type { App } from '../app.ts';
import { Refusal } from '../refusal.ts';
import { openSession, readAnnotators, type SessionRow } from './sessions.ts';

/** What came of a session. All of it is refused before the reveal, to everybody. */

export async function readResults(app: App, person: Person, id: string): Promise<SessionResults> {
  const { session } = await openSession(app, person, id, 'board.read');
  return resultsOf(app.db, session);
}

export async function resultsOf(db: Database, session: SessionRow): Promise<SessionResults> {
  if (session.revealedAt === null) throw new Refusal('conflict', 'session', 'one whose labels are revealed', session.state);
  const rows = await db.select().from(annotationItems).where(eq(annotationItems.sessionId, session.id));
  const items = new Map(rows.map((row) => [row.item, row]));
  const annotations = await readAnnotations(db, session.id);
  const annotatorsOf = await readAnnotators(db, session.id);
  return {
    people: annotatorsOf,
    items: annotations.map(({ item, labels }) => ({ item, ...namesOf(items.get(item)!), value: items.get(item)!.value, labels })),
    agreement: await agreementIn(session, annotatorsOf, annotations),
  };
}

export function namesOf({ anchor, title, members }: typeof annotationItems.$inferSelect): Named {
  // The column holds what server/annotation/set-up.ts put there.
  return { anchor, title, members: members as string[] | null };
}

/** Every item with its labels, or one of them: what enters the discussion at the reveal. */
export async function readAnnotations(db: Database, sessionId: string, only?: number): Promise<Annotation[]> {
  const { item, label, unsure, note, blind, at } = annotationLabels;
  const inSession = (table: typeof annotationItems | typeof annotationLabels) =>
    and(eq(table.sessionId, sessionId), only === undefined ? undefined : eq(table.item, only));
  const items = await db.select().from(annotationItems).where(inSession(annotationItems)).orderBy(asc(annotationItems.item));
  const rows = await db
    .select({ item, label, unsure, note, blind, at, author: { id: people.id, name: people.name } })
    .from(annotationLabels)
    .innerJoin(people, eq(people.id, annotationLabels.personId))
    .leftJoin(annotators, and(eq(annotators.sessionId, annotationLabels.sessionId), eq(annotators.personId, annotationLabels.personId)))
    .where(and(inSession(annotationLabels), isNotNull(label)))
    .orderBy(asc(annotators.joinedAt), asc(people.name), asc(people.id));
  const byItem = new Map<number, Annotation['labels']>();
  for (const { item: of, label: text, ...rest } of rows) byItem.set(of, [...(byItem.get(of) ?? []), { ...rest, label: text ?? '' }]);
  return items.map(({ item: number, anchor }) => ({
    id: `${sessionId}.${number}`,
    sessionId,
    item: number,
    anchor,
    labels: byItem.get(number) ?? [],
  }));
}

/** Blind labels stay as they were at the reveal, so this is computed once; intervals take a while. */
const known = new Map<string, Promise<Agreement>>();
const KEPT = 32;

function agreementIn({ id, labels }: SessionRow, everybody: readonly Author[], annotations: readonly Annotation[]): Promise<Agreement> {
  const ratings = annotations.flatMap(({ item, labels: given }) =>
    given.filter(({ blind }) => blind).map(({ author, label }) => ({ item, rater: author.id, label })),
  );
  const rated = new Set(ratings.map(({ rater }) => rater));
  const raters = [...new Set([...everybody.map((person) => person.id), ...rated])].filter((rater) => rated.has(rater));
  // A guest who turned out to be somebody is that person from then on.
  const key = [id, ...raters].join(' ');
  const found = known.get(key);
  if (found) return found;
  const agreement = inSteps(agreementSteps(labels as string[], raters, ratings));
  known.set(key, agreement);
  agreement.catch(() => known.delete(key));
  const [oldest] = known.keys();
  if (known.size > KEPT && oldest !== undefined) known.delete(oldest);
  return agreement;
}

/** Milliseconds of work after which others are heard. */
const AT_ONCE = 10;

async function inSteps<T>(work: Generator<void, T>): Promise<T> {
  let since = performance.now();
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    if (performance.now() - since < AT_ONCE) continue;
    await setImmediate();
    since = performance.now();
  }
}
