import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { updates } from '../../db/schema.ts';
import { CLOSE, MESSAGE_PERSISTED } from '../../lib/wire.ts';
import { writeUpdate } from '../realtime/protocol.ts';
import { until } from '../testing/world.ts';
import { Arena, type Target } from './arena.ts';
import * as payloads from './payloads.ts';
import { RawSocket } from './raw-socket.ts';

/** What an editor may write is content; what follows is not. */

let arena: Arena;
const MALLORY = 424_242;
const { any, deleted, gc, updateOf } = payloads;
const REFUSED: number[] = [CLOSE.invalidUpdate, CLOSE.tooLarge, CLOSE.tooFast];

beforeAll(async () => {
  arena = await Arena.open();
});
afterAll(() => arena.close());

/** Sends updates, one after the other, and waits for the door. */
async function sendAll(target: Target, sent: readonly Uint8Array[]): Promise<number> {
  const mallory = await new RawSocket(arena.world, await arena.attacker(target), target.room).entered();
  for (const update of sent) mallory.send(writeUpdate(update));
  return mallory.ended(30_000);
}

function by(client: number, structs: readonly payloads.Struct[], clock = 0): Uint8Array {
  return updateOf([{ client, clock, structs }]);
}

describe('an update that no client of ours would make is refused with 4422', () => {
  const at = (...structs: payloads.Struct[]) => by(MALLORY, structs);
  const first = { client: MALLORY, clock: 0 };
  const { bomb, fuse } = payloads.depthBomb(2000, MALLORY);

  test.each<[string, readonly Uint8Array[]]>([
    ['a map nested 2,000 deep, and the bytes that delete it', [bomb, fuse]],
    ['a list of 50,000 items', [payloads.longList(50_000, MALLORY)]],
    ['a value nested 17 deep', [at(any('deep', nested(17)))]],
    ['a value nested until reading it overflows the stack', [payloads.deepValue(200_000, MALLORY)]],
    ['a big integer as a value', [at(any('big', 1n))]],
    ['an object with a field named constructor', [at(any('odd', { constructor: 1 }))]],
    ['bytes as a value', [at(any('bytes', new Uint8Array(9)))]],
    ['an item without content between two others', [at(any('a', 1), any('z'), any('b', 1))]],
    ['an item without content before another', [at(any('z'), any('a', 1))]],
    ['an item without content in a list of its own', [at({ ref: 8, values: [], map: 'evil', key: null })]],
    ['garbage of length 0', [at(any('a', 1), gc(0), any('b', 1))]],
    ['deleted content of length 0', [at(any('a', 1), deleted('z', 0), any('b', 1))]],
    ['an item with a right neighbour', [at(any('a', 1), { ...any('b', 2), right: first })]],
    ['an item with two values', [at(any('a', 1, 2))]],
    ['an item in a root that is none of ours', [at({ ...any('a', 1), map: 'secrets' })]],
    ['an item of a list in a map', [at({ ref: 8, values: [1], key: null })]],
    ['an item inside another', [at(any('a', 1), { ...any('b', 1), inside: first })]],
    ['an item that builds on itself', [at({ ref: 8, values: [1], left: first })]],
    ['a value as text of JSON', [at({ ref: 2, values: [{ a: 1 }], key: 'a' })]],
    ['a key of 100,000 characters', [at(any('k'.repeat(100_000), 1))]],
    ['2 billion changes in one struct', [at(gc(2_000_000_000))]],
    ['30,000 client ids', [payloads.crowdOfClients(30_000, MALLORY)]],
    ['bytes that are no update', [Uint8Array.of(1, 2, 3, 4, 5, 6, 7)]],
    ['no bytes', [new Uint8Array(0)]],
    ['an update that says it has 4 billion client ids', [payloads.varUint(2 ** 32 - 1)]],
    ['a block that says it has 30 million structs', [payloads.joined(...[1, 30_000_000, MALLORY, 0].map(payloads.varUint))]],
    ['a delete set that says it has 30 million ranges', [payloads.joined(...[0, 1, MALLORY, 30_000_000].map(payloads.varUint))]],
  ])('%s', async (_, sent) => {
    const target = await arena.target();
    await arena.survives(target, async () => {
      const code = await sendAll(target, sent);
      expect(code).toBe(CLOSE.invalidUpdate);
      return code;
    });
  });
});

describe('an update that builds on what nobody has sent leaves nothing behind', () => {
  test('a clock gap of 1 MB, again and again', async () => {
    const target = await arena.target();
    const parts = payloads.withoutTheFirst(40, 25_000, MALLORY);
    await arena.survives(target, async () => {
      const code = await sendAll(target, parts);
      expect(code).toBe(CLOSE.invalidUpdate);
      return code;
    });
    expect(await storedBytes(target)).toBeLessThan(10_000);
  });

  test('half a million deletions of what is not there', async () => {
    const target = await arena.target();
    const sent = Array.from({ length: 30 }, () => payloads.manyDeletes(150_000, MALLORY, 1000));
    await arena.survives(target, async () => {
      const code = await sendAll(target, sent);
      expect(REFUSED).toContain(code);
      return code;
    });
    expect(await storedBytes(target)).toBeLessThan(10_000);
  });

  const emptyStep2 = payloads.frame(0, 1, Uint8Array.of(0, 0));

  test('gaps on a board of 4 MB, by somebody who says each time that nothing is missing', async () => {
    const target = await arena.target();
    await fill(target, 400, 10_000);
    const sent = payloads.withoutTheFirst(2000, 10, MALLORY);
    await arena.survives(target, async () => {
      const mallory = await new RawSocket(arena.world, await arena.attacker(target), target.room).entered();
      mallory.send(emptyStep2);
      for (const update of sent) {
        mallory.send(writeUpdate(update));
        mallory.send(emptyStep2);
      }
      const code = await mallory.ended(30_000);
      expect(REFUSED).toContain(code);
      return code;
    });
    expect(await storedBytes(target)).toBeLessThan(5_000_000);
  });

  test('gaps on a board of 4 MB, by somebody who never says what is missing', async () => {
    const target = await arena.target();
    await fill(target, 400, 10_000);
    const sent = payloads.withoutTheFirst(5000, 10, MALLORY);
    await arena.survives(target, async () => {
      const code = await sendAll(target, sent);
      expect(REFUSED).toContain(code);
      return code;
    });
    expect(await storedBytes(target)).toBeLessThan(5_000_000);
  });
});

describe('an update that would take the time of others is refused before it does', () => {
  test('50,000 values under one key that know nothing of each other', async () => {
    const target = await arena.target();
    const crowd = payloads.crowdedKey(50_000, MALLORY);
    await arena.survives(target, async () => {
      const code = await sendAll(target, [crowd]);
      expect(REFUSED).toContain(code);
      return code;
    });
  });

  test('the same, a little at a time', async () => {
    const target = await arena.target();
    const parts = Array.from({ length: 400 }, (_, part) => payloads.crowdedKey(200, MALLORY, part * 200));
    await arena.survives(target, async () => {
      const code = await sendAll(target, parts);
      expect(REFUSED).toContain(code);
      return code;
    });
  });

  test('the same, by client after client, each on a connection of its own', async () => {
    const target = await arena.target();
    const actor = await arena.attacker(target);
    const parts = Array.from({ length: 40 }, (_, part) => writeUpdate(payloads.crowdOfClients(100, MALLORY + 1000 * part)));
    await arena.survives(target, async () => {
      const codes: (number | null)[] = [];
      for (const part of parts) {
        const mallory = await new RawSocket(arena.world, actor, target.room).entered();
        mallory.send(part);
        // Whatever is not refused is answered.
        const before = mallory.frames.length;
        await until(() => mallory.closed !== null || mallory.frames.length > before, 30_000);
        codes.push(mallory.closed?.code ?? null);
        mallory.leave();
      }
      // The first ones are like anybody's. What was spent outlives a connection.
      expect(codes[0]).toBeNull();
      expect(new Set(codes)).toEqual(new Set([null, CLOSE.tooFast]));
      return `${codes.filter((code) => code !== null).length} times ${CLOSE.tooFast}`;
    });
  });

  test('a million items, 16 frames of them', async () => {
    const target = await arena.target();
    const sent = Array.from({ length: 16 }, (_, part) => payloads.longList(62_500, MALLORY + part));
    await arena.survives(target, async () => {
      const code = await sendAll(target, sent);
      expect(REFUSED).toContain(code);
      return code;
    });
  });

  test('a board of 4 MB, asked for 2,000 times', async () => {
    const target = await arena.target();
    await fill(target, 400, 10_000);
    const step1 = payloads.frame(0, 0, Uint8Array.of(0));
    await arena.survives(target, async () => {
      const mallory = await new RawSocket(arena.world, await arena.attacker(target, 'viewer'), target.room).entered();
      for (let turn = 0; turn < 2000; turn++) mallory.send(step1);
      const code = await mallory.ended(60_000);
      expect(code).toBe(CLOSE.tooFast);
      return code;
    });
  });
});

describe('a board that an editor fills to the brim', () => {
  const full = async (target: Target, sent: readonly Uint8Array[]) => {
    const mallory = await new RawSocket(arena.world, await arena.attacker(target), target.room).entered();
    for (const update of sent) {
      mallory.send(writeUpdate(update));
      // As fast as the server lets somebody write.
      await new Promise((resume) => setTimeout(resume, update.length / 1800));
      if (mallory.closed) break;
    }
    const code = await mallory.ended(60_000);
    expect(REFUSED).toContain(code);
    return code;
  };

  test('with 40 MB of text', async () => {
    const target = await arena.target();
    const sent = Array.from({ length: 45 }, (_, part) => by(MALLORY, [any(`part ${part}`, 'x'.repeat(900_000))], part));
    await arena.survives(target, () => full(target, sent));
  }, 120_000);

  const labels = (count: number, part = 0, client = MALLORY) =>
    by(
      client,
      Array.from({ length: count }, (_, label) => any(`${client} ${part} ${label}`, 1)),
      part * count,
    );

  test('with 400,000 labels', async () => {
    const target = await arena.target();
    await arena.survives(target, async () => {
      const code = await full(
        target,
        Array.from({ length: 20 }, (_, part) => labels(20_000, part)),
      );
      expect(code).toBe(CLOSE.tooFast);
      return code;
    });
  }, 120_000);

  test('with 20,000 labels, and again after everybody has left', async () => {
    const target = await arena.target();
    const actor = await arena.attacker(target);
    await arena.survives(target, async () => {
      const codes = [];
      for (const part of [0, 1, 1]) {
        const mallory = await new RawSocket(arena.world, actor, target.room).entered();
        const before = mallory.frames.length;
        mallory.send(writeUpdate(labels(19_000, part)));
        await until(() => mallory.closed !== null || mallory.frames.length > before, 30_000);
        codes.push(mallory.closed?.code ?? 0);
        mallory.leave();
        await arena.leave(target);
        await arena.reopen(target);
      }
      expect(codes).toEqual([0, CLOSE.tooFast, CLOSE.tooFast]);
      return CLOSE.tooFast;
    });
  }, 120_000);

  test('by seven people at once: up to 100,000, and then it can still be loaded and emptied', async () => {
    const target = await arena.target();
    const sockets: RawSocket[] = [];
    await arena.survives(target, async () => {
      for (let person = 0; person < 7; person++) {
        sockets.push(await new RawSocket(arena.world, await arena.attacker(target), target.room).entered());
      }
      for (const [person, mallory] of sockets.entries()) mallory.send(writeUpdate(labels(18_000, 0, MALLORY + person)));
      const answered = ({ closed, frames }: RawSocket) => closed !== null || frames.some(([type]) => type === MESSAGE_PERSISTED);
      await until(() => sockets.every(answered), 60_000);
      const refused = sockets.filter(({ closed }) => closed !== null);
      expect(refused.map(({ closed }) => closed?.code)).toEqual([CLOSE.tooLarge, CLOSE.tooLarge]);
      // Whoever comes when nobody is there makes the server read all of it.
      for (const mallory of sockets) mallory.leave();
      await arena.leave(target);
      const { honest } = await arena.reopen(target);
      const before = honest.persisted;
      const [filler] = [...honest.labels.keys()].filter((key) => key.startsWith(String(MALLORY)));
      honest.labels.delete(filler ?? '');
      await until(() => honest.persisted > before);
      expect(honest.closed).toBeNull();
      return CLOSE.tooLarge;
    });
  }, 120_000);
});

describe('one client id is one person’s', () => {
  test('a victim’s client id, its clock advanced', async () => {
    const target = await arena.target();
    const { clientID } = target.honest.doc;
    await arena.survives(target, async () => {
      const clock = Y.getState(target.honest.doc.store, clientID);
      const code = await sendAll(target, [by(clientID, [gc(1000)], clock)]);
      expect(code).toBe(CLOSE.invalidUpdate);
      return code;
    });
  });

  test('a victim’s client id, in presence, after the victim has left', async () => {
    const target = await arena.target();
    await arena.survives(target, async () => {
      const { clientID } = target.honest.doc;
      target.honest.provider.disconnect();
      await new Promise((resume) => setTimeout(resume, 100));
      const mallory = await new RawSocket(arena.world, await arena.attacker(target), target.room).entered();
      mallory.send(payloads.presenceOf([{ clientId: clientID, clock: 9, state: '{"selection":"a0.h0"}' }]));
      await new Promise((resume) => setTimeout(resume, 100));
      const watcher = arena.world.connect(arena.owner, target.room);
      await watcher.synced();
      target.honest.provider.connect();
      await until(() => target.honest.provider.synced || target.honest.closed !== null);
      target.honest.labels.set('mine', 'all the same');
      await until(() => watcher.labels.has('mine') || target.honest.closed !== null);
      expect(target.honest.closed).toBeNull();
      watcher.destroy();
      mallory.leave();
      return mallory.closed?.code ?? 'ignored';
    });
  });

  test('two documents of one person with one client id: nobody sees another board than the next', async () => {
    const target = await arena.target();
    const actor = await arena.attacker(target);
    const twin = () => Object.assign(new Y.Doc(), { clientID: MALLORY });
    await arena.survives(target, async () => {
      const [a, b] = [arena.world.connect(actor, target.room, twin()), arena.world.connect(actor, target.room, twin())] as const;
      await Promise.all([a.synced(), b.synced()]);
      a.labels.set('twin', 'a');
      b.labels.set('twin', 'b');
      await until(() => a.closed !== null || b.closed !== null || (a.persisted >= 2 && b.persisted >= 2));
      const reader = arena.world.connect(arena.owner, target.room);
      await reader.synced();
      const seen = (labels: Y.Map<unknown>) => JSON.stringify(labels.get('twin') ?? null);
      await until(() => seen(reader.labels) === seen(target.honest.labels));
      // Whoever is still connected sees what is stored; whoever does not was told.
      const connected = [a, b].filter(({ closed }) => closed === null);
      expect(connected.map(({ labels }) => seen(labels))).toEqual(connected.map(() => seen(reader.labels)));
      expect(connected.length, 'twins who believe that theirs is stored').toBeLessThan(2);
      for (const client of [a, b, reader]) client.destroy();
      return (a.closed ?? b.closed)?.code ?? 'none';
    });
  });
});

describe('what an older server may have stored still loads', () => {
  const { bomb, fuse } = payloads.depthBomb(2000, MALLORY);
  test.each<[string, readonly Uint8Array[]]>([
    ['a map nested 2,000 deep and its deletion', [bomb, fuse]],
    ['an item without content between two others', [by(MALLORY, [any('a', 1), any('z'), any('b', 1)])]],
    ['an item without content before another', [by(MALLORY, [any('z'), any('a', 1)])]],
    ['bytes that are no update', [Uint8Array.of(1, 2, 3, 4, 5, 6, 7)]],
    ['an update with a gap', payloads.withoutTheFirst(3, 1000, MALLORY)],
    ['a million items', [payloads.longList(1_000_000, MALLORY)]],
    ['20,000 values under one key that know nothing of each other', [payloads.crowdedKey(20_000, MALLORY)]],
  ])('%s', async (_, rows) => {
    const target = await arena.target();
    await arena.leave(target);
    await arena.world.app.db.insert(updates).values(rows.map((data) => ({ room: target.room, data, personId: null, createdAt: 1 })));
    await arena.survives(
      target,
      async () => {
        await arena.reopen(target);
        return 'loads';
      },
      /moved to quarantine/,
    );
  });
});

test('after a restart every board that was attacked is there', async () => {
  await arena.restart();
});

async function storedBytes({ room }: Target): Promise<number> {
  const rows = await arena.world.app.db.select().from(updates);
  return rows.filter((row) => row.room === room).reduce((sum, { data }) => sum + data.length, 0);
}

/** Content such as an editor may write, and a lot of it. */
async function fill({ honest }: Target, labels: number, size: number): Promise<void> {
  const before = honest.persisted;
  for (let label = 0; label < labels; label++) {
    honest.labels.set(`filler ${label}`, 'x'.repeat(size));
    // Slowly enough for an honest client.
    if (label % 50 === 49) await until(() => honest.persisted >= before + label + 1);
  }
}

function nested(depth: number): unknown {
  return depth === 0 ? 1 : [nested(depth - 1)];
}
