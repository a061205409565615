import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SETUP, type Actor } from '../testing/world.ts';
import { Arena } from './arena.ts';
import { makePlace } from './place.ts';
import { rawConnection } from './raw-socket.ts';
import { ROUTES, requestTo } from './routes.ts';

/** Requests that no page of ours would make. */

let arena: Arena;
let host: Actor;
beforeAll(async () => {
  arena = await Arena.open();
  host = await arena.world.account('Host');
});
afterAll(() => arena.close());

const changing = Object.keys(ROUTES).filter((name) => !/^(GET|HEAD) /.test(name) && !name.endsWith('/local/link'));
const withBody = changing.filter((name) => ROUTES[name]!.body);
/** Of these nothing is read without the secret of whoever started the server. */
const isSecret = (name: string) => name.includes('/api/local/');

async function place() {
  return makePlace(arena, { host, heir: arena.owner });
}

describe('a page of another site', () => {
  test.each<[string, Record<string, string | null>]>([
    ['no origin', { origin: null }],
    ['a foreign origin', { origin: 'https://evil.example' }],
    ['the origin null', { origin: 'null' }],
    ['an origin that begins like ours', { origin: 'http://127.0.0.1.evil.example' }],
    ['a foreign host', { host: 'evil.example', origin: 'http://evil.example' }],
    ['no host', { host: '' }],
  ])('%s: every route that changes something answers 403', async (_, headers) => {
    const target = await arena.target();
    const there = await place();
    await arena.survives(target, async () => {
      const wrong: string[] = [];
      for (const name of changing) {
        const { method, path, body } = requestTo(name, there);
        const { status } = await arena.ask(host, method, path, { body, headers });
        if (status !== 403) wrong.push(`${name}: ${status}`);
      }
      expect(wrong).toEqual([]);
      return 403;
    });
  });

  test.each(['application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/plain', 'application/jsonp', ''])(
    'a body of type %j is refused by every route that reads one',
    async (type) => {
      const target = await arena.target();
      const there = await place();
      await arena.survives(target, async () => {
        const wrong: string[] = [];
        for (const name of withBody) {
          const { method, path, body } = requestTo(name, there);
          const { status } = await arena.ask(host, method, path, { body, headers: { 'content-type': type || null } });
          const isRefused = isSecret(name) ? status === 403 : status === 400 || status === 415;
          if (!isRefused) wrong.push(`${name}: ${status}`);
        }
        expect(wrong).toEqual([]);
        return 400;
      });
    },
  );
});

describe('bodies', () => {
  const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
  const deepObject = `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`;

  test.each<[string, string | Uint8Array, number[]]>([
    ['nothing', '', [400]],
    ['no JSON', '{', [400]],
    ['lists 10,000 deep', deep, [400]],
    ['objects 10,000 deep', deepObject, [400]],
    ['a number', '5', [400]],
    ['null', 'null', [400]],
    ['a list', '[]', [400]],
    ['bytes that are no UTF-8', Uint8Array.of(0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d), [400]],
    ['UTF-16', Buffer.from('\ufeff{"name":"x"}', 'utf16le'), [400]],
    ['unknown fields', '{"isAdmin":true}', [400]],
    ['a prototype', '{"__proto__":{"owner":true}}', [400]],
    ['a constructor', '{"constructor":{"prototype":{"owner":true}}}', [400]],
    ['numbers beyond any', '{"name":1e999}', [400]],
    ['4.9 MB', `{"name":"${'x'.repeat(4_900_000)}"}`, [400, 413]],
    ['10 MB', `{"name":"${'x'.repeat(10_000_000)}"}`, [413]],
  ])('%s: every route that reads one refuses it', async (_, raw, statuses) => {
    const target = await arena.target();
    const there = await place();
    await arena.survives(target, async () => {
      const wrong: string[] = [];
      for (const name of withBody) {
        const { method, path } = requestTo(name, there);
        // A refusal may come before all of a large body is sent: then the connection breaks.
        const status = await arena.ask(host, method, path, { raw }).then(
          (answered) => answered.status,
          (error: NodeJS.ErrnoException) => {
            if (['ECONNRESET', 'EPIPE'].includes(error.code ?? '')) return 413;
            throw error;
          },
        );
        const isAuth = name.includes('/auth/');
        const isRefused = statuses.includes(status) || (isAuth && status >= 400 && status < 500) || (isSecret(name) && status === 403);
        if (!isRefused) wrong.push(`${name}: ${status}`);
      }
      expect(wrong).toEqual([]);
      expect(Object.hasOwn(Object.prototype, 'owner')).toBe(false);
      return statuses.join(' or ');
    });
  });

  test.each<[string, string]>([
    ['U+0000', 'a\0b'],
    ['a lone surrogate', 'a\ud800b'],
    ['a lone surrogate at the end', 'ab\udfff'],
    ['a right-to-left override', 'a\u202eb'],
    ['a thousand combining marks', `a${'\u0301'.repeat(1000)}`],
    ['a percent sign and what looks like an escape', '%00%ff%s%n'],
  ])('%s in every text of every body is stored whole or refused, and the board still loads', async (_, text) => {
    const target = await arena.target();
    const there = await place();
    await arena.survives(target, async () => {
      const wrong: string[] = [];
      for (const name of withBody) {
        const { method, path, body } = requestTo(name, there);
        for (const poisoned of withTextsReplaced(body, text)) {
          const { status, text: told } = await arena.ask(host, method, path, { body: poisoned });
          if (status >= 500) wrong.push(`${name} ${JSON.stringify(poisoned)}: ${status} ${told.slice(0, 200)}`);
        }
      }
      expect(wrong).toEqual([]);
      const { status } = await arena.ask(host, 'GET', `/api/boards/${there.boardId}/access`);
      expect(status).toBe(200);
      return 'stored or 400';
    });
  });
});

describe('addresses', () => {
  const traversals = [
    '..%2f..%2f..%2fetc%2fpasswd',
    '%2e%2e%2f%2e%2e%2fsecret',
    '....%2f%2f',
    'toy%00',
    '%00',
    '%ff',
    '.',
    '..',
    'a'.repeat(9000),
    "x'%20or%201=1--",
  ];

  test.each(['/api/models/NAME/tokens', '/p/NAME', '/p/x/NAME', '/api/boards/NAME/access', '/api/runs/NAME', '/api/invites/NAME'])(
    'what is no name in %s finds nothing',
    async (pattern) => {
      const target = await arena.target();
      await arena.survives(target, async () => {
        for (const name of traversals) {
          const { status, text } = await arena.ask(host, 'GET', pattern.replace('NAME', name));
          expect([name, status, text.includes('root:')]).toEqual([
            name,
            expect.toSatisfy((code: number) => [200, 400, 404, 405, 414].includes(code)),
            false,
          ]);
          // A model's tokens are searched whatever is asked for it: the fake models know every name.
        }
        return 404;
      });
    },
  );

  test.each<[string, string]>([
    ['a whole address', 'http://evil.example/api/me'],
    ['a star', '*'],
    ['two slashes', '//evil.example/api/me'],
    ['a backslash', '/\\evil.example'],
    ['an address without a slash', 'api/me'],
    ['bad escapes', '/api/%zz'],
    ['an address of 60,000 characters', `/${'a'.repeat(60_000)}`],
  ])('%s', async (_, path) => {
    const target = await arena.target();
    await arena.survives(target, async () => {
      const told = await spoken(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${arena.world.port}\r\nConnection: close\r\n\r\n`);
      expect(told.status).toBeGreaterThanOrEqual(400);
      expect(told.status).toBeLessThan(500);
      return told.status;
    });
  });

  test.each<[string, string]>([
    ['an owner link’s next page', '/enter?token=x&next=https://evil.example&callbackURL=https://evil.example'],
    ['an owner link of an owner', '/enter?token=x&redirect=//evil.example'],
  ])('%s never leads elsewhere', async (_, path) => {
    const { headers } = await arena.ask(arena.owner, 'GET', path);
    expect(headers['location']).toBe('/');
  });
});

describe('what one proxy and another might read differently', () => {
  const post = (lines: string[], body: string) =>
    [
      `POST /api/boards HTTP/1.1`,
      `Host: 127.0.0.1:${arena.world.port}`,
      `Origin: http://127.0.0.1:${arena.world.port}`,
      `Cookie: ${host.cookie}`,
      'Content-Type: application/json',
      ...lines,
      '',
      body,
    ].join('\r\n');

  test.each<[string, () => string]>([
    [
      'a length and chunks',
      () => post(['Content-Length: 5', 'Transfer-Encoding: chunked'], '0\r\n\r\nGET /api/me HTTP/1.1\r\nHost: x\r\n\r\n'),
    ],
    ['chunks alone', () => post(['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n')],
    ['chunks misspelled', () => post(['Transfer-Encoding: xchunked'], '0\r\n\r\n')],
    ['two lengths', () => post(['Content-Length: 5', 'Content-Length: 6'], 'hello!')],
    ['a length with a sign', () => post(['Content-Length: +5'], 'hello')],
    ['a negative length', () => post(['Content-Length: -1'], '')],
    ['a length that is no number', () => post(['Content-Length: five'], 'hello')],
    ['a space before the colon', () => post(['Content-Length : 5'], 'hello')],
    ['a folded header', () => post(['X-A: b', ' c', 'Content-Length: 0'], '')],
    ['two hosts', () => post(['Host: evil.example', 'Content-Length: 0'], '')],
    ['U+0000 in a header', () => post(['X-A: b\0c', 'Content-Length: 0'], '')],
    ['a bare line feed', () => `GET /api/me HTTP/1.1\nHost: 127.0.0.1:${arena.world.port}\n\nGET /x HTTP/1.1\r\n\r\n`],
    ['HTTP/0.9', () => 'GET /api/me\r\n'],
    ['HTTP/2 without asking', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['100 kB of headers', () => post([`X-A: ${'b'.repeat(100_000)}`, 'Content-Length: 0'], '')],
    ['5,000 headers', () => post([...Array.from({ length: 5000 }, (_, index) => `X-${index}: y`), 'Content-Length: 0'], '')],
    ['a method of one’s own', () => `STEAL /api/me HTTP/1.1\r\nHost: 127.0.0.1:${arena.world.port}\r\n\r\n`],
    ['TRACE', () => `TRACE /api/me HTTP/1.1\r\nHost: 127.0.0.1:${arena.world.port}\r\n\r\n`],
    ['CONNECT', () => `CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: 127.0.0.1:${arena.world.port}\r\n\r\n`],
    ['noise', () => '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ])('%s', async (_, request) => {
    const target = await arena.target();
    await arena.survives(target, async () => {
      const told = await spoken(request());
      expect(told.status === 0 || (told.status >= 400 && told.status < 500), told.text.slice(0, 200)).toBe(true);
      // What was smuggled behind is not answered.
      expect(told.text.match(/^HTTP\/1\.1 \d/gm) ?? []).toSatisfy((answers: string[]) => answers.length <= 1);
      return told.status || 'closed';
    });
  });

  test('connections that ask for what is not served and break off do nothing to the server', async () => {
    const target = await arena.target();
    await arena.survives(target, async () => {
      const heads = [
        'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n',
        `GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n`,
      ];
      for (let turn = 0; turn < 100; turn++) {
        const socket = await rawConnection(arena.world);
        socket.write(heads[turn % heads.length]!, () => socket.resetAndDestroy());
      }
      await new Promise((resume) => setTimeout(resume, 300));
      return 'closed';
    });
  });

  test('a body that is shorter than it says is waited for without holding anybody up', async () => {
    const target = await arena.target();
    await arena.survives(target, async () => {
      const sockets = await Promise.all(Array.from({ length: 50 }, () => rawConnection(arena.world)));
      for (const socket of sockets) socket.write(post(['Content-Length: 4000'], '{"setup":'));
      await new Promise((resume) => setTimeout(resume, 500));
      expect((await arena.ask(host, 'GET', '/api/boards')).status).toBe(200);
      for (const socket of sockets) socket.destroy();
      return 'others are served';
    });
  });

  test('headers that say who asks are not believed', async () => {
    const target = await arena.target();
    await arena.survives(target, async () => {
      const headers = {
        'x-forwarded-host': 'evil.example',
        'x-forwarded-proto': 'https',
        'x-forwarded-for': '127.0.0.1',
        forwarded: 'for=127.0.0.1;host=evil.example',
        'x-original-url': '/api/boards',
        'x-rewrite-url': '/api/boards',
        'x-http-method-override': 'DELETE',
        'x-middleware-subrequest': 'middleware:middleware:middleware',
        'x-pathboard-secret': '',
        authorization: 'Bearer admin',
      };
      const me = await arena.ask(null, 'GET', '/api/me', { headers });
      expect([me.status, me.json]).toMatchObject([200, { person: null }]);
      expect((await arena.ask(null, 'GET', '/api/boards', { headers })).status).toBe(401);
      const there = await place();
      await arena.ask(host, 'GET', `/api/boards/${there.boardId}`, { headers });
      expect((await arena.ask(host, 'GET', `/api/boards/${there.boardId}/access`)).status).toBe(200);
      const invite = await arena.ask(host, 'POST', `/api/boards/${there.boardId}/invites`, {
        body: { role: 'viewer', expiresIn: 1, maxUses: 1 },
        headers,
      });
      expect(invite.text).not.toContain('evil');
      return 'not believed';
    });
  });
});

describe('requests without end', () => {
  test('300 boards at once, and 300 analyses', async () => {
    const target = await arena.target();
    await arena.survives(target, async () => {
      const statuses = await Promise.all([
        ...Array.from({ length: 300 }, () => arena.ask(host, 'POST', '/api/boards', { body: { setup: SETUP } })),
        ...Array.from({ length: 300 }, () =>
          arena.ask(host, 'POST', '/api/analyze', { body: { view: 'paths', model: 'toy', prompt: 'x' } }),
        ),
      ]);
      expect([...new Set(statuses.map(({ status }) => status))].every((status) => status === 200 || status === 429)).toBe(true);
      return [...new Set(statuses.map(({ status }) => status))].join(', ');
    });
  });
});

test('after a restart every board that was attacked is there', async () => {
  await arena.restart();
});

/** Says it over a connection of its own, and what is said back until the other side hangs up or nothing more comes. */
async function spoken(text: string): Promise<{ status: number; text: string }> {
  const socket: Socket = await rawConnection(arena.world);
  let told = '';
  socket.on('data', (data: Buffer) => (told += data.toString('latin1')));
  const closed = once(socket, 'close');
  socket.write(Buffer.from(text, 'latin1'));
  socket.end();
  await Promise.race([closed, new Promise((resume) => setTimeout(resume, 3000))]);
  socket.destroy();
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(told)?.[1] ?? 0), text: told };
}

/** The body again and again, each time with another one of its texts replaced. */
function withTextsReplaced(body: unknown, text: string): unknown[] {
  if (typeof body === 'string') return [text, `${body}${text}`];
  if (typeof body !== 'object' || body === null) return [];
  return Object.entries(body).flatMap(([key, value]) =>
    withTextsReplaced(value, text).map((replaced) =>
      Array.isArray(body) ? body.with(Number(key), replaced) : { ...body, [key]: replaced },
    ),
  );
}
