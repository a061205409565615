import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { snapshots, updates } from '../../db/schema.ts';
import { authorise } from '../../server/access.ts';
import { setApp } from '../../server/app.ts';
import { ask } from '../../server/testing/routes.ts';
import { openWorld, until, type Actor, type World } from '../../server/testing/world.ts';

/** Nobody is told anybody else's e-mail address. */

let world: World;
let author: Actor;
let board: string;
let workspaceId: string;
const readers: Actor[] = [];

beforeAll(async () => {
  world = await openWorld();
  setApp(world.app);
  author = await world.account('Aurora');
  board = await world.board(author);
  ({ workspaceId } = await authorise(world.app, author.person, 'board.read', board));
  for (const role of ['owner', 'editor', 'commenter', 'viewer'] as const) {
    readers.push(await world.account(`Reader ${role}`, { workspaceId, role }), await world.guest(board, `Guest ${role}`, role));
  }
  const send = async (method: string, path: string, body: unknown) =>
    (await ask(author, method, `/api/boards/${board}/${path}`, { body })).json();
  const [commentId, claimId] = [crypto.randomUUID(), crypto.randomUUID()];
  await send('POST', 'comments', { id: commentId, anchor: 'a0.h0', body: 'why?' });
  await send('POST', 'claims', { id: claimId, anchor: null, text: 'It is exact.' });
  await send('PUT', `claims/${claimId}/stance`, { stance: 'for', reason: '' });
  const run = await send('POST', 'runs', { view: 'degrees', model: 'toy', prompt: 'When Mary' });
  await send('POST', `claims/${claimId}/evidence`, { id: crypto.randomUUID(), runIds: [run.id], predicate: 'metric > 1' });
  await send('POST', 'publish', { title: 'A page', question: '', findings: '', threads: true });
  await send('POST', 'invites', { role: 'viewer', expiresIn: 1, maxUses: null });
});
afterAll(() => world.stop());

test('not in what members read', async () => {
  const paths = [
    '/api/boards',
    `/api/boards/${board}/access`,
    `/api/boards/${board}/members`,
    `/api/boards/${board}/runs`,
    `/api/boards/${board}/invites`,
    '/api/workspaces',
    `/api/workspaces/${workspaceId}/members`,
    `/api/workspaces/${workspaceId}/invites`,
    `/api/workspaces/${workspaceId}/audit`,
    `/api/workspaces/${workspaceId}/bin`,
  ];
  for (const reader of readers) {
    for (const path of paths) {
      const text = await (await ask(reader, 'GET', path)).text();
      expect([path, text.includes('aurora@') || text.includes('.invalid')]).toEqual([path, false]);
    }
    const me = await (await ask(reader, 'GET', '/api/me')).json();
    expect(me.email).toBe(reader.person.email);
  }
});

test('not in the documents, their log or what others see of who is there', async () => {
  const [watcher, writer] = [world.connect(readers[0]!, `board/${board}`), world.connect(author, `board/${board}`)];
  await Promise.all([watcher.synced(), writer.synced()]);
  writer.provider.awareness.setLocalState({ selection: null, user: { id: 'x', name: 'aurora@example.org', color: '#fff' } });
  await until(() => [...watcher.provider.awareness.getStates().values()].some((state) => state['user']?.id === author.person.id));
  expect(JSON.stringify([...watcher.provider.awareness.getStates().values()])).not.toContain('@');
  for (const room of [`board/${board}`, `discussion/${board}`]) {
    const log = await world.app.db.select({ data: updates.data }).from(updates).where(eq(updates.room, room));
    const merged = await world.app.db.select({ data: snapshots.data }).from(snapshots).where(eq(snapshots.room, room));
    expect(log.length + merged.length).toBeGreaterThan(0);
    for (const { data } of [...log, ...merged]) expect(Buffer.from(data).toString('latin1')).not.toMatch(/@example|\.invalid/);
  }
});

test('not on a published page', async () => {
  const [page] = await world.app.db.query.publicationVersions.findMany();
  expect(page?.html).toContain('Aurora');
  expect([page?.html.includes('@example'), JSON.stringify(page?.snapshot).includes('@example')]).toEqual([false, false]);
});
