import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ROLES, may, type Role } from '../../lib/roles.ts';
import { CLOSE } from '../../lib/wire.ts';
import { authorise } from '../access.ts';
import { deleteBoard } from '../bin.ts';
import { addComment } from '../discussion.ts';
import { changeBoardRole, changeWorkspaceRole, removeFromBoard, removeFromWorkspace } from '../members.ts';
import { openWorld, until, type Actor, type Client, type World } from '../testing/world.ts';

/** The table of lib/roles.ts through the sockets, and what happens to those that are open when it decides otherwise. */

let world: World;
let owner: Actor;
let board: string;
let workspaceId: string;
let count = 0;

beforeAll(async () => {
  world = await openWorld();
});
beforeEach(async () => {
  owner = await world.account(`Owner ${++count}`);
  board = await world.board(owner);
  ({ workspaceId } = await authorise(world.app, owner.person, 'board.read', board));
});
afterAll(() => world.stop());

const SOURCES = ['board', 'workspace'] as const;
const CELLS = ROLES.flatMap((role) => SOURCES.map((through) => [role, through] as const));

function actorWith(role: Role, through: (typeof SOURCES)[number]): Promise<Actor> {
  const name = `Actor ${++count}`;
  return through === 'board' ? world.guest(board, name, role) : world.account(name, { workspaceId, role });
}

async function connect(actor: Actor | null, kind: 'board' | 'discussion' = 'board'): Promise<Client> {
  const client = world.connect(actor, `${kind}/${board}`);
  await client.synced();
  return client;
}

const label = (text: string) => ({ id: `label-${text}`, text });

describe.each(CELLS)('%s from the %s', (role, through) => {
  test('reads the board and its discussion', async () => {
    const actor = await actorWith(role, through);
    const [onBoard, inDiscussion] = [await connect(actor), await connect(actor, 'discussion')];
    expect(onBoard.doc.getMap('meta').size + onBoard.doc.getMap('setup').size).toBeGreaterThan(0);
    await addComment(world.app, owner.person, board, { id: crypto.randomUUID(), anchor: 'a0.h0', body: 'why?' });
    await until(() => inDiscussion.doc.getMap('comments').size === 1);
  });

  test(`${may(role, 'board.edit') ? 'writes' : 'does not write'} the board`, async () => {
    const [writer, reader] = [await connect(await actorWith(role, through)), await connect(owner)];
    writer.labels.set('theirs', label('theirs'));
    await until(() => writer.persisted > 0 || writer.closed !== null || !may(role, 'board.edit'));
    // What the owner writes afterwards arrives everywhere after it.
    reader.labels.set('later', label('later'));
    const third = await connect(owner);
    await until(() => third.labels.has('later'));
    expect(third.labels.has('theirs')).toBe(may(role, 'board.edit'));
    expect(reader.labels.has('theirs')).toBe(may(role, 'board.edit'));
  });
});

test('a stranger and nobody in particular are turned away', async () => {
  const [stranger, nobody] = [await connect(await world.account(`Stranger ${++count}`)), await connect(null)];
  await until(() => stranger.closed !== null && nobody.closed !== null);
  expect([stranger.closed?.code, nobody.closed?.code]).toEqual([CLOSE.notFound, CLOSE.unauthorised]);
});

test.each(SOURCES)('a role that is changed on the %s closes the person’s sockets, which say why; others stay', async (through) => {
  const [actor, other] = [await actorWith('editor', through), await actorWith('editor', through)];
  const theirs = [await connect(actor), await connect(actor, 'discussion')];
  const others = [await connect(other), await connect(owner)];
  await (through === 'board'
    ? changeBoardRole(world.app, owner.person, board, actor.person.id, 'viewer')
    : changeWorkspaceRole(world.app, owner.person, workspaceId, actor.person.id, 'viewer'));
  await until(() => theirs.every(({ closed }) => closed !== null));
  for (const { closed } of theirs) expect(closed).toEqual({ code: CLOSE.roleChanged, reason: expect.stringContaining('viewer') });
  expect(others.map(({ closed }) => closed)).toEqual([null, null]);
  const again = await connect(actor);
  again.labels.set('refused', label('refused'));
  others[1]!.labels.set('later', label('later'));
  await until(() => others[0]!.labels.has('later'));
  expect(others[0]!.labels.has('refused')).toBe(false);
});

test.each(SOURCES)('whoever is removed from the %s is disconnected, and does not come back', async (through) => {
  const actor = await actorWith('editor', through);
  const theirs = [await connect(actor), await connect(actor, 'discussion')];
  await (through === 'board'
    ? removeFromBoard(world.app, owner.person, board, actor.person.id)
    : removeFromWorkspace(world.app, owner.person, workspaceId, actor.person.id));
  await until(() => theirs.every(({ closed }) => closed !== null));
  for (const { closed } of theirs) expect([CLOSE.forbidden, CLOSE.notFound]).toContain(closed?.code);
  const again = await connect(actor);
  await until(() => again.closed !== null);
  expect(again.closed?.code).toBe(CLOSE.notFound);
});

test('a deleted board disconnects everybody', async () => {
  const clients = [await connect(owner), await connect(await actorWith('viewer', 'board'), 'discussion')];
  await deleteBoard(world.app, owner.person, board);
  await until(() => clients.every(({ closed }) => closed !== null));
  for (const { closed } of clients) expect([CLOSE.forbidden, CLOSE.notFound]).toContain(closed?.code);
});
