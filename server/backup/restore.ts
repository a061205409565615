import { sql } from 'drizzle-orm';
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openDatabase, openPostgres, type Database, type OpenDatabase } from '../../db/client.ts';
import { openPostgresAsItIs } from '../../db/unmigrated.ts';
import { Refusal } from '../refusal.ts';
import { verifyBackup, type Header } from './format.ts';
import { checkEmpty, loadBackup, type Counts } from './load.ts';
import { MIGRATIONS, recognise, withMigrationsUpTo, type KnownMigration } from './migrations.ts';
import { restoreModels } from './restore-models.ts';
import { JOB_SCHEMA, MOMENTARY_TABLES, inOneGo, readTables, rowsOf } from './tables.ts';

export interface Restored {
  header: Header;
  counts: Counts;
  /** the folder in which the database from before is kept; null where there was none */
  kept: string | null;
  /** names of models that were added */
  models: string[];
}

/** Epochs of restored rooms count seconds from here, so that none was ever given before. */
const EPOCHS_SINCE = Date.UTC(2026, 0, 1);

/**
 * Puts the database of a backup in the place of the embedded one. The caller holds the lock on `home`. The file is
 * proven first, the new database made beside the old one and proven too; then they change places. Killed at any
 * moment, this leaves the one or the other.
 */
export async function restoreIntoFolder(home: string, path: string, now: number): Promise<Restored> {
  const { header } = await verifyBackup(path);
  const migration = await recognise(header.migration, `backup ${path}`);
  const models = await restoreModels(home, path, header);
  const scratch = join(home, 'db.restoring');
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch, { recursive: true });
  const counts = await makeFolder(scratch, path, migration, now);
  await flushFolder(join(scratch, 'db'));
  const kept = await swap(home, join(scratch, 'db'), now);
  await rm(scratch, { recursive: true, force: true });
  return { header, counts, kept, models };
}

/** Fills an empty served database, all in one transaction. */
export async function restoreIntoPostgres(url: string, home: string, path: string, now: number): Promise<Restored> {
  const { header } = await verifyBackup(path);
  const { last, tag } = await recognise(header.migration, `backup ${path}`);
  if (!last) {
    const expected = 'one of this version (restore it into a folder, without DATABASE_URL, and move that to Postgres)';
    throw new Refusal('bad-request', `backup ${path}`, expected, `one as of migration ${tag}`);
  }
  await checkTarget(url);
  const models = await restoreModels(home, path, header);
  const counts = await withPostgres(url, (db) =>
    inOneGo(db, async (tx) => {
      await claim(tx);
      const loaded = await loadBackup(tx, path);
      await raiseEpochs(tx, now);
      return loaded;
    }),
  );
  return { header, counts, kept: null, models };
}

/** @throws Refusal where there is anything in a served database; nothing is changed */
export async function checkTarget(url: string): Promise<void> {
  const { db, close } = await openPostgresAsItIs(url);
  try {
    const foreign = await rowsOf<{ name: string }>(
      db,
      sql`select schemaname || '.' || tablename as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema', 'public', 'drizzle', ${JOB_SCHEMA}) limit 1`,
    );
    if (foreign[0]) throw new Refusal('conflict', 'database', 'an empty one', `one with the table ${foreign[0].name}`);
    await checkEmpty(db, await readTables(db));
  } finally {
    await close();
  }
}

/** Opens and migrates a served database for `work`. */
export async function withPostgres<T>(url: string, work: (db: Database) => Promise<T>): Promise<T> {
  const { db, close } = await openPostgres(url, MIGRATIONS, () => {});
  try {
    return await work(db);
  } finally {
    await close();
  }
}

/** Nobody else can write into the tables until the transaction ends, and nobody has. */
export async function claim(tx: Database): Promise<void> {
  const tables = await readTables(tx);
  const names = tables.map(({ name }) => sql.identifier(name));
  await tx.execute(sql`lock table ${sql.join(names, sql`, `)} in access exclusive mode`);
  await checkEmpty(tx, tables);
  // A worker that has come first says so again.
  for (const name of MOMENTARY_TABLES) await tx.execute(sql`delete from ${sql.identifier(name)}`);
}

/** An older database is made as it was, filled, and migrated on, as it would have been where it came from. */
async function makeFolder(scratch: string, path: string, { tag, last }: KnownMigration & { last: boolean }, now: number): Promise<Counts> {
  const fill = ({ db }: OpenDatabase) => inOneGo(db, (tx) => loadBackup(tx, path));
  const raise = ({ db }: OpenDatabase) => inOneGo(db, (tx) => raiseEpochs(tx, now));
  if (last) {
    return withFolder(scratch, MIGRATIONS, async (database) => {
      const counts = await fill(database);
      await raise(database);
      return counts;
    });
  }
  const counts = await withMigrationsUpTo(tag, scratch, (migrations) => withFolder(scratch, migrations, fill));
  await withFolder(scratch, MIGRATIONS, raise);
  return counts;
}

async function withFolder<T>(scratch: string, migrations: string, work: (database: OpenDatabase) => Promise<T>): Promise<T> {
  const database = await openDatabase(scratch, migrations);
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

/**
 * Browsers still hold documents with edits that the restored ones lack, of people whose writing under a client id the
 * restored database may not know. In a new epoch they put their own unsaved edits aside and start from what was restored.
 */
async function raiseEpochs(tx: Database, now: number): Promise<void> {
  const epoch = Math.floor((now - EPOCHS_SINCE) / 1000);
  await tx.execute(sql`
    insert into rooms (room, epoch)
    select room, ${epoch}::integer from (select room from updates union select room from snapshots union select room from rooms) as known
    on conflict (room) do update set epoch = greatest(rooms.epoch + 1, excluded.epoch)`);
}

/**
 * Two renames, between which there is no `db`: whoever opens the folder then takes `db.restored`, which is whole.
 * See `openDatabase`.
 */
async function swap(home: string, made: string, now: number): Promise<string | null> {
  const folder = join(home, 'db');
  const ready = join(home, 'db.restored');
  await rm(ready, { recursive: true, force: true });
  await rename(made, ready);
  const kept = existsSync(folder) ? join(home, `db.before-restore-${stampOf(now)}`) : null;
  if (kept) await rename(folder, kept);
  await rename(ready, folder);
  await flush(home);
  return kept;
}

function stampOf(now: number): string {
  return new Date(now).toISOString().replaceAll(/[:.]/g, '-');
}

/** The embedded database leaves this to the system. Here the old one is about to go. */
async function flushFolder(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await flushFolder(path);
    else if (entry.isFile()) await flush(path);
  }
  await flush(folder);
}

async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
