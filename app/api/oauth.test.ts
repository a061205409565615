import { eq } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { accounts, people } from '../../db/schema.ts';
import { personOfHeaders, roleOnBoard } from '../../server/access.ts';
import { setApp } from '../../server/app.ts';
import { describeEngines } from '../../server/testing/engines.ts';
import { ask } from '../../server/testing/routes.ts';
import { actorOf, openWorld, type Actor, type World } from '../../server/testing/world.ts';

describeEngines('signing in through a provider', (engine) => {
  /** Whom the provider says that somebody is. */
  let identity = { id: 1, login: 'ada', name: 'Ada', email: 'ada@provider.example' };
  const stubbed = vi.fn<typeof fetch>(async (given) => {
    const url = new URL(given instanceof Request ? given.url : given);
    if (url.host === 'github.com') return Response.json({ access_token: 'secret-access', token_type: 'bearer', scope: 'user:email' });
    if (url.pathname === '/user/emails') return Response.json([{ email: identity.email, primary: true, verified: true }]);
    if (url.host === 'api.github.com') return Response.json({ ...identity, avatar_url: 'https://provider.example/a.png' });
    throw new Error(`fetch: expected the provider, got ${url.host}`);
  });
  let provided: World;
  beforeAll(async () => {
    provided = await openWorld({ ...(await engine.place()), oauth: { github: { clientId: 'client', clientSecret: 'secret' } } });
  });
  beforeEach(() => {
    setApp(provided.app);
    vi.stubGlobal('fetch', stubbed);
  });
  afterEach(() => vi.unstubAllGlobals());
  afterAll(() => provided.stop());

  const body = { provider: 'github', callbackURL: '/', errorCallbackURL: '/sign-in' };
  const headers = () => ({ origin: `http://127.0.0.1:${provided.port}` });

  /** Goes to the provider and comes back; where to, and with which cookies. */
  async function through(actor: Actor | null, path: 'sign-in/social' | 'link-social'): Promise<{ to: string; cookies: string[] }> {
    const left = await ask(actor, 'POST', `/api/auth/${path}`, { body, headers: headers() });
    expect(left.status).toBe(200);
    const state = new URL((await left.json()).url).searchParams.get('state');
    const carried = left.headers.getSetCookie().map((line) => line.split(';', 1)[0]!);
    const cookie = [...(actor ? [actor.cookie] : []), ...carried].join('; ');
    const back = await ask(null, 'GET', `/api/auth/callback/github?code=code&state=${state}`, { headers: { cookie } });
    expect(back.status).toBe(302);
    return { to: back.headers.get('location')!, cookies: back.headers.getSetCookie().filter((line) => !line.includes('Max-Age=0')) };
  }

  async function guestOf(name: string): Promise<{ guest: Actor; board: string }> {
    const own = await provided.board(await provided.owner());
    return { guest: await provided.guest(own, name), board: own };
  }

  test('makes nobody where one has to be invited', async () => {
    identity = { ...identity, id: 10, email: 'uninvited@provider.example' };
    const { to, cookies } = await through(null, 'sign-in/social');
    expect([to, cookies]).toEqual([expect.stringContaining('/sign-in?error=invited_only'), []]);
    expect(await provided.app.db.select().from(people).where(eq(people.email, identity.email))).toEqual([]);
  });

  test('a guest who links it becomes an account under the same id', async () => {
    const { guest, board: own } = await guestOf('Linked');
    identity = { ...identity, id: 11, email: 'Linked@provider.example' };
    expect((await through(guest, 'link-social')).to).toBe('/');
    expect(await personOfHeaders(provided.app, { cookie: guest.cookie })).toEqual({
      ...guest.person,
      email: 'linked@provider.example',
      guest: false,
    });
    const again = await actorOf(provided.app, (await through(null, 'sign-in/social')).cookies);
    expect(again.person.id).toBe(guest.person.id);
    expect(await roleOnBoard(provided.app.db, again.person.id, own)).toBe('editor');
  });

  test('a guest who signs in by it for the first time becomes an account too', async () => {
    const { guest, board: own } = await guestOf('Signed');
    identity = { ...identity, id: 12, name: 'Signed\u202e In', email: 'signed@provider.example' };
    const { person } = await actorOf(provided.app, (await through(guest, 'sign-in/social')).cookies);
    expect(person).toMatchObject({ name: 'Signed In', email: 'signed@provider.example', guest: false });
    expect(await roleOnBoard(provided.app.db, person.id, own)).toBe('editor');
  });

  test('an address alone leads into nobody’s account', async () => {
    const victim = await provided.account('Victim');
    identity = { ...identity, id: 13, email: 'victim@example.org' };
    const { to, cookies } = await through(null, 'sign-in/social');
    expect([to, cookies]).toEqual([expect.stringContaining('error=account_not_linked'), []]);
    const { guest } = await guestOf('Claiming');
    expect((await through(guest, 'link-social')).to).toContain('error=email_taken');
    expect(await personOfHeaders(provided.app, { cookie: guest.cookie })).toMatchObject({ id: guest.person.id, guest: true });
    expect(await provided.app.db.select().from(accounts).where(eq(accounts.userId, victim.person.id))).toHaveLength(1);
  });

  test('an account links it beside its password, and keeps its own address', async () => {
    const account = await provided.account('Both');
    identity = { ...identity, id: 14, email: 'other@provider.example' };
    expect((await through(account, 'link-social')).to).toBe('/');
    expect(await personOfHeaders(provided.app, { cookie: account.cookie })).toEqual(account.person);
    const { person } = await actorOf(provided.app, (await through(null, 'sign-in/social')).cookies);
    expect(person.id).toBe(account.person.id);
  });

  test('what would let this server act for somebody at the provider is not kept', async () => {
    const rows = await provided.app.db.select().from(accounts).where(eq(accounts.providerId, 'github'));
    expect(rows.length).toBeGreaterThan(0);
    expect(JSON.stringify(rows)).not.toContain('secret-access');
  });

  test('leads back to pages of ours alone', async () => {
    const elsewhere = { ...body, callbackURL: 'https://evil.example/' };
    expect((await ask(null, 'POST', '/api/auth/sign-in/social', { body: elsewhere, headers: headers() })).status).toBe(403);
    const options = await ask(null, 'GET', '/api/sign-in');
    expect(await options.json()).toEqual({ providers: ['github'], signUp: 'invited' });
  });
});
