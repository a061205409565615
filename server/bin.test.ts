import { and, eq, inArray } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { audit, boards, publicationVersions, quarantine, rooms, snapshots, updates, workspaces, writers } from '../db/schema.ts';
import { authorise, roleOnBoard } from './access.ts';
import { deleteBoard, listBin, purgeBin, undeleteBoard } from './bin.ts';
import { listBoards } from './boards.ts';
import { addComment } from './discussion.ts';
import { findPage, listVersions, publish } from './publish.ts';
import { appendEntries } from './realtime/log.ts';
import { openWorld, type Actor, type World } from './testing/world.ts';
import { deleteWorkspace } from './workspaces.ts';
import { describeEngines } from './testing/engines.ts';

describeEngines('the bin', (engine) => {
  const DAY = 24 * 3_600_000;
  const PAGE = { title: 'What stays', question: '', findings: '', threads: false };
  let world: World;
  let now = Date.now();

  beforeAll(async () => {
    world = await openWorld({ ...(await engine.place()), now: () => now });
  });
  afterAll(() => world.stop());

  /** A board with a discussion and a page, whose owner has a workspace of their own. */
  async function publishedBoard(name: string): Promise<{ boss: Actor; board: string; workspaceId: string; slug: string }> {
    const boss = await world.account(name);
    const board = await world.board(boss);
    const { workspaceId } = await authorise(world.app, boss.person, 'board.read', board);
    await addComment(world.app, boss.person, board, { id: crypto.randomUUID(), anchor: 'a0.h0', body: 'why?' });
    const { slug } = await publish(world.app, boss.person, board, { ...PAGE, slug: name.toLowerCase() });
    return { boss, board, workspaceId, slug };
  }

  /** How many rows each table keeps of the board's rooms. */
  async function rowsOf(board: string): Promise<number> {
    const keys = [`board/${board}`, `discussion/${board}`];
    const tables = [updates, snapshots, writers, quarantine, rooms];
    const kept = await Promise.all(tables.map((table) => world.app.db.select().from(table).where(inArray(table.room, keys))));
    return kept.flat().length;
  }

  test('a deleted board is in the bin, from which it comes back as it was', async () => {
    const { app } = world;
    const { boss, board, workspaceId } = await publishedBoard('Binned');
    const told = vi.spyOn(app.rooms, 'accessChanged');
    await deleteBoard(app, boss.person, board);
    expect(told.mock.calls).toEqual([[{ personId: null, boardId: board }]]);
    told.mockRestore();
    await expect(authorise(app, boss.person, 'board.read', board)).rejects.toMatchObject({ code: 'not-found' });
    expect([await roleOnBoard(app.db, boss.person.id, board), await listBoards(app, boss.person)]).toEqual([null, []]);
    expect((await listBin(app, boss.person, workspaceId)).map(({ id }) => id)).toEqual([board]);
    await expect(deleteBoard(app, boss.person, board)).rejects.toMatchObject({ code: 'not-found' });
    await undeleteBoard(app, boss.person, board);
    expect((await listBoards(app, boss.person)).map(({ id, role }) => [id, role])).toEqual([[board, 'owner']]);
    expect(await listBin(app, boss.person, workspaceId)).toEqual([]);
    await expect(undeleteBoard(app, boss.person, board)).rejects.toMatchObject({ code: 'not-found' });
  });

  test('the bin shows what one may bring back', async () => {
    const { app } = world;
    const { boss, board, workspaceId } = await publishedBoard('Shown');
    const editor = await world.account('Bin editor', { workspaceId, role: 'editor' });
    await deleteBoard(app, boss.person, board);
    expect(await listBin(app, editor.person, workspaceId)).toEqual([]);
    await expect(undeleteBoard(app, editor.person, board)).rejects.toMatchObject({ code: 'not-found' });
  });

  test('after 30 days it is gone with all that was written on it; its page stays, and its address is nobody else’s', async () => {
    const { app } = world;
    const { boss, board, workspaceId, slug } = await publishedBoard('Purged');
    const kept = await publishedBoard('Kept');
    const page = await findPage(app, slug, 1);
    await deleteBoard(app, boss.person, board);
    now += 30 * DAY;
    expect(await purgeBin(app)).toBe(0);
    now += 1;
    await expect(undeleteBoard(app, boss.person, board)).rejects.toMatchObject({
      code: 'not-found',
      expected: 'one deleted in the last 30 days',
    });
    expect(await listBin(app, boss.person, workspaceId)).toEqual([]);
    const purged = await purgeBin(app);
    expect([purged >= 1, await purgeBin(app)]).toEqual([true, 0]);
    expect([await app.db.select().from(boards).where(eq(boards.id, board)), await rowsOf(board)]).toEqual([[], 0]);
    expect(await rowsOf(kept.board)).toBeGreaterThan(0);
    expect(await findPage(app, slug, 1)).toBe(page);
    const taking = publish(app, kept.boss.person, kept.board, { ...PAGE, slug });
    await expect(taking).rejects.toMatchObject({ code: 'conflict', where: 'slug' });
    const [last] = await app.db.select().from(audit).where(eq(audit.boardId, board)).orderBy(audit.id).offset(3);
    expect(last).toMatchObject({ action: 'board.purged', personId: null, personName: 'Pathboard', details: { title: 'When Mary' } });
  });

  test('pages that go along are hidden while the board is in the bin, come back with it, and are removed with it', async () => {
    const { app } = world;
    const { boss, board, slug } = await publishedBoard('Along');
    const page = await findPage(app, slug, 1);
    await deleteBoard(app, boss.person, board, 'remove');
    expect([await findPage(app, slug, 1), await findPage(app, slug, null), await listVersions(app, slug)]).toEqual([null, null, []]);
    await undeleteBoard(app, boss.person, board);
    expect(await findPage(app, slug, 1)).toBe(page);
    await deleteBoard(app, boss.person, board, 'remove');
    now += 30 * DAY + 1;
    await purgeBin(app);
    // Sessions of the tests after this one would end in the meantime.
    now -= 30 * DAY + 1;
    expect(await app.db.select().from(publicationVersions).where(eq(publicationVersions.slug, slug))).toEqual([]);
    // The address led to this page: it must not lead to somebody else's one day.
    const other = await publishedBoard('Heir');
    await expect(publish(app, other.boss.person, other.board, { ...PAGE, slug })).rejects.toMatchObject({
      code: 'conflict',
      where: 'slug',
    });
    const [deleted] = await app.db
      .select()
      .from(audit)
      .where(and(eq(audit.boardId, board), eq(audit.action, 'board.deleted')));
    expect(deleted?.details).toMatchObject({ pages: 'remove' });
  });

  test('a deleted workspace leaves pages in the bin no more than the bin does', async () => {
    const { app } = world;
    const { boss, board, workspaceId, slug } = await publishedBoard('Swept');
    await deleteBoard(app, boss.person, board, 'remove');
    await deleteWorkspace(app, boss.person, workspaceId);
    expect(await findPage(app, slug, null)).toBeNull();
  });

  test('a board that came back in time is not purged', async () => {
    const { app } = world;
    const { boss, board } = await publishedBoard('Saved');
    await deleteBoard(app, boss.person, board);
    now += 29 * DAY;
    await undeleteBoard(app, boss.person, board);
    now += 30 * DAY;
    await purgeBin(app);
    expect((await listBoards(app, boss.person)).map(({ id }) => id)).toEqual([board]);
  });

  test('a deleted workspace takes its boards along, and leaves its pages and what was written down', async () => {
    const { app } = world;
    const { boss, board, workspaceId, slug } = await publishedBoard('Closed');
    const told = vi.spyOn(app.rooms, 'accessChanged');
    await deleteWorkspace(app, boss.person, workspaceId);
    expect(told.mock.calls).toEqual([[{ personId: null, boardId: board }]]);
    told.mockRestore();
    expect([await app.db.select().from(workspaces).where(eq(workspaces.id, workspaceId)), await rowsOf(board)]).toEqual([[], 0]);
    expect(await findPage(app, slug, null)).toContain('What stays');
    const entries = await app.db.select().from(audit).where(eq(audit.workspaceId, workspaceId)).orderBy(audit.id);
    expect(entries.map(({ action }) => action)).toEqual(['workspace.made', 'board.made', 'board.published', 'workspace.deleted']);
    expect(entries.at(-1)).toMatchObject({ personName: 'Closed', details: { name: 'Closed', boards: 1 } });
  });

  test('what is written to a board while it is removed goes the next time', async () => {
    const { app } = world;
    const { boss, board, workspaceId } = await publishedBoard('Late');
    await deleteWorkspace(app, boss.person, workspaceId);
    const update = Y.encodeStateAsUpdate(new Y.Doc());
    const entry = { data: update, personId: boss.person.id, clients: [7] };
    await appendEntries(app.db, `board/${board}`, [entry], app.now());
    await app.db.insert(snapshots).values({ room: `discussion/${board}`, lastId: 1, data: update, createdAt: app.now() });
    expect(await rowsOf(board)).toBe(3);
    await purgeBin(app);
    expect(await rowsOf(board)).toBe(0);
  });
});
