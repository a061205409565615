import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { invites, members, memberships, people } from '../db/schema.ts';
import type { Role } from '../lib/roles.ts';
import { authorise, personOfHeaders, roleOnBoard, type Person } from './access.ts';
import { deleteBoard } from './bin.ts';
import {
  join,
  listBoardInvites,
  listWorkspaceInvites,
  makeBoardInvite,
  makeWorkspaceInvite,
  readInvitation,
  revokeInvite,
} from './invites.ts';
import { actorOf, openWorld, type Actor, type World } from './testing/world.ts';
import { describeEngines } from './testing/engines.ts';

describeEngines('invitations', (engine) => {
  const DAY = 24 * 3_600_000;
  const none = new Headers();
  let world: World;
  let owner: Actor;
  let board: string;
  let workspaceId: string;
  let now = Date.now();
  let count = 0;

  beforeAll(async () => {
    world = await openWorld({ ...(await engine.place()), now: () => now });
    owner = await world.owner();
    board = await world.board(owner);
    ({ workspaceId } = await authorise(world.app, owner.person, 'board.read', board));
  });
  afterAll(() => world.stop());

  type Role3 = Exclude<Role, 'owner'>;

  /** The token of a new link to the board. */
  async function link(role: Role3 = 'editor', more: { expiresIn?: number; maxUses?: number | null } = {}): Promise<string> {
    const { url } = await makeBoardInvite(world.app, owner.person, board, { role, expiresIn: 30, maxUses: null, ...more });
    return tokenIn(url);
  }

  const tokenIn = (url: string) => url.split('/').at(-1)!;
  const enter = (token: string, person: Person | null = null, name = `Guest ${++count}`) => join(world.app, person, { token, name }, none);
  const usesOf = async (id: string) => (await world.app.db.select().from(invites).where(eq(invites.id, id)))[0]?.uses;

  test('somebody joins by a link, gives a name and has its role there and nowhere else', async () => {
    const other = await world.board(owner);
    const token = await link('commenter');
    expect(await readInvitation(world.app, token, null)).toEqual({
      title: 'When Mary',
      boardId: board,
      workspaceId,
      role: 'commenter',
      member: false,
    });
    const { cookies, ...place } = await enter(token, null, ' Grace  Hopper ');
    expect(place).toEqual({ boardId: board, workspaceId });
    const { person } = await actorOf(world.app, cookies);
    expect(person).toMatchObject({ name: 'Grace Hopper', guest: true, owner: false, email: null });
    expect([await roleOnBoard(world.app.db, person.id, board), await roleOnBoard(world.app.db, person.id, other)]).toEqual([
      'commenter',
      null,
    ]);
    expect(await readInvitation(world.app, token, person)).toMatchObject({ member: true });
  });

  test('a link to a workspace opens all its boards', async () => {
    const { url } = await makeWorkspaceInvite(world.app, owner.person, workspaceId, { role: 'viewer', expiresIn: 1, maxUses: 1 });
    expect(await readInvitation(world.app, tokenIn(url), null)).toMatchObject({ title: 'Home', boardId: null, role: 'viewer' });
    const { cookies, ...place } = await enter(tokenIn(url));
    expect(place).toEqual({ boardId: null, workspaceId });
    const { person } = await actorOf(world.app, cookies);
    const later = await world.board(owner);
    expect(await roleOnBoard(world.app.db, person.id, later)).toBe('viewer');
  });

  test('the address has the public name of the server, and the database does not have the token', async () => {
    const made = await makeBoardInvite(world.app, owner.person, board, { role: 'viewer', expiresIn: 7, maxUses: 3 });
    expect(made.url).toBe(`http://127.0.0.1:${world.port}/join/${tokenIn(made.url)}`);
    expect(made).toMatchObject({
      role: 'viewer',
      boardId: board,
      createdBy: 'Owner',
      maxUses: 3,
      uses: 0,
      revokedAt: null,
      expiresAt: now + 7 * DAY,
    });
    const rows = await world.app.db.select().from(invites);
    expect(JSON.stringify(rows)).not.toContain(tokenIn(made.url));
    const listed = await listBoardInvites(world.app, owner.person, board);
    expect(listed.find(({ id }) => id === made.id)).toEqual({ ...made, url: undefined });
    expect(JSON.stringify(listed)).not.toContain('tokenHash');
    expect((await listWorkspaceInvites(world.app, owner.person, workspaceId)).every(({ boardId }) => boardId === null)).toBe(true);
  });

  test('a link ends when its time is over, and not before', async () => {
    const token = await link('viewer', { expiresIn: 2 });
    now += 2 * DAY - 1;
    await expect(enter(token)).resolves.toMatchObject({ boardId: board });
    now += 1;
    await expect(enter(token)).rejects.toMatchObject({ code: 'not-found', got: 'one that has expired' });
    await expect(readInvitation(world.app, token, null)).rejects.toMatchObject({ got: 'one that has expired' });
  });

  test.each(['', 'guess', 'x'.repeat(200), "' or 1=1 --"])('the token %j opens nothing', async (token) => {
    await expect(readInvitation(world.app, token, null)).rejects.toMatchObject({ code: 'not-found', got: 'an unknown one' });
    await expect(enter(token)).rejects.toMatchObject({ code: 'not-found', got: 'an unknown one' });
  });

  test('a stored hash is no token', async () => {
    await link();
    const [row] = await world.app.db.select().from(invites).limit(1);
    await expect(enter(row!.tokenHash)).rejects.toMatchObject({ got: 'an unknown one' });
  });

  test('a revoked link opens nothing any more, and those who came by it stay', async () => {
    const made = await makeBoardInvite(world.app, owner.person, board, { role: 'editor', expiresIn: 7, maxUses: null });
    const { person } = await actorOf(world.app, (await enter(tokenIn(made.url))).cookies);
    await revokeInvite(world.app, owner.person, made.id);
    await expect(enter(tokenIn(made.url))).rejects.toMatchObject({ code: 'not-found', got: 'one that was revoked' });
    expect(await roleOnBoard(world.app.db, person.id, board)).toBe('editor');
    const listed = await listBoardInvites(world.app, owner.person, board);
    expect(listed.find(({ id }) => id === made.id)).toMatchObject({ revokedAt: now, uses: 1 });
    await expect(revokeInvite(world.app, owner.person, 'unknown-invite')).rejects.toMatchObject({ code: 'not-found' });
  });

  test('however many come at once, no more get in than were to', async () => {
    const made = await makeBoardInvite(world.app, owner.person, board, { role: 'viewer', expiresIn: 7, maxUses: 3 });
    const before = (await world.app.db.select().from(people)).length;
    const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => enter(tokenIn(made.url))));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect([outcomes.length - refused.length, await usesOf(made.id)]).toEqual([3, 3]);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'not-found', got: 'one that is used up' });
    // Those who did not get in are not there either.
    expect((await world.app.db.select().from(people)).length).toBe(before + 3);
    await expect(readInvitation(world.app, tokenIn(made.url), null)).rejects.toMatchObject({ got: 'one that is used up' });
  });

  test('joining again counts once, at the same time too', async () => {
    const made = await makeBoardInvite(world.app, owner.person, board, { role: 'viewer', expiresIn: 7, maxUses: 2 });
    const ada = await world.account('Ada');
    await Promise.all([1, 2, 3].map(() => enter(tokenIn(made.url), ada.person, 'Ada')));
    await expect(enter(tokenIn(made.url), ada.person, 'Ada')).resolves.toMatchObject({ cookies: [] });
    expect(await usesOf(made.id)).toBe(1);
    // Used up by then, it still leads those who are in to where it leads.
    await enter(tokenIn(made.url));
    expect(await readInvitation(world.app, tokenIn(made.url), ada.person)).toMatchObject({ member: true });
  });

  test('a link gives more, and never less', async () => {
    const [toViewer, toEditor] = [await link('viewer'), await link('editor')];
    const { person } = await actorOf(world.app, (await enter(toViewer, null, 'Climber')).cookies);
    await enter(toEditor, person, 'Climber');
    expect(await roleOnBoard(world.app.db, person.id, board)).toBe('editor');
    await enter(toViewer, person, 'Climber');
    expect(await roleOnBoard(world.app.db, person.id, board)).toBe('editor');
    await enter(toViewer, owner.person, 'Somebody else');
    expect(await roleOnBoard(world.app.db, owner.person.id, board)).toBe('owner');
    expect((await personOfHeaders(world.app, { cookie: owner.cookie }))?.name).toBe('Owner');
  });

  test('somebody signed in joins under the name that they give', async () => {
    const account = await world.account('Joan Clarke');
    await world.guest(board, 'Joan');
    await expect(enter(await link(), account.person, 'joan')).rejects.toMatchObject({ code: 'conflict', where: 'name' });
    await expect(enter(await link(), account.person, 'Joan C.')).resolves.toMatchObject({ cookies: [] });
    expect((await personOfHeaders(world.app, { cookie: account.cookie }))?.name).toBe('Joan C.');
  });

  test('a refused name uses nothing up', async () => {
    const made = await makeBoardInvite(world.app, owner.person, board, { role: 'viewer', expiresIn: 7, maxUses: 1 });
    await expect(enter(tokenIn(made.url), null, 'owner')).rejects.toMatchObject({ code: 'conflict' });
    expect(await usesOf(made.id)).toBe(0);
  });

  test('a link to a board that was deleted opens nothing', async () => {
    const own = await world.board(owner);
    const { url } = await makeBoardInvite(world.app, owner.person, own, { role: 'viewer', expiresIn: 7, maxUses: null });
    await deleteBoard(world.app, owner.person, own);
    await expect(enter(tokenIn(url))).rejects.toMatchObject({ code: 'not-found', got: 'one to a board that was deleted' });
  });

  test('who comes to one board is in the workspace without a role', async () => {
    const { person } = await actorOf(world.app, (await enter(await link())).cookies);
    const [row] = await world.app.db.select().from(members).where(eq(members.personId, person.id));
    expect(row).toMatchObject({ workspaceId, role: null });
    expect(await world.app.db.select().from(memberships).where(eq(memberships.personId, person.id))).toHaveLength(1);
  });
});
