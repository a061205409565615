import { count, sql } from 'drizzle-orm';
import { existsSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase, openPostgres, type Database } from '../../db/client.ts';
import { openPostgresAsItIs } from '../../db/unmigrated.ts';
import * as schema from '../../db/schema.ts';
import { MIGRATIONS } from '../testing/home.ts';
import { openAt } from '../testing/place.ts';
import { describeEngines } from '../testing/engines.ts';
import { hasPostgres, startPostgres, type Postgres } from '../testing/services.ts';
import { verifyBackup } from './format.ts';
import { withMigrationsUpTo } from './migrations.ts';
import { moveToPostgres } from './move.ts';
import { restoreIntoFolder, restoreIntoPostgres } from './restore.ts';
import { rowsOf } from './tables.ts';
import { LAST_UPDATE, backUp, digests, fillEveryTable, newFullHome, withDatabase } from './testing.ts';
import { LEFT_OUT_COLUMNS, LEFT_OUT_TABLES, writeBackup } from './write.ts';

const NOW = Date.UTC(2026, 10, 24);

describeEngines('a backup while others write', (engine) => {
  test('is of one moment: of two rows that are always written together it has both or none', async () => {
    const place = await engine.place();
    const database = await openAt(place);
    const { db } = database;
    let written = 0;
    let stopped = false;
    const write = async () => {
      while (!stopped) {
        await db.transaction(async (tx) => {
          // The table that a backup comes to last is written first.
          await tx.insert(schema.writers).values({ room: 'r', clientId: written, personId: null });
          await tx.insert(schema.audit).values({ at: written, workspaceId: 'w', personName: 'p'.repeat(1000), action: 'a', details: {} });
        });
        written += 1;
        // The embedded database never waits for anything, so nothing else would be done.
        await pause(0);
      }
    };
    const writing = write();
    const seen: number[] = [];
    while (seen.length < 5) {
      const before = written;
      const path = join(place.home, `${seen.length}.backup`);
      await writeBackup({ database, home: place.home, withModels: false }, path);
      const { tables } = (await verifyBackup(path)).trailer;
      expect(tables['audit']!.rows).toBe(tables['writers']!.rows);
      expect(tables['audit']!.rows).toBeGreaterThanOrEqual(before);
      seen.push(tables['audit']!.rows);
    }
    stopped = true;
    await writing;
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    await database.close();
  });
});

describe.skipIf(!hasPostgres())('with a served Postgres', () => {
  let postgres: Postgres;
  let source: string;
  let file: string;
  let home: string;
  beforeAll(async () => {
    postgres = (await startPostgres())!;
    source = await newFullHome();
    file = join(source, 'a.backup');
    await backUp(source, file);
  });
  afterAll(async () => {
    await postgres.stop();
    rmSync(source, { recursive: true, force: true });
  });
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'pathboard-home-'));
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  const withUrl = async <T>(url: string, work: (db: Database) => Promise<T>): Promise<T> => {
    const { db, close } = await openPostgresAsItIs(url);
    try {
      return await work(db);
    } finally {
      await close();
    }
  };
  const all = (url: string) => withUrl(url, (db) => digests(db));
  const publicTables = (url: string) => withUrl(url, (db) => rowsOf(db, sql`select tablename from pg_tables where schemaname = 'public'`));
  const move = async (url: string) => {
    const from = await openDatabase(source, MIGRATIONS);
    try {
      return await moveToPostgres(from, url);
    } finally {
      await from.close();
    }
  };

  describe('moving there', () => {
    test('takes everything along, sessions included, and gives no number again', async () => {
      const url = await postgres.createDatabase({ empty: true });
      const counts = await move(url);
      const before = await withDatabase(source, (db) => digests(db));
      expect(counts).toEqual(before);
      expect(await all(url)).toEqual(before);
      expect(before['sessions']?.rows).toBe(1);
      await withUrl(url, async (db) => {
        const [update] = await db
          .insert(schema.updates)
          .values({ room: 'r', data: new Uint8Array([1]), createdAt: 1 })
          .returning();
        expect(update?.id).toBe(LAST_UPDATE + 1);
        await expect(
          db.insert(schema.entries).values({ id: 'x', boardId: 'nowhere', kind: 'claim', authorId: 'x', createdAt: 1 }),
        ).rejects.toThrow('Failed query');
      });
      const { db, close } = await openPostgres(url, MIGRATIONS, () => {});
      expect((await db.select({ n: count() }).from(schema.people))[0]?.n).toBe(4);
      await close();
    });

    test('goes into a migrated, empty database too', async () => {
      const url = await postgres.createDatabase();
      await move(url);
      expect(await all(url)).toEqual(await withDatabase(source, (db) => digests(db)));
    });

    test('into a database with anything in it is refused, and changes nothing there', async () => {
      const url = await postgres.createDatabase();
      await withUrl(url, (db) => db.insert(schema.workspaces).values({ id: 'w', name: 'theirs', createdAt: 1 }));
      const before = await all(url);
      await expect(move(url)).rejects.toThrow('database: expected an empty one, got one with 1 rows in workspaces');
      expect(await all(url)).toEqual(before);
      const foreign = await postgres.createDatabase({ empty: true });
      await withUrl(foreign, (db) => db.execute(sql`create table theirs (id text primary key)`));
      await withUrl(foreign, (db) => db.execute(sql`insert into theirs values ('1')`));
      await expect(move(foreign)).rejects.toThrow('got one with 1 rows in theirs');
      expect(await publicTables(foreign)).toEqual([{ tablename: 'theirs' }]);
      const elsewhere = await postgres.createDatabase({ empty: true });
      await withUrl(elsewhere, (db) => db.execute(sql`create schema other`));
      await withUrl(elsewhere, (db) => db.execute(sql`create table other.t (id int)`));
      await expect(move(elsewhere)).rejects.toThrow('got one with the table other.t');
    });

    test('that breaks off leaves an empty database, and can be done again', async () => {
      const url = await postgres.createDatabase();
      // Somebody ends the connection as soon as rows are on their way.
      const watcher = new pg.Client({ connectionString: url });
      await watcher.connect();
      let ended = 0;
      const moving = move(url).catch((reason: unknown) => reason);
      while (ended === 0) {
        const { rowCount } = await watcher.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where datname = current_database() and query like '%insert into "updates"%' and pid <> pg_backend_pid()`,
        );
        ended += rowCount ?? 0;
      }
      const error = await moving;
      await watcher.end();
      expect(ended).toBeGreaterThan(0);
      expect(error).toBeInstanceOf(Error);
      expect(Object.values(await all(url)).every(({ rows }) => rows === 0)).toBe(true);
      await move(url);
      expect(await all(url)).toEqual(await withDatabase(source, (db) => digests(db)));
    });

    test('while somebody else fills the database waits for neither and mixes nothing', async () => {
      const url = await postgres.createDatabase();
      const other = new pg.Client({ connectionString: url });
      await other.connect();
      await other.query('begin');
      await other.query(`insert into workspaces values ('w', 'theirs', 1)`);
      const moving = move(url).catch((reason: unknown) => reason);
      // The move waits for the lock; then it sees what was committed meanwhile.
      await expect
        .poll(async () => (await other.query(`select 1 from pg_locks where not granted`)).rowCount, { timeout: 20_000 })
        .toBeGreaterThan(0);
      await other.query('commit');
      expect(await moving).toMatchObject({ message: 'database: expected an empty one, got one with 1 rows in workspaces' });
      await other.end();
      expect((await all(url))['people']).toMatchObject({ rows: 0 });
    });

    test('to where nobody answers is an error that does not show the password', async () => {
      const error = await move('postgres://me:secret@127.0.0.1:1/none').catch((reason: unknown) => reason);
      expect(String(error)).toContain('ECONNREFUSED');
      expect(String(error)).not.toContain('secret');
    });
  });

  describe('restoring there', () => {
    test('gives what was backed up, in a new epoch, whichever of the two databases it came from', async () => {
      const url = await postgres.createDatabase({ empty: true });
      const { counts, kept } = await restoreIntoPostgres(url, home, file, NOW);
      expect(kept).toBeNull();
      const { rooms, ...restored } = await all(url);
      const { rooms: _, ...before } = await withDatabase(source, (db) => digests(db, LEFT_OUT_COLUMNS));
      for (const name of LEFT_OUT_TABLES) before[name] = restored[name]!;
      expect(restored).toEqual(before);
      expect(rooms?.rows).toBe(2);
      expect(counts['people']).toEqual(before['people']);
      // And back again.
      const path = join(home, 'from-postgres.backup');
      await withUrl(url, (db) => writeBackup({ database: { db, engine: 'postgres' }, home, withModels: false }, path));
      expect((await verifyBackup(path)).header.engine).toBe('postgres');
      await restoreIntoFolder(home, path, NOW + 1000);
      const { rooms: _2, ...back } = await withDatabase(home, (db) => digests(db));
      expect(back).toEqual(restored);
    });

    test('into a database at which a worker came first is no other', async () => {
      const url = await postgres.createDatabase();
      await withUrl(url, async (db) => {
        await db.execute(sql`create schema pgboss`);
        await db.execute(sql`create table pgboss.job (id text primary key)`);
        const said = { name: 'w', kind: 'worker', version: '1', engineVersion: '1', devices: [], models: [], running: 0 } as const;
        await db.insert(schema.workers).values({ id: 'w', ...said, lease: 6000, startedAt: 1, seenAt: 1 });
      });
      const { counts } = await restoreIntoPostgres(url, home, file, NOW);
      expect(await all(url)).toMatchObject({ people: counts['people'], workers: { rows: 0 } });
    });

    test('into a database with anything in it is refused', async () => {
      const url = await postgres.createDatabase();
      await withUrl(url, (db) => db.insert(schema.workspaces).values({ id: 'w', name: 'theirs', createdAt: 1 }));
      await expect(restoreIntoPostgres(url, home, file, NOW)).rejects.toThrow(
        'database: expected an empty one, got one with 1 rows in workspaces',
      );
    });

    test('of an older database says how', async () => {
      const path = join(home, 'old.backup');
      await withMigrationsUpTo('0000_first', home, async (migrations) => {
        const database = await openDatabase(home, migrations);
        await writeBackup({ database, home, withModels: false }, path);
        await database.close();
      });
      const url = await postgres.createDatabase({ empty: true });
      await expect(restoreIntoPostgres(url, home, path, NOW)).rejects.toThrow(
        /restore it into a folder, without DATABASE_URL, and move that to Postgres/,
      );
      expect(await publicTables(url)).toEqual([]);
    });
  });

  test('a backup migrates nothing', async () => {
    const url = await postgres.createDatabase({ empty: true });
    await withMigrationsUpTo('0000_first', home, async (migrations) => {
      const old = await openPostgres(url, migrations, () => {});
      await old.close();
    });
    const path = join(home, 'old.backup');
    await withUrl(url, (db) => writeBackup({ database: { db, engine: 'postgres' }, home, withModels: false }, path));
    expect((await verifyBackup(path)).header.tables.map(({ name }) => name)).not.toContain('workspaces');
    expect((await publicTables(url)).map((row) => Object.values(row as object)[0])).not.toContain('workspaces');
    const none = await postgres.createDatabase({ empty: true });
    await expect(
      withUrl(none, (db) => writeBackup({ database: { db, engine: 'postgres' }, home, withModels: false }, join(home, 'none.backup'))),
    ).rejects.toThrow('database: expected one that Pathboard has made, got another one');
    expect(existsSync(join(home, 'models'))).toBe(false);
  });

  test('rows are in the same order in a database that sorts by the rules of a language', async () => {
    const server = new pg.Client({ connectionString: postgres.url });
    await server.connect();
    await server.query(`create database english template template0 locale_provider icu icu_locale 'en-US'`);
    await server.end();
    const url = postgres.url.replace(/[^/]+$/, 'english');
    const { db, close } = await openPostgres(url, MIGRATIONS, () => {});
    await fillEveryTable(db);
    const sorted = await rowsOf<{ id: string }>(db, sql`select id from people order by id`);
    expect(sorted.map(({ id }) => id[0]).join('')).toBe('aäBz');
    await close();
    const [here, there] = [await withDatabase(source, (pglite) => digests(pglite)), await all(url)];
    for (const name of ['people', 'boards', 'updates', 'runs']) expect([name, there[name]]).toEqual([name, here[name]]);
  });
});
