import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accounts, members, ownerLinks, people, sessions, workspaces } from '../db/schema.ts';
import {
  authorise,
  ensureOwner,
  makeOwnerLink,
  meOf,
  ownerHasPassword,
  personOfHeaders,
  redeemOwnerLink,
  rename,
  setOwnerPassword,
} from './access.ts';
import { listBoards } from './boards.ts';
import { SECRET_HEADER } from './guard.ts';
import { actorOf, openWorld, tokenOf, until, type Actor, type World } from './testing/world.ts';
import { describeEngines } from './testing/engines.ts';

describeEngines('access', (engine) => {
  const DAY = 24 * 3_600_000;
  let world: World;
  let owner: Actor;
  let now = Date.now();
  const none = new Headers();

  beforeAll(async () => {
    world = await openWorld({ ...(await engine.place()), now: () => now });
    owner = await world.owner();
  });
  afterAll(() => world.stop());

  test('the first start makes one owner with one workspace, however many make it', async () => {
    const made = await Promise.all([1, 2, 3].map(() => ensureOwner(world.app.db, now)));
    expect(new Set(made.map(({ id }) => id))).toEqual(new Set([owner.person.id]));
    const homes = await world.app.db.select().from(members).where(eq(members.personId, owner.person.id));
    expect(homes.map(({ role }) => role)).toEqual(['owner']);
    expect(await world.app.db.select({ name: workspaces.name }).from(workspaces)).toContainEqual({ name: 'Home' });
  });

  test('an owner link works once', async () => {
    const link = tokenOf(await makeOwnerLink(world.app));
    const { person } = await actorOf(world.app, await redeemOwnerLink(world.app, link, none));
    expect(person).toMatchObject({ name: 'Owner', owner: true, guest: false, email: null });
    await expect(redeemOwnerLink(world.app, link, none)).rejects.toMatchObject({ code: 'unauthorised' });
  });

  test('used twice at the same time, it opens one session', async () => {
    const link = tokenOf(await makeOwnerLink(world.app));
    const outcomes = await Promise.allSettled([redeemOwnerLink(world.app, link, none), redeemOwnerLink(world.app, link, none)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test('an owner link lasts a day, and a guess opens nothing', async () => {
    const link = tokenOf(await makeOwnerLink(world.app));
    now += DAY;
    await expect(redeemOwnerLink(world.app, link, none)).rejects.toMatchObject({ code: 'unauthorised' });
    await expect(redeemOwnerLink(world.app, 'guess', none)).rejects.toMatchObject({ code: 'unauthorised' });
  });

  test('the database holds nothing that opens a link or makes a cookie', async () => {
    const link = tokenOf(await makeOwnerLink(world.app));
    expect(JSON.stringify(await world.app.db.select().from(ownerLinks))).not.toContain(link);
    const [row] = await world.app.db.select().from(sessions).where(eq(sessions.userId, owner.person.id)).limit(1);
    const name = owner.cookie.split('=', 1)[0]!;
    expect(await personOfHeaders(world.app, { cookie: `${name}=${row!.token}` })).toBeNull();
    expect(await personOfHeaders(world.app, { cookie: `${name}=${row!.token}.${'A'.repeat(43)}%3D` })).toBeNull();
  });

  test.each([
    ['none', {}],
    ['an empty one', { cookie: '' }],
    ['a guess', { cookie: 'pathboard.session_token=guess' }],
    ['one with another name', { cookie: 'pathboard_session=guess' }],
    ['half an escape', { cookie: 'pathboard.session_token=%E0%A4%A' }],
    ['a guessed secret', { [SECRET_HEADER]: 'guess' }],
  ])('%s is nobody’s cookie', async (_, headers) => {
    expect(await personOfHeaders(world.app, headers)).toBeNull();
  });

  test('a cookie with one character changed is nobody’s', async () => {
    const at = owner.cookie.indexOf('=') + 3;
    const changed = `${owner.cookie.slice(0, at)}${owner.cookie[at] === 'A' ? 'B' : 'A'}${owner.cookie.slice(at + 1)}`;
    expect(await personOfHeaders(world.app, { cookie: changed })).toBeNull();
    expect(await personOfHeaders(world.app, new Headers({ cookie: `theme=dark; ${owner.cookie}` }))).toEqual(owner.person);
  });

  test('the command on this machine is the owner, and passes the same check', async () => {
    const command = await personOfHeaders(world.app, { [SECRET_HEADER]: world.app.config.localSecret });
    expect(command).toMatchObject({ id: owner.person.id, owner: true });
    const elsewhere = await world.board(await world.account('Elsewhere'));
    await expect(authorise(world.app, command, 'board.read', elsewhere)).rejects.toMatchObject({ code: 'not-found' });
  });

  test('a session ends when its time is over', async () => {
    const board = await world.board(owner);
    const guest = await world.guest(board, 'Shortly');
    const ofGuest = eq(sessions.userId, guest.person.id);
    const [{ expiresAt } = { expiresAt: new Date(0) }] = await world.app.db.select().from(sessions).where(ofGuest);
    expect((expiresAt.getTime() - Date.now()) / DAY).toBeCloseTo(90, 0);
    await world.app.db
      .update(sessions)
      .set({ expiresAt: new Date(now - 1) })
      .where(ofGuest);
    expect(await personOfHeaders(world.app, { cookie: guest.cookie })).toBeNull();
  });

  test('a board is there for its members alone, in the same words as one that is not there', async () => {
    const board = await world.board(owner);
    const stranger = await world.account('Stranger');
    const grace = await world.guest(board, 'Grace', 'viewer');
    expect(await authorise(world.app, grace.person, 'board.read', board)).toMatchObject({
      id: grace.person.id,
      role: 'viewer',
      boardId: board,
    });
    const messageFor = (id: string) => authorise(world.app, stranger.person, 'board.read', id).catch((error: Error) => error.message);
    expect((await messageFor(board)) as string).toBe(((await messageFor('unknown-board')) as string).replace('unknown-board', board));
    await expect(authorise(world.app, null, 'board.read', board)).rejects.toMatchObject({ code: 'unauthorised' });
    expect((await listBoards(world.app, grace.person)).map(({ id, role }) => [id, role])).toEqual([[board, 'viewer']]);
    expect(await listBoards(world.app, stranger.person)).toEqual([]);
  });

  test('what a role does not allow is refused with the roles that do', async () => {
    const board = await world.board(owner);
    const viewer = await world.guest(board, 'Vera', 'viewer');
    const refused = authorise(world.app, viewer.person, 'board.edit', board);
    await expect(refused).rejects.toMatchObject({ code: 'forbidden', message: expect.stringContaining('the role owner or editor') });
  });

  test.each(['grace', ' GRACE ', 'Ｇｒａｃｅ', 'Grace\u00a0', 'owner', 'OWNER'])(
    'the name %j is taken, in the whole workspace',
    async (name) => {
      const board = await world.board(await worldOf('Grace'));
      await expect(world.guest(board, name)).rejects.toMatchObject({ code: 'conflict', where: 'name' });
    },
  );

  /** The owner, in whose workspace somebody of this name is. */
  async function worldOf(name: string): Promise<Actor> {
    await world.guest(await world.board(owner), name).catch(() => null);
    return owner;
  }

  test.each(['', '   ', 'a\u200bb', 'a\u202eb', 'x'.repeat(41)])('%j is no name', async (name) => {
    const board = await world.board(owner);
    await expect(world.guest(board, name)).rejects.toMatchObject({ code: 'bad-request', where: 'name' });
    await expect(rename(world.app, owner.person, name)).rejects.toMatchObject({ code: 'bad-request', where: 'name' });
  });

  test('a new name must be free in every workspace of the person, and is shown at once', async () => {
    const board = await world.board(owner);
    const ada = await world.guest(board, 'Ada');
    await world.guest(board, 'Hopper');
    await expect(rename(world.app, ada.person, 'hopper')).rejects.toMatchObject({ code: 'conflict' });
    const client = world.connect(ada, `board/${board}`);
    await client.synced();
    client.provider.awareness.setLocalState({ selection: null });
    expect((await rename(world.app, ada.person, 'Ada L.')).name).toBe('Ada L.');
    const watcher = world.connect(owner, `board/${board}`);
    await until(() => [...watcher.provider.awareness.getStates().values()].some((state) => state['user']?.name === 'Ada L.'));
    await expect(world.guest(board, 'Ada')).resolves.toBeDefined();
  });

  test('two people who take a name at once do not both get it', async () => {
    const board = await world.board(owner);
    const both = await Promise.all([world.guest(board, 'First'), world.guest(board, 'Second')]);
    const outcomes = await Promise.allSettled(both.map(({ person }) => rename(world.app, person, 'Third')));
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'conflict', where: 'name' } });
  });

  test('an owner with a password signs in by it; setting one ends the sessions that were open', async () => {
    expect(await ownerHasPassword(world.app.db)).toBe(false);
    await expect(setOwnerPassword(world.app.db, 'nowhere', 'long enough password')).rejects.toMatchObject({ code: 'bad-request' });
    await expect(setOwnerPassword(world.app.db, 'ada@example.org', 'short')).rejects.toMatchObject({ code: 'bad-request' });
    const before = await world.owner();
    await setOwnerPassword(world.app.db, 'Ada@Example.org', 'long enough password');
    expect(await ownerHasPassword(world.app.db)).toBe(true);
    expect(await personOfHeaders(world.app, { cookie: before.cookie })).toBeNull();
    owner = await world.owner();
    expect(meOf(owner.person)).toMatchObject({ owner: true, email: 'ada@example.org', guest: false });
    await setOwnerPassword(world.app.db, 'ada@example.org', 'another long password');
    expect(await world.app.db.select().from(accounts).where(eq(accounts.userId, owner.person.id))).toHaveLength(1);
    expect(await world.app.db.select().from(people).where(eq(people.owner, true))).toHaveLength(1);
    owner = await world.owner();
  });
});
