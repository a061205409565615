import { eq } from 'drizzle-orm';
import * as encoding from 'lib0/encoding';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as Y from 'yjs';
import { snapshots, updates } from '../../db/schema.ts';
import { addLabel, readLabels, readSetup, setTitle } from '../../lib/board/board-doc.ts';
import { CLOSE } from '../../lib/wire.ts';
import { rename } from '../access.ts';
import { listBoards } from '../boards.ts';
import { addComment } from '../discussion.ts';
import { describeEngines, type TestEngine } from '../testing/engines.ts';
import { SETUP, openWorld, until, type Actor, type Client, type World } from '../testing/world.ts';
import { appendEntries, loadRoom } from './log.ts';
import { writeAwareness, writeUpdate } from './protocol.ts';

let world: World;
let owner: Actor;
let people = 0;

describeEngines('rooms', rooms);

function rooms(engine: TestEngine): void {
  beforeAll(async () => {
    world = await openWorld({ ...(await engine.place()), unloadAfter: 50, compactAfter: 30 });
    owner = await world.owner();
  });
  afterAll(() => world.stop());

  test('two people see the setup and each other’s labels', async () => {
    const id = await world.board(owner);
    const guest = await guestOn(id);
    const a = world.connect(owner, `board/${id}`);
    const b = world.connect(guest, `board/${id}`);
    await Promise.all([a.synced(), b.synced()]);
    expect(readSetup(a.doc)).toEqual(SETUP);
    addLabel(a.doc, 'a1.h0->logits', 'copies', 1);
    addLabel(b.doc, 'a0.h0->a1.h0->logits', 'induction', 2);
    await until(() => a.labels.size === 2 && b.labels.size === 2);
    expect(readLabels(a.doc)).toEqual(readLabels(b.doc));
    expect(Y.encodeStateVector(a.doc)).toEqual(Y.encodeStateVector(b.doc));
  });

  test('the sender is told after the row is there, counting step 2', async () => {
    const id = await world.board(owner);
    const client = world.connect(owner, `board/${id}`);
    await client.synced();
    await until(() => client.persisted === 1);
    for (let n = 0; n < 5; n++) addLabel(client.doc, `a0.h${n}`, `label ${n}`, n);
    await until(() => client.persisted === 6);
    const { doc } = await loadRoom(world.app.db, `board/${id}`);
    expect(doc.getMap('labels').size).toBe(5);
  });

  test('what was written offline arrives, and what the others wrote meanwhile', async () => {
    const id = await world.board(owner);
    const a = world.connect(owner, `board/${id}`);
    const b = world.connect(owner, `board/${id}`);
    await Promise.all([a.synced(), b.synced()]);
    a.provider.disconnect();
    addLabel(a.doc, 'a0.h0', 'offline', 1);
    addLabel(b.doc, 'a0.h1', 'online', 2);
    await until(() => b.persisted === 2);
    a.provider.connect();
    await until(() => a.labels.size === 2 && b.labels.size === 2);
  });

  test('a reconnection without news adds no row', async () => {
    const id = await world.board(owner);
    const client = world.connect(owner, `board/${id}`);
    await client.synced();
    addLabel(client.doc, 'a0.h0', 'one', 1);
    client.labels.delete([...client.labels.keys()][0]!);
    await until(() => client.persisted === 3);
    const before = await rowsOf(id);
    client.provider.disconnect();
    client.persisted = 0;
    client.provider.connect();
    await until(() => client.persisted === 1);
    expect(await rowsOf(id)).toBe(before);
  });

  test('a room is compacted, unloaded and loaded again unchanged; the snapshot before the last stays with its rows', async () => {
    const id = await world.board(owner);
    const client = world.connect(owner, `board/${id}`);
    await client.synced();
    for (let n = 0; n < 100; n++) {
      setTitle(client.doc, `title ${n}`);
      await until(() => client.persisted === n + 2);
    }
    const { rooms: loaded } = world.app.rooms.stats();
    client.destroy();
    await until(() => world.app.rooms.stats().rooms < loaded);
    const kept = await world.app.db
      .select()
      .from(snapshots)
      .where(eq(snapshots.room, `board/${id}`))
      .orderBy(snapshots.lastId);
    expect(kept).toHaveLength(2);
    const rows = await world.app.db
      .select()
      .from(updates)
      .where(eq(updates.room, `board/${id}`))
      .orderBy(updates.id);
    expect(rows.length).toBeLessThan(75);
    expect(rows[0]!.id).toBeGreaterThan(kept[0]!.lastId);
    const later = world.connect(owner, `board/${id}`);
    await later.synced();
    expect(later.doc.getMap('meta').get('title')).toBe('title 99');
    expect((await listBoards(world.app, owner.person)).find((board) => board.id === id)?.title).toBe('title 99');
  });

  test('a discussion is read-only: what a client writes there reaches nobody', async () => {
    const id = await world.board(owner);
    const forger = world.connect(owner, `discussion/${id}`);
    const reader = world.connect(owner, `discussion/${id}`);
    await Promise.all([forger.synced(), reader.synced()]);
    forger.doc.getMap('comments').set('x', { id: 'x', author: { id: 'a', name: 'Alice' } });
    const comment = await addComment(world.app, owner.person, id, { id: crypto.randomUUID(), anchor: 'a0.h0', body: 'true' });
    await until(() => reader.doc.getMap('comments').has(comment.id));
    expect([...reader.doc.getMap('comments').keys()]).toEqual([comment.id]);
    expect([...(await loadRoom(world.app.db, `discussion/${id}`)).doc.getMap('comments').keys()]).toEqual([comment.id]);
  });

  test('presence carries the name of the session, whatever the client says', async () => {
    const id = await world.board(owner);
    const guest = await guestOn(id);
    const a = world.connect(owner, `board/${id}`);
    const b = world.connect(guest, `board/${id}`);
    await Promise.all([a.synced(), b.synced()]);
    b.provider.awareness.setLocalState({ user: { id: owner.person.id, name: 'Owner' }, selection: 'a0.h0' });
    await until(() => seenBy(a, b)?.['selection'] === 'a0.h0');
    expect(seenBy(a, b)).toMatchObject({ user: { id: guest.person.id, name: guest.person.name } });
    // Its own state is not sent back to it: it may have changed since.
    expect(b.provider.awareness.getLocalState()).toMatchObject({ user: { name: 'Owner' } });
    // A state for somebody else's client is ignored.
    b.send(writeAwareness([{ clientId: a.doc.clientID, clock: 99, state: JSON.stringify({ selection: 'forged' }) }]));
    b.provider.awareness.setLocalStateField('selection', 'a0.h1');
    await until(() => seenBy(a, b)?.['selection'] === 'a0.h1');
    const c = world.connect(owner, `board/${id}`);
    await until(() => seenBy(c, b) !== undefined);
    expect(seenBy(c, a)?.['selection']).toBeUndefined();
    b.provider.disconnect();
    await until(() => seenBy(a, b) === undefined);
    b.provider.connect();
    await until(() => seenBy(a, b)?.['selection'] === 'a0.h1');
  });

  test('a clock gap is refused and nothing of it is kept', async () => {
    const id = await world.board(owner);
    const client = world.connect(owner, `board/${id}`);
    await client.synced();
    const doc = new Y.Doc();
    const parts: Uint8Array[] = [];
    doc.on('update', (update: Uint8Array) => parts.push(update));
    for (let n = 0; n < 40; n++) doc.getMap('labels').set(`k${n}`, 'x'.repeat(25_000));
    for (const part of parts.slice(1)) client.send(writeUpdate(part));
    await until(() => client.closed !== null);
    expect(client.closed?.code).toBe(CLOSE.invalidUpdate);
    const stored = await loadRoom(world.app.db, `board/${id}`);
    expect(stored.doc.getMap('labels').size).toBe(0);
    expect(stored.doc.store.pendingStructs).toBeNull();
  });

  test('an edit that came ahead of what it builds on is not lost: the client is asked for the rest', async () => {
    const id = await world.board(owner);
    const client = world.connect(owner, `board/${id}`);
    await client.synced();
    await until(() => client.persisted === 1);
    const other = new Y.Doc();
    other.getMap('labels').set('theirs', { n: 1 });
    // The provider's own origin: heard from another tab, so not passed on.
    Y.applyUpdate(client.doc, Y.encodeStateAsUpdate(other), client.provider);
    client.labels.set('theirs', { n: 2 });
    // Step 2, the edit, and the second step 2, which holds both.
    await until(() => client.persisted === 3);
    const { doc } = await loadRoom(world.app.db, `board/${id}`);
    expect(doc.getMap('labels').get('theirs')).toEqual({ n: 2 });
  });

  test('a depth bomb is refused and the board still loads', async () => {
    const id = await world.board(owner);
    const client = world.connect(owner, `board/${id}`);
    await client.synced();
    let map = client.labels;
    client.doc.transact(() => {
      for (let depth = 0; depth < 2000; depth++) {
        const inner = new Y.Map<unknown>();
        map.set('inner', inner);
        map = inner;
      }
    });
    await until(() => client.closed !== null);
    expect(client.closed).toMatchObject({ code: CLOSE.invalidUpdate });
    const again = world.connect(owner, `board/${id}`);
    await again.synced();
    expect(readSetup(again.doc)).toEqual(SETUP);
  });

  test('nobody writes under another person’s client id', async () => {
    const id = await world.board(owner);
    const mallory = await guestOn(id);
    const victim = world.connect(owner, `board/${id}`);
    const thief = world.connect(mallory, `board/${id}`);
    await Promise.all([victim.synced(), thief.synced()]);
    await until(() => thief.provider.awareness.getStates().has(victim.doc.clientID));
    const forged = new Y.Doc();
    forged.clientID = victim.doc.clientID;
    forged.getMap('labels').set('forged', 1);
    thief.send(writeUpdate(Y.encodeStateAsUpdate(forged)));
    await until(() => thief.closed !== null);
    expect(thief.closed?.reason).toContain('belongs to somebody else');
    addLabel(victim.doc, 'a0.h0', 'mine', 1);
    await until(() => victim.persisted === 2);
    // Nor after that person has left.
    victim.destroy();
    const second = world.connect(mallory, `board/${id}`);
    await second.synced();
    await until(() => seenBy(second, victim) === undefined);
    forged.getMap('labels').set('again', 1);
    second.send(writeUpdate(Y.encodeStateAsUpdate(forged)));
    await until(() => second.closed !== null);
    expect((await loadRoom(world.app.db, `board/${id}`)).doc.getMap('labels').size).toBe(1);
  });

  test('a new name is seen at once by those who are there', async () => {
    const id = await world.board(owner);
    const guest = await guestOn(id);
    const a = world.connect(owner, `board/${id}`);
    const b = world.connect(guest, `board/${id}`);
    await Promise.all([a.synced(), b.synced()]);
    b.provider.awareness.setLocalStateField('selection', 'a0.h0');
    await until(() => seenBy(a, b)?.['selection'] === 'a0.h0');
    await rename(world.app, guest.person, `${guest.person.name} L.`);
    await until(() => JSON.stringify(seenBy(a, b)?.['user']).includes(`${guest.person.name} L.`));
  });

  test.each([1, 2, 3])('three people who come and go end up with the same board (seed %i)', async (seed) => {
    const id = await world.board(owner);
    const clients = [0, 1, 2].map(() => world.connect(owner, `board/${id}`));
    await Promise.all(clients.map((client) => client.synced()));
    const random = generator(seed);
    for (let step = 0; step < 120; step++) {
      const client = clients[Math.floor(random() * 3)]!;
      const action = random();
      const key = `k${Math.floor(random() * 12)}`;
      if (action < 0.6) client.labels.set(key, { step });
      else if (action < 0.8) client.labels.delete(key);
      else if (action < 0.9) client.provider.disconnect();
      else client.provider.connect();
      if (random() < 0.1) await new Promise((done) => setTimeout(done, 5));
    }
    for (const client of clients) client.provider.connect();
    const states = () => clients.map(({ doc }) => JSON.stringify([...doc.getMap('labels').entries()].sort()));
    await until(() => new Set(states()).size === 1 && clients.every(({ provider }) => provider.synced));
    // Whatever is on the way when they first look alike must not tell them apart again.
    await new Promise((done) => setTimeout(done, 50));
    const { doc } = await loadRoom(world.app.db, `board/${id}`);
    expect(new Set([...states(), JSON.stringify([...doc.getMap('labels').entries()].sort())]).size).toBe(1);
    expect(clients.every(({ closed }) => closed === null)).toBe(true);
  });

  test.each([
    ['no session', (): Actor | null => null, 'board/abcdefgh', CLOSE.unauthorised],
    ['an unknown board', () => owner, 'board/abcdefgh', CLOSE.notFound],
    ['an unknown kind of room', () => owner, 'secrets/abcdefgh', CLOSE.notFound],
  ])('%s is told by a code that stops reconnecting', async (_, actor, room, code) => {
    const client = world.connect(actor(), room);
    await until(() => client.closed !== null);
    expect(client.closed?.code).toBe(code);
  });

  test('a member of one board does not see another', async () => {
    const mine = await world.board(owner);
    const other = await world.board(owner);
    const guest = await guestOn(mine);
    const client = world.connect(guest, `board/${other}`);
    await until(() => client.closed !== null);
    expect(client.closed?.code).toBe(CLOSE.notFound);
  });

  test('too large and malformed messages close the connection', async () => {
    const id = await world.board(owner);
    const large = world.connect(owner, `board/${id}`);
    const odd = world.connect(owner, `board/${id}`);
    await Promise.all([large.synced(), odd.synced()]);
    large.labels.set('large', 'x'.repeat(1_100_000));
    odd.send(new Uint8Array([9, 9, 9]));
    await until(() => large.closed !== null && odd.closed !== null);
    expect([large.closed?.code, odd.closed?.code]).toEqual([CLOSE.tooLarge, CLOSE.badRequest]);
  });

  test('an update under countless client ids ends its own connection alone', async () => {
    const id = await world.board(owner);
    const mallory = await guestOn(id);
    const victim = world.connect(owner, `board/${id}`);
    const flooder = world.connect(mallory, `board/${id}`);
    await Promise.all([victim.synced(), flooder.synced()]);
    flooder.send(writeUpdate(updateOf(30_000)));
    addLabel(victim.doc, 'a0.h0', 'mine', 1);
    await until(() => flooder.closed !== null && victim.persisted === 2);
    expect(flooder.closed).toMatchObject({ code: CLOSE.invalidUpdate });
    expect(victim.closed).toBeNull();
  });

  test('more rows are stored at once than one statement holds', async () => {
    const id = await world.board(owner);
    const data = Y.encodeStateAsUpdate(new Y.Doc());
    const many = Array.from({ length: 20_000 }, (_, client) => ({ data, personId: null, clients: [client] }));
    await appendEntries(world.app.db, `board/${id}`, many, 1);
    expect(await rowsOf(id)).toBe(20_001);
  });
}

/** One empty change by each of `clients` Yjs clients. */
function updateOf(clients: number): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, clients);
    for (let client = clients; client > 0; client--) for (const field of [1, client, 0, 0, 1]) encoding.writeVarUint(encoder, field);
    encoding.writeVarUint(encoder, 0);
  });
}

function seenBy(observer: Client, { doc }: Client): Record<string, unknown> | undefined {
  return observer.provider.awareness.getStates().get(doc.clientID);
}

function guestOn(boardId: string): Promise<Actor> {
  return world.guest(boardId, `Guest ${++people}`);
}

/** Park and Miller's minimal standard generator. */
function generator(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

async function rowsOf(boardId: string): Promise<number> {
  const rows = await world.app.db
    .select()
    .from(updates)
    .where(eq(updates.room, `board/${boardId}`));
  return rows.length;
}
