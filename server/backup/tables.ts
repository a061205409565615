import { sql, type SQL } from 'drizzle-orm';
import type { Database } from '../../db/client.ts';
import { Refusal } from '../refusal.ts';

/** The tables as the database itself knows them, so that none can be forgotten, whatever version made it. */

/** Who computes at this moment, and what: of a database that nobody works on it says nothing. */
export const MOMENTARY_TABLES: readonly string[] = ['job_claims', 'job_results', 'workers'];
/** Where pg-boss keeps what waits: see server/queue/store.ts. */
export const JOB_SCHEMA = 'pgboss';

export interface Column {
  name: string;
  /** as Postgres writes it, `timestamp(3) with time zone` */
  type: string;
}

export interface Table {
  name: string;
  columns: Column[];
  /** the columns of its primary key */
  key: string[];
}

/** A step that a database has gone through, as drizzle notes it: when it was written, and a sum of what it does. */
export interface Migration {
  when: number;
  hash: string;
}

/** @throws Refusal where the database is none of ours */
export async function lastMigration(db: Database): Promise<Migration> {
  const [there] = await rowsOf<{ there: boolean }>(db, sql`select to_regclass('drizzle.__drizzle_migrations') is not null as there`);
  const found = there?.there
    ? await rowsOf<{ hash: string; when: string }>(
        db,
        sql`select hash, created_at::text as when from drizzle.__drizzle_migrations order by created_at desc limit 1`,
      )
    : [];
  const [last] = found;
  if (last) return { when: Number(last.when), hash: last.hash };
  throw new Refusal('bad-request', 'database', 'one that Pathboard has made', 'another one');
}

/** By name. @throws Refusal where one has no primary key, which gives its rows their order */
export async function readTables(db: Database): Promise<Table[]> {
  const found = await rowsOf<{ table: string; column: string; type: string; place: number | null }>(
    db,
    sql`
      select c.relname as table, a.attname as column, format_type(a.atttypid, a.atttypmod) as type, array_position(i.indkey::int2[], a.attnum) as place
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      left join pg_index i on i.indrelid = c.oid and i.indisprimary
      where n.nspname = 'public' and c.relkind in ('r', 'p')
      order by c.relname collate "C", a.attnum`,
  );
  const tables = new Map<string, { name: string; columns: Column[]; places: Map<string, number> }>();
  for (const { table, column, type, place } of found) {
    const known = tables.get(table) ?? { name: table, columns: [], places: new Map<string, number>() };
    known.columns.push({ name: column, type });
    if (place !== null) known.places.set(column, Number(place));
    tables.set(table, known);
  }
  return [...tables.values()].map(({ name, columns, places }) => {
    const key = [...places].sort(([, a], [, b]) => a - b).map(([column]) => column);
    if (key.length === 0) throw new Refusal('bad-request', `table ${name}`, 'one with a primary key', 'none');
    return { name, columns, key };
  });
}

/** What the next number of each sequence follows: greater than any number that was ever given, which rows may no longer show. */
export async function readSequences(db: Database): Promise<Record<string, string | null>> {
  const found = await rowsOf<{ name: string; last: string | null }>(
    db,
    sql`select sequencename as name, last_value::text as last from pg_sequences where schemaname = 'public' order by 1`,
  );
  return Object.fromEntries(found.map(({ name, last }) => [name, last]));
}

export async function setSequences(db: Database, sequences: Readonly<Record<string, string | null>>): Promise<void> {
  for (const [name, last] of Object.entries(sequences)) {
    if (last !== null) await db.execute(sql`select setval(${`public.${quoted(name)}`}::regclass, ${last}::bigint)`);
  }
}

/**
 * Runs `work` while no foreign key is checked, then checks them all at once: tables may refer to each other, and to
 * themselves, in any order. Inside a transaction.
 */
export async function withoutForeignKeys<T>(tx: Database, work: () => Promise<T>): Promise<T> {
  const keys = await rowsOf<{ table: string; name: string; definition: string }>(
    tx,
    sql`
      select c.relname as table, k.conname as name, pg_get_constraintdef(k.oid) as definition
      from pg_constraint k
      join pg_class c on c.oid = k.conrelid
      join pg_namespace n on n.oid = c.relnamespace
      where k.contype = 'f' and n.nspname = 'public'
      order by c.relname, k.conname`,
  );
  const each = async (statement: (key: (typeof keys)[number]) => SQL) => {
    for (const key of keys) await tx.execute(statement(key));
  };
  await each(({ table, name }) => sql`alter table ${sql.identifier(table)} drop constraint ${sql.identifier(name)}`);
  const result = await work();
  await each(
    ({ table, name, definition }) =>
      sql`alter table ${sql.identifier(table)} add constraint ${sql.identifier(name)} ${sql.raw(definition)}`,
  );
  return result;
}

/** One consistent state, for as long as it takes; what is text is written the same by every server. */
export function inSnapshot<T>(db: Database, work: (tx: Database) => Promise<T>): Promise<T> {
  return db.transaction(
    async (tx) => {
      await settle(tx);
      return work(tx);
    },
    { isolationLevel: 'repeatable read', accessMode: 'read only' },
  );
}

/** All of `work` or nothing, however long it takes. */
export function inOneGo<T>(db: Database, work: (tx: Database) => Promise<T>): Promise<T> {
  return db.transaction(async (tx) => {
    await settle(tx);
    return work(tx);
  });
}

async function settle(tx: Database): Promise<void> {
  for (const setting of [
    'statement_timeout = 0',
    'idle_in_transaction_session_timeout = 0',
    `timezone = 'UTC'`,
    `datestyle = 'ISO, YMD'`,
    `search_path = 'public'`,
  ]) {
    await tx.execute(sql.raw(`set local ${setting}`));
  }
}

/** Drizzle leaves the shape of a raw answer to the driver; both of ours have `rows`. */
export async function rowsOf<Row>(db: Database, query: SQL): Promise<Row[]> {
  const answer: unknown = await db.execute(query);
  return (answer as { rows: Row[] }).rows;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
