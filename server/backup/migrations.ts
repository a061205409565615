import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { Refusal } from '../refusal.ts';
import { VERSION } from '../version.ts';
import type { Migration } from './tables.ts';

export const MIGRATIONS = fileURLToPath(new URL('../../db/migrations', import.meta.url));
const JOURNAL = join('meta', '_journal.json');

const journalShape = z.looseObject({ entries: z.array(z.looseObject({ tag: z.string(), when: z.number() })) });

export interface KnownMigration extends Migration {
  tag: string;
}

/** In their order. */
async function knownMigrations(): Promise<KnownMigration[]> {
  const { entries } = await readJournal();
  return Promise.all(
    entries.map(async ({ tag, when }) => {
      const text = await readFile(join(MIGRATIONS, `${tag}.sql`), 'utf8');
      return { tag, when, hash: createHash('sha256').update(text).digest('hex') };
    }),
  );
}

/** What this version knows a migration as, and whether it is the last. @throws Refusal where it does not know it */
export async function recognise(found: Migration, where: string): Promise<KnownMigration & { last: boolean }> {
  const known = await knownMigrations();
  const index = known.findIndex(({ when, hash }) => when === found.when && hash === found.hash);
  const migration = known[index];
  if (migration) return { ...migration, last: index === known.length - 1 };
  const newest = known.at(-1)?.when ?? 0;
  const got = `${found.when > newest ? 'a newer one' : 'another one'}, of ${new Date(found.when).toISOString()}`;
  throw new Refusal('bad-request', where, `a database that Pathboard ${VERSION} knows`, `${got}: use the version that made it`);
}

/**
 * A migrations folder that ends with `tag`, as this version knows it, for `work`.
 * @param scratch a folder of the caller's, in which it is put together
 */
export async function withMigrationsUpTo<T>(tag: string, scratch: string, work: (folder: string) => Promise<T>): Promise<T> {
  const journal = await readJournal();
  const last = journal.entries.findIndex((entry) => entry.tag === tag);
  const entries = journal.entries.slice(0, last + 1);
  const folder = join(scratch, 'migrations');
  try {
    await mkdir(join(folder, 'meta'), { recursive: true });
    for (const entry of entries) await cp(join(MIGRATIONS, `${entry.tag}.sql`), join(folder, `${entry.tag}.sql`));
    await writeFile(join(folder, JOURNAL), JSON.stringify({ ...journal, entries }));
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readJournal(): Promise<z.infer<typeof journalShape>> {
  return journalShape.parse(JSON.parse(await readFile(join(MIGRATIONS, JOURNAL), 'utf8')));
}
