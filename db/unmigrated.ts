import { PGlite } from '@electric-sql/pglite';
import { sql } from 'drizzle-orm';
import { drizzle as drizzlePostgres } from 'drizzle-orm/node-postgres';
import { drizzle } from 'drizzle-orm/pglite';
import { join } from 'node:path';
import pg from 'pg';
import type { OpenDatabase } from './client.ts';
import * as schema from './schema.ts';

/** Databases as they are, for backups: nothing is made, and nothing migrated. */

/** The caller holds the lock on `home`, in which there is a database. */
export async function openFolderAsItIs(home: string): Promise<OpenDatabase> {
  const client = await PGlite.create(join(home, 'db'));
  const db = drizzle(client, { schema });
  return { db, engine: 'pglite', ping: async () => void (await db.execute(sql`select 1`)), close: () => client.close() };
}

export async function openPostgresAsItIs(url: string): Promise<OpenDatabase> {
  const pool = new pg.Pool({ connectionString: url, max: 1, connectionTimeoutMillis: 5000, keepAlive: true });
  // A connection that breaks is told to whoever asks something of it next.
  pool.on('connect', (connection) => connection.on('error', () => {}));
  pool.on('error', () => {});
  const ping = async () => void (await pool.query('select 1'));
  try {
    await ping();
  } catch (error) {
    await pool.end();
    throw error;
  }
  return { db: drizzlePostgres(pool, { schema }), engine: 'postgres', ping, close: () => pool.end() };
}
