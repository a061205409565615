import { and, eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { members, memberships } from '../db/schema.ts';
import { authorise, roleOnBoard } from './access.ts';
import { roleInWorkspace } from './access/authorise.ts';
import { createBoard } from './boards.ts';
import {
  changeBoardRole,
  changeWorkspaceRole,
  listBoardMembers,
  listWorkspaceMembers,
  removeFromBoard,
  removeFromWorkspace,
  transferBoard,
  transferWorkspace,
} from './members.ts';
import { SETUP, openWorld, type Actor, type World } from './testing/world.ts';
import { createWorkspace, listWorkspaces, renameWorkspace } from './workspaces.ts';
import { describeEngines } from './testing/engines.ts';

describeEngines('members', (engine) => {
  let world: World;
  let count = 0;
  /** Of a workspace of their own, with a board in it. */
  let boss: Actor;
  let workspaceId: string;
  let board: string;
  let told: { mock: { calls: unknown[][] }; mockClear: () => unknown };

  beforeAll(async () => {
    world = await openWorld(await engine.place());
    told = vi.spyOn(world.app.rooms, 'accessChanged');
  });
  beforeEach(async () => {
    boss = await world.account(`Boss ${++count}`);
    board = await world.board(boss);
    ({ workspaceId } = await authorise(world.app, boss.person, 'board.read', board));
    told.mockClear();
  });
  afterAll(() => world.stop());

  const member = (role: 'owner' | 'editor' | 'commenter' | 'viewer') => world.account(`Member ${++count}`, { workspaceId, role });
  const guest = (role: 'owner' | 'editor' | 'commenter' | 'viewer' = 'editor') => world.guest(board, `Guest ${++count}`, role);
  const ofBoard = ({ person }: Actor) => roleOnBoard(world.app.db, person.id, board);
  const ofWorkspace = ({ person }: Actor) => roleInWorkspace(world.app.db, person.id, workspaceId);
  const changes = () => told.mock.calls.map(([change]) => change);

  test('the last owner of a workspace can neither leave, nor be less, nor be removed', async () => {
    const { app } = world;
    const refusal = { code: 'conflict', message: expect.stringContaining('transfer it first') };
    await expect(removeFromWorkspace(app, boss.person, workspaceId, boss.person.id)).rejects.toMatchObject(refusal);
    await expect(changeWorkspaceRole(app, boss.person, workspaceId, boss.person.id, 'editor')).rejects.toMatchObject(refusal);
    expect([await ofWorkspace(boss), changes()]).toEqual(['owner', []]);
    const second = await member('owner');
    await removeFromWorkspace(app, boss.person, workspaceId, boss.person.id);
    expect([await ofWorkspace(boss), await ofBoard(boss)]).toEqual([null, null]);
    await expect(changeWorkspaceRole(app, second.person, workspaceId, second.person.id, 'viewer')).rejects.toMatchObject(refusal);
  });

  test('two owners who leave at once do not both go', async () => {
    const second = await member('owner');
    const outcomes = await Promise.allSettled(
      [boss, second].map(({ person }) => removeFromWorkspace(world.app, person, workspaceId, person.id)),
    );
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const left = await world.app.db
      .select()
      .from(members)
      .where(and(eq(members.workspaceId, workspaceId), eq(members.role, 'owner')));
    expect(left).toHaveLength(1);
  });

  test('two owners who demote each other at once: the second may not any more', async () => {
    const second = await member('owner');
    const outcomes = await Promise.allSettled([
      changeWorkspaceRole(world.app, boss.person, workspaceId, second.person.id, 'viewer'),
      changeWorkspaceRole(world.app, second.person, workspaceId, boss.person.id, 'viewer'),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect([await ofWorkspace(boss), await ofWorkspace(second)].sort()).toEqual(['owner', 'viewer']);
  });

  test('a workspace is transferred to somebody in it who has an account', async () => {
    const { app } = world;
    const [editor, stranger, visitor] = [await member('editor'), await world.account(`Stranger ${++count}`), await guest()];
    const transfer = (to: Actor) => transferWorkspace(app, boss.person, workspaceId, to.person.id);
    await expect(transfer(stranger)).rejects.toMatchObject({ code: 'not-found', where: 'member' });
    await expect(transfer(visitor)).rejects.toMatchObject({ code: 'not-found', where: 'member' });
    await expect(transfer(boss)).rejects.toMatchObject({ code: 'conflict', where: 'transfer' });
    await app.db.update(members).set({ role: 'editor' }).where(eq(members.personId, visitor.person.id));
    await expect(transfer(visitor)).rejects.toMatchObject({ code: 'conflict', got: expect.stringContaining('who is a guest') });
    await transfer(editor);
    expect([await ofWorkspace(boss), await ofWorkspace(editor)]).toEqual(['editor', 'owner']);
    expect(changes()).toEqual([editor, boss].map(({ person }) => ({ personId: person.id, boardId: null })));
    await expect(transfer(editor)).rejects.toMatchObject({ code: 'forbidden' });
  });

  test('a changed role holds on every board at once, and the sockets are told after it is there', async () => {
    const editor = await member('editor');
    const seen: unknown[] = [];
    const spy = vi.spyOn(world.app.rooms, 'accessChanged').mockImplementation(async (change) => {
      seen.push([change, await roleOnBoard(world.app.db, editor.person.id, board)]);
    });
    await changeWorkspaceRole(world.app, boss.person, workspaceId, editor.person.id, 'viewer');
    await vi.waitFor(() => expect(seen).toEqual([[{ personId: editor.person.id, boardId: null }, 'viewer']]));
    spy.mockRestore();
    told = vi.spyOn(world.app.rooms, 'accessChanged');
  });

  test('whoever leaves a workspace is on none of its boards any more, and their name is free', async () => {
    const editor = await member('viewer');
    await changeBoardRole(world.app, boss.person, board, editor.person.id, 'owner');
    await removeFromWorkspace(world.app, editor.person, workspaceId, editor.person.id);
    expect([
      await ofBoard(editor),
      await world.app.db.select().from(memberships).where(eq(memberships.personId, editor.person.id)),
    ]).toEqual([null, []]);
    await expect(world.guest(board, editor.person.name)).resolves.toBeDefined();
  });

  test('whoever is taken off their only board is out of the workspace; off one of two, they are not', async () => {
    const { app } = world;
    const visitor = await guest();
    const second = await createBoard(app, boss.person, { setup: SETUP, workspaceId });
    const other = await world.guest(second.id, `Guest ${++count}`);
    await changeBoardRole(app, boss.person, board, boss.person.id, 'owner');
    await removeFromBoard(app, boss.person, board, visitor.person.id);
    expect(await app.db.select().from(members).where(eq(members.personId, visitor.person.id))).toEqual([]);
    expect(changes()).toContainEqual({ personId: visitor.person.id, boardId: board });
    await removeFromBoard(app, other.person, second.id, other.person.id);
    expect(await app.db.select().from(members).where(eq(members.personId, other.person.id))).toEqual([]);
  });

  test('a role from the workspace is changed there', async () => {
    const { app } = world;
    const editor = await member('editor');
    const fromWorkspace = { code: 'conflict', message: expect.stringContaining('editor from the workspace, which is changed there') };
    await expect(changeBoardRole(app, boss.person, board, editor.person.id, 'viewer')).rejects.toMatchObject(fromWorkspace);
    await expect(removeFromBoard(app, boss.person, board, editor.person.id)).rejects.toMatchObject(fromWorkspace);
    await expect(removeFromBoard(app, editor.person, board, editor.person.id)).rejects.toMatchObject(fromWorkspace);
    // More on this board than in the workspace, and back again.
    await changeBoardRole(app, boss.person, board, editor.person.id, 'owner');
    expect([await ofBoard(editor), await ofWorkspace(editor)]).toEqual(['owner', 'editor']);
    await changeBoardRole(app, boss.person, board, editor.person.id, 'editor');
    expect(await ofBoard(editor)).toBe('editor');
  });

  test('a board is transferred; a guest may own one', async () => {
    const { app } = world;
    const [first, second] = [await guest('owner'), await guest('viewer')];
    await transferBoard(app, first.person, board, second.person.id);
    expect([await ofBoard(first), await ofBoard(second)]).toEqual(['editor', 'owner']);
    expect(changes()).toEqual([second, first].map(({ person }) => ({ personId: person.id, boardId: board })));
    await expect(transferBoard(app, first.person, board, first.person.id)).rejects.toMatchObject({ code: 'conflict' });
    await expect(transferBoard(app, second.person, board, 'somebody-else')).rejects.toMatchObject({ code: 'not-found' });
    // The workspace's owner made it over, and owns the workspace all the same.
    await transferBoard(app, boss.person, board, first.person.id);
    expect([await ofBoard(boss), await ofBoard(first)]).toEqual(['owner', 'owner']);
  });

  test('a list says who is there, as what, from where, and gives nobody’s address', async () => {
    const { app } = world;
    const [editor, viewer] = [await member('editor'), await guest('viewer')];
    const onBoard = await listBoardMembers(app, viewer.person, board);
    const shape = (list: typeof onBoard) => list.map(({ person, role, through, guest: isGuest }) => [person.name, role, through, isGuest]);
    expect(shape(onBoard)).toEqual([
      [boss.person.name, 'owner', 'workspace', false],
      [editor.person.name, 'editor', 'workspace', false],
      [viewer.person.name, 'viewer', 'board', true],
    ]);
    expect(shape(await listWorkspaceMembers(app, editor.person, workspaceId))).toEqual(shape(onBoard).slice(0, 2));
    await expect(listWorkspaceMembers(app, viewer.person, workspaceId)).rejects.toMatchObject({ code: 'not-found' });
    expect(JSON.stringify(onBoard)).not.toContain('@');
  });

  test('an account makes workspaces, a guest none', async () => {
    const { app } = world;
    const { id } = await createWorkspace(app, boss.person, 'Second');
    expect((await listWorkspaces(app, boss.person)).find((workspace) => workspace.id === id)).toEqual({
      id,
      name: 'Second',
      role: 'owner',
      boards: 0,
      people: 1,
    });
    const visitor = await guest();
    for (const name of ['', 'a\0b', 'a\u202eb', 'x'.repeat(101)]) {
      await expect(createWorkspace(app, boss.person, name)).rejects.toMatchObject({ code: 'bad-request', where: 'name' });
      await expect(renameWorkspace(app, boss.person, id, name)).rejects.toMatchObject({ code: 'bad-request', where: 'name' });
    }
    await expect(createWorkspace(app, visitor.person, 'None')).rejects.toMatchObject({ code: 'forbidden' });
    expect(await listWorkspaces(app, visitor.person)).toEqual([
      { id: workspaceId, name: boss.person.name, role: null, boards: 1, people: 1 },
    ]);
  });

  test('a board is made in the first workspace in which one may, or in the one that is named', async () => {
    const { app } = world;
    const viewer = await member('viewer');
    await expect(createBoard(app, viewer.person, { setup: SETUP })).rejects.toMatchObject({ code: 'forbidden' });
    await expect(createBoard(app, viewer.person, { setup: SETUP, workspaceId })).rejects.toMatchObject({ code: 'forbidden' });
    const { id } = await createWorkspace(app, viewer.person, 'Mine');
    const own = await createBoard(app, viewer.person, { setup: SETUP });
    expect((await authorise(app, viewer.person, 'board.read', own.id)).workspaceId).toBe(id);
    await expect(createBoard(app, viewer.person, { setup: SETUP, workspaceId: 'elsewhere' })).rejects.toMatchObject({ code: 'not-found' });
  });
});
