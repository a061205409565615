import { sql, type SQL } from 'drizzle-orm';
import { createHash, type Hash } from 'node:crypto';
import type { Database } from '../../db/client.ts';
import { rowsOf, type Column, type Table } from './tables.ts';

/** A row as text: each value as Postgres writes it, but bytes in base64. */
export type Row = (string | null)[];

export interface Digest {
  rows: number;
  /** over the rows' lines in the order of the primary key */
  sha256: string;
}

/** Characters and rows that are read at a time: no table is ever in memory as a whole. */
export const PORTION = { size: 4_000_000, rows: 1000 };
/** A row's line has to be one string. */
export const MOST_CHARACTERS = 400_000_000;

/**
 * The rows of a table in the order of its key, a portion at a time. Inside a transaction, which they are as of.
 * What `blank` names, as `table.column`, is read as null.
 */
export async function* readRows(tx: Database, table: Table, blank: readonly string[] = []): AsyncGenerator<Row[]> {
  // How large rows are is known before they are fetched.
  const sized = sql.join(
    table.columns.map((column) => sizeOf(column)),
    sql` + `,
  );
  await tx.execute(sql`declare sizes no scroll cursor for select ${sized} as size from ${sql.identifier(table.name)} ${inOrder(table)}`);
  const values = table.columns.map((column, i) => sql`${textOf(table, column, blank)} as ${sql.identifier(`v${i}`)}`);
  // Sorted inside, so that what is sorted is not yet text.
  await tx.execute(sql`
    declare lines no scroll cursor for select ${sql.join(values, sql`, `)}
    from (select * from ${sql.identifier(table.name)} ${inOrder(table)} offset 0) as sorted`);
  for (;;) {
    const sizes = await rowsOf<{ size: number }>(tx, sql.raw(`fetch ${PORTION.rows} from sizes`));
    if (sizes.length === 0) break;
    for (const count of portionsOf(sizes.map(({ size }) => Number(size)))) {
      const rows = await rowsOf<Record<string, string | null>>(tx, sql.raw(`fetch ${count} from lines`));
      yield rows.map((row) => table.columns.map((_, i) => row[`v${i}`] ?? null));
    }
  }
  await tx.execute(sql`close sizes`);
  await tx.execute(sql`close lines`);
}

/** How many of the rows make each portion. */
function portionsOf(sizes: readonly number[]): number[] {
  const counts: number[] = [];
  let room = 0;
  for (const size of sizes) {
    room -= size;
    if (counts.length === 0 || room < 0) {
      counts.push(0);
      room = PORTION.size - size;
    }
    counts[counts.length - 1]! += 1;
  }
  return counts;
}

export async function insertRows(tx: Database, table: Table, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return;
  const names = table.columns.map(({ name }) => sql.identifier(name));
  const lists = table.columns.map((_, i) => sql`${sql.param(rows.map((row) => row[i]))}::text[]`);
  const values = table.columns.map(({ type }, i) => valueOf(sql.identifier(`v${i}`), type));
  const aliases = table.columns.map((_, i) => sql.identifier(`v${i}`));
  await tx.execute(sql`
    insert into ${sql.identifier(table.name)} (${sql.join(names, sql`, `)})
    select ${sql.join(values, sql`, `)} from unnest(${sql.join(lists, sql`, `)}) as given(${sql.join(aliases, sql`, `)})`);
}

export async function digestTable(tx: Database, table: Table, blank: readonly string[] = []): Promise<Digest> {
  const digest = new Digester();
  for await (const rows of readRows(tx, table, blank)) digest.add(rows);
  return digest.end();
}

export class Digester {
  private rows = 0;
  private readonly hash: Hash = createHash('sha256');

  /** Returns the rows' lines. */
  add(rows: readonly Row[]): string {
    const lines = rows.map(lineOf).join('');
    this.hash.update(lines);
    this.rows += rows.length;
    return lines;
  }

  end(): Digest {
    return { rows: this.rows, sha256: this.hash.digest('hex') };
  }
}

function lineOf(row: Row): string {
  const line = `${JSON.stringify(row)}\n`;
  if (line.length > MOST_CHARACTERS) throw new Error(`a row: expected at most ${MOST_CHARACTERS} characters, got ${line.length}`);
  return line;
}

/** Text is ordered by its bytes everywhere. */
function inOrder({ key, columns }: Table): SQL {
  const terms = key.map((name) => {
    const type = columns.find((column) => column.name === name)?.type;
    return type === 'text' ? sql`${sql.identifier(name)} collate "C"` : sql`${sql.identifier(name)}`;
  });
  return sql`order by ${sql.join(terms, sql`, `)}`;
}

function textOf(table: Table, { name, type }: Column, blank: readonly string[]): SQL {
  if (blank.includes(`${table.name}.${name}`)) return sql`null::text`;
  return type === 'bytea' ? sql`encode(${sql.identifier(name)}, 'base64')` : sql`${sql.identifier(name)}::text`;
}

function valueOf(value: ReturnType<typeof sql.identifier>, type: string): SQL {
  return type === 'bytea' ? sql`decode(${value}, 'base64')` : sql`${value}::${sql.raw(type)}`;
}

/** Of what is short whatever it holds, a guess. */
function sizeOf({ name, type }: Column): SQL {
  const column = sql.identifier(name);
  if (type === 'bytea') return sql`coalesce(octet_length(${column}), 0) * 4 / 3`;
  if (type === 'text') return sql`coalesce(octet_length(${column}), 0)`;
  return type.startsWith('json') ? sql`coalesce(octet_length(${column}::text), 0)` : sql`30`;
}
