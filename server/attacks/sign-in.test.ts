import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { invites, ownerLinks, people, sessions } from '../../db/schema.ts';
import { makeOwnerLink } from '../access.ts';
import { PASSWORD, tokenOf, type Actor } from '../testing/world.ts';
import { Arena } from './arena.ts';
import { makePlace, newcomer, type Place } from './place.ts';
import type { Answered } from './request.ts';

/** Getting in without a key, with somebody else's, or with one that has been used. */

let arena: Arena;
let host: Actor;
let place: Place;
beforeAll(async () => {
  arena = await Arena.open({ trustedProxies: 1, rateLimits: 'on' });
  host = await arena.world.account('Host');
  place = await makePlace(arena, { host, heir: arena.owner });
});
afterAll(() => arena.close());

let addresses = 0;
/** Each test comes from an address of its own. */
const address = () => `198.18.${++addresses >> 8}.${addresses & 255}`;

function signIn(email: string, password: string, from: string, headers: Record<string, string> = {}): Promise<Answered> {
  return arena.ask(null, 'POST', '/api/auth/sign-in/email', { body: { email, password }, address: from, headers });
}

describe('guessing passwords', () => {
  test('is limited for an address', async () => {
    const target = await arena.target();
    await arena.survives(target, async () => {
      const from = address();
      const statuses: number[] = [];
      for (let guess = 0; guess < 30; guess++)
        statuses.push((await signIn(`nobody${guess}@example.org`, `guess number ${guess}`, from)).status);
      expect(statuses.indexOf(429)).toBeGreaterThan(0);
      expect(statuses.indexOf(429)).toBeLessThanOrEqual(20);
      // Others get in all the while.
      expect((await signIn('host@example.org', PASSWORD, address())).status).toBe(200);
      return `429 after ${statuses.indexOf(429)}`;
    });
  });

  test.each<[string, string, (email: string, password: string) => { raw: string; type: string }]>([
    ['as JSON', 'Victim One', (email, password) => ({ raw: JSON.stringify({ email, password }), type: 'application/json' })],
    [
      'as a form',
      'Victim Two',
      (email, password) => ({ raw: new URLSearchParams({ email, password }).toString(), type: 'application/x-www-form-urlencoded' }),
    ],
    [
      'with the address in capitals',
      'Victim Three',
      (email, password) => ({ raw: JSON.stringify({ email: email.toUpperCase(), password }), type: 'application/json' }),
    ],
    [
      'with another e-mail address first',
      'Victim Four',
      (email, password) => ({
        raw: `{"email":"other@example.org","email":${JSON.stringify(email)},"password":${JSON.stringify(password)}}`,
        type: 'application/json',
      }),
    ],
  ])('is limited for an account, however many addresses guess: %s', async (_, name, make) => {
    await arena.world.account(name);
    const email = `${name.toLowerCase().replace(' ', '.')}@example.org`;
    const target = await arena.target();
    await arena.survives(target, async () => {
      const statuses: number[] = [];
      for (let guess = 0; guess < 30; guess++) {
        const { raw, type } = make(email, `guess number ${guess}`);
        const asked = { raw, address: address(), headers: { 'content-type': type } };
        statuses.push((await arena.ask(null, 'POST', '/api/auth/sign-in/email', asked)).status);
      }
      expect(statuses.every((status) => status >= 400 && status < 500)).toBe(true);
      // Refused outright, or counted.
      const tried = statuses.filter((status) => status === 401).length;
      expect(tried).toBeLessThanOrEqual(12);
      return `${tried} tried`;
    });
  });

  test('an account and none answer alike', async () => {
    const [known, unknown] = [
      await signIn('host@example.org', 'wrong password', address()),
      await signIn('none@example.org', 'wrong password', address()),
    ];
    expect([known.status, known.json]).toEqual([unknown.status, unknown.json]);
    const timesOf = async (email: string) => {
      const times: number[] = [];
      for (let turn = 0; turn < 5; turn++) {
        const begun = performance.now();
        await signIn(email, `wrong ${turn} password`, address());
        times.push(performance.now() - begun);
      }
      return times.sort((a, b) => a - b)[2] ?? 0;
    };
    const [slow, fast] = [await timesOf('host@example.org'), await timesOf('none@example.org')];
    // A password is hashed either way; without that, the second would take a tenth.
    expect(fast / slow).toBeGreaterThan(0.3);
  });
});

describe('making accounts', () => {
  const account = (extra: object = {}) => ({
    email: `new${++addresses}@example.org`,
    password: PASSWORD,
    name: `New ${addresses}`,
    ...extra,
  });

  test('nobody signs up who was not invited, and is told the same whether the address has an account or not', async () => {
    const target = await arena.target();
    await arena.survives(target, async () => {
      const free = await arena.ask(null, 'POST', '/api/auth/sign-up/email', { body: account(), address: address() });
      const taken = await arena.ask(null, 'POST', '/api/auth/sign-up/email', {
        body: account({ email: 'host@example.org' }),
        address: address(),
      });
      expect([free.status, free.json]).toEqual([taken.status, taken.json]);
      expect(free.status).toBe(403);
      return 403;
    });
  });

  test.each([
    { owner: true },
    { isAnonymous: false },
    { mergedInto: 'x' },
    { emailVerified: true },
    { id: 'chosen-by-me' },
    { createdAt: '2000-01-01T00:00:00.000Z' },
    { role: 'owner' },
  ])('an account that says of itself %j', async (extra) => {
    const target = await arena.target();
    const guest = await newcomer(arena, place, 'viewer', 'board');
    await arena.survives(target, async () => {
      const outcomes: number[] = [];
      for (const [path, body] of [
        ['/api/auth/sign-up/email', account(extra)],
        ['/api/auth/update-user', { name: 'x', ...extra }],
        ['/api/me/account', { email: `g${++addresses}@example.org`, password: PASSWORD, ...extra }],
      ] as const) {
        outcomes.push((await arena.ask(guest, 'POST', path, { body, address: address() })).status);
      }
      outcomes.push((await arena.ask(guest, 'PATCH', '/api/me', { body: { name: 'Nobody', ...extra }, address: address() })).status);
      expect(outcomes.every((status) => status < 500)).toBe(true);
      const rows = await arena.world.app.db.select().from(people);
      expect(rows.filter(({ owner }) => owner)).toHaveLength(1);
      expect(rows.some(({ id, emailVerified, mergedInto }) => id === 'chosen-by-me' || emailVerified || mergedInto === 'x')).toBe(false);
      expect(rows.every(({ createdAt }) => createdAt.getFullYear() > 2001)).toBe(true);
      return outcomes.join(', ');
    });
  });

  test.each([
    '/update-user',
    '/change-email',
    '/delete-user',
    '/set-password',
    '/update-session',
    '/forget-password',
    '/request-password-reset',
    '/reset-password',
    '/send-verification-email',
    '/verify-email?token=x',
    '/get-access-token',
    '/refresh-token',
    '/read-token',
    '/open-session',
    '/renew-session',
    '/sign-in/anonymous',
    '/sign-in/email/../update-user',
    '/sign-in/email/%2e%2e/update-user',
    '/sign-up/email/',
    '/error',
    '/ok',
  ])('what of better-auth is not ours to serve is not there: %s', async (path) => {
    const guest = await newcomer(arena, place, 'viewer', 'board');
    for (const method of ['GET', 'POST']) {
      const body = { name: 'x', image: 'https://evil.example/x.png', newEmail: 'a@b.cd', personId: host.person.id, token: 'x' };
      const asked = method === 'GET' ? {} : { body };
      const { status } = await arena.ask(guest, method, `/api/auth${path}`, { ...asked, address: address() });
      expect([method, path, status]).toEqual([method, path, 404]);
    }
  });

  test.each(['https://evil.example', '//evil.example', '/\\evil.example', 'javascript:alert(1)', 'http://127.0.0.1.evil.example/'])(
    'a callback to %s is refused',
    async (callbackURL) => {
      await arena.world.account(`Caller ${++addresses}`);
      const body = { email: `caller.${addresses}@example.org`, password: PASSWORD, callbackURL };
      const { status, headers } = await arena.ask(null, 'POST', '/api/auth/sign-in/email', { body, address: address() });
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
      expect(headers['location']).toBeUndefined();
    },
  );
});

describe('links that open something', () => {
  test('an owner link opens once, even when it is followed 20 times at once', async () => {
    const target = await arena.target();
    const token = tokenOf(await makeOwnerLink(arena.world.app));
    await arena.survives(target, async () => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => arena.ask(null, 'GET', `/enter?token=${token}`, { address: address() })),
      );
      expect(answers.filter(({ status }) => status === 303)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 401)).toHaveLength(19);
      return 401;
    });
  });

  test.each<[string, (token: string) => Promise<void>]>([
    ['expired', async () => void (await arena.world.app.db.update(ownerLinks).set({ expiresAt: 1 }))],
    ['used', async (token) => void (await arena.ask(null, 'GET', `/enter?token=${token}`, { address: address() }))],
  ])('an owner link that is %s opens nothing', async (_, spoil) => {
    const token = tokenOf(await makeOwnerLink(arena.world.app));
    await spoil(token);
    const { status, headers } = await arena.ask(null, 'GET', `/enter?token=${token}`, { address: address() });
    expect([status, headers['set-cookie']]).toEqual([401, undefined]);
  });

  test.each(['', 'x', '%00', 'x'.repeat(5000), '%f0%9f%92%a9'])('an owner link with the token %j opens nothing', async (token) => {
    const { status } = await arena.ask(null, 'GET', `/enter?token=${token}`, { address: address() });
    expect(status).toBe(401);
  });

  test('an invitation for one lets one in, however many follow it at once', async () => {
    const target = await arena.target();
    await arena.survives(target, async () => {
      const token = await inviteFor('board', { role: 'editor', maxUses: 1 });
      const answers = await Promise.all(
        Array.from({ length: 15 }, (_, index) =>
          arena.ask(null, 'POST', '/api/join', { body: { token, name: `Racer ${++addresses} ${index}` }, address: address() }),
        ),
      );
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 404)).toHaveLength(14);
      return 404;
    });
  });

  test.each<[string, (token: string) => Promise<unknown>]>([
    ['revoked', async () => arena.ask(host, 'DELETE', `/api/invites/${await lastInvite()}`)],
    [
      'expired',
      async () =>
        arena.world.app.db
          .update(invites)
          .set({ expiresAt: 1 })
          .where(eq(invites.id, await lastInvite())),
    ],
    [
      'used up',
      async (token) => arena.ask(null, 'POST', '/api/join', { body: { token, name: `First ${++addresses}` }, address: address() }),
    ],
  ])('an invitation that is %s lets nobody in', async (_, spoil) => {
    const target = await arena.target();
    await arena.survives(target, async () => {
      const token = await inviteFor('workspace', { role: 'editor', maxUses: 1 });
      await spoil(token);
      for (const actor of [null, await newcomer(arena, place, 'viewer', 'board')]) {
        const { status } = await arena.ask(actor, 'POST', '/api/join', {
          body: { token, name: actor?.person.name ?? `Late ${++addresses}` },
          address: address(),
        });
        expect(status).toBe(404);
      }
      return 404;
    });
  });

  test('nobody makes themselves more than the link says', async () => {
    const token = await inviteFor('board', { role: 'viewer', maxUses: 5 });
    const body = { token, name: `Climber ${++addresses}`, role: 'owner', workspaceId: place.workspaceId };
    expect((await arena.ask(null, 'POST', '/api/join', { body, address: address() })).status).toBe(400);
    const owners = { role: 'owner', expiresIn: 1, maxUses: 1 };
    expect((await arena.ask(host, 'POST', `/api/boards/${place.boardId}/invites`, { body: owners, address: address() })).status).toBe(400);
  });

  test('a link to a board opens neither its workspace nor other boards', async () => {
    const other = await makePlace(arena, { host, heir: arena.owner });
    const guest = await newcomer(arena, place, 'editor', 'board');
    for (const path of [
      `/api/workspaces/${place.workspaceId}/members`,
      `/api/boards/${other.boardId}/access`,
      `/api/runs/${other.runId}`,
    ]) {
      expect((await arena.ask(guest, 'GET', path, { address: address() })).status).toBe(404);
    }
  });

  test('a guest becomes nobody who has that name already', async () => {
    for (const name of [host.person.name, host.person.name.toUpperCase(), `${host.person.name}\u200b`, ' Host ', 'Ｈost']) {
      const token = await inviteFor('workspace', { role: 'viewer', maxUses: 5 });
      const { status } = await arena.ask(null, 'POST', '/api/join', { body: { token, name }, address: address() });
      expect([name, status]).toEqual([name, expect.toSatisfy((code: number) => code === 409 || code === 400)]);
    }
  });
});

describe('sessions', () => {
  test('a session that somebody was given before they signed in is not theirs afterwards', async () => {
    const victim = await arena.world.account(`Fixed ${++addresses}`);
    const attackers = await newcomer(arena, place, 'viewer', 'board');
    // The victim's browser was made to hold the attacker's cookie.
    const body = { email: `fixed.${addresses}@example.org`, password: PASSWORD };
    const signedIn = await arena.ask(attackers, 'POST', '/api/auth/sign-in/email', { body, address: address() });
    expect(signedIn.status).toBe(200);
    expect(String(signedIn.headers['set-cookie'])).not.toContain(attackers.cookie.split('=')[1]);
    const { json } = await arena.ask(attackers, 'GET', '/api/me', { address: address() });
    expect((json as { person: { id: string } | null }).person?.id).not.toBe(victim.person.id);
  });

  test.each<[string, (cookie: string) => string]>([
    ['without its signature', (cookie) => cookie.replace(/(=[^.]*)\..*$/s, '$1')],
    [
      'with another signature',
      (cookie) => cookie.replace(/(=[^.]*)\..*$/s, `$1.${encodeURIComponent(Buffer.alloc(32, 7).toString('base64'))}`),
    ],
    ['with a letter changed', (cookie) => cookie.replace(/=(.)/, (_, letter: string) => `=${letter === 'a' ? 'b' : 'a'}`)],
    ['as a list', (cookie) => cookie.replace('=', '[]=')],
    ['under a prototype', (cookie) => cookie.replace(/^[^=]+/, '__proto__')],
    ['empty', (cookie) => cookie.replace(/=.*$/s, '=')],
    ['with bad escapes', (cookie) => cookie.replace(/=.*$/s, '=%zz%ff%00')],
  ])('a cookie %s is nobody’s', async (_, spoil) => {
    const cookie = spoil(host.cookie);
    expect(cookie).not.toBe(host.cookie);
    const { status, json } = await arena.ask(null, 'GET', '/api/me', { headers: { cookie }, address: address() });
    expect([status, json]).toMatchObject([200, { person: null }]);
    expect((await arena.ask(null, 'GET', '/api/boards', { headers: { cookie }, address: address() })).status).toBe(401);
  });

  test('a session that expired, was revoked or signed out is nobody’s', async () => {
    const actors = await Promise.all([1, 2, 3].map(() => newcomer(arena, place, 'viewer', 'board')));
    const [expired, revoked, out] = actors as [Actor, Actor, Actor];
    await arena.world.app.db
      .update(sessions)
      .set({ expiresAt: new Date(1) })
      .where(eq(sessions.userId, expired.person.id));
    expect((await arena.ask(revoked, 'POST', '/api/auth/revoke-sessions', { body: {}, address: address() })).status).toBe(200);
    expect((await arena.ask(out, 'POST', '/api/auth/sign-out', { body: {}, address: address() })).status).toBe(200);
    for (const actor of actors) expect((await arena.ask(actor, 'GET', '/api/boards', { address: address() })).status).toBe(401);
  });

  test('a session’s cookie is for the server alone', async () => {
    const { status, headers } = await signIn('host@example.org', PASSWORD, address());
    const lines = [headers['set-cookie'] ?? []].flat();
    expect([status, lines.length > 0]).toEqual([200, true]);
    for (const line of lines) expect(line).toMatch(/HttpOnly.*SameSite=Lax|SameSite=Lax.*HttpOnly/i);
  });

  test('nobody revokes the session of another', async () => {
    const [victim, mallory] = [await newcomer(arena, place, 'viewer', 'board'), await newcomer(arena, place, 'viewer', 'board')];
    const [row] = await arena.world.app.db.select().from(sessions).where(eq(sessions.userId, victim.person.id));
    await arena.ask(mallory, 'POST', '/api/auth/revoke-session', { body: { token: row?.token }, address: address() });
    expect((await arena.ask(victim, 'GET', '/api/boards', { address: address() })).status).toBe(200);
  });

  test('a password is changed by who knows it', async () => {
    const name = `Changer ${++addresses}`;
    const actor = await arena.world.account(name);
    const change = (currentPassword: string) =>
      arena.ask(actor, 'POST', '/api/auth/change-password', {
        body: { currentPassword, newPassword: 'another long password' },
        address: address(),
      });
    expect((await change('wrong password')).status).toBe(400);
    expect((await signIn(`${name.toLowerCase().replaceAll(' ', '.')}@example.org`, 'another long password', address())).status).toBe(401);
  });
});

test('after a restart every board that was attacked is there', async () => {
  await arena.restart();
});

async function inviteFor(where: 'board' | 'workspace', { role, maxUses }: { role: string; maxUses: number }): Promise<string> {
  const path = where === 'board' ? `/api/boards/${place.boardId}` : `/api/workspaces/${place.workspaceId}`;
  const { json } = await arena.ask(host, 'POST', `${path}/invites`, { body: { role, expiresIn: 1, maxUses }, address: address() });
  return new URL((json as { url: string }).url).pathname.split('/').at(-1) ?? '';
}

async function lastInvite(): Promise<string> {
  const { json } = await arena.ask(host, 'GET', `/api/workspaces/${place.workspaceId}/invites`, { address: address() });
  return (json as { id: string }[])[0]?.id ?? '';
}
