import { eq } from 'drizzle-orm';
import type { z } from 'zod';
import type { Database } from '../../db/client.ts';
import { annotationItems, annotationSessions, annotationTasks, annotators } from '../../db/schema.ts';
import { readAnchor } from '../../lib/board/anchors.ts';
import { readGroups, readSetup } from '../../lib/board/board-doc.ts';
import { parentsOf, readMembers } from '../../lib/board/mechanism.ts';
import type { Group } from '../../lib/board/records.ts';
import { SESSION_LIMITS, dealOut, isPart, pickTerms, termsNeeded, type Pick, type Picked, type Task } from '../../lib/board/queues.ts';
import { ofRun, type Answer } from '../../lib/engine/index.ts';
import { may, rolesFor } from '../../lib/roles.ts';
import type { SessionDetail, Setup, newSession } from '../../lib/wire.ts';
import { questionOf } from '../../lib/snapshot.ts';
import { authorise, roleOnBoard, type Member, type Person } from '../access.ts';
import type { App } from '../app.ts';
import { audit } from '../audit.ts';
import { storable } from '../boards.ts';
import { Refusal } from '../refusal.ts';
import { analyze } from '../runs.ts';
import { detailOf, storeSession, type SessionRow } from './sessions.ts';

/** Rows of one statement: Postgres takes 65,535 parameters. */
const ROWS = 2000;

/** Picks the items, deals them out, and opens the session. A retry with the same id gets what the first attempt made. */
export async function makeSession(app: App, person: Person, boardId: string, request: z.infer<typeof newSession>): Promise<SessionDetail> {
  const member = await authorise(app, person, 'board.facilitate', boardId);
  const made = await findOwn(app, member, request.id);
  if (made) return detailOf(app, member, made);
  const labels = labelSet(request.labels);
  const who = await checkAnnotators(app.db, boardId, request.annotators);
  const perItem = checkPerItem(request.perItem, who.length);
  const { setup, groups } = await app.rooms.use({ kind: 'board', boardId }, (room) =>
    room.read((doc) => ({ setup: readSetup(doc), groups: readGroups(doc).records })),
  );
  if (!setup) throw new Refusal('conflict', 'board', 'one with a setup that can be read', 'none');
  const { answer, items } = await pickItems(app, person, setup, groups, request.pick);
  const tasks = dealOut(items.length, who, perItem, seedOf(request.id));
  checkTasks(tasks.length);
  const row: SessionRow = {
    id: request.id,
    boardId,
    name: storable(request.name),
    instructions: storable(request.instructions),
    labels,
    perItem,
    hidesNumbers: request.hidesNumbers,
    picked: request.pick,
    setup,
    answer: { ...answer, terms: [] },
    state: 'open',
    facilitatorId: member.id,
    createdAt: app.now(),
    revealedAt: null,
    revision: 1,
  };
  await insert(app, member, row, { items, tasks, who });
  return detailOf(app, member, row);
}

async function insert(
  app: App,
  member: Member,
  row: SessionRow,
  { items, tasks, who }: { items: Picked[]; tasks: Task[]; who: string[] },
): Promise<void> {
  const { id: sessionId, createdAt: joinedAt } = row;
  await storeSession(app, row.boardId, sessionId, async (tx) => {
    const there = await tx.$count(annotationSessions, eq(annotationSessions.boardId, row.boardId));
    if (there >= SESSION_LIMITS.sessions)
      throw new Refusal('too-large', 'board', `at most ${SESSION_LIMITS.sessions} sessions`, 'one more');
    const [added] = await tx.insert(annotationSessions).values(row).onConflictDoNothing().returning({ id: annotationSessions.id });
    // The same request, twice at once.
    if (!added) throw idTaken(sessionId);
    const numbered = items.map((one, index) => ({ sessionId, item: index + 1, ...one }));
    for (const some of inParts(numbered)) await tx.insert(annotationItems).values(some);
    await tx.insert(annotators).values(who.map((personId) => ({ sessionId, personId, joinedAt })));
    for (const some of inParts(tasks)) await insertTasks(tx, sessionId, some);
    const { workspaceId, boardId } = member;
    const details = { name: row.name, items: items.length, annotators: who.length };
    await audit(tx, { at: joinedAt, workspaceId, boardId, by: member, action: 'session.made', details });
  });
}

export async function insertTasks(tx: Database, sessionId: string, tasks: readonly Task[]): Promise<void> {
  if (tasks.length > 0) await tx.insert(annotationTasks).values(tasks.map((task) => ({ sessionId, ...task })));
}

function inParts<T>(rows: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(rows.length / ROWS) }, (_, part) => rows.slice(part * ROWS, (part + 1) * ROWS));
}

async function findOwn({ db }: App, { id: personId, boardId }: Member, id: string): Promise<SessionRow | null> {
  const [row] = await db.select().from(annotationSessions).where(eq(annotationSessions.id, id));
  if (row && (row.boardId !== boardId || row.facilitatorId !== personId)) throw idTaken(id);
  return row ?? null;
}

function idTaken(id: string): Refusal {
  return new Refusal('conflict', 'session id', 'an id that was never used', id);
}

/** The items and where their numbers come from, computed here: nobody sends a value. */
async function pickItems(
  app: App,
  person: Person,
  setup: Setup,
  groups: readonly Group[],
  pick: Pick,
): Promise<{ answer: Answer; items: Picked[] }> {
  const question = questionOf(setup);
  if (pick.by === 'hand') return pickByHand(app, person, setup, groups, pick.anchors);
  const answer = await analyze(app, { ...question, view: 'paths', top: termsNeeded(pick) }, { person: person.id });
  const items = pickTerms(answer.terms, ofRun(answer).metric, pick);
  if (items.length === 0) throw new Refusal('bad-request', 'pick', 'a threshold that some path passes', 'one that none passes');
  checkItems(items.length);
  return { answer, items };
}

async function pickByHand(app: App, person: Person, setup: Setup, groups: readonly Group[], anchors: readonly string[]) {
  const twice = anchors.find((anchor, index) => anchors.indexOf(anchor) < index);
  if (twice !== undefined) throw new Refusal('bad-request', 'pick', 'every item once', `${quote(twice)} twice`);
  const named = anchors.map((anchor) => {
    const read = readAnchor(anchor);
    if (read?.kind === 'model') return { anchor, title: null, members: null };
    const group = read?.kind === 'group' ? groups.find(({ id }) => id === read.id) : undefined;
    if (!group) throw new Refusal('bad-path', 'pick', 'paths, suffixes, edges, nodes or mechanisms of this board', quote(anchor));
    return { anchor, title: storable(group.name), members: group.members };
  });
  const wanted = named.map(({ anchor, members }) => partsOf(anchor, members));
  const parents = parentsOf(wanted.flatMap((parts) => parts ?? []));
  const answer = await analyze(
    app,
    { ...questionOf(setup), view: 'suffixes', paths: parents.length > 0 ? parents : ['logits'] },
    { person: person.id },
  );
  const values = new Map(answer.terms.map(({ name, value }) => [name, value]));
  const missing = wanted.flatMap((parts) => parts ?? []).find((part) => values.get(part) === undefined);
  if (missing !== undefined) throw new Refusal('bad-path', 'pick', 'parts of the expansion of this model', quote(missing));
  const sumOf = (parts: readonly string[]) => parts.reduce((sum, part) => sum + values.get(part)!, 0);
  return { answer, items: named.map((one, index): Picked => ({ ...one, value: wanted[index] ? sumOf(wanted[index]) : null })) };
}

/** The paths and suffixes whose values add up to the item's; null where it is no part of the expansion, or not of paths alone. */
function partsOf(anchor: string, group: readonly string[] | null): string[] | null {
  if (group === null) return isPart(anchor) ? [anchor] : null;
  const { paths, slotted, edges, nodes } = readMembers(group);
  return paths.length > 0 && slotted.length + edges.length + nodes.length === 0 ? paths : null;
}

function labelSet(given: readonly string[]): string[] {
  const labels = given.map(storable);
  const twice = labels.find((label, index) => labels.findIndex((other) => sameLabel(other, label)) < index);
  if (twice !== undefined) throw new Refusal('bad-request', 'labels', 'labels that can be told apart', `${quote(twice)} twice`);
  return labels;
}

function sameLabel(a: string, b: string): boolean {
  return a.normalize('NFKC').toLowerCase() === b.normalize('NFKC').toLowerCase();
}

/** @returns them, each once */
export async function checkAnnotators(db: Database, boardId: string, given: readonly string[]): Promise<string[]> {
  const who = [...new Set(given)];
  for (const id of who) {
    if (may(await roleOnBoard(db, id, boardId), 'board.annotate')) continue;
    const wanted = `somebody with the role ${rolesFor('board.annotate').join(', ')} on this board`;
    throw new Refusal('bad-request', 'annotators', wanted, id);
  }
  return who;
}

function checkPerItem(perItem: number | null, people: number): number | null {
  if (perItem === null || perItem === people) return null;
  if (perItem > people) throw new Refusal('bad-request', 'perItem', `at most ${people}, as many as there are annotators`, String(perItem));
  return perItem;
}

function checkItems(count: number): void {
  if (count <= SESSION_LIMITS.items) return;
  throw new Refusal('too-large', 'pick', `at most ${SESSION_LIMITS.items} items (raise the threshold)`, 'more');
}

export function checkTasks(count: number): void {
  if (count <= SESSION_LIMITS.tasks) return;
  throw new Refusal('too-large', 'session', `at most ${SESSION_LIMITS.tasks} items to label, over all annotators`, String(count));
}

/** Of the id, so that who labels what can be dealt out again. */
function seedOf(id: string): number {
  return Number.parseInt(id.replaceAll('-', '').slice(0, 8), 16);
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}
