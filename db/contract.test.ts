import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eq, sql } from 'drizzle-orm';
import pg from 'pg';
import { afterAll, describe, expect, test } from 'vitest';
import { describeEngines } from '../server/testing/engines.ts';
import { MIGRATIONS } from '../server/testing/home.ts';
import { openAt } from '../server/testing/place.ts';
import { hasPostgres, startPostgres } from '../server/testing/services.ts';
import { openDatabase, openPostgres, type OpenDatabase } from './client.ts';
import { audit, boards, invites, members, memberships, people, rooms, snapshots, updates, workspaces } from './schema.ts';

const folder = mkdtempSync(join(tmpdir(), 'pathboard-contract-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describeEngines('what the schema relies on', (engine) => {
  test('JSON keeps the character U+0000 and every other', async () => {
    const { db, close } = await openAt(await engine.place());
    const details = { tokens: '\u0000\uFFFD\u{1F600}\\u0000', 'a key': 1.5e-7 };
    await db.insert(audit).values({ at: 1, workspaceId: 'w', personName: 'P', action: 'a', details });
    const [row] = await db.select().from(audit);
    expect(row?.details).toEqual(details);
    await close();
  });

  test('bytes come back as they were, as a Uint8Array, also a million of them', async () => {
    const { db, close } = await openAt(await engine.place());
    const data = Uint8Array.from({ length: 1_000_000 }, (_, index) => (index * 31) % 256);
    await db.insert(updates).values([
      { room: 'r', data: new Uint8Array(), createdAt: 1 },
      { room: 'r', data, createdAt: 2 },
    ]);
    const rows = await db.select().from(updates).orderBy(updates.id);
    expect(rows[0]?.data).toBeInstanceOf(Uint8Array);
    expect(rows.map((row) => Buffer.compare(row.data, row.createdAt === 1 ? new Uint8Array() : data))).toEqual([0, 0]);
    await close();
  });

  test('times beyond 32 bits are numbers, dates are dates', async () => {
    const { db, close } = await openAt(await engine.place());
    const at = 1_795_470_088_806;
    await db.insert(people).values({ id: 'p', name: 'P', email: 'p@guest.invalid', createdAt: new Date(at) });
    await db.insert(workspaces).values({ id: 'w', name: 'W', createdAt: at });
    expect((await db.select().from(people))[0]?.createdAt).toEqual(new Date(at));
    expect((await db.select().from(workspaces))[0]?.createdAt).toBe(at);
    await close();
  });

  test('there is one owner', async () => {
    const { db, close } = await openAt(await engine.place());
    await db.insert(people).values({ id: 'one', name: 'O', email: 'one@guest.invalid', owner: true });
    await expect(db.insert(people).values({ id: 'two', name: 'O', email: 'two@guest.invalid', owner: true })).rejects.toThrow(
      'Failed query',
    );
    await close();
  });

  test('a transaction that fails leaves nothing, and gives its connection back', async () => {
    const { db, close } = await openAt(await engine.place());
    for (let n = 0; n < 30; n++) {
      const failing = db.transaction(async (tx) => {
        await tx.insert(rooms).values({ room: `r${n}` });
        throw new Error('on purpose');
      });
      await expect(failing).rejects.toThrow('on purpose');
    }
    expect(await db.select().from(rooms)).toEqual([]);
    await close();
  });

  test('a lock of a transaction holds the next one off until it ends', async () => {
    const { db, close } = await openAt(await engine.place());
    const order: string[] = [];
    const locked = (name: string) =>
      db.transaction(async (tx) => {
        await tx.execute(sql`select pg_advisory_xact_lock(hashtext('room'))`);
        order.push(`${name} has it`);
        await new Promise((done) => setTimeout(done, 20));
        order.push(`${name} gives it back`);
      });
    await Promise.all([locked('a'), locked('a'), locked('a')]);
    expect(order).toEqual(Array.from({ length: 3 }, () => ['a has it', 'a gives it back']).flat());
    await close();
  });
});

test('a database of the first version is brought up to date with all that is in it, embedded', async () => {
  const home = join(folder, 'old');
  const old = await openDatabase(home, migrationsUpTo(1));
  await fillFirst(old);
  await old.close();
  const migrated = await openDatabase(home, MIGRATIONS);
  await expectKept(migrated);
  await migrated.close();
  await (await openDatabase(home, MIGRATIONS)).close();
});

describe.skipIf(!hasPostgres())('migrations of a served Postgres', async () => {
  const postgres = hasPostgres() ? await startPostgres() : null;
  afterAll(() => postgres?.stop());
  const emptyDatabase = () => postgres!.createDatabase({ empty: true });
  const open = (url: string, migrations = MIGRATIONS) => openPostgres(url, migrations, () => {});

  test('a database of the first version is brought up to date with all that is in it', async () => {
    const url = await emptyDatabase();
    const old = await open(url, migrationsUpTo(1));
    await fillFirst(old);
    await old.close();
    const migrated = await open(url);
    await expectKept(migrated);
    await migrated.close();
  });

  test('a migration that fails leaves the database as it was, and the next start goes on from there', async () => {
    const url = await emptyDatabase();
    const old = await open(url, migrationsUpTo(1));
    await fillFirst(old);
    // What the second migration wants to make is there already.
    await old.db.execute(sql`create table "quarantine" ("id" text)`);
    await old.close();
    await expect(open(url)).rejects.toThrow('quarantine');
    const between = await open(url, migrationsUpTo(1));
    expect(await between.db.execute(sql`select "title" from "boards" order by "title"`)).toMatchObject({
      rows: [{ title: '' }, { title: 'Mary and John' }],
    });
    await between.db.execute(sql`drop table "quarantine"`);
    await between.close();
    const migrated = await open(url);
    await expectKept(migrated);
    await migrated.close();
  });

  test('processes that start together on an empty database migrate it once', async () => {
    const url = await emptyDatabase();
    const said = await Promise.all([0, 1, 2].map(() => migrateElsewhere(url)));
    expect(said).toEqual(['migrated', 'migrated', 'migrated']);
    const { db, close } = await open(url);
    const { entries } = JSON.parse(readFileSync(join(MIGRATIONS, 'meta', '_journal.json'), 'utf8')) as { entries: unknown[] };
    const applied = await db.execute(sql`select count(*)::int as "count" from drizzle.__drizzle_migrations`);
    expect(applied).toMatchObject({ rows: [{ count: entries.length }] });
    await close();
  });

  test('a process that dies in the middle of a migration does not hold the others off', async () => {
    const url = await emptyDatabase();
    const blocker = new pg.Client({ connectionString: url });
    await blocker.connect();
    await blocker.query('begin');
    await blocker.query('create table "boards" ("id" text)');
    const dying = spawnMigration(url);
    const waits = async () => (await blocker.query(WAITING)).rowCount === 1;
    while (!(await waits())) await new Promise((done) => setTimeout(done, 20));
    dying.kill('SIGKILL');
    await once(dying, 'exit');
    await blocker.query('rollback');
    await blocker.end();
    expect(await migrateElsewhere(url)).toBe('migrated');
  });
});

test.skipIf(!hasPostgres())('a connection that breaks in the middle of a transaction fails that one alone', async () => {
  const postgres = await startPostgres();
  const url = await postgres!.createDatabase();
  const told: string[] = [];
  const { db, close } = await openPostgres(url, MIGRATIONS, (error) => told.push(error.message));
  const broken = db.transaction(async (tx) => {
    await tx.insert(rooms).values({ room: 'r' });
    const killer = new pg.Client({ connectionString: url });
    await killer.connect();
    await killer.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    await killer.end();
    // No statement is being executed while the connection ends.
    while (told.length === 0) await new Promise((done) => setTimeout(done, 5));
    await tx.insert(rooms).values({ room: 's' });
  });
  await expect(broken).rejects.toThrow('Failed query');
  expect(await db.select().from(rooms)).toEqual([]);
  await close();
  await postgres!.stop();
});

/** Somebody waits for a table, having the lock of the migrations. */
const WAITING = `select 1 from pg_locks where not granted and locktype <> 'advisory'`;

/** The first so many migrations, as an older version of this program knew them. */
function migrationsUpTo(count: number): string {
  const copy = join(mkdtempSync(join(folder, 'migrations-')), 'migrations');
  cpSync(MIGRATIONS, copy, { recursive: true });
  const file = join(copy, 'meta', '_journal.json');
  const journal = JSON.parse(readFileSync(file, 'utf8')) as { entries: unknown[] };
  writeFileSync(file, JSON.stringify({ ...journal, entries: journal.entries.slice(0, count) }));
  return copy;
}

const UPDATE = '0101c8ead5b20500280100066c6162656c73016b0177016100';

/** An owner with a board, two guests who are namesakes on different boards, a person on none. */
async function fillFirst({ db }: OpenDatabase): Promise<void> {
  for (const statement of [
    `insert into people (id, name, owner, created_at) values ('owner', 'Owner', true, 1795449000123), ('g1', 'Grace', false, 1795449000500),
     ('g2', 'Grace', false, 1795449000600), ('stray', 'Stray', false, 1795449000700)`,
    `insert into boards (id, title, model, prompt, created_by, created_at, updated_at) values
     ('board-one', 'Mary and John', 'attn-2l', 'When Mary', 'owner', 1795449001000, 1795449002000), ('board-two', '', 'attn-2l', 'x', 'g1', 1, 2)`,
    `insert into memberships (board_id, person_id, name_key, joined_at) values ('board-one', 'owner', 'owner', 1), ('board-one', 'g1', 'grace', 2),
     ('board-two', 'g1', 'grace', 3), ('board-two', 'g2', 'grace 2', 4)`,
    `insert into invites (token_hash, board_id, created_by, created_at, expires_at) values ('${'a1'.repeat(32)}', 'board-one', 'owner', 5, 6)`,
    `insert into sessions (token_hash, person_id, created_at, expires_at) values ('hash', 'g1', 1, 2)`,
    `insert into snapshots (room, data, created_at) values ('board/board-one', '\\x${UPDATE}', 7)`,
    `insert into updates (room, data, person_id, created_at) values ('board/board-one', '\\x${UPDATE}', 'g1', 8)`,
    `insert into entries (id, board_id, kind, author_id, created_at) values ('comment', 'board-one', 'comment', 'g1', 9)`,
  ]) {
    await db.execute(sql.raw(statement));
  }
}

async function expectKept({ db }: OpenDatabase): Promise<void> {
  const [workspace, ...others] = await db.select().from(workspaces);
  expect(others).toEqual([]);
  const workspaceId = workspace!.id;
  const everybody = await db.select().from(people).orderBy(people.createdAt);
  expect(everybody.map(({ id, owner, isAnonymous }) => [id, owner, isAnonymous])).toEqual([
    ['owner', true, false],
    ['g1', false, true],
    ['g2', false, true],
    ['stray', false, true],
  ]);
  expect(everybody[0]?.createdAt).toEqual(new Date(1_795_449_000_123));
  expect(new Set(everybody.map(({ email }) => email)).size).toBe(4);
  const inWorkspace = await db.select().from(members).orderBy(members.personId);
  expect(inWorkspace.map(({ personId, role }) => [personId, role])).toEqual([
    ['g1', null],
    ['g2', null],
    ['owner', 'owner'],
  ]);
  expect(new Set(inWorkspace.map(({ nameKey }) => nameKey)).size).toBe(3);
  const onBoards = await db.select().from(memberships).orderBy(memberships.joinedAt);
  expect(onBoards.map(({ boardId, personId, role }) => [boardId, personId, role])).toEqual([
    ['board-one', 'owner', 'owner'],
    ['board-one', 'g1', 'editor'],
    ['board-two', 'g1', 'owner'],
    ['board-two', 'g2', 'editor'],
  ]);
  expect(await db.select().from(boards).where(eq(boards.id, 'board-one'))).toMatchObject([
    { workspaceId, title: 'Mary and John', createdAt: 1_795_449_001_000, deletedAt: null },
  ]);
  expect(await db.select().from(invites)).toMatchObject([
    { workspaceId, boardId: 'board-one', role: 'editor', maxUses: null, uses: 0, revokedAt: null },
  ]);
  const bytes = new Uint8Array(Buffer.from(UPDATE, 'hex'));
  const [snapshot] = await db.select().from(snapshots);
  const [row] = await db.select().from(updates);
  // Lower than any row, so that the log since is read with it.
  expect([snapshot?.lastId, Buffer.compare(snapshot!.data, bytes), Buffer.compare(row!.data, bytes)]).toEqual([0, 0, 0]);
}

async function migrateElsewhere(url: string): Promise<string> {
  const child = spawnMigration(url);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (said += data.toString()));
  await once(child, 'close');
  return said;
}

function spawnMigration(url: string) {
  const client = new URL('client.ts', import.meta.url).href;
  const script = `import { openPostgres } from ${JSON.stringify(client)};
    const { close } = await openPostgres(${JSON.stringify(url)}, ${JSON.stringify(MIGRATIONS)}, () => {});
    await close();
    process.stdout.write('migrated');`;
  return spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'pipe'] });
}
