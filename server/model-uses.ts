import { and, count, desc, eq, inArray, isNull, sql } from 'drizzle-orm';
import { boards, publicationVersions, runs } from '../db/schema.ts';
import type { ModelDetail, ModelUses } from '../lib/model-wire.ts';
import { authoriseInstallation, type Person } from './access.ts';
import type { App } from './app.ts';
import { selectBoards } from './boards.ts';
import { log } from './log.ts';
import { Refusal } from './refusal.ts';

/** Kept runs that are looked at to say what a model ran on. */
const LOOKED_AT = 200;

export async function modelDetail(app: App, person: Person, name: string): Promise<ModelDetail> {
  await authoriseInstallation(app, person, 'models.read');
  const found = await findModel(app, name);
  const [uses, ranOn] = await Promise.all([usesOf(app, person, found), ranOnOf(app, found)]);
  return { name, hash: found.hash, uses, ranOn };
}

/** How many boards each model is the subject of, by name. */
export async function boardsByModel({ db }: App): Promise<Map<string, number>> {
  const rows = await db.select({ model: boards.model, boards: count() }).from(boards).where(isNull(boards.deletedAt)).groupBy(boards.model);
  return new Map(rows.map((row) => [row.model, row.boards]));
}

/** Takes a model away that was imported. One that boards need goes only where that is meant. */
export async function removeModel(
  app: App,
  person: Person,
  name: string,
  { hash, evenIfUsed }: { hash: string; evenIfUsed: boolean },
): Promise<void> {
  await authoriseInstallation(app, person, 'models.delete');
  const found = await findModel(app, name);
  const { boards: seen, others, pages } = await usesOf(app, person, found);
  const used = seen.length + others;
  if (used + pages > 0 && !evenIfUsed) {
    throw new Refusal(
      'conflict',
      name,
      'a model that nothing needs, or used=yes',
      `${used} boards and ${pages} published versions about it`,
    );
  }
  await app.imports.removeModel(name, hash);
  log().info('model deleted', { hash: hash.slice(0, 12), boards: used, pages });
}

interface Found {
  name: string;
  hash: string;
}

async function findModel({ models }: App, name: string): Promise<Found> {
  const found = (await models.list()).find((model) => model.name === name);
  if (found) return found;
  throw new Refusal('not-found', 'model', 'one that is installed', JSON.stringify(name.slice(0, 200)));
}

async function usesOf(app: App, person: Person, { name, hash }: Found): Promise<ModelUses> {
  const about = and(isNull(boards.deletedAt), eq(boards.model, name));
  const seen = await selectBoards(app.db, person.id, about);
  const [all] = await app.db.select({ count: count() }).from(boards).where(about);
  const [pages] = await app.db
    .select({ count: count() })
    .from(publicationVersions)
    .where(eq(sql`${publicationVersions.snapshot} #>> '{partition,model,hash}'`, hash));
  return {
    boards: seen.map(({ id, title }) => ({ id, title })),
    others: (all?.count ?? 0) - seen.length,
    pages: pages?.count ?? 0,
  };
}

/** By the newest runs of boards about it, and by what it answered since the server was started. */
async function ranOnOf(app: App, { name, hash }: Found): Promise<ModelDetail['ranOn']> {
  const newest = app.db
    .select({ id: runs.id })
    .from(runs)
    .innerJoin(boards, eq(boards.id, runs.boardId))
    .where(eq(boards.model, name))
    .orderBy(desc(runs.createdAt))
    .limit(LOOKED_AT);
  const provider = sql<string>`${runs.answer} #>> '{backend,provider}'`;
  const dtype = sql<string>`${runs.answer} #>> '{backend,dtype}'`;
  const kept = await app.db
    .selectDistinct({ provider, dtype })
    .from(runs)
    .where(and(inArray(runs.id, newest), eq(sql`${runs.answer} #>> '{model,hash}'`, hash)));
  const last = app.environments.get(hash);
  const all = [...kept, ...(last ? [{ provider: last.provider, dtype: last.dtype }] : [])];
  return [...new Map(all.map((one) => [`${one.provider} ${one.dtype}`, one])).values()];
}
