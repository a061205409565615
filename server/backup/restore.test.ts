import { sql } from 'drizzle-orm';
import { existsSync, rmSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../../db/client.ts';
import * as schema from '../../db/schema.ts';
import { FIXTURES } from '../engine/testing.ts';
import { importModel } from '../model-import.ts';
import { listModels } from '../models.ts';
import { newHome } from '../testing/home.ts';
import { verifyBackup } from './format.ts';
import { withMigrationsUpTo } from './migrations.ts';
import { restoreModels } from './restore-models.ts';
import { restoreIntoFolder, type Restored } from './restore.ts';
import { rowsOf } from './tables.ts';
import { BYTES, LAST_UPDATE, backUp, digests, newFullHome, withDatabase } from './testing.ts';
import { forge, linesOf } from './testing-files.ts';
import { LEFT_OUT_COLUMNS, LEFT_OUT_TABLES } from './write.ts';

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

const workspaceName = (home: string) => withDatabase(home, async (db) => (await db.select().from(schema.workspaces))[0]?.name);
const renameWorkspace = (home: string, name: string) => withDatabase(home, (db) => db.update(schema.workspaces).set({ name }));

describe('a restored database', () => {
  let home: string;
  let restored: Restored;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'pathboard-restored-'));
    restored = await restoreIntoFolder(home, file, NOW);
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  test('is the one that was backed up, value for value', async () => {
    expect(restored).toMatchObject({ kept: null, models: [] });
    const before = await withDatabase(source, (db) => digests(db, LEFT_OUT_COLUMNS));
    const after = await withDatabase(home, (db) => digests(db));
    const same = Object.keys(before).filter((name) => name !== 'rooms' && !LEFT_OUT_TABLES.includes(name));
    expect(same.map((name) => [name, after[name]])).toEqual(same.map((name) => [name, before[name]]));
    expect(LEFT_OUT_TABLES.map((name) => after[name]?.rows)).toEqual(LEFT_OUT_TABLES.map(() => 0));
    expect(restored.counts['updates']?.rows).toBe(2500);
  });

  test('reads as it did', async () => {
    await withDatabase(home, async (db) => {
      const [run] = await db.select().from(schema.runs);
      expect(run?.request).toMatchObject({ text: expect.stringContaining('a\u0000b') as string, numbers: [0.1, 1e300, 0, 2 ** 60] });
      const [version] = await db.select().from(schema.versions);
      expect(Buffer.from(version!.data).equals(Buffer.from(BYTES))).toBe(true);
      const [owner] = await db
        .select()
        .from(schema.people)
        .where(sql`owner`);
      expect(owner?.createdAt).toEqual(new Date(Date.UTC(2026, 10, 23, 1, 2, 3) + 4));
    });
  });

  test('has its constraints, all of them checked', async () => {
    const constraints = (db: Database) =>
      rowsOf(
        db,
        sql`
          select conrelid::regclass::text as table, conname, pg_get_constraintdef(oid) as definition, convalidated
          from pg_constraint where connamespace = 'public'::regnamespace order by 1, 2`,
      );
    const before = await withDatabase(source, constraints);
    expect(before.length).toBeGreaterThan(40);
    expect(await withDatabase(home, constraints)).toEqual(before);
  });

  test('gives no number a second time, of those too whose rows are gone', async () => {
    await withDatabase(home, async (db) => {
      const [update] = await db
        .insert(schema.updates)
        .values({ room: 'board/x', data: new Uint8Array([1]), createdAt: 1 })
        .returning();
      expect(update?.id).toBe(LAST_UPDATE + 1);
      const [entry] = await db
        .insert(schema.audit)
        .values({ at: 1, workspaceId: 'w', personName: '', action: '', details: {} })
        .returning();
      expect(entry?.id).toBe(2);
    });
  });

  test('takes the place of another, which is kept, and begins new epochs again', async () => {
    const epochs = () => withDatabase(home, (db) => db.select().from(schema.rooms).orderBy(schema.rooms.room));
    const first = await epochs();
    expect(first.map(({ room }) => room)).toEqual(expect.arrayContaining(['board/board-000001', 'discussion/board-000001']));
    // Greater than any that a browser can know from before.
    expect(first.every(({ epoch }) => epoch > 1_000_000)).toBe(true);
    await renameWorkspace(home, 'before');
    const { kept } = await restoreIntoFolder(home, file, NOW + 1000);
    expect(kept).toBe(join(home, 'db.before-restore-2026-11-24T00-00-01-000Z'));
    expect(await workspaceName(home)).toMatch(/^Ärger/);
    const second = await epochs();
    for (const { room, epoch } of second) expect(epoch).toBeGreaterThan(first.find((one) => one.room === room)!.epoch);
    expect((await readdir(home)).sort()).toEqual(['db', 'db.before-restore-2026-11-24T00-00-01-000Z']);
    await mkdir(join(target, 'old'));
    await cp(kept!, join(target, 'old', 'db'), { recursive: true });
    expect(await workspaceName(join(target, 'old'))).toBe('before');
  });
});

test('a backup of an older database is migrated on', async () => {
  const path = join(target, 'old.backup');
  const old = join(target, 'old');
  await mkdir(old);
  await withMigrationsUpTo('0000_first', target, async (migrations) => {
    const { db, close } = await openDatabase(old, migrations);
    await db.execute(
      sql`insert into people (id, name, owner, created_at) values ('owner-0001', 'O', true, 5), ('guest-0001', 'G', false, 6)`,
    );
    await db.execute(sql`insert into boards values ('board-0001', 'T', 'm', 'p', 'owner-0001', 7, 8)`);
    await db.execute(sql`insert into updates (room, data, created_at) values ('board/board-0001', '\\x01ff', 9)`);
    const { writeBackup } = await import('./write.ts');
    await writeBackup({ database: { db, engine: 'pglite' }, home: old, withModels: false }, path);
    await close();
  });
  const { counts } = await restoreIntoFolder(target, path, NOW);
  expect(counts['people']?.rows).toBe(2);
  await withDatabase(target, async (db) => {
    expect((await db.select().from(schema.people)).map(({ id, isAnonymous, createdAt }) => [id, isAnonymous, createdAt.getTime()])).toEqual(
      [
        ['owner-0001', false, 5],
        ['guest-0001', true, 6],
      ],
    );
    expect(await db.select().from(schema.rooms)).toMatchObject([{ room: 'board/board-0001' }]);
    expect((await db.select().from(schema.boards))[0]?.workspaceId).toHaveLength(32);
  });
});

test('a table that is SQL is refused, and the old database stays', async () => {
  await cp(join(await newHome(), 'db'), join(target, 'db'), { recursive: true });
  const lines = (await linesOf(file))
    .slice(0, -1)
    .map((line) => line.replaceAll('"type":"bytea"', '"type":"bytea); drop table people; --"'));
  const path = await forge(join(target, 'forged.backup'), lines);
  await expect(restoreIntoFolder(target, path, NOW)).rejects.toThrow('expected a table as this database has it, got other columns');
  expect(await withDatabase(target, async (db) => (await db.select().from(schema.people)).length)).toBe(0);
  expect((await readdir(target)).filter((name) => name.includes('before'))).toEqual([]);
});

describe('interrupted while the old and the new database change places', () => {
  test.each([
    ['between the two renames: the new one', ['db.restored'], 'new'],
    ['before them: the old one', ['db', 'db.restored'], 'old'],
  ] as const)('%s', async (_, folders, expected) => {
    const home = await newHome();
    for (const folder of folders) await cp(join(home, 'db'), join(target, folder), { recursive: true });
    rmSync(home, { recursive: true });
    // The one of them that is opened is known by what stands in it.
    await symlink('nothing', join(target, folders.at(-1)!, 'new'));
    await withDatabase(target, async () => {});
    expect((await readdir(join(target, 'db'))).includes('new')).toBe(expected === 'new');
    expect(existsSync(join(target, 'db.restored'))).toBe(false);
  });
});

describe('models', () => {
  let withModels: string;
  beforeAll(async () => {
    await importModel(source, join(FIXTURES, 'random-gpt2'), 'tiny');
    withModels = join(source, 'models.backup');
    await backUp(source, withModels, true);
  });
  const imported = async (home: string) => (await listModels(home)).filter(({ builtIn }) => !builtIn);
  const restore = async (path: string) => restoreModels(target, path, (await verifyBackup(path)).header);

  test('are named in a backup, and in it where that is asked for', async () => {
    const path = join(target, 'named.backup');
    await backUp(source, path);
    const [tiny] = await imported(source);
    expect((await verifyBackup(path)).header.models).toEqual([{ name: 'tiny', hash: tiny!.hash, files: null }]);
    expect(await restore(path)).toEqual([]);
    expect(await imported(target)).toEqual([]);
    expect(await restore(withModels)).toEqual(['tiny']);
    // It came to this folder now.
    expect(await imported(target)).toEqual([{ ...tiny, importedAt: expect.any(String) }]);
    expect(await restore(withModels)).toEqual([]);
  });

  test('of the same name but other weights are refused before anything is touched', async () => {
    await importModel(target, join(FIXTURES, 'random-attn-only'), 'tiny');
    await expect(restoreIntoFolder(target, withModels, NOW)).rejects.toThrow('a name that no other model has');
    expect(await readdir(target)).toEqual(['models']);
  });

  test.each([
    ['config.json', '../config.json'],
    ['config.json', '/tmp/config.json'],
    ['config.json', '.hidden'],
    ['tiny', '../elsewhere/tiny'],
    ['tiny', '..'],
    ['tiny', 'a/b'],
  ])('%s as %s is written nowhere', async (from, to) => {
    await symlink(tmpdir(), join(target, 'elsewhere'));
    const lines = (await linesOf(withModels)).slice(0, -1).map((line) => line.replaceAll(`"${from}"`, JSON.stringify(to)));
    const [model, name] = from === 'tiny' ? [to, 'config.json'] : ['tiny', to];
    lines.push(
      lines
        .pop()!
        .replace('"tiny/config.json"', JSON.stringify(`${model}/${name}`))
        .replaceAll('"tiny/', `"${model}/`),
    );
    const path = await forge(join(target, 'forged.backup'), lines);
    await expect(restore(path)).rejects.toThrow(/expected (plain file names|letters, digits, dot)/);
    expect((await readdir(target)).sort()).toEqual(['elsewhere', 'forged.backup']);
  });

  test('that are not the ones they are said to be do not come in', async () => {
    const lines = (await linesOf(withModels)).slice(0, -1);
    const header = JSON.parse(lines[0]!) as { models: { hash: string }[] };
    header.models[0]!.hash = '0'.repeat(64);
    const path = await forge(join(target, 'forged.backup'), [JSON.stringify(header), ...lines.slice(1)]);
    await expect(restore(path)).rejects.toThrow(`model tiny: expected sha256 ${'0'.repeat(64)}`);
    expect(await readdir(join(target, 'models'))).toEqual([]);
  });
});
