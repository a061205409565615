import { getTableColumns, getTableName, is, sql } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import { rmSync } from 'node:fs';
import { appendFile, cp, mkdir, mkdtemp, readFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import * as schema from '../../db/schema.ts';
import { FIXTURES } from '../engine/testing.ts';
import { verifyBackup } from './format.ts';
import { restoreIntoFolder } from './restore.ts';
import { readTables, rowsOf } from './tables.ts';
import { backUp, newFullHome, withDatabase } from './testing.ts';
import { forge, linesOf, writeLines } from './testing-files.ts';
import { LEFT_OUT_COLUMNS, LEFT_OUT_TABLES, writeBackup } from './write.ts';

const NOW = Date.UTC(2026, 10, 24);

let source: string;
let file: string;
let target: string;

beforeAll(async () => {
  source = await newFullHome();
  file = join(source, 'a.backup');
  await backUp(source, file);
});
afterAll(() => rmSync(source, { recursive: true, force: true }));
beforeEach(async () => {
  target = await mkdtemp(join(tmpdir(), 'pathboard-restored-'));
});
afterEach(() => rm(target, { recursive: true, force: true }));

const names = (tables: readonly { name: string }[]) => tables.map(({ name }) => name);
/** Of the schema: the tables and their columns, by their names in the database. */
const declared = Object.values(schema)
  .filter((value) => is(value, PgTable))
  .map((table) => ({ name: getTableName(table), columns: Object.values(getTableColumns(table)).map((column) => column.name) }))
  .sort((a, b) => (a.name < b.name ? -1 : 1));

describe('a backup', () => {
  test('has every table and column of the schema, with rows from each, but those that are left out by name', async () => {
    const { header, trailer } = await verifyBackup(file);
    const shape = (tables: readonly { name: string; columns: readonly string[] }[]) =>
      tables.map(({ name, columns }) => [name, columns.toSorted()]);
    const kept = declared.filter(({ name }) => !LEFT_OUT_TABLES.includes(name));
    expect(shape(header.tables.map(({ name, columns }) => ({ name, columns: names(columns) })))).toEqual(shape(kept));
    // Whoever adds a table adds rows of it to testing.ts: an empty one proves nothing.
    expect(Object.entries(trailer.tables).filter(([, { rows }]) => rows === 0)).toEqual([]);
    expect(header.leftOut).toEqual([...LEFT_OUT_TABLES, ...LEFT_OUT_COLUMNS]);
    expect(names(await withDatabase(source, readTables))).toEqual(names(declared));
  });

  test('holds nothing that signs anybody in', async () => {
    const text = (await linesOf(file)).join('\n');
    expect(text).toContain('hash of a password');
    for (const secret of ['signs somebody in', 'signs the owner in', 'opens another service']) expect(text).not.toContain(secret);
  });

  test('can be read by nobody else, is not written over another file, and says the same whenever it is made', async () => {
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await expect(backUp(source, file)).rejects.toThrow('EEXIST');
    const again = join(target, 'again.backup');
    await backUp(source, again);
    const [first, second] = [await linesOf(file), await linesOf(again)];
    expect(second.slice(1, -2)).toEqual(first.slice(1, -2));
  });

  test('stops when it is told to, and the database goes on', async () => {
    const stop = new AbortController();
    stop.abort();
    const path = join(target, 'stopped.backup');
    await withDatabase(source, async (db) => {
      const writing = writeBackup({ database: { db, engine: 'pglite' }, home: source, withModels: false }, path, stop.signal);
      await expect(writing).rejects.toThrow(/abort/i);
      expect(await rowsOf(db, sql`select 1 as one`)).toEqual([{ one: 1 }]);
    });
  });
});

describe('what is no whole backup of this version or an older one is refused, and nothing is touched', () => {
  const changed = () => join(target, 'changed.backup');
  const edit = async (change: (lines: string[]) => string[]) => writeLines(changed(), change(await linesOf(file)));
  const editHeader = (change: (header: Record<string, unknown>) => void) =>
    edit(([first, ...rest]) => {
      const header = JSON.parse(first!) as Record<string, unknown>;
      change(header);
      return [JSON.stringify(header), ...rest];
    });
  /** Places a line behind the one that begins a table. */
  const inTable = (table: string, removed: number, ...added: string[]) =>
    edit((lines) => lines.toSpliced(lines.indexOf(JSON.stringify({ table })) + 1, removed, ...added));
  const copy = async (spoil: (path: string) => Promise<unknown>) => {
    await cp(file, changed());
    await spoil(changed());
    return changed();
  };
  const flip = (at: (size: number) => number) =>
    copy(async (path) => {
      const data = await readFile(path);
      data[at(data.length)]! ^= 1;
      await writeFile(path, data);
    });
  const cut = (keep: (size: number) => number) => copy(async (path) => truncate(path, keep((await stat(path)).size)));

  const cases: [string, () => Promise<string>, string | RegExp][] = [
    ['a file that is not there', async () => changed(), 'expected a file that can be read, got ENOENT'],
    ['a folder', async () => target, 'expected a whole backup, got EISDIR'],
    ['an empty file', () => cut(() => 0), /expected a (whole backup|backup of Pathboard)/],
    ['another file', async () => join(FIXTURES, 'random-gpt2', 'config.json'), 'incorrect header check'],
    [
      'another file that is compressed',
      () => writeLines(changed(), ['{"a":1}']),
      'expected a backup of Pathboard, got another kind of file',
    ],
    ['text that is compressed', () => writeLines(changed(), ['hello']), 'expected lines of JSON, got "hello'],
    ['half a file', () => cut((size) => size >> 1), 'unexpected end of file'],
    ['all but the last byte', () => cut((size) => size - 1), 'unexpected end of file'],
    ['a bit that flipped in the middle', () => flip((size) => size >> 1), /^backup/],
    ['a bit that flipped at the end', () => flip((size) => size - 6), 'incorrect data check'],
    ['a byte after the end', () => copy((path) => appendFile(path, 'x')), /unexpected end of file|nothing after its end/],
    ['text after the end', () => copy((path) => appendFile(path, 'more of it')), /incorrect header check|nothing after its end/],
    ['a second file after the end', () => copy(async (path) => appendFile(path, await readFile(file))), 'nothing after its end'],
    [
      'a newer format',
      () => editHeader((header) => (header['version'] = 2)),
      /format 1 or older, got format 2, written by Pathboard [\d.]+: restore it with that/,
    ],
    ['a header without tables', () => editHeader((header) => delete header['tables']), 'expected a header of a backup, got tables'],
    ['a header that was changed', () => editHeader((header) => (header['pathboard'] = '9')), '"sha256"'],
    ['a row less', () => inTable('updates', 1), 'expected tables as counted and summed at its end'],
    [
      'a row changed',
      () => edit((lines) => lines.map((line) => line.replace('b@example.org', 'c@example.org'))),
      'tables as counted and summed',
    ],
    ['two rows exchanged', () => edit((lines) => lines.toSpliced(-5, 2, lines.at(-4)!, lines.at(-5)!)), 'tables as counted and summed'],
    ['a row with too few values', () => inTable('updates', 0, '["1"]'), 'expected rows of 5 values'],
    ['a value that is no text', () => inTable('rooms', 0, '["x",1]'), 'expected rows of 2 values'],
    ['a table less', () => edit((lines) => lines.filter((line) => line !== '{"table":"rooms"}')), 'expected rows of'],
    [
      'an empty table less',
      () => inTable('rooms', 1).then(() => edit((lines) => lines.filter((line) => line !== '{"table":"entries"}'))),
      'expected',
    ],
    ['a line added', () => edit((lines) => lines.toSpliced(-2, 0, '{"surprise":1}')), 'expected counts and sums behind the last table'],
    ['the end lost', () => edit((lines) => lines.slice(0, -1)), 'got its end'],
    ['numbers changed', () => edit((lines) => lines.toSpliced(-2, 1, lines.at(-2)!.replace('"5000"', '"5"'))), '"sha256"'],
    ['a line after the end', () => edit((lines) => [...lines, '{}']), 'expected nothing after its end'],
    [
      'a newer database, in a file that is whole',
      async () => {
        const [first, ...rest] = (await linesOf(file)).slice(0, -1);
        return forge(changed(), [
          JSON.stringify({ ...(JSON.parse(first!) as object), migration: { when: 9e12, hash: '0'.repeat(64) } }),
          ...rest,
        ]);
      },
      /expected a database that Pathboard [\d.]+ knows, got a newer one, of 2255-.*: use the version that made it/,
    ],
  ];
  test.each(cases)('%s', async (_, make, message) => {
    await mkdir(join(target, 'db'));
    const path = await make();
    const before = (await readdir(target)).sort();
    const error = await restoreIntoFolder(target, path, NOW).catch((reason: unknown) => reason);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).toMatch(/^backup /);
    expect((error as Error).message).not.toContain('\n');
    expect((error as Error).message.length).toBeLessThan(700);
    expect((await readdir(target)).sort()).toEqual(before);
  });
});
