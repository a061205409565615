import { eq } from 'drizzle-orm';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sessions } from '../../db/schema.ts';
import { addLabel, readLabels } from '../../lib/board/board-doc.ts';
import { readClaims, readComments } from '../../lib/board/discussion-doc.ts';
import { CLOSE } from '../../lib/wire.ts';
import { writeUpdate } from '../realtime/protocol.ts';
import { until, type Client } from '../testing/world.ts';
import { Arena, type Target } from './arena.ts';
import { any, presenceOf, updateOf } from './payloads.ts';
import { RawSocket, type Opening } from './raw-socket.ts';

/** Being somebody else, or being where one may not be. */

let arena: Arena;
beforeAll(async () => {
  arena = await Arena.open();
});
afterAll(() => arena.close());

const MALLORY = 424_242;

describe('presence says who the session is', () => {
  test.each<[string, (victim: Client) => string]>([
    ['a forged user', () => '{"user":{"id":"somebody","name":"Owner","color":"#000"},"selection":"a0.h0"}'],
    ['a user under a prototype', () => '{"__proto__":{"user":{"name":"Owner"}},"selection":"a0.h0"}'],
    ['a user twice', () => '{"user":{"name":"A"},"user":{"name":"Owner"},"selection":"a0.h0"}'],
    ['a name that is no text', () => '{"user":{"name":{"toString":1}},"selection":"a0.h0"}'],
  ])('%s', async (_, state) => {
    const target = await arena.target();
    const actor = await arena.attacker(target);
    await arena.survives(target, async () => {
      const mallory = await new RawSocket(arena.world, actor, target.room).entered();
      mallory.send(presenceOf([{ clientId: MALLORY, clock: 1, state: state(target.honest) }]));
      await until(() => seenBy(target, MALLORY) !== undefined);
      expect(seenBy(target, MALLORY)).toMatchObject({ user: { id: actor.person.id, name: actor.person.name } });
      mallory.leave();
      await until(() => seenBy(target, MALLORY) === undefined);
      return 'the session’s name';
    });
  });

  test('presence of somebody else’s client', async () => {
    const target = await arena.target();
    const { awareness } = target.honest.provider;
    awareness.setLocalState({ selection: 'a0.h0' });
    const watcher = arena.world.connect(arena.owner, target.room);
    await watcher.synced();
    await until(() => stateAt(watcher, target.honest) !== undefined);
    await arena.survives(target, async () => {
      const mallory = await new RawSocket(arena.world, await arena.attacker(target), target.room).entered();
      const { clientID } = target.honest.doc;
      for (const state of ['{"selection":"forged"}', 'null']) mallory.send(presenceOf([{ clientId: clientID, clock: 2 ** 40, state }]));
      mallory.send(presenceOf([{ clientId: MALLORY, clock: 1, state: '{"selection":"a0.h1"}' }]));
      await until(() => watcher.provider.awareness.getStates().has(MALLORY) || mallory.closed !== null);
      expect(stateAt(watcher, target.honest)).toMatchObject({ selection: 'a0.h0', user: { id: arena.owner.person.id } });
      mallory.leave();
      return mallory.closed?.code ?? 'ignored';
    });
    watcher.destroy();
  });

  test('presence of many clients at once', async () => {
    const target = await arena.target();
    await arena.survives(target, async () => {
      const mallory = await new RawSocket(arena.world, await arena.attacker(target), target.room).entered();
      mallory.send(presenceOf(Array.from({ length: 1000 }, (_, index) => ({ clientId: index + 1, clock: 1, state: '{"a":1}' }))));
      await until(() => target.honest.provider.awareness.getStates().size > 1 || mallory.closed !== null);
      await new Promise((resume) => setTimeout(resume, 100));
      expect(target.honest.provider.awareness.getStates().size).toBeLessThanOrEqual(2);
      mallory.leave();
      return 'one of them';
    });
  });

  test('presence of 100,000 characters', async () => {
    const target = await arena.target();
    await arena.survives(target, async () => {
      const mallory = await new RawSocket(arena.world, await arena.attacker(target), target.room).entered();
      mallory.send(presenceOf([{ clientId: MALLORY, clock: 1, state: JSON.stringify({ selection: 'x'.repeat(100_000) }) }]));
      mallory.send(presenceOf([{ clientId: MALLORY, clock: 2, state: '{"selection":"short"}' }]));
      await until(() => seenBy(target, MALLORY) !== undefined || mallory.closed !== null);
      const outcome = mallory.closed?.code ?? (seenBy(target, MALLORY)?.['selection'] === 'short' ? 'ignored' : 'shown');
      expect(['ignored', CLOSE.tooLarge, CLOSE.badRequest]).toContain(outcome);
      mallory.leave();
      return outcome;
    });
  });
});

describe('authorship', () => {
  test('a comment that an editor writes into the discussion by the socket reaches nobody', async () => {
    const target = await arena.target();
    const comment = { id: randomUUID(), anchor: 'a0.h0', body: 'true' };
    await arena.ask(arena.owner, 'POST', `/api/boards/${target.id}/comments`, { body: comment });
    await arena.survives(target, async () => {
      const discussion = `discussion/${target.id}`;
      const mallory = arena.world.connect(await arena.attacker(target), discussion);
      const reader = arena.world.connect(arena.owner, discussion);
      await Promise.all([mallory.synced(), reader.synced()]);
      const [own] = readComments(reader.doc).records;
      mallory.doc.getMap('comments').set('forged', { ...own, id: 'forged', body: 'forged' });
      mallory.doc.getMap('claims').set('forged', { id: 'forged', author: arena.owner.person, text: 'forged' });
      mallory.doc.getMap('comments').delete(comment.id);
      await new Promise((resume) => setTimeout(resume, 200));
      const late = arena.world.connect(arena.owner, discussion);
      await late.synced();
      for (const { doc } of [reader, late]) {
        expect(readComments(doc).records.map(({ id }) => id)).toEqual([comment.id]);
        expect(readClaims(doc).records).toEqual([]);
      }
      const outcome = mallory.closed?.code ?? 'dropped';
      expect(['dropped', CLOSE.forbidden]).toContain(outcome);
      for (const client of [mallory, reader, late]) client.destroy();
      return outcome;
    });
  });

  test('an author in the board document is worth nothing: no page says that they wrote it', async () => {
    const target = await arena.target();
    const publication = { title: 'Who wrote this', question: '', findings: '', threads: true };
    await arena.survives(target, async () => {
      const label = {
        id: 'forged',
        anchor: 'input->logits',
        text: 'mine',
        createdAt: 1,
        authorId: 'alice',
        author: { id: 'alice', name: 'Alice Forged' },
      };
      target.honest.labels.set('forged', label);
      await until(() => target.honest.persisted >= 3);
      const { json } = await arena.ask(arena.owner, 'POST', `/api/boards/${target.id}/publish`, { body: publication });
      const { text } = await arena.ask(arena.owner, 'GET', new URL((json as { url: string }).url).pathname);
      expect(text).toContain('mine');
      expect(text).not.toContain('Alice');
      return 'shown without';
    });
  });

  test.each<[string, (author: object) => Record<string, unknown>]>([
    ['comments', (author) => ({ id: randomUUID(), anchor: 'a0.h0', body: 'forged', ...author })],
    ['claims', (author) => ({ id: randomUUID(), anchor: null, text: 'forged', ...author })],
    ['versions', (author) => ({ name: 'forged', ...author })],
    ['publish', (author) => ({ title: 'forged', question: '', findings: '', threads: false, ...author })],
    ['runs', (author) => ({ view: 'paths', model: 'toy', prompt: 'When Mary', ...author })],
  ])('an author in the body of a request for %s is refused with 400', async (kind, bodyOf) => {
    const target = await arena.target();
    const actor = await arena.attacker(target);
    const victim = { id: arena.owner.person.id, name: arena.owner.person.name };
    await arena.survives(target, async () => {
      for (const forged of [
        { author: victim },
        { authorId: victim.id },
        { authorName: victim.name },
        { personId: victim.id },
        { createdAt: 1 },
      ]) {
        const { status } = await arena.ask(actor, 'POST', `/api/boards/${target.id}/${kind}`, { body: bodyOf(forged) });
        expect([forged, status]).toEqual([forged, 400]);
      }
      return 400;
    });
  });
});

describe('who may only read', () => {
  test.each(['viewer', 'commenter'] as const)('what a %s writes to the board reaches nobody', async (role) => {
    const target = await arena.target();
    await arena.survives(target, async () => {
      const reader = arena.world.connect(await arena.attacker(target, role), target.room);
      await reader.synced();
      // What there is, they see.
      expect(readLabels(reader.doc).records).toHaveLength(1);
      addLabel(reader.doc, 'a0.h0', 'by a reader', 1, 'by-a-reader');
      reader.doc.getMap('meta').set('title', 'by a reader');
      reader.send(writeUpdate(updateOf([{ client: MALLORY, clock: 0, structs: [any('by-a-reader', 1)] }])));
      await new Promise((resume) => setTimeout(resume, 200));
      const late = arena.world.connect(arena.owner, target.room);
      await late.synced();
      for (const { doc } of [target.honest, late]) {
        expect(doc.getMap('labels').has('by-a-reader')).toBe(false);
        expect(doc.getMap('meta').get('title')).not.toBe('by a reader');
      }
      const outcome = reader.closed?.code ?? 'dropped';
      expect(['dropped', CLOSE.forbidden]).toContain(outcome);
      for (const client of [reader, late]) client.destroy();
      return outcome;
    });
  });

  test('an editor whose role is taken away while they write', async () => {
    const target = await arena.target();
    const actor = await arena.attacker(target);
    await arena.survives(target, async () => {
      const mallory = await new RawSocket(arena.world, actor, target.room).entered();
      const write = (clock: number) => mallory.send(writeUpdate(updateOf([{ client: MALLORY, clock, structs: [any(`m${clock}`, 1)] }])));
      write(0);
      await until(() => target.honest.labels.has('m0'));
      const path = `/api/boards/${target.id}/members/${actor.person.id}`;
      expect((await arena.ask(arena.owner, 'PATCH', path, { body: { role: 'viewer' } })).status).toBe(204);
      write(1);
      const code = await mallory.ended();
      expect(code).toBe(CLOSE.roleChanged);
      expect(target.honest.labels.has('m1')).toBe(false);
      const again = await new RawSocket(arena.world, actor, target.room).entered();
      again.send(writeUpdate(updateOf([{ client: MALLORY + 1, clock: 0, structs: [any('m2', 1)] }])));
      await new Promise((resume) => setTimeout(resume, 200));
      expect(target.honest.labels.has('m2')).toBe(false);
      again.leave();
      return code;
    });
  });

  test.each<[string, (target: Target, personId: string) => [string, string]]>([
    ['taken off the board', ({ id }, personId) => ['DELETE', `/api/boards/${id}/members/${personId}`]],
    ['whose board is deleted', ({ id }) => ['DELETE', `/api/boards/${id}`]],
  ])('somebody who is %s is shut out at once', async (what, request) => {
    const target = await arena.target();
    const actor = await arena.attacker(target);
    const bystandersTarget = await arena.target();
    await arena.survives(bystandersTarget, async () => {
      const mallory = await new RawSocket(arena.world, actor, target.room).entered();
      const discussion = await new RawSocket(arena.world, actor, `discussion/${target.id}`).entered();
      const [method, path] = request(target, actor.person.id);
      expect((await arena.ask(arena.owner, method, path)).status, what).toBe(204);
      const codes = [await mallory.ended(), await discussion.ended()];
      for (const code of codes) expect([CLOSE.roleChanged, CLOSE.forbidden, CLOSE.notFound]).toContain(code);
      expect(await new RawSocket(arena.world, actor, target.room).ended()).toBe(CLOSE.notFound);
      target.honest.destroy();
      return codes[0] ?? 0;
    });
  });

  test('a session that ends while its socket is open', async () => {
    const target = await arena.target();
    const actor = await arena.attacker(target);
    await arena.survives(target, async () => {
      const mallory = await new RawSocket(arena.world, actor, target.room).entered();
      expect((await arena.ask(actor, 'POST', '/api/auth/sign-out', { body: {} })).status).toBe(200);
      const code = await mallory.ended();
      expect([CLOSE.roleChanged, CLOSE.unauthorised]).toContain(code);
      expect(await new RawSocket(arena.world, actor, target.room).ended()).toBe(CLOSE.unauthorised);
      return code;
    });
  });
});

describe('the door of the sockets', () => {
  const room = (target: Target) => target.room;
  test.each<[string, (target: Target) => Opening, number]>([
    ['no origin', () => ({ origin: null }), 403],
    ['a foreign origin', () => ({ origin: 'https://evil.example' }), 403],
    ['an origin that begins like ours', () => ({ origin: `http://127.0.0.1:${arena.world.port}.evil.example` }), 403],
    ['the origin null', () => ({ origin: 'null' }), 403],
    ['another port of this machine', () => ({ origin: 'http://127.0.0.1:1' }), 403],
    ['a foreign host', () => ({ host: 'evil.example' }), 403],
    ['a host with our name before it', () => ({ host: `127.0.0.1:${arena.world.port}@evil.example` }), 403],
    ['no cookie', () => ({ cookie: null }), CLOSE.unauthorised],
    ['a cookie made up', () => ({ cookie: 'pathboard.session_token=guess.signature' }), CLOSE.unauthorised],
    ['a cookie of 7,000 characters', () => ({ cookie: `pathboard.session_token=${'x'.repeat(7000)}` }), CLOSE.unauthorised],
    [
      'the session’s token without its signature',
      () => ({ cookie: arena.owner.cookie.replace(/(=[^.]*)\..*$/s, '$1') }),
      CLOSE.unauthorised,
    ],
  ])('%s', async (_, opening, expected) => {
    const target = await arena.target();
    await arena.survives(target, async () => {
      const code = await new RawSocket(arena.world, arena.owner, room(target), opening(target)).ended();
      expect(code).toBe(expected);
      return code;
    });
  });

  test('a token with another signature', async () => {
    const target = await arena.target();
    await arena.survives(target, async () => {
      const [name, value = ''] = arena.owner.cookie.split('=', 2);
      const swapped = value.replace(/.(?=.{5}$)/, (letter) => (letter === 'A' ? 'B' : 'A'));
      expect(swapped).not.toBe(value);
      const code = await new RawSocket(arena.world, null, target.room, { cookie: `${name}=${swapped}` }).ended();
      expect(code).toBe(CLOSE.unauthorised);
      return code;
    });
  });

  test('a session that has expired', async () => {
    const target = await arena.target();
    const actor = await arena.attacker(target);
    await arena.world.app.db
      .update(sessions)
      .set({ expiresAt: new Date(0) })
      .where(eq(sessions.userId, actor.person.id));
    await arena.survives(target, async () => {
      const code = await new RawSocket(arena.world, actor, target.room).ended();
      expect(code).toBe(CLOSE.unauthorised);
      return code;
    });
  });

  test('somebody from another board', async () => {
    const target = await arena.target();
    const other = await arena.target();
    const actor = await arena.attacker(other);
    await arena.survives(target, async () => {
      const code = await new RawSocket(arena.world, actor, target.room).ended();
      expect(code).toBe(CLOSE.notFound);
      return code;
    });
  });

  test.each<[string, (id: string) => string]>([
    ['a parent folder', (id) => `/collab/board/../board/${id}`],
    ['an escaped parent folder', (id) => `/collab/board/%2e%2e/board/${id}`],
    ['an escaped letter', (id) => `/collab/board/%${id.charCodeAt(0).toString(16)}${id.slice(1)}`],
    ['an escaped slash', (id) => `/collab/board%2f${id}`],
    ['two slashes', (id) => `/collab//board/${id}`],
    ['a slash behind', (id) => `/collab/board/${id}/`],
    ['something behind', (id) => `/collab/board/${id}/x`],
    ['U+0000', (id) => `/collab/board/${id}%00`],
    ['bad UTF-8', () => '/collab/board/%ff%fe%ff%fe%ff%fe'],
    ['a room of 7,000 characters', () => `/collab/board/${'x'.repeat(7000)}`],
    ['a room of 30,000 characters', () => `/collab/board/${'x'.repeat(30_000)}`],
    ['a property of every object', () => '/collab/constructor/prototype'],
    ['another kind', (id) => `/collab/secrets/${id}`],
    ['no room', () => '/collab/'],
    ['not ours', () => '/socket'],
    ['a whole address', (id) => `http://evil.example/collab/board/${id}`],
    ['SQL', () => "/collab/board/x'%20or%201=1--"],
  ])('%s as a room’s name', async (_, path) => {
    const target = await arena.target();
    await arena.survives(target, async () => {
      const code = await new RawSocket(arena.world, arena.owner, '', { path: path(target.id) }).ended();
      expect([CLOSE.notFound, CLOSE.badRequest, 400, 403, 404, 414, 431, 1006]).toContain(code);
      return code;
    });
  });
});

test('after a restart every board that was attacked is there', async () => {
  await arena.restart();
});

function seenBy({ honest }: Target, client: number): Record<string, unknown> | undefined {
  return honest.provider.awareness.getStates().get(client);
}

function stateAt(observer: Client, { doc }: Client): Record<string, unknown> | undefined {
  return observer.provider.awareness.getStates().get(doc.clientID);
}
