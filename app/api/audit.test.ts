import { afterAll, beforeAll, expect, test } from 'vitest';
import { eq } from 'drizzle-orm';
import { audit } from '../../db/schema.ts';
import type { AuditEntry } from '../../lib/wire.ts';
import { authorise } from '../../server/access.ts';
import { setApp } from '../../server/app.ts';
import { ask } from '../../server/testing/routes.ts';
import { PASSWORD, actorOf, openWorld, type Actor, type World } from '../../server/testing/world.ts';

let world: World;
let owner: Actor;
let workspaceId: string;
let board: string;

beforeAll(async () => {
  world = await openWorld();
  setApp(world.app);
  owner = await world.account('Olive');
  board = await world.board(owner);
  ({ workspaceId } = await authorise(world.app, owner.person, 'board.read', board));
});
afterAll(() => world.stop());

async function entries(before?: number): Promise<AuditEntry[]> {
  const query = before === undefined ? '' : `?before=${before}`;
  return (await ask(owner, 'GET', `/api/workspaces/${workspaceId}/audit${query}`)).json();
}

test('membership, publishing and deletion are written down: who, what, where, whom', async () => {
  const send = async (actor: Actor | null, method: string, path: string, body?: unknown) => {
    const response = await ask(actor, method, path, body === undefined ? {} : { body });
    expect([response.ok, response.ok ? '' : await response.text()]).toEqual([true, '']);
    return response;
  };
  const invited = await (await send(owner, 'POST', `/api/boards/${board}/invites`, { role: 'editor', expiresIn: 7, maxUses: 5 })).json();
  const token = invited.url.split('/').at(-1);
  const joined = await send(null, 'POST', '/api/join', { token, name: 'Ines' });
  const ines = await actorOf(world.app, joined.headers.getSetCookie());
  await send(null, 'POST', '/api/join', { token, name: 'Noor' });
  const comment = { id: crypto.randomUUID(), anchor: 'a0.h0', body: 'words that nobody else needs to read' };
  await send(ines, 'POST', `/api/boards/${board}/comments`, comment);
  await send(owner, 'DELETE', `/api/boards/${board}/comments/${comment.id}`);
  await send(owner, 'PATCH', `/api/boards/${board}/members/${ines.person.id}`, { role: 'owner' });
  await send(ines, 'POST', `/api/boards/${board}/publish`, { title: 'A page', question: '', findings: '', threads: false, slug: 'a-page' });
  await send(ines, 'POST', '/api/me/account', { email: 'ines@example.org', password: PASSWORD });
  await send(owner, 'DELETE', `/api/invites/${invited.id}`);
  await send(owner, 'DELETE', `/api/boards/${board}/members/${ines.person.id}`);
  await send(owner, 'PATCH', `/api/workspaces/${workspaceId}`, { name: 'Lab' });
  await send(owner, 'DELETE', `/api/boards/${board}`);
  await send(owner, 'POST', `/api/boards/${board}/undelete`);

  const told = await entries();
  const inesIs = { personId: ines.person.id, name: 'Ines' };
  expect(told.map(({ personName, action, details }) => [personName, action, details])).toEqual(
    [
      ['Olive', 'workspace.made', { name: 'Olive' }],
      ['Olive', 'board.made', { title: 'When Mary' }],
      ['Olive', 'invite.made', { inviteId: invited.id, role: 'editor', expiresAt: invited.expiresAt, maxUses: 5 }],
      ['Ines', 'member.joined', { inviteId: invited.id, role: 'editor' }],
      ['Noor', 'member.joined', { inviteId: invited.id, role: 'editor' }],
      ['Olive', 'comment.deleted', { commentId: comment.id, authorId: ines.person.id, authorName: 'Ines' }],
      ['Olive', 'member.role', { ...inesIs, from: 'editor', to: 'owner' }],
      ['Ines', 'board.published', { slug: 'a-page', version: 1, title: 'A page', threads: false, anonymous: false, weights: true }],
      ['Olive', 'invite.revoked', { inviteId: invited.id, role: 'editor' }],
      ['Olive', 'member.removed', { ...inesIs, role: 'owner' }],
      ['Olive', 'workspace.renamed', { from: 'Olive', to: 'Lab' }],
      ['Olive', 'board.deleted', { title: 'When Mary', pages: 'keep' }],
      ['Olive', 'board.undeleted', { title: 'When Mary' }],
    ].toReversed(),
  );
  expect(new Set(told.map(({ boardId }) => boardId))).toEqual(new Set([board, null]));
  expect(told.find(({ action }) => action === 'member.joined')?.personId).not.toBe(owner.person.id);
  const written = JSON.stringify(await world.app.db.select().from(audit).where(eq(audit.workspaceId, workspaceId)));
  for (const secret of [comment.body, token, '@example.org']) expect(written).not.toContain(secret);
});

test('what was refused, and what changed nothing, is not written down', async () => {
  const before = await entries();
  const other = await world.board(await world.account('Other'));
  await ask(owner, 'DELETE', `/api/boards/${other}`);
  await ask(owner, 'DELETE', `/api/workspaces/${workspaceId}/members/${owner.person.id}`);
  await ask(owner, 'PATCH', `/api/workspaces/${workspaceId}`, { body: { name: 'Lab' } });
  await ask(owner, 'POST', `/api/boards/${board}/publish`, { body: { title: 'x', question: '', findings: '', threads: false, slug: '-' } });
  expect(await entries()).toEqual(before);
});

test('it is read a page at a time, newest first', async () => {
  for (let number = 0; number < 105; number++) {
    await ask(owner, 'PATCH', `/api/workspaces/${workspaceId}`, { body: { name: `Lab ${number}` } });
  }
  const first = await entries();
  const second = await entries(first.at(-1)!.id);
  expect([first.length, first[0]?.details, second[0]?.id]).toEqual([100, { from: 'Lab 103', to: 'Lab 104' }, first.at(-1)!.id - 1]);
  const ids = [...first, ...second].map(({ id }) => id);
  expect([ids, new Set(ids).size]).toEqual([ids.toSorted((a, b) => b - a), ids.length]);
  expect(await entries(ids.at(-1))).toEqual([]);
  const wrong = await ask(owner, 'GET', `/api/workspaces/${workspaceId}/audit?before=x`);
  expect([wrong.status, (await wrong.json()).error.where]).toEqual([400, 'before']);
});

test('nothing of it is there where what it tells about could not be stored', async () => {
  const before = await entries();
  const publishing = { title: 'Gone', question: '', findings: '', threads: false, slug: 'taken-elsewhere' };
  const stranger = await world.account('Taker');
  await ask(stranger, 'POST', `/api/boards/${await world.board(stranger)}/publish`, { body: publishing });
  expect((await ask(owner, 'POST', `/api/boards/${board}/publish`, { body: publishing })).status).toBe(409);
  expect(await entries()).toEqual(before);
});
