import { and, desc, eq, inArray, sql } from 'drizzle-orm';
import { randomUUID } from 'node:crypto';
import { runs } from '../db/schema.ts';
import type { AnalyzeRequest, Answer, View } from '../lib/engine/index.ts';
import type { Run } from '../lib/wire.ts';
import { authorise, type Person } from './access.ts';
import type { App } from './app.ts';
import type { AnalyzeOptions } from './context.ts';
import { Refusal, isRefusal } from './refusal.ts';
import { compareAnswers, type Comparison } from './run-comparison.ts';
import { environmentOf, requestKey, runKey } from './run-key.ts';

const LISTED = 200;
/** A list has to fit into memory, and into one string of JSON. */
const LISTED_BYTES = 16_000_000;

type Row = typeof runs.$inferSelect;

/** The stored run of this request, or a new one. */
export async function runOnBoard(app: App, person: Person, boardId: string, asked: AnalyzeRequest, options: AnalyzeOptions): Promise<Run> {
  await authorise(app, person, 'board.evidence', boardId);
  const request = await withDictionaryHashes(app, asked);
  const stored = await findStored(app, boardId, request);
  if (stored) return stored;
  const answer = await analyze(app, request, { ...options, person: person.id });
  // Asked in other words before: the same inputs in the same environment are the same run.
  const [same] = await app.db
    .select()
    .from(runs)
    .where(and(eq(runs.boardId, boardId), eq(runs.key, runKey(request, answer))))
    .orderBy(runs.createdAt)
    .limit(1);
  return same ? runOf(same) : store(app, person, boardId, request, answer);
}

/** Executes a stored run anew, whatever is stored, and compares. */
export async function repeatRun(app: App, person: Person, run: Run, options: AnalyzeOptions): Promise<Comparison & { run: Run }> {
  const answer = await analyze(app, run.request, { ...options, person: person.id, fresh: true });
  const again = await store(app, person, requireBoardId(run), run.request, answer);
  return { run: again, ...compareAnswers(run.answer, answer) };
}

/** Newest first: the last {@link LISTED}, or as many of them as {@link LISTED_BYTES} hold. */
export async function listRuns(app: App, person: Person, boardId: string): Promise<Run[]> {
  await authorise(app, person, 'board.read', boardId);
  const { db } = app;
  const newestFirst = [desc(runs.createdAt), desc(runs.id)];
  const size = sql<number>`octet_length(${runs.answer}::text) + octet_length(${runs.request}::text)`;
  const sizes = await db
    .select({ id: runs.id, size })
    .from(runs)
    .where(eq(runs.boardId, boardId))
    .orderBy(...newestFirst)
    .limit(LISTED);
  let total = 0;
  const ids = sizes.filter((run, index) => (total += run.size) <= LISTED_BYTES || index === 0).map(({ id }) => id);
  const rows = await db
    .select()
    .from(runs)
    .where(inArray(runs.id, ids))
    .orderBy(...newestFirst);
  return rows.map(runOf);
}

/** A run, for a member of its board. */
export async function findRun(app: App, person: Person, id: string): Promise<Run> {
  const [row] = await app.db.select().from(runs).where(eq(runs.id, id));
  const isMine =
    row &&
    (await authorise(app, person, 'board.read', row.boardId).then(
      () => true,
      (error: unknown) => {
        if (isRefusal(error)) return false;
        throw error;
      },
    ));
  if (row && isMine) return runOf(row);
  throw noRun(id);
}

export async function findBoardRun({ db }: App, boardId: string, id: string): Promise<Run> {
  const [row] = await db
    .select()
    .from(runs)
    .where(and(eq(runs.id, id), eq(runs.boardId, boardId)));
  if (row) return runOf(row);
  throw noRun(id);
}

/** Executes without storing. */
export async function analyze(app: App, request: AnalyzeRequest, options: AnalyzeOptions): Promise<Answer> {
  const answer = await app.engine.analyze(request, options);
  app.environments.set(answer.model.hash, environmentOf(answer));
  return answer;
}

/** A dictionary's name may later be another's: what is stored says which one was meant. */
async function withDictionaryHashes(app: App, request: AnalyzeRequest): Promise<AnalyzeRequest> {
  if (!request.dictionaries?.length) return request;
  const known = await app.models.dictionaries(request.model);
  const hashes = request.dictionaries.map((wanted) => known.find(({ name }) => name === wanted)?.hash ?? wanted);
  return { ...request, dictionaries: hashes };
}

async function findStored(app: App, boardId: string, request: AnalyzeRequest): Promise<Run | null> {
  // Another model that cannot be listed must not keep this one from running; then the run is merely executed.
  const models = await app.models.list().catch(() => []);
  const model = models.find(({ name }) => name === request.model);
  const environment = model && app.environments.get(model.hash);
  // Before the first answer of this process it is not known what an answer would run on.
  if (!environment) return null;
  const [row] = await app.db
    .select()
    .from(runs)
    .where(and(eq(runs.boardId, boardId), eq(runs.requestKey, requestKey(request, model.hash, environment))))
    .orderBy(runs.createdAt)
    .limit(1);
  return row ? runOf(row) : null;
}

async function store(app: App, person: Person, boardId: string, request: AnalyzeRequest, answer: Answer): Promise<Run> {
  const row: Row = {
    id: randomUUID(),
    key: runKey(request, answer),
    requestKey: requestKey(request, answer.model.hash, environmentOf(answer)),
    boardId,
    view: answer.view,
    request,
    answer,
    authorId: person.id,
    authorName: person.name,
    createdAt: app.now(),
    computedBy: 'server',
  };
  await app.db.insert(runs).values(row);
  return runOf(row);
}

/** The columns hold what {@link store} put there. */
function runOf({ id, key, boardId, view, request, answer, authorId, authorName, createdAt, computedBy }: Row): Run {
  return {
    id,
    key,
    boardId,
    view: view as View,
    request: request as Run['request'],
    answer: answer as Answer,
    author: { id: authorId, name: authorName },
    createdAt,
    computedBy,
  };
}

function requireBoardId({ boardId, id }: Run): string {
  if (boardId !== null) return boardId;
  throw noRun(id);
}

function noRun(id: string): Refusal {
  return new Refusal('not-found', 'run', 'a run of a board that you are a member of', JSON.stringify(id));
}
