import { PGlite, types } from '@electric-sql/pglite';
import { sql } from 'drizzle-orm';
import { drizzle as drizzlePostgres } from 'drizzle-orm/node-postgres';
import { migrate as migratePostgres } from 'drizzle-orm/node-postgres/migrator';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import { drizzle } from 'drizzle-orm/pglite';
import { migrate } from 'drizzle-orm/pglite/migrator';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import * as schema from './schema.ts';

/** Any Postgres that drizzle drives; also the type of a transaction. */
export type Database = PgDatabase<PgQueryResultHKT, typeof schema>;

export interface OpenDatabase {
  db: Database;
  engine: 'pglite' | 'postgres';
  /** rejects where the database does not answer */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Connections of one process; a room's transaction holds one while it waits for the room's lock. */
const POOL = 10;
/** Milliseconds to wait for a connection, and for a statement. */
const CONNECT = 5_000;
const STATEMENT = 30_000;
/** Any number, the same in every process: whoever holds it migrates. */
const MIGRATION_LOCK = 7_284_119;

/**
 * Opens the embedded database in `home`/db, making and migrating it first. The caller holds the lock on `home`:
 * two processes on one folder destroy it.
 */
export async function openDatabase(home: string, migrations: string): Promise<OpenDatabase> {
  const folder = join(home, 'db');
  finishRestore(home, folder);
  if (!existsSync(folder)) await createFolder(home, folder, migrations);
  return openFolder(folder, migrations);
}

/**
 * Opens a served Postgres and migrates it; processes that start together take turns.
 * `onBroken` is told of connections that break while no statement waits for its answer.
 */
export async function openPostgres(url: string, migrationsFolder: string, onBroken: (error: Error) => void): Promise<OpenDatabase> {
  const pool = new pg.Pool({
    connectionString: url,
    max: POOL,
    connectionTimeoutMillis: CONNECT,
    statement_timeout: STATEMENT,
    idle_in_transaction_session_timeout: STATEMENT,
    keepAlive: true,
  });
  // The pool listens while a connection is idle alone: one that breaks between two statements of a transaction would end the process.
  pool.on('connect', (connection) => connection.on('error', onBroken));
  // Of an idle one it tells a second time.
  pool.on('error', () => {});
  const db = drizzlePostgres(pool, { schema });
  try {
    await migrateInTurn(pool, migrationsFolder);
  } catch (error) {
    await pool.end();
    throw error;
  }
  return {
    db,
    engine: 'postgres',
    ping: async () => void (await pool.query('select 1')),
    close: () => pool.end(),
  };
}

/** The lock belongs to the connection, so the migration runs on the same one. */
async function migrateInTurn(pool: pg.Pool, migrationsFolder: string): Promise<void> {
  const connection = await pool.connect();
  try {
    await connection.query('set statement_timeout = 0');
    await connection.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await migratePostgres(drizzlePostgres(connection, { schema }), { migrationsFolder });
  } finally {
    // Closed rather than given back: that frees the lock whatever happened.
    connection.release(true);
  }
}

/**
 * A restored database waits, whole, as `db.restored` while the old one is put aside: see server/backup/restore.ts. Where
 * that was interrupted the one takes the place that is free, or goes because the other still has it.
 */
function finishRestore(home: string, folder: string): void {
  const restored = join(home, 'db.restored');
  if (!existsSync(restored)) return;
  if (existsSync(folder)) rmSync(restored, { recursive: true });
  else renameSync(restored, folder);
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
  const client = await PGlite.create(folder, { serializers: { [types.BYTEA]: hexOf }, parsers: { [types.BYTEA]: bytesOf } });
  try {
    const db = drizzle(client, { schema });
    await migrate(db, { migrationsFolder });
    return { db, engine: 'pglite', ping: async () => void (await db.execute(sql`select 1`)), close: () => client.close() };
  } catch (error) {
    await client.close();
    throw error;
  }
}

/** PGlite's own pair goes byte by byte: ten times slower, which a large document feels. */
function hexOf(bytes: Uint8Array): string {
  return `\\x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`;
}

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.slice(2), 'hex'));
}
