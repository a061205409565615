import { eq } from 'drizzle-orm';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { boards } from '../../db/schema.ts';
import { addLabel, readLabels } from '../../lib/board/board-doc.ts';
import { CLOSE, MESSAGE_NEWS } from '../../lib/wire.ts';
import { presenceOf } from '../attacks/payloads.ts';
import { RawSocket } from '../attacks/raw-socket.ts';
import { addComment } from '../discussion.ts';
import { listNotifications } from '../notifications.ts';
import { hasPostgres, hasRedis, startPostgres, startRedis, type Postgres, type Service } from '../testing/services.ts';
import { openWorld, until, type Actor, type Client, type World } from '../testing/world.ts';
import { appendEntries, loadRoom } from './log.ts';
import { writeUpdate } from './protocol.ts';

/** `npm run torture -- --convergence 1000 --instances 3` does this with many boards, over bad networks; see bench/torture. */

/** Milliseconds between two looks at the log while Redis is away; while it is there, longer than any test. */
const POLL = { down: 100, up: 600_000 };
const NO_UPDATE = Uint8Array.of(1, 2, 3, 4, 5, 6, 7);

let home: string;
let postgres: Postgres;
let redis: Service;
let worlds: World[] = [];
let owner: Actor;
let id: string;
let room: string;
let clients: Client[] = [];

describe.skipIf(!hasPostgres() || !hasRedis())('two instances on one database', () => {
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'pathboard-instances-'));
    [postgres, redis] = await Promise.all([required(startPostgres()), required(startRedis())]);
    const place = { home, databaseUrl: await postgres.createDatabase(), redisUrl: redis.url, pollAfter: POLL, unloadAfter: 20 };
    worlds = [await openWorld(place), await openWorld(place)];
    owner = await worlds[0]!.owner();
  });
  afterEach(() => {
    for (const client of clients) client.destroy();
    clients = [];
  });
  afterAll(async () => {
    await Promise.all(worlds.map((world) => world.stop()));
    await Promise.all([postgres?.stop(), redis?.stop()]);
    rmSync(home, { recursive: true, force: true });
  });

  test('people at both see each other come, move and go', async () => {
    const [a, b] = await meet();
    a.provider.awareness.setLocalStateField('selection', 'a0.h0');
    await until(() => seenBy(b, a)?.['selection'] === 'a0.h0');
    expect(seenBy(b, a)?.['user']).toMatchObject({ id: owner.person.id, name: owner.person.name });
    const late = await connect(1);
    await until(() => seenBy(late, a)?.['selection'] === 'a0.h0' && seenBy(a, late) !== undefined);
    a.destroy();
    await until(() => seenBy(b, a) === undefined && seenBy(late, a) === undefined);
  });

  test('what concerns somebody at the other instance is told there at once', async () => {
    await meet();
    const guest = await worlds[0]!.guest(id, `Told ${id.slice(0, 6)}`, 'viewer');
    const client = worlds[1]!.connect(guest, `discussion/${id}`);
    clients.push(client);
    let told = 0;
    client.provider.messageHandlers[MESSAGE_NEWS] = () => void told++;
    await client.synced();
    const comment = { id: crypto.randomUUID(), anchor: 'm0', body: `@${guest.person.name}` };
    await addComment(worlds[0]!.app, owner.person, id, comment);
    await until(() => told === 1);
    expect(await listNotifications(worlds[1]!.app, guest.person)).toMatchObject({ unread: 1, list: [{ subjectId: comment.id }] });
  });

  test('without Redis people see each other’s edits later, and at once again when it is back', async () => {
    const [a, b] = await meet();
    await redis.kill();
    for (const [n, client] of [a, b, a, b].entries()) {
      addLabel(client.doc, 'a0.h0', `without ${n}`, n);
      await until(() => textsOf(a).length === n + 1 && textsOf(b).length === n + 1);
    }
    // The log's order is the same for both, whoever wrote first.
    addLabel(a.doc, 'a0.h1', 'at once, one', 8, 'shared');
    addLabel(b.doc, 'a0.h1', 'at once, other', 9, 'shared');
    await until(() => agree(a, b) && a.persisted === 4 && b.persisted === 4);
    await redis.restart();
    // Nothing else tells them: the log is not looked at while Redis is there.
    a.provider.awareness.setLocalStateField('selection', 'a1.h0');
    await until(() => seenBy(b, a)?.['selection'] === 'a1.h0', 15_000);
    addLabel(a.doc, 'a0.h0', 'with it', 10);
    await until(() => textsOf(b).includes('with it'));
    expect(agree(a, b)).toBe(true);
    expect([a.closed, b.closed]).toEqual([null, null]);
  });

  test('nobody takes the place at one of somebody at the other who has written nothing yet', async () => {
    const [a, b] = await meet();
    const mallory = await new RawSocket(worlds[1]!, await worlds[1]!.guest(id, 'Forger', 'viewer'), room).entered();
    mallory.send(presenceOf([{ clientId: a.doc.clientID, clock: 2 ** 40, state: '{"selection":"forged"}' }]));
    mallory.send(presenceOf([{ clientId: 7, clock: 1, state: '{"selection":"honest"}' }]));
    await until(() => b.provider.awareness.getStates().has(7));
    expect(seenBy(b, a)?.['user']).toMatchObject({ id: owner.person.id });
    mallory.leave();
    addLabel(a.doc, 'a0.h0', 'mine', 1);
    await until(() => textsOf(b).includes('mine'));
    expect(a.closed).toBeNull();
  });

  test('nobody writes at one under the client id of somebody at the other', async () => {
    const [a, b] = await meet();
    addLabel(a.doc, 'a0.h0', 'mine', 1);
    await until(() => textsOf(b).includes('mine'));
    const [board] = await worlds[0]!.app.db.select({ workspaceId: boards.workspaceId }).from(boards).where(eq(boards.id, id));
    const mallory = await worlds[1]!.account('Mallory', { workspaceId: board!.workspaceId, role: 'editor' });
    for (const base of [a.doc, new Y.Doc()]) {
      const forger = worlds[1]!.connect(mallory, room);
      clients.push(forger);
      await forger.synced();
      forger.send(writeUpdate(forged(base, a.doc.clientID)));
      await until(() => forger.closed !== null);
      expect(forger.closed?.code).toBe(CLOSE.invalidUpdate);
    }
    addLabel(a.doc, 'a0.h0', 'mine, too', 3);
    await until(() => textsOf(b).includes('mine, too') && agree(a, b));
    expect(textsOf(b)).toEqual(['mine', 'mine, too']);
    expect([a.closed, b.closed]).toEqual([null, null]);
  });

  test('without Postgres nothing is acknowledged and nobody else sees it; when it is back nothing is lost', async () => {
    const [a, b] = await meet();
    addLabel(a.doc, 'a0.h0', 'before', 1);
    await until(() => a.persisted === 2 && textsOf(b).length === 1);
    await postgres.kill();
    const acknowledged = [a.persisted, b.persisted];
    addLabel(a.doc, 'a0.h0', 'meanwhile at a', 2);
    addLabel(b.doc, 'a0.h0', 'meanwhile at b', 3);
    await new Promise((done) => setTimeout(done, 700));
    expect([a.persisted, b.persisted]).toEqual(acknowledged);
    expect([textsOf(a), textsOf(b)]).toEqual([
      ['before', 'meanwhile at a'],
      ['before', 'meanwhile at b'],
    ]);
    for (const client of [a, b]) client.persisted = 0;
    await postgres.restart();
    await until(() => a.persisted > 0 && b.persisted > 0 && textsOf(a).length === 3 && agree(a, b), 20_000);
    const { doc } = await loadRoom(worlds[0]!.app.db, room);
    expect(Y.equalSnapshots(Y.snapshot(doc), Y.snapshot(a.doc))).toBe(true);
    expect([a.closed, b.closed]).toEqual([null, null]);
  });

  test.each([
    ['by Redis', async () => {}, async () => {}],
    ['without Redis', () => redis.kill(), () => redis.restart()],
  ])('who is at one of them is told %s when the other had to mend the board', async (_, away, back) => {
    await newBoard();
    const a = await connect(0);
    // As a page does: it may be cut off, and come back, before it is told.
    a.provider.params = { epoch: '0' };
    addLabel(a.doc, 'a0.h0', 'stored', 1);
    await until(() => a.persisted === 2);
    await away();
    const [bad] = await appendEntries(worlds[1]!.app.db, room, [{ data: NO_UPDATE, personId: null, clients: [] }], 1);
    const b = await connect(1);
    await until(() => a.closed !== null);
    expect(a.closed?.code).toBe(CLOSE.otherEpoch);
    const again = await connect(0);
    expect([b.epoch, again.epoch]).toEqual([1, 1]);
    addLabel(again.doc, 'a0.h0', 'afterwards', 2);
    await until(() => textsOf(b).length === 2);
    const { doc, last } = await loadRoom(worlds[0]!.app.db, room);
    expect(Y.equalSnapshots(Y.snapshot(doc), Y.snapshot(b.doc))).toBe(true);
    expect(last).toBeGreaterThan(bad!);
    await back();
    await until(() => seenBy(again, b) !== undefined && seenBy(b, again) !== undefined, 15_000);
  });
});

async function required<T>(service: Promise<T | null>): Promise<T> {
  const started = await service;
  if (started === null) throw new Error('service: expected it to be installed');
  return started;
}

async function newBoard(): Promise<void> {
  id = await worlds[0]!.board(owner);
  room = `board/${id}`;
}

/** Somebody at each instance, on a new board. */
async function meet(): Promise<[Client, Client]> {
  await newBoard();
  const [a, b] = [await connect(0), await connect(1)];
  await until(() => seenBy(a, b) !== undefined && seenBy(b, a) !== undefined, 20_000);
  return [a, b];
}

async function connect(instance: number): Promise<Client> {
  const client = worlds[instance]!.connect(owner, room);
  clients.push(client);
  await client.synced();
  await until(() => client.persisted === 1);
  return client;
}

function seenBy(observer: Client, { doc }: Client): Record<string, unknown> | undefined {
  return observer.provider.awareness.getStates().get(doc.clientID);
}

/** A label under somebody else's client id, on top of what `base` holds. */
function forged(base: Y.Doc, clientID: number): Uint8Array {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(base));
  doc.clientID = clientID;
  const before = Y.encodeStateVector(doc);
  addLabel(doc, 'a0.h0', 'forged', 2);
  return Y.encodeStateAsUpdate(doc, before);
}

function textsOf({ doc }: Client): string[] {
  return readLabels(doc)
    .records.map(({ text }) => text)
    .sort();
}

function agree(a: Client, b: Client): boolean {
  return Y.equalSnapshots(Y.snapshot(a.doc), Y.snapshot(b.doc)) && textsOf(a).join() === textsOf(b).join();
}
