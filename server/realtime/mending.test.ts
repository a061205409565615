import { eq } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import * as Y from 'yjs';
import { quarantine, rooms, snapshots, updates } from '../../db/schema.ts';
import { addLabel, readLabels } from '../../lib/board/board-doc.ts';
import { CLOSE } from '../../lib/wire.ts';
import * as payloads from '../attacks/payloads.ts';
import { describeEngines, type TestEngine } from '../testing/engines.ts';
import { openWorld, until, type Actor, type Client, type World } from '../testing/world.ts';
import { appendEntries, compactRoom, loadRoom } from './log.ts';
import { openRoom } from './mending.ts';

let world: World;
let owner: Actor;

const MALLORY = 424_242;
const NO_UPDATE = Uint8Array.of(1, 2, 3, 4, 5, 6, 7);
const opened: Client[] = [];

describeEngines('a log that does not load', mending);

function mending(engine: TestEngine): void {
  beforeAll(async () => {
    world = await openWorld({ ...(await engine.place()), unloadAfter: 20 });
    owner = await world.owner();
  });
  afterEach(() => {
    for (const client of opened.splice(0)) client.destroy();
  });
  afterAll(() => world.stop());

  test('loses exactly the rows that do not apply, and its room starts another epoch', async () => {
    const { room } = await labelledBoard();
    const { bomb, fuse } = payloads.depthBomb(10_000, MALLORY);
    const after = new Y.Doc();
    addLabel(after, 'm0', 'after', 1);
    const [first, second] = await append(room, [bomb, fuse, Y.encodeStateAsUpdate(after)]);
    const { doc, epoch, mended } = await openRoom(world.app.db, room, 7);
    expect(textsIn(doc)).toEqual(['after', 'before']);
    expect(epoch).toBe(1);
    expect(mended).toHaveLength(2);
    expect(await quarantined(room)).toMatchObject([
      { updateId: first, personId: null, removedAt: 7, reason: 'it takes too long to load' },
      { updateId: second, personId: null, removedAt: 7 },
    ]);
    // Mended once, it loads as it is.
    expect(await openRoom(world.app.db, room, 8)).toMatchObject({ epoch: 1, mended: [] });
  });

  test('loses with a row those that build on it, and nothing else', async () => {
    const { room } = await labelledBoard();
    const doc = new Y.Doc();
    const parts: Uint8Array[] = [];
    doc.on('update', (update: Uint8Array) => parts.push(update));
    for (let n = 0; n < 40; n++) doc.getMap('labels').set(`k${n}`, n);
    // The first of them is missing.
    const ids = await append(room, parts.slice(1));
    const other = new Y.Doc();
    other.getMap('labels').set('other', 1);
    await append(room, [Y.encodeStateAsUpdate(other)]);
    const mended = await openRoom(world.app.db, room, 7);
    expect([...mended.doc.getMap('labels').keys()]).toContain('other');
    expect(mended.doc.getMap('labels').size).toBe(2);
    expect((await quarantined(room)).map(({ updateId }) => updateId).sort()).toEqual([...ids].sort());
    expect(mended.epoch).toBe(1);
  });

  test.each<[string, readonly Uint8Array[]]>([
    ['bytes that are no update', [NO_UPDATE]],
    [
      'a struct of length 0 between two others',
      [payloads.updateOf([{ client: MALLORY, clock: 0, structs: ['a', 'b'].flatMap((key) => [payloads.any(key, 1), payloads.any('z')]) }])],
    ],
    ['20,000 values of one key that know nothing of each other', [payloads.crowdedKey(20_000, MALLORY)]],
  ])('loads without %s', async (_, bad) => {
    const { id, room } = await labelledBoard();
    await append(room, bad);
    const client = connect(room);
    await client.synced();
    expect(readLabels(client.doc).records).toHaveLength(1);
    expect(await quarantined(room)).toHaveLength(1);
    client.destroy();
    await label(id, 'after');
    await compactRoom(world.app.db, room, 1);
    expect(textsIn((await loadRoom(world.app.db, room)).doc)).toEqual(['after', 'before']);
  });

  test('falls back to the snapshot before the last, and the rows since, when the last is damaged', async () => {
    const { id, room } = await labelledBoard();
    await compactRoom(world.app.db, room, 1);
    await label(id, 'second');
    await compactRoom(world.app.db, room, 2);
    await label(id, 'third');
    const all = await world.app.db.select().from(snapshots).where(eq(snapshots.room, room)).orderBy(snapshots.lastId);
    expect(all).toHaveLength(2);
    await world.app.db
      .update(snapshots)
      .set({ data: all[1]!.data.slice(0, -5) })
      .where(eq(snapshots.lastId, all[1]!.lastId));
    const mended = await openRoom(world.app.db, room, 7);
    expect(textsIn(mended.doc)).toEqual(['before', 'second', 'third']);
    // Nothing is missing from the document, so nobody has to start afresh.
    expect(mended.epoch).toBe(0);
    expect(await quarantined(room)).toMatchObject([{ updateId: null }]);
  });

  test('is left as it is when nothing but its last snapshot would hold the board', async () => {
    const { room } = await labelledBoard();
    await compactRoom(world.app.db, room, 1);
    await world.app.db
      .update(snapshots)
      .set({ data: Uint8Array.of(7) })
      .where(eq(snapshots.room, room));
    await world.app.db.delete(updates).where(eq(updates.room, room));
    await label0(room);
    await expect(openRoom(world.app.db, room, 7)).rejects.toThrow('Unexpected end of array');
    expect(await quarantined(room)).toEqual([]);
    expect((await world.app.db.select().from(snapshots).where(eq(snapshots.room, room))).length).toBe(1);
  });

  test('a client is told the epoch first; one that returns from before starts afresh, and its honest edits can be made again', async () => {
    const { id, room } = await labelledBoard();
    const old = connect(room);
    await old.synced();
    expect(old.epoch).toBe(0);
    addLabel(old.doc, 'a0.h0', 'stored', 9);
    await until(() => old.persisted === 2);
    old.provider.disconnect();
    addLabel(old.doc, 'a0.h1', 'made offline', 10);
    await gone();
    await append(room, [NO_UPDATE]);
    rejoin(old, '0');
    await until(() => old.closed !== null);
    expect([old.closed?.code, old.epoch]).toEqual([CLOSE.otherEpoch, 1]);
    expect(textsOf(old)).toEqual(['before', 'made offline', 'stored']);
    const fresh = connect(room);
    await fresh.synced();
    expect([fresh.epoch, ...textsOf(fresh)]).toEqual([1, 'before', 'stored']);
    addLabel(fresh.doc, 'a0.h1', 'made offline', 10);
    await until(() => fresh.persisted === 2);
    rejoin(fresh, '1');
    await fresh.synced();
    expect(fresh.closed).toBeNull();
    expect(textsIn((await loadRoom(world.app.db, `board/${id}`)).doc)).toEqual(['before', 'made offline', 'stored']);
  });

  test.each(['x', '-1', '1.5'])('an epoch that is no number is refused: %s', async (epoch) => {
    const { room } = await labelledBoard();
    const odd = connect(room);
    rejoin(odd, epoch);
    await until(() => odd.closed !== null);
    expect(odd.closed?.code).toBe(CLOSE.badRequest);
  });

  test('a room in use whose log turns out not to load is mended, and who is connected loses nothing that was stored', async () => {
    const { id, room } = await labelledBoard();
    const client = connect(room);
    await client.synced();
    client.provider.params = { epoch: '0' };
    addLabel(client.doc, 'a0.h0', 'first', 8);
    await until(() => client.persisted === 2);
    // Written behind the room's back; what follows it in the log is sound.
    const [bad] = await append(room, [NO_UPDATE]);
    await world.app.rooms.use({ kind: 'board', boardId: id }, (loaded) => loaded.compact());
    await until(() => client.closed !== null);
    expect([client.closed?.code, client.epoch]).toEqual([CLOSE.otherEpoch, 1]);
    const fresh = connect(room);
    await fresh.synced();
    expect(textsOf(fresh)).toEqual(['before', 'first']);
    expect(await quarantined(room)).toMatchObject([{ updateId: bad }]);
  });

  test('a large log is merged in a worker: the same board, or none where a row of it does not load', async () => {
    const { id, room } = await labelledBoard();
    const client = connect(room);
    await client.synced();
    for (let n = 0; n < 8; n++) addLabel(client.doc, 'a0.h0', `${n} ${'x'.repeat(150)}`, n);
    client.doc.getMap('labels').set('large', 'y'.repeat(300_000));
    await until(() => client.persisted === 10);
    const before = await rowsOf(room);
    const compaction = await compactRoom(world.app.db, room, 1);
    expect(compaction).toMatchObject({ rows: before });
    await world.app.db.delete(updates).where(eq(updates.room, room));
    const { doc } = await loadRoom(world.app.db, room);
    expect(Y.equalSnapshots(Y.snapshot(doc), Y.snapshot(client.doc))).toBe(true);
    expect(doc.getMap('labels').toJSON()).toEqual(client.labels.toJSON());
    await append(room, [NO_UPDATE]);
    const kept = await snapshotsOf(room);
    await expect(compactRoom(world.app.db, room, 2)).rejects.toThrow('does not load');
    expect(await snapshotsOf(room)).toEqual(kept);
    client.destroy();
    await gone();
    expect(await openRoom(world.app.db, room, 3)).toMatchObject({ epoch: 1, mended: [expect.stringContaining('row')] });
    expect(await world.app.rooms.use({ kind: 'board', boardId: id }, async (loaded) => loaded.epoch)).toBe(1);
  });

  // Alone with its database, a server does not look for that.
  test.skipIf(engine.name === 'pglite')('a room that is open is loaded anew when another instance mended it', async () => {
    const { id, room } = await labelledBoard();
    const client = connect(room);
    await client.synced();
    await world.app.db.insert(rooms).values({ room, epoch: 5 });
    addLabel(client.doc, 'm0', 'not stored there', 9);
    await until(() => !client.provider.wsconnected);
    const fresh = connect(room);
    await fresh.synced();
    expect(fresh.epoch).toBe(5);
    expect(await world.app.rooms.use({ kind: 'board', boardId: id }, async (loaded) => loaded.epoch)).toBe(5);
  });
}

/** A board with one label, which nobody has open. */
async function labelledBoard(): Promise<{ id: string; room: string }> {
  const id = await world.board(owner);
  await label(id, 'before');
  return { id, room: `board/${id}` };
}

let labels = 0;

async function label(boardId: string, text: string): Promise<void> {
  await world.app.rooms.use({ kind: 'board', boardId }, (room) => room.edit((doc) => void addLabel(doc, 'm0', text, ++labels)));
  await gone();
}

/** A row that builds on nothing. */
async function label0(room: string): Promise<void> {
  const doc = new Y.Doc();
  doc.getMap('labels').set('a', 1);
  await append(room, [Y.encodeStateAsUpdate(doc)]);
}

/** Everybody has left. */
async function gone(): Promise<void> {
  await until(() => world.app.rooms.stats().rooms === 0);
}

function append(room: string, rows: readonly Uint8Array[]): Promise<number[]> {
  return appendEntries(
    world.app.db,
    room,
    rows.map((data) => ({ data, personId: null, clients: [] })),
    1,
  );
}

function quarantined(room: string) {
  return world.app.db.select().from(quarantine).where(eq(quarantine.room, room));
}

function snapshotsOf(room: string) {
  return world.app.db.select().from(snapshots).where(eq(snapshots.room, room)).orderBy(snapshots.lastId);
}

function rowsOf(room: string): Promise<number> {
  return world.app.db.$count(updates, eq(updates.room, room));
}

function connect(room: string): Client {
  const client = world.connect(owner, room);
  opened.push(client);
  return client;
}

/** As a page does that holds a copy of that epoch. */
function rejoin(client: Client, epoch: string): void {
  client.provider.disconnect();
  client.provider.params = { epoch };
  client.persisted = 0;
  client.provider.connect();
}

function textsOf({ doc }: Client): string[] {
  return textsIn(doc);
}

function textsIn(doc: Y.Doc): string[] {
  return readLabels(doc)
    .records.map(({ text }) => text)
    .sort();
}
