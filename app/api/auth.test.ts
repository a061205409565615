import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Database } from '../../db/client.ts';
import { boards, people, sessions } from '../../db/schema.ts';
import { readClaims, readComments } from '../../lib/board/discussion-doc.ts';
import type { Role } from '../../lib/roles.ts';
import { CLOSE } from '../../lib/wire.ts';
import { personOfHeaders, roleOnBoard } from '../../server/access.ts';
import { giveBoardRole } from '../../server/access/membership.ts';
import { setApp } from '../../server/app.ts';
import { ask } from '../../server/testing/routes.ts';
import { PASSWORD, actorOf, openWorld, until, type Actor, type World } from '../../server/testing/world.ts';
import { describeEngines } from '../../server/testing/engines.ts';

describeEngines('signing in', (engine) => {
  let world: World;
  let owner: Actor;
  let board: string;
  let count = 0;

  beforeAll(async () => {
    world = await openWorld(await engine.place());
    owner = await world.owner();
    board = await world.board(owner);
  });
  beforeEach(() => setApp(world.app));
  afterAll(() => world.stop());

  const id = () => crypto.randomUUID();
  const address = () => `person.${++count}@example.org`;
  const browser = () => ({ origin: `http://127.0.0.1:${world.port}` });

  /** A form of ours, sent by a browser. */
  function send(actor: Actor | null, path: string, body: unknown): Promise<Response> {
    return ask(actor, 'POST', `/api/auth/${path}`, { body, headers: browser() });
  }

  async function actorIn(response: Response): Promise<Actor> {
    expect(response.status).toBe(200);
    return actorOf(world.app, response.headers.getSetCookie());
  }

  async function errorOf(response: Response): Promise<[number, string]> {
    return [response.status, (await response.json()).error.code];
  }

  function signIn(actor: Actor | null, email: string, password = PASSWORD): Promise<Response> {
    return send(actor, 'sign-in/email', { email, password });
  }

  async function joinBoard(tx: Database, boardId: string, { person }: Actor, role: Role): Promise<void> {
    const [row] = await tx.select().from(boards).where(eq(boards.id, boardId));
    await giveBoardRole(tx, row!, person, role, 0);
  }

  function discussion(boardId: string) {
    return world.app.rooms.use({ kind: 'discussion', boardId }, (room) =>
      room.read((doc) => ({ comments: readComments(doc).records, claims: readClaims(doc).records })),
    );
  }

  describe('an account', () => {
    test('is signed in to by its password, with a cookie that scripts cannot read', async () => {
      await world.account('Ada');
      const response = await signIn(null, 'ada@example.org');
      expect(response.headers.get('set-cookie')).toMatch(
        /^pathboard\.session_token=[^;]+; Max-Age=7776000; Path=\/; HttpOnly; SameSite=Lax$/,
      );
      const { person } = await actorIn(response);
      expect(person).toMatchObject({ name: 'Ada', email: 'ada@example.org', guest: false });
    });

    test.each([
      ['another password', 'ada@example.org', 'wrong password'],
      ['an unknown address', 'nobody@example.org', PASSWORD],
    ])('is not signed in to by %s, and both are told the same', async (_, email, password) => {
      const response = await signIn(null, email, password);
      const { error } = await response.json();
      expect([response.status, error]).toEqual([
        401,
        expect.objectContaining({ code: 'unauthorised', message: 'sign-in/email: Invalid email or password' }),
      ]);
      expect(response.headers.getSetCookie().filter((line) => !line.includes('Max-Age=0'))).toEqual([]);
    });

    test('is signed out of, everywhere too, and what was connected with it is not any more', async () => {
      const [here, there] = [await actorIn(await signIn(null, 'ada@example.org')), await actorIn(await signIn(null, 'ada@example.org'))];
      const own = await world.board(here);
      const [stays, goes] = [world.connect(here, `board/${own}`), world.connect(there, `board/${own}`)];
      await Promise.all([stays.synced(), goes.synced()]);
      expect((await send(here, 'revoke-other-sessions', {})).status).toBe(200);
      expect(await personOfHeaders(world.app, { cookie: there.cookie })).toBeNull();
      await until(() => goes.closed !== null);
      expect([goes.closed?.code, stays.closed]).toEqual([CLOSE.unauthorised, null]);
      expect((await send(here, 'sign-out', {})).status).toBe(200);
      expect(await personOfHeaders(world.app, { cookie: here.cookie })).toBeNull();
      await until(() => stays.closed !== null);
      expect(stays.closed?.code).toBe(CLOSE.unauthorised);
    });

    test('changes its password by the one that it has', async () => {
      const actor = await world.account('Changing');
      const change = (currentPassword: string) => send(actor, 'change-password', { currentPassword, newPassword: 'another long one' });
      expect((await errorOf(await change('a wrong guess')))[0]).toBe(400);
      expect((await change(PASSWORD)).status).toBe(200);
      expect((await signIn(null, 'changing@example.org')).status).toBe(401);
      expect((await signIn(null, 'changing@example.org', 'another long one')).status).toBe(200);
    });

    test('that comes back within 90 days stays signed in', async () => {
      const actor = await world.account(`Returning ${++count}`);
      const look = () => ask(actor, 'GET', '/api/boards');
      expect((await look()).headers.getSetCookie()).toEqual([]);
      const ofActor = eq(sessions.userId, actor.person.id);
      const soon = new Date(Date.now() + 3_600_000);
      await world.app.db
        .update(sessions)
        .set({ updatedAt: new Date(Date.now() - 2 * 86_400_000), expiresAt: soon })
        .where(ofActor);
      const [cookie] = (await look()).headers.getSetCookie();
      expect(cookie).toMatch(/^pathboard\.session_token=[^;]+; Max-Age=7776000; Path=\/; HttpOnly; SameSite=Lax$/);
      expect((await actorOf(world.app, [cookie!])).person.id).toBe(actor.person.id);
      const [renewed] = await world.app.db.select().from(sessions).where(ofActor);
      expect(renewed!.expiresAt.getTime() - Date.now()).toBeGreaterThan(89 * 86_400_000);
      expect((await look()).headers.getSetCookie()).toEqual([]);
    });

    test('whose browser reaches us by https has a cookie that goes no other way', async () => {
      const secure = await openWorld({ ...(await engine.place()), publicUrl: 'https://board.example.org' });
      const board = await secure.board(await secure.owner());
      const [cookie] = await secure.app.auth.open((await secure.guest(board, 'Grace')).person.id, new Headers());
      expect(cookie).toMatch(/^__Secure-pathboard\.session_token=[^;]+; Max-Age=7776000; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
      await secure.stop();
    });

    test('is tried by JSON alone, and by little of it', async () => {
      const headers = { ...browser(), 'content-type': 'application/x-www-form-urlencoded' };
      const form = `email=ada%40example.org&password=${encodeURIComponent(PASSWORD)}`;
      expect(await errorOf(await ask(null, 'POST', '/api/auth/sign-in/email', { body: form, headers }))).toEqual([400, 'bad-request']);
      expect(await errorOf(await signIn(null, 'ada@example.org', 'x'.repeat(20_000)))).toEqual([413, 'too-large']);
    });

    test('is used by pages of ours alone', async () => {
      const actor = await world.account('Lured');
      const foreign = { body: {}, headers: { origin: 'http://evil.example' } };
      expect((await ask(actor, 'POST', '/api/auth/sign-out', foreign)).status).toBe(403);
      expect(await personOfHeaders(world.app, { cookie: actor.cookie })).toMatchObject({ name: 'Lured' });
    });
  });

  test.each([
    'update-user',
    'delete-user',
    'change-email',
    'set-password',
    'get-access-token',
    'sign-in/anonymous',
    '',
    'sign-in/email/x',
    '../me',
  ])('what of better-auth would pass by our rules is not served: %j', async (path) => {
    const actor = await world.account(`Trying ${++count}`);
    const response = await ask(actor, 'POST', `/api/auth/${path}`, { body: { name: 'Owner' }, headers: browser() }).catch(() => null);
    expect(response === null || response.status === 404).toBe(true);
  });

  describe('making an account where one has to be invited', () => {
    test('is refused to whoever comes by, whether the address has one or not', async () => {
      await world.account('Known');
      const signUp = (email: string) => send(null, 'sign-up/email', { name: 'Eve', email, password: PASSWORD });
      const [unknown, known] = [await signUp(address()), await signUp('known@example.org')];
      expect([unknown.status, await unknown.json()]).toEqual([known.status, await known.json()]);
      expect(unknown.status).toBe(403);
    });

    test('a guest becomes one under the same id, and what they wrote stays theirs', async () => {
      const guest = await world.guest(board, 'Grace');
      const commentId = id();
      await ask(guest, 'POST', `/api/boards/${board}/comments`, { body: { id: commentId, anchor: 'a0.h0', body: 'as a guest' } });
      const email = address();
      const made = await ask(guest, 'POST', '/api/me/account', { body: { email: email.toUpperCase(), password: PASSWORD } });
      expect(await made.json()).toEqual({ person: { id: guest.person.id, name: 'Grace' }, owner: false, email, guest: false });
      const account = await actorIn(await signIn(null, email));
      expect(account.person.id).toBe(guest.person.id);
      const edited = await ask(account, 'PATCH', `/api/boards/${board}/comments/${commentId}`, { body: { body: 'with an account' } });
      expect((await edited.json()).author).toEqual({ id: guest.person.id, name: 'Grace' });
    });

    test('an account is made once, with an address that nobody has and a password that is long enough', async () => {
      const guest = await world.guest(board, 'Margaret');
      const make = (body: unknown) => ask(guest, 'POST', '/api/me/account', { body });
      expect(await errorOf(await make({ email: 'known@example.org', password: PASSWORD }))).toEqual([409, 'conflict']);
      expect(await errorOf(await make({ email: address(), password: 'short' }))).toEqual([400, 'bad-request']);
      expect(await errorOf(await make({ email: 'nowhere', password: PASSWORD }))).toEqual([400, 'bad-request']);
      expect((await make({ email: address(), password: PASSWORD })).status).toBe(200);
      expect(await errorOf(await make({ email: address(), password: PASSWORD }))).toEqual([409, 'conflict']);
      expect((await ask(null, 'POST', '/api/me/account', { body: { email: address(), password: PASSWORD } })).status).toBe(401);
    });

    test('the owner without a password becomes an account too, and stays the owner', async () => {
      const email = address();
      const made = await ask(owner, 'POST', '/api/me/account', { body: { email, password: PASSWORD } });
      expect(await made.json()).toMatchObject({ person: { id: owner.person.id }, owner: true, email, guest: false });
      expect((await actorIn(await signIn(null, email))).person).toMatchObject({ id: owner.person.id, owner: true });
    });

    test('a guest may sign up by the form, and is that account from then on', async () => {
      const guest = await world.guest(board, 'Signing');
      const email = address();
      const account = await actorIn(await send(guest, 'sign-up/email', { name: 'Signing Up', email, password: PASSWORD }));
      expect(account.person).toMatchObject({ name: 'Signing Up', email, guest: false });
      expect(await roleOnBoard(world.app.db, account.person.id, board)).toBe('editor');
      expect(await personOfHeaders(world.app, { cookie: guest.cookie })).toBeNull();
    });
  });

  describe('a guest who signs in to an account that there is', () => {
    test('finds what they wrote to be theirs, and has the higher role everywhere', async () => {
      const other = await world.board(owner);
      const guest = await world.guest(board, 'Barbara', 'editor');
      const account = await world.account('Barbara Liskov');
      await world.app.db.transaction((tx) => joinBoard(tx, other, account, 'viewer'));
      await world.app.db.transaction((tx) => joinBoard(tx, other, guest, 'commenter'));
      const [commentId, claimId] = [id(), id()];
      await ask(guest, 'POST', `/api/boards/${board}/comments`, { body: { id: commentId, anchor: 'a0.h0', body: 'as a guest' } });
      await ask(guest, 'POST', `/api/boards/${board}/claims`, { body: { id: claimId, anchor: null, text: 'It is exact.' } });
      await ask(guest, 'PUT', `/api/boards/${board}/claims/${claimId}/stance`, { body: { stance: 'for', reason: '' } });

      const told = vi.spyOn(world.app.rooms, 'accessChanged');
      const signedIn = await actorIn(await signIn(guest, 'barbara.liskov@example.org'));
      expect(signedIn.person.id).toBe(account.person.id);
      expect(told.mock.calls.map(([change]) => change)).toContainEqual({ personId: guest.person.id, boardId: null });
      told.mockRestore();

      expect(await roleOnBoard(world.app.db, account.person.id, board)).toBe('editor');
      expect(await roleOnBoard(world.app.db, account.person.id, other)).toBe('commenter');
      expect(await roleOnBoard(world.app.db, guest.person.id, board)).toBeNull();
      expect(await personOfHeaders(world.app, { cookie: guest.cookie })).toBeNull();
      expect(await world.app.db.select().from(sessions).where(eq(sessions.userId, guest.person.id))).toEqual([]);

      const path = `/api/boards/${board}/comments/${commentId}`;
      expect((await ask(signedIn, 'PATCH', path, { body: { body: 'by the account' } })).status).toBe(200);
      // The retry of an entry that was sent as the guest is the same entry.
      const retried = await ask(signedIn, 'POST', `/api/boards/${board}/comments`, { body: { id: commentId, anchor: 'a0.h0', body: 'x' } });
      expect((await retried.json()).body).toBe('by the account');
      await ask(signedIn, 'PUT', `/api/boards/${board}/claims/${claimId}/stance`, { body: { stance: 'against', reason: '' } });
      const { claims } = await discussion(board);
      expect(Object.entries(claims.find((claim) => claim.id === claimId)!.stances).map(([by, { stance }]) => [by, stance])).toEqual([
        [account.person.id, 'against'],
      ]);
      expect((await ask(signedIn, 'DELETE', path)).status).toBe(204);
    });

    test('is told apart from somebody there who has the account’s name', async () => {
      await world.guest(board, 'Katherine');
      const guest = await world.guest(board, 'Kathy');
      await world.account('Katherine');
      const signedIn = await actorIn(await signIn(guest, 'katherine@example.org'));
      expect(signedIn.person.name).toBe('Katherine 2');
    });

    test('keeps the account’s name where the guest had it', async () => {
      const guest = await world.guest(board, 'Radia');
      await world.account('Radia');
      expect((await actorIn(await signIn(guest, 'radia@example.org'))).person.name).toBe('Radia');
    });

    test('and is not that account while the password is wrong', async () => {
      const guest = await world.guest(board, 'Guessing');
      await world.account('Guessed');
      expect((await signIn(guest, 'guessed@example.org', 'a wrong guess')).status).toBe(401);
      expect(await personOfHeaders(world.app, { cookie: guest.cookie })).toMatchObject({ id: guest.person.id });
      expect(await roleOnBoard(world.app.db, guest.person.id, board)).toBe('editor');
    });

    test('an account that signs in to another one stays what it is', async () => {
      const [one, two] = [await world.account('One'), await world.account('Two')];
      await actorIn(await signIn(one, 'two@example.org'));
      expect(await personOfHeaders(world.app, { cookie: one.cookie })).toMatchObject({ id: one.person.id });
      const [row] = await world.app.db.select().from(people).where(eq(people.id, one.person.id));
      expect([row?.mergedInto, two.person.id]).toEqual([null, expect.any(String)]);
    });
  });

  describe('where anybody may make an account', () => {
    let open: World;
    beforeAll(async () => {
      open = await openWorld({ ...(await engine.place()), signUp: 'open' });
    });
    beforeEach(() => setApp(open.app));
    afterAll(() => open.stop());

    const signUp = (name: string, email: string) =>
      ask(null, 'POST', '/api/auth/sign-up/email', {
        body: { name, email, password: PASSWORD },
        headers: { origin: `http://127.0.0.1:${open.port}` },
      });

    test('they get a workspace of their own, and nothing of anybody else’s', async () => {
      const response = await signUp('Rosalind', 'Rosalind@example.org');
      expect(response.status).toBe(200);
      const actor = await actorOf(open.app, response.headers.getSetCookie());
      const workspaces = await (await ask(actor, 'GET', '/api/workspaces')).json();
      expect(workspaces).toEqual([{ id: expect.any(String), name: 'Rosalind', role: 'owner', boards: 0, people: 1 }]);
      expect(await (await ask(actor, 'GET', '/api/boards')).json()).toEqual([]);
      const me = await (await ask(actor, 'GET', '/api/me')).json();
      expect(me).toEqual({ person: { id: actor.person.id, name: 'Rosalind' }, owner: false, email: 'rosalind@example.org', guest: false });
    });

    test('the same address makes no second one, a name that cannot be seen none', async () => {
      expect(await errorOf(await signUp('Somebody', 'rosalind@example.org'))).toEqual([409, 'conflict']);
      expect(await errorOf(await signUp('a\u202eb', 'b@example.org'))).toEqual([400, 'bad-request']);
      expect(await open.app.db.select().from(people).where(eq(people.email, 'b@example.org'))).toEqual([]);
    });

    test('nobody makes themselves the owner, a guest or somebody else by saying so', async () => {
      const response = await ask(null, 'POST', '/api/auth/sign-up/email', {
        body: {
          name: 'Mallory',
          email: 'm@example.org',
          password: PASSWORD,
          owner: true,
          isAnonymous: true,
          id: 'chosen',
          mergedInto: 'x',
        },
        headers: { origin: `http://127.0.0.1:${open.port}` },
      });
      const [row] = await open.app.db.select().from(people).where(eq(people.email, 'm@example.org'));
      expect([response.status, row?.owner ?? false, row?.isAnonymous ?? false, row?.mergedInto ?? null]).toEqual([
        expect.any(Number),
        false,
        false,
        null,
      ]);
      expect(row?.id).not.toBe('chosen');
    });
  });
});
