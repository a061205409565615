import { PGlite } from '@electric-sql/pglite';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import { drizzle } from 'drizzle-orm/pglite';
import { migrate } from 'drizzle-orm/pglite/migrator';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as schema from './schema.ts';

/** Any Postgres that drizzle drives; also the type of a transaction. */
export type Database = PgDatabase<PgQueryResultHKT, typeof schema>;

export interface OpenDatabase {
  db: Database;
  close(): Promise<void>;
}

/**
 * Opens the embedded database in `home`/db, making and migrating it first. The caller holds the lock on `home`:
 * two processes on one folder destroy it.
 */
export async function openDatabase(home: string, migrations: string): Promise<OpenDatabase> {
  const folder = join(home, 'db');
  if (!existsSync(folder)) await createFolder(home, folder, migrations);
  return openFolder(folder, migrations);
}

/** A creation that was interrupted leaves a temporary folder and never a half-made database. */
async function createFolder(home: string, folder: string, migrations: string): Promise<void> {
  mkdirSync(home, { recursive: true });
  const unfinished = join(home, 'db.unfinished');
  rmSync(unfinished, { recursive: true, force: true });
  const { close } = await openFolder(unfinished, migrations);
  await close();
  renameSync(unfinished, folder);
}

async function openFolder(folder: string, migrationsFolder: string): Promise<OpenDatabase> {
  const client = await PGlite.create(folder);
  try {
    const db = drizzle(client, { schema });
    await migrate(db, { migrationsFolder });
    return { db, close: () => client.close() };
  } catch (error) {
    await client.close();
    throw error;
  }
}
