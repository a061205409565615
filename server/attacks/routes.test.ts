import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asc, eq } from 'drizzle-orm';
import * as schema from '../../db/schema.ts';
import { BOARD_ACTIONS, rolesFor, type Action, type Role } from '../../lib/roles.ts';
import { SECRET_HEADER } from '../guard.ts';
import type { Actor } from '../testing/world.ts';
import { Arena } from './arena.ts';
import { makePlace, newcomer, type Place } from './place.ts';
import { ROUTES, requestTo } from './routes.ts';

/** Who may use each route, asked of every route as everybody. */

let arena: Arena;
let host: Actor;
let heir: Actor;
let stranger: Actor;

beforeAll(async () => {
  arena = await Arena.open();
  host = await arena.world.account('Host');
  heir = await arena.world.account('Heir');
  stranger = await arena.world.account('Stranger');
});
afterAll(() => arena.close());

test('every route that the site has is in the table, and nothing else', () => {
  const found = arena.site.routes.flatMap(({ path, methods }) => Object.keys(methods).map((method) => `${method} ${path}`));
  expect(Object.keys(ROUTES).sort()).toEqual(found.sort());
});

const everything = Object.keys(ROUTES);
const withRoles = everything.filter((name) => isAction(ROUTES[name]!.needs));

describe('who may not is told so, and changes nothing', () => {
  test('somebody without a session', async () => {
    const place = await makePlace(arena, { host, heir });
    const target = await arena.target();
    await arena.survives(target, async () => {
      await expectRefused(
        place,
        null,
        everything.filter((name) => ROUTES[name]!.needs !== 'anybody'),
        (name) => (ROUTES[name]!.needs === 'secret' ? [403] : [401]),
      );
      return '401';
    });
  });

  test('somebody from elsewhere', async () => {
    const place = await makePlace(arena, { host, heir });
    const target = await arena.target();
    await arena.survives(target, async () => {
      await expectRefused(place, stranger, withRoles, () => [404]);
      return '404';
    });
  });

  describe.each(['board', 'workspace'] as const)('with a role in the %s alone', (where) => {
    test.each(['viewer', 'commenter', 'editor'] as const)('a %s', async (role) => {
      const place = await makePlace(arena, { host, heir });
      const actor = await newcomer(arena, place, role, where);
      const target = await arena.target();
      await arena.survives(target, async () => {
        const names = withRoles.filter((name) => !mayUse(name, role, where));
        expect(names.length).toBeGreaterThan(5);
        await expectRefused(place, actor, names, (name) => {
          const { needs, hidden } = ROUTES[name]!;
          return hidden || (where === 'board' && needs.startsWith('workspace.')) ? [404] : [403];
        });
        return '403';
      });
    });
  });

  test('an editor who edits or deletes what another wrote', async () => {
    const place = await makePlace(arena, { host, heir });
    const editor = await newcomer(arena, place, 'editor', 'workspace');
    await expectRefused(
      place,
      editor,
      everything.filter((name) => ROUTES[name]!.own),
      () => [403],
    );
  });

  test('the owner who puts words into another’s comment', async () => {
    const author = await arena.world.account('Author');
    const place = await makePlace(arena, { host, heir, author });
    await expectRefused(place, host, ['PATCH /api/boards/[boardId]/comments/[commentId]'], () => [403]);
  });
});

describe('who may, may: the least role that is enough', () => {
  test.each(withRoles)('%s', async (name) => {
    const { needs, own, after, status = 200 } = ROUTES[name]!;
    const least = rolesFor(needs as Action).at(-1);
    const author = own ? await arena.world.account(`Author ${everything.indexOf(name)}`) : host;
    const place = await makePlace(arena, { host, heir, author });
    const where = needs in BOARD_ACTIONS ? 'board' : 'workspace';
    const actor = own ? author : least === undefined || least === 'owner' ? host : await newcomer(arena, place, least, where);
    if (after) {
      const before = after(place);
      await arena.ask(host, before.method, before.path);
    }
    const { method, path, body } = requestTo(name, place);
    const answered = await arena.ask(actor, method, path, { body });
    expect([answered.status, answered.text.slice(0, 300)]).toEqual([status, expect.anything()]);
  });

  test.each(everything.filter((name) => ['anybody', 'somebody', 'secret'].includes(ROUTES[name]!.needs)))('%s', async (name) => {
    const { needs, status = 200, account } = ROUTES[name]!;
    const place = await makePlace(arena, { host, heir });
    const guest = account ? host : await newcomer(arena, place, 'viewer', 'board');
    const { method, path, body } = requestTo(name, place);
    const headers: Record<string, string> = needs === 'secret' ? { [SECRET_HEADER]: arena.world.app.config.localSecret } : {};
    const answered = await arena.ask(needs === 'somebody' ? guest : null, method, path, { body, headers });
    expect([answered.status, answered.text.slice(0, 300)]).toEqual([status, expect.anything()]);
  });
});

describe('an id of another board under one’s own', () => {
  const ids = ['commentId', 'threadId', 'claimId', 'evidenceId', 'versionId', 'runId', 'inviteId', 'importId'] as const;
  const boardRoutes = everything.filter((name) => name.includes('[boardId]/') && ids.some((id) => name.includes(`[${id}]`)));

  test.each(boardRoutes)('%s', async (name) => {
    const theirs = await makePlace(arena, { host, heir });
    const mine = await makePlace(arena, { host: stranger, heir });
    const before = await stateOf(theirs);
    const mixed = { ...theirs, boardId: mine.boardId };
    const { method, path, body } = requestTo(name, mixed);
    const { status } = await arena.ask(stranger, method, path, { body });
    expect(status).toBe(404);
    expect(await stateOf(theirs)).toEqual(before);
  });

  test('runs of another board as evidence, a person of another board as heir, a workspace of another as home', async () => {
    const theirs = await makePlace(arena, { host, heir: host });
    const mine = await makePlace(arena, { host: stranger, heir });
    const outsider = await newcomer(arena, theirs, 'editor', 'board');
    const before = await stateOf(theirs);
    const asked: [string, string, unknown][] = [
      [
        'POST',
        `/api/boards/${mine.boardId}/claims/${mine.claimId}/evidence`,
        requestTo('POST /api/boards/[boardId]/claims/[claimId]/evidence', { ...mine, runId: theirs.runId }).body,
      ],
      ['POST', `/api/boards/${mine.boardId}/transfer`, { personId: outsider.person.id }],
      ['POST', `/api/workspaces/${mine.workspaceId}/transfer`, { personId: outsider.person.id }],
      ['PATCH', `/api/boards/${mine.boardId}/members/${outsider.person.id}`, { role: 'owner' }],
      ['DELETE', `/api/boards/${mine.boardId}/members/${outsider.person.id}`, undefined],
      ['PATCH', `/api/workspaces/${mine.workspaceId}/members/${outsider.person.id}`, { role: 'owner' }],
      ['DELETE', `/api/workspaces/${mine.workspaceId}/members/${outsider.person.id}`, undefined],
      ['POST', '/api/boards', requestTo('POST /api/boards', theirs).body],
      ['DELETE', `/api/invites/${theirs.inviteId}`, undefined],
      ['GET', `/api/runs/${theirs.runId}`, undefined],
      ['POST', `/api/boards/${mine.boardId}/comments`, { id: crypto.randomUUID(), anchor: `claim:${theirs.claimId}`, body: 'hm' }],
    ];
    for (const [method, path, body] of asked) {
      const { status, text } = await arena.ask(stranger, method, path, { body });
      expect([method, path, status, text]).toEqual([method, path, 404, text]);
    }
    expect(await stateOf(theirs)).toEqual(before);
  });

  test('an entry’s id that somebody used on another board, and a slug that another board has', async () => {
    const theirs = await makePlace(arena, { host, heir });
    const mine = await makePlace(arena, { host: stranger, heir });
    const before = await stateOf(theirs);
    const comment = { id: theirs.commentId, anchor: 'a0.h0', body: 'mine' };
    expect((await arena.ask(stranger, 'POST', `/api/boards/${mine.boardId}/comments`, { body: comment })).status).toBe(409);
    const page = { title: 'Mine', slug: theirs.slug, question: '', findings: '', threads: false };
    expect((await arena.ask(stranger, 'POST', `/api/boards/${mine.boardId}/publish`, { body: page })).status).toBe(409);
    expect(await stateOf(theirs)).toEqual(before);
  });
});

/** Asks each as the actor, and finds everything as it was. */
async function expectRefused(
  place: Place,
  actor: Actor | null,
  names: readonly string[],
  statuses: (name: string) => number[],
): Promise<void> {
  const before = await stateOf(place);
  const wrong: string[] = [];
  for (const name of names) {
    const { method, path, body } = requestTo(name, place);
    const { status, text } = await arena.ask(actor, method, path, { body });
    if (!statuses(name).includes(status))
      wrong.push(`${name}: expected ${statuses(name).join(' or ')}, got ${status} ${text.slice(0, 200)}`);
  }
  expect(wrong).toEqual([]);
  expect(await stateOf(place)).toEqual(before);
}

/** All of a place that somebody could have changed: what the tables say of it, and what its documents hold. */
async function stateOf({ boardId, workspaceId, slug, host: { person } }: Place): Promise<unknown> {
  const { db, rooms } = arena.world.app;
  const { workspaces, members, memberships, boards, invites, entries, runs, publications, publicationVersions, audit, accounts } = schema;
  const tables = [workspaces, members, memberships, boards, invites, entries, runs, publications, publicationVersions, audit, accounts];
  const rows = await Promise.all(tables.map((table) => db.select().from(table)));
  const ours = rows.flat().map((row) => JSON.stringify(row));
  const { id, name } = schema.versions;
  const names = await db.select({ id, name }).from(schema.versions).where(eq(schema.versions.boardId, boardId)).orderBy(asc(id));
  const documents = await Promise.all(
    (['board', 'discussion'] as const).map((kind) =>
      rooms.use({ kind, boardId }, (room) =>
        room.read((doc) => ['meta', 'labels', 'threads', 'comments', 'claims', 'evidence'].map((map) => doc.getMap(map).toJSON())),
      ),
    ),
  );
  const ids = [boardId, workspaceId, slug, person.id];
  return { rows: ours.filter((row) => ids.some((one) => row.includes(one))).sort(), names, documents };
}

function isAction(needs: string): boolean {
  return needs.includes('.');
}

function mayUse(name: string, role: Role, where: 'board' | 'workspace'): boolean {
  const { needs } = ROUTES[name]!;
  if (where === 'board' && needs.startsWith('workspace.')) return false;
  return rolesFor(needs as Action).includes(role);
}
