import { afterAll, beforeAll, expect, test } from 'vitest';
import { sessions } from '../db/schema.ts';
import {
  hashToken,
  invite,
  join,
  makeOwnerLink,
  personOfSession,
  readInvitation,
  redeemOwnerLink,
  rename,
  requireMember,
} from './access.ts';
import { listBoards } from './boards.ts';
import { openWorld, tokenOf, type Actor, type World } from './testing/world.ts';

const DAY = 24 * 3_600_000;
let world: World;
let owner: Actor;
let now = Date.UTC(2026, 0, 1);

beforeAll(async () => {
  world = await openWorld({ now: () => now });
  owner = await world.owner();
});
afterAll(() => world.stop());

test('an owner link works once', async () => {
  const link = tokenOf(await makeOwnerLink(world.app));
  const session = await redeemOwnerLink(world.app, link);
  expect(await personOfSession(world.app, session)).toMatchObject({ name: 'Owner', owner: true });
  await expect(redeemOwnerLink(world.app, link)).rejects.toMatchObject({ code: 'unauthorised' });
});

test('used twice at the same time, it opens one session', async () => {
  const link = tokenOf(await makeOwnerLink(world.app));
  const outcomes = await Promise.allSettled([redeemOwnerLink(world.app, link), redeemOwnerLink(world.app, link)]);
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
});

test('an owner link lasts a day, and a guess opens nothing', async () => {
  const link = tokenOf(await makeOwnerLink(world.app));
  now += DAY;
  await expect(redeemOwnerLink(world.app, link)).rejects.toMatchObject({ code: 'unauthorised' });
  await expect(redeemOwnerLink(world.app, 'guess')).rejects.toMatchObject({ code: 'unauthorised' });
});

test('the database holds hashes alone', async () => {
  const rows = await world.app.db.select().from(sessions);
  expect(JSON.stringify(rows)).not.toContain(owner.token);
  expect(rows.some(({ tokenHash }) => tokenHash === hashToken(owner.token))).toBe(true);
});

test('somebody joins by an invitation, gives a name and sees that board alone', async () => {
  const board = await world.board(owner);
  const other = await world.board(owner);
  const token = await invite(world.app, owner.person, board);
  expect(await readInvitation(world.app, token, null)).toMatchObject({ boardId: board, member: false });
  const { boardId, session } = await join(world.app, null, { token, name: ' Grace ' });
  const grace = await personOfSession(world.app, session);
  expect([boardId, grace?.name, grace?.owner]).toEqual([board, 'Grace', false]);
  await expect(requireMember(world.app, grace, board)).resolves.toBeDefined();
  await expect(requireMember(world.app, grace, other)).rejects.toMatchObject({ code: 'not-found' });
  expect((await listBoards(world.app, grace!)).map(({ id }) => id)).toEqual([board]);
  expect((await listBoards(world.app, owner.person)).length).toBeGreaterThanOrEqual(2);
});

test('following the invitation again changes nothing', async () => {
  const board = await world.board(owner);
  const grace = await world.guest(board, 'Grace');
  const token = await invite(world.app, owner.person, board);
  expect(await join(world.app, grace.person, { token, name: 'Somebody else' })).toEqual({ boardId: board, session: null });
  expect((await personOfSession(world.app, grace.token))?.name).toBe('Grace');
  expect(await join(world.app, owner.person, { token, name: 'x' })).toEqual({ boardId: board, session: null });
});

test.each(['grace', ' GRACE ', 'Ｇｒａｃｅ', 'Grace\u00a0', 'owner', 'OWNER'])('the name %j is taken', async (name) => {
  const board = await world.board(owner);
  await world.guest(board, 'Grace');
  await expect(world.guest(board, name)).rejects.toMatchObject({ code: 'conflict' });
});

test.each(['', '   ', 'a\u200bb', 'a\u202eb', 'x'.repeat(41)])('%j is no name', async (name) => {
  const board = await world.board(owner);
  await expect(world.guest(board, name)).rejects.toMatchObject({ code: 'bad-request', where: 'name' });
});

test('a new name must be free on every board of the person', async () => {
  const [one, two] = [await world.board(owner), await world.board(owner)];
  const ada = await world.guest(one, 'Ada');
  await world.guest(two, 'Grace');
  await join(world.app, ada.person, { token: await invite(world.app, owner.person, two), name: 'Ada' });
  await expect(rename(world.app, ada.person, 'grace')).rejects.toMatchObject({ code: 'conflict' });
  expect((await rename(world.app, ada.person, 'Ada L.')).name).toBe('Ada L.');
  await expect(world.guest(two, 'Ada')).resolves.toBeDefined();
});

test('an invitation ends after 30 days, a session after 90', async () => {
  const board = await world.board(owner);
  const token = await invite(world.app, owner.person, board);
  now += 30 * DAY;
  await expect(join(world.app, null, { token, name: 'Late' })).rejects.toMatchObject({ code: 'not-found' });
  now += 61 * DAY;
  expect(await personOfSession(world.app, owner.token)).toBeNull();
});
