import { afterEach, beforeEach, expect, test } from 'vitest';
import { contentOf, restoreContent } from '../lib/board/restore.ts';
import { openWorld, until, type Actor, type World } from './testing/world.ts';
import { deleteVersion, keepVersion, listVersions, readVersion, renameVersion } from './versions.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let world: World;
let owner: Actor;
let boardId: string;
let now: number;

beforeEach(async () => {
  now = Date.UTC(2026, 0, 10, 12);
  world = await openWorld({ now: () => now });
  owner = await world.owner();
  boardId = await world.board(owner);
});

afterEach(() => world.stop());

async function edit(key: string): Promise<void> {
  const client = world.connect(owner, `board/${boardId}`);
  await client.synced();
  // Step 2 counts as the first message.
  await until(() => client.persisted === 1);
  client.labels.set(key, { text: key });
  await until(() => client.persisted === 2);
  client.destroy();
}

test('a named version is looked at, gone back to, renamed and deleted', async () => {
  const { app } = world;
  await edit('before');
  const kept = await keepVersion(app, owner.person, boardId, 'First look');
  await edit('after');
  const { content, ...summary } = await readVersion(app, owner.person, boardId, kept.id);
  expect(summary).toEqual({ id: kept.id, name: 'First look', author: 'Owner', createdAt: now });
  expect(content['labels']).toEqual({ before: { text: 'before' } });

  const client = world.connect(owner, `board/${boardId}`);
  await client.synced();
  await until(() => client.persisted === 1);
  restoreContent(client.doc, content);
  await until(() => client.persisted === 2);
  const seen = await app.rooms.use({ kind: 'board', boardId }, (room) => room.read(contentOf));
  expect(seen).toEqual(content);

  expect(await renameVersion(app, owner.person, boardId, kept.id, 'Second thought')).toMatchObject({ name: 'Second thought' });
  await deleteVersion(app, owner.person, boardId, kept.id);
  expect((await listVersions(app, owner.person, boardId)).map(({ name }) => name)).not.toContain('Second thought');
  await expect(readVersion(app, owner.person, boardId, kept.id)).rejects.toThrow('expected a version of this board');
});

test('what a board was before an edit is kept by itself every ten minutes, unless nothing changed', async () => {
  const { app } = world;
  const list = () => listVersions(app, owner.person, boardId);
  const labelsOf = async (id: string) => Object.keys((await readVersion(app, owner.person, boardId, id)).content['labels']!).sort();
  await edit('a');
  now += 9 * MINUTE;
  await edit('b');
  expect(await list()).toEqual([]);
  now += 2 * MINUTE;
  await edit('c');
  const [first] = await list();
  expect(await list()).toMatchObject([{ name: null, author: 'Pathboard', createdAt: now }]);
  expect(await labelsOf(first!.id)).toEqual(['a', 'b']);
  now += 11 * MINUTE;
  await edit('d');
  const [second] = await list();
  expect(await list()).toHaveLength(2);
  expect(await labelsOf(second!.id)).toEqual(['a', 'b', 'c']);
  await deleteVersion(app, owner.person, boardId, second!.id);
  await keepVersion(app, owner.person, boardId, 'all four');
  now += 11 * MINUTE;
  await edit('e');
  expect((await list()).map(({ name }) => name)).toEqual(['all four', null]);
});

test('of what is kept by itself one a day stays, and everything that has a name', async () => {
  const { app } = world;
  for (const hour of [0, 1, 2]) {
    now = Date.UTC(2026, 0, 11, 12 + hour);
    await edit(`first day ${hour}`);
  }
  const [, , oldest] = await listVersions(app, owner.person, boardId);
  await renameVersion(app, owner.person, boardId, oldest!.id, 'kept for ever');
  now += 2 * DAY;
  await edit('later');
  const left = await listVersions(app, owner.person, boardId);
  expect(left.map(({ name, createdAt }) => [name, new Date(createdAt).toISOString().slice(0, 13)])).toEqual([
    [null, '2026-01-13T14'],
    [null, '2026-01-11T14'],
    ['kept for ever', '2026-01-11T12'],
  ]);
});

test('who may not edit the board may look at its versions and keep none', async () => {
  const { app } = world;
  const viewer = await world.guest(boardId, 'Vera', 'viewer');
  const kept = await keepVersion(app, owner.person, boardId, 'mine');
  expect(await listVersions(app, viewer.person, boardId)).toHaveLength(1);
  await expect(keepVersion(app, viewer.person, boardId, 'hers')).rejects.toThrow('expected the role owner or editor');
  await expect(deleteVersion(app, viewer.person, boardId, kept.id)).rejects.toThrow('expected the role owner or editor');
  const other = await world.board(owner);
  await expect(readVersion(app, owner.person, other, kept.id)).rejects.toThrow('expected a version of this board');
});
