import { sql } from 'drizzle-orm';
import type { Database } from '../../db/client.ts';
import { Refusal } from '../refusal.ts';
import { readBackup, type Header, type Trailer } from './format.ts';
import { digestTable, insertRows, type Digest } from './rows.ts';
import { MOMENTARY_TABLES, readSequences, readTables, rowsOf, setSequences, withoutForeignKeys, type Table } from './tables.ts';

export type Counts = Record<string, Digest>;

/**
 * Fills a migrated, empty database from a backup, and proves that what it holds then is what was written. Inside a
 * transaction of the caller's, who gives it up where this throws.
 */
export async function loadBackup(tx: Database, path: string): Promise<Counts> {
  const own = await readTables(tx);
  const { header, trailer } = await withoutForeignKeys(tx, () => fill(tx, path, own));
  await setSequences(tx, trailer.sequences);
  for (const table of header.tables) await checkDigest(tx, table, trailer.tables[table.name]);
  await checkSequences(tx, trailer.sequences);
  return trailer.tables;
}

async function fill(tx: Database, path: string, own: readonly Table[]): Promise<{ header: Header; trailer: Trailer }> {
  const parts = readBackup(path);
  const first = await parts.next();
  if (first.done || first.value.kind !== 'header') throw new Error(`${path}: expected a header first`);
  const { header } = first.value;
  checkTables(header.tables, own);
  const tables = new Map(own.map((table) => [table.name, table]));
  for await (const part of parts) {
    if (part.kind === 'rows') await insertRows(tx, tables.get(part.table)!, part.rows);
    if (part.kind === 'trailer') return { header, trailer: part.trailer };
  }
  throw new Error(`${path}: expected a trailer last`);
}

/** @throws Refusal where the database has anything in it, but for what workers said of themselves */
export async function checkEmpty(db: Database, tables: readonly Table[]): Promise<void> {
  for (const { name } of tables.filter((table) => !MOMENTARY_TABLES.includes(table.name))) {
    const [found] = await rowsOf<{ rows: string }>(db, sql`select count(*)::text as rows from ${sql.identifier(name)}`);
    if (found?.rows !== '0') throw new Refusal('conflict', 'database', 'an empty one', `one with ${found?.rows} rows in ${name}`);
  }
}

/** @throws Error where what the database holds is not what was sent to it */
export async function checkDigest(tx: Database, table: Table, expected: Digest | undefined): Promise<void> {
  const got = await digestTable(tx, table);
  if (got.rows === expected?.rows && got.sha256 === expected.sha256) return;
  const wanted = expected ? `${expected.rows} rows with sha256 ${expected.sha256}` : 'none';
  throw new Error(`table ${table.name}: expected ${wanted}, got ${got.rows} with ${got.sha256}`);
}

export async function checkSequences(tx: Database, expected: Trailer['sequences']): Promise<void> {
  const got = await readSequences(tx);
  for (const [name, last] of Object.entries(expected)) {
    if (got[name] !== last) throw new Error(`sequence ${name}: expected ${last}, got ${got[name]}`);
  }
}

/** What is written into statements comes from the database's own catalogue: names of the file must be among its names. */
function checkTables(given: readonly Table[], own: readonly Table[]): void {
  for (const table of given) {
    const there = own.find(({ name }) => name === table.name);
    if (there && JSON.stringify(there) === JSON.stringify(table)) continue;
    const got = there ? 'other columns' : 'none of that name';
    throw new Refusal('bad-request', `table ${JSON.stringify(table.name)}`, 'a table as this database has it', got);
  }
}
