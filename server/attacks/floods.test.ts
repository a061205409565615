import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addLabel } from '../../lib/board/board-doc.ts';
import { CLOSE } from '../../lib/wire.ts';
import { writeUpdate } from '../realtime/protocol.ts';
import { until, type Actor } from '../testing/world.ts';
import { Arena, type Target } from './arena.ts';
import { any, frame, presenceOf, updateOf } from './payloads.ts';
import { RawSocket, rawConnection, upgradeRequest, upgradedByHand, wireFrame } from './raw-socket.ts';

/** Too much of what is allowed. */

let arena: Arena;
/** The proxy in front of the server tells where a request came from, so that attackers have addresses of their own. */
const ELSEWHERE = '203.0.113.7';
const MALLORY = 424_242;
const MB = 1_000_000;
/** What the server's process may grow by while something is thrown at it; the attacker lives in the same process. */
const GROWTH = 300 * MB;

beforeAll(async () => {
  arena = await Arena.open({ rateLimits: 'on', trustedProxies: 1 });
});
afterAll(() => arena.close());

async function enter(target: Target, actor: Actor): Promise<RawSocket> {
  return new RawSocket(arena.world, actor, target.room, { address: ELSEWHERE }).entered();
}

describe('one connection that sends too much is closed with 4429', () => {
  const update = (clock: number) => writeUpdate(updateOf([{ client: MALLORY, clock, structs: [any(`k${clock % 50}`, clock)] }]));
  const states = (count: number) => presenceOf(Array.from({ length: count }, (_, index) => ({ clientId: index, clock: 1, state: '{}' })));

  test.each<[string, (turn: number) => Uint8Array, number]>([
    ['20,000 tiny updates', update, 20_000],
    ['20,000 questions for everybody’s presence', () => frame(3), 20_000],
    [
      '20,000 changes of presence',
      (turn) => presenceOf([{ clientId: MALLORY, clock: turn, state: `{"selection":"a0.h${turn}"}` }]),
      20_000,
    ],
    [
      '60 MB of presence in frames of 900 kB',
      () => presenceOf([{ clientId: MALLORY, clock: 1, state: JSON.stringify('x'.repeat(900_000)) }]),
      66,
    ],
    ['66 frames of 140,000 presences each', () => states(140_000), 66],
    ['20,000 state vectors', () => frame(0, 0, Uint8Array.of(0)), 20_000],
  ])('%s', async (_, make, count) => {
    const target = await arena.target();
    const actor = await arena.attacker(target);
    const frames = count > 1000 ? Array.from({ length: count }, (_, turn) => make(turn)) : new Array<Uint8Array>(count).fill(make(0));
    await arena.survives(target, async () => {
      const before = process.memoryUsage().rss;
      const mallory = await enter(target, actor);
      for (const bytes of frames) mallory.send(bytes);
      const code = await mallory.ended(30_000);
      expect(code).toBe(CLOSE.tooFast);
      expect(process.memoryUsage().rss - before, 'bytes that the process grew by').toBeLessThan(GROWTH);
      return code;
    });
  });

  test('200,000 pings whose answers nobody reads', async () => {
    const target = await arena.target();
    const actor = await arena.attacker(target);
    const pings = Buffer.concat(Array.from({ length: 2000 }, () => wireFrame(0x89, new Uint8Array(125))));
    await arena.survives(target, async () => {
      const before = process.memoryUsage().rss;
      const socket = await upgradedByHand(arena.world, actor, target.room);
      socket.pause();
      let open = true;
      socket.on('close', () => (open = false));
      for (let turn = 0; turn < 100 && open; turn++) await written(socket, pings);
      // Who does not read does not see that the other side has hung up, which waits for an answer first.
      socket.resume();
      await until(() => !open, 45_000);
      expect(process.memoryUsage().rss - before, 'bytes that the process grew by').toBeLessThan(GROWTH);
      return 'closed';
    });
  }, 90_000);
});

describe('who reads too slowly', () => {
  test('is let go, and holds up neither the others on the board nor the memory', async () => {
    const target = await arena.target();
    const slow = await enter(target, await arena.attacker(target, 'viewer'));
    const { honest } = target;
    await arena.survives(target, async () => {
      const before = process.memoryUsage().rss;
      slow.stopReading();
      const already = honest.persisted;
      for (let turn = 0; turn < 100; turn++) {
        honest.labels.set('large', 'x'.repeat(400_000));
        await until(() => honest.persisted > already + turn, 20_000);
        // What an honest editor may send in a second.
        await new Promise((resume) => setTimeout(resume, 150));
      }
      expect(honest.closed).toBeNull();
      expect(process.memoryUsage().rss - before, 'bytes that the process grew by').toBeLessThan(GROWTH);
      slow.ws.resume();
      const code = await slow.ended(20_000);
      expect(code).toBe(1006);
      return code;
    });
  }, 120_000);
});

describe('connections that nobody is behind', () => {
  test('500 sockets that never finish asking for an upgrade', async () => {
    const target = await arena.target();
    const actor = await arena.attacker(target);
    await arena.survives(target, async () => {
      const sockets = await Promise.all(Array.from({ length: 500 }, () => rawConnection(arena.world)));
      for (const socket of sockets) socket.write(upgradeRequest(arena.world, actor, target.room).slice(0, 60));
      await new Promise((resume) => setTimeout(resume, 500));
      const newcomer = arena.world.connect(arena.owner, target.room);
      await newcomer.synced();
      expect(newcomer.closed).toBeNull();
      newcomer.destroy();
      for (const socket of sockets) socket.destroy();
      return 'others come in';
    });
  });

  test('requests that come a byte at a time are given up', async () => {
    const target = await arena.target();
    await arena.survives(target, async () => {
      const sockets = await Promise.all(Array.from({ length: 50 }, () => rawConnection(arena.world)));
      let closed = 0;
      for (const socket of sockets) socket.resume().on('close', () => (closed += 1));
      const request = `POST /api/boards HTTP/1.1\r\nHost: 127.0.0.1:${arena.world.port}\r\nX: ${'y'.repeat(1000)}`;
      const drip = setInterval(() => {
        for (const socket of sockets) if (!socket.destroyed) socket.write('y');
      }, 500);
      for (const socket of sockets) socket.write(request.slice(0, 40));
      await until(() => closed === sockets.length, 40_000).finally(() => clearInterval(drip));
      return 408;
    });
  }, 90_000);

  test('sockets whose other end is gone are let go after two beats', async () => {
    const target = await arena.target();
    const actor = await arena.attacker(target);
    await arena.survives(target, async () => {
      // Shook hands, and never answers a ping.
      const sockets = await Promise.all(Array.from({ length: 20 }, () => upgradedByHand(arena.world, actor, target.room)));
      let closed = 0;
      for (const socket of sockets) socket.resume().on('close', () => (closed += 1));
      await until(() => closed === sockets.length, 50_000);
      return 1006;
    });
  }, 90_000);
});

describe('too many connections', () => {
  test('310 sockets of one viewer leave room for an honest member of the same board', async () => {
    const target = await arena.target();
    const viewer = await arena.attacker(target, 'viewer');
    await arena.survives(target, async () => {
      const sockets = Array.from({ length: 310 }, () => new RawSocket(arena.world, viewer, target.room, { address: ELSEWHERE }));
      await Promise.all(sockets.map((socket) => socket.entered()));
      const refused = sockets.filter(({ closed }) => closed !== null);
      expect(refused.length, 'sockets that were refused').toBeGreaterThan(0);
      for (const { closed, refused: status } of refused) expect([CLOSE.tooFast, 429]).toContain(status ?? closed?.code);
      const late = arena.world.connect(arena.owner, target.room);
      await late.synced();
      expect(late.closed, 'an honest member who comes later').toBeNull();
      addLabel(late.doc, 'a0.h0', 'late', 5);
      await until(() => late.persisted >= 2);
      late.destroy();
      for (const socket of sockets) socket.leave();
      return `${CLOSE.tooFast} after ${sockets.length - refused.length}`;
    });
  });

  test('200 times in and out again', async () => {
    const target = await arena.target();
    const actor = await arena.attacker(target);
    await arena.survives(target, async () => {
      for (let turn = 0; turn < 200; turn++) {
        const mallory = await enter(target, actor);
        mallory.leave();
      }
      return 'in and out';
    });
  });

  test('2,000 upgrades of nobody', async () => {
    const target = await arena.target();
    await arena.survives(target, async () => {
      const outcomes = new Set<number>();
      for (let turn = 0; turn < 20; turn++) {
        const sockets = Array.from({ length: 100 }, () => new RawSocket(arena.world, null, target.room, { address: '203.0.113.99' }));
        for (const socket of sockets) outcomes.add(await socket.ended());
      }
      expect([...outcomes].sort()).toEqual([429, CLOSE.unauthorised]);
      return [...outcomes].join(', ');
    });
  }, 120_000);
});

test('after a restart every board that was attacked is there', async () => {
  await arena.restart();
});

function written(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((done) => {
    const enough = setTimeout(done, 200);
    socket.write(bytes, () => {
      clearTimeout(enough);
      done();
    });
  });
}
