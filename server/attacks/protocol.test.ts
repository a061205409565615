import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CLOSE, MESSAGE_PERSISTED } from '../../lib/wire.ts';
import { until } from '../testing/world.ts';
import { Arena } from './arena.ts';
import { endlessNumber, frame, joined, stateVectorOf, varUint } from './payloads.ts';
import { RawSocket, upgradedByHand, wireFrame } from './raw-socket.ts';

/** Frames that are no message of the protocol, and bytes that are no frame. */

let arena: Arena;
beforeAll(async () => {
  arena = await Arena.open();
});
afterAll(() => arena.close());

const STEP1 = [0, 0] as const;
const UPDATE = [0, 2] as const;
const AWARENESS = 1;

describe('a message that cannot be read is refused with 4400', () => {
  test.each<[string, Uint8Array | string]>([
    ['an empty frame', new Uint8Array(0)],
    ['a frame of text', 'hello'],
    ['a frame of 900,000 characters of text', 'x'.repeat(900_000)],
    ['an unknown type', frame(9)],
    ['the type of what only servers say', frame(MESSAGE_PERSISTED, 1)],
    ['an authentication message', frame(2, 0)],
    ['a sync message without a step', frame(0)],
    ['a sync message of step 7', frame(0, 7, Uint8Array.of(0))],
    ['a number without an end', endlessNumber(12)],
    ['a number without an end, 900,000 bytes long', endlessNumber(900_000)],
    ['a number beyond 2^53', joined(varUint(0), varUint(0), new Uint8Array(9).fill(0xff), Uint8Array.of(1))],
    ['a state vector that says it is 2 GB long', frame(...STEP1, { raw: varUint(2 ** 31) })],
    ['a state vector that says it is 2^52 bytes long', frame(...STEP1, { raw: varUint(2 ** 52) })],
    ['a state vector that breaks off', frame(...STEP1, Uint8Array.of(5, 1))],
    ['a state vector that says it has 4 billion entries', frame(...STEP1, varUint(2 ** 32 - 1))],
    ['an update that says it is 2 GB long', frame(...UPDATE, { raw: varUint(2 ** 31) })],
    ['an update longer than its frame', frame(...UPDATE, { raw: joined(varUint(100), new Uint8Array(10)) })],
    ['presence that breaks off', frame(AWARENESS, Uint8Array.of(3, 1))],
    ['presence that says it has 4 billion entries', frame(AWARENESS, varUint(2 ** 32 - 1))],
    ['presence whose text says it is 1 GB long', frame(AWARENESS, joined(varUint(1), varUint(5), varUint(1), varUint(2 ** 30)))],
    ['presence that is not there', frame(AWARENESS)],
  ])('%s', async (_, bytes) => {
    const target = await arena.target();
    await arena.survives(target, async () => {
      const mallory = await new RawSocket(arena.world, await arena.attacker(target), target.room).entered();
      mallory.send(bytes);
      const code = await mallory.ended();
      expect(code).toBe(CLOSE.badRequest);
      return code;
    });
  });
});

describe('a message that is too large is refused with 4413', () => {
  test.each([1_000_001, 4_000_000, 7_900_000])('%i bytes', async (size) => {
    const target = await arena.target();
    await arena.survives(target, async () => {
      const mallory = await new RawSocket(arena.world, await arena.attacker(target), target.room).entered();
      mallory.send(frame(...UPDATE, new Uint8Array(size - 5)));
      const code = await mallory.ended();
      expect(code).toBe(CLOSE.tooLarge);
      return code;
    });
  });

  test('50 MB, of which the server takes no more than it must', async () => {
    const target = await arena.target();
    await arena.survives(target, async () => {
      const mallory = await new RawSocket(arena.world, await arena.attacker(target), target.room).entered();
      mallory.send(new Uint8Array(50_000_000));
      const code = await mallory.ended();
      // 1009 is WebSocket's own word for it.
      expect([1009, 1006, CLOSE.tooLarge]).toContain(code);
      return code;
    });
  });
});

describe('a state vector with nothing of ours in it', () => {
  test('300,000 entries', async () => {
    const target = await arena.target();
    await arena.survives(target, async () => {
      const mallory = await new RawSocket(arena.world, await arena.attacker(target), target.room).entered();
      const before = mallory.frames.length;
      mallory.send(frame(...STEP1, stateVectorOf(220_000)));
      await until(() => mallory.closed !== null || mallory.frames.length > before);
      const outcome = mallory.closed?.code ?? 'answered';
      expect(['answered', CLOSE.badRequest, CLOSE.tooLarge, CLOSE.tooFast]).toContain(outcome);
      mallory.leave();
      return outcome;
    });
  });
});

describe('bytes that are no WebSocket frame end their connection alone', () => {
  const BINARY = 0x82;
  test.each<[string, Buffer]>([
    ['a frame without a mask', wireFrame(BINARY, frame(3), { masked: false })],
    ['a reserved opcode', wireFrame(0x83, frame(3))],
    ['reserved bits', wireFrame(0xf2, frame(3))],
    ['a continuation of nothing', wireFrame(0x80, frame(3))],
    ['a ping of 200 bytes', wireFrame(0x89, new Uint8Array(200))],
    ['a close frame of one byte', wireFrame(0x88, Uint8Array.of(1))],
    ['a close frame whose reason is no UTF-8', wireFrame(0x88, Uint8Array.of(0x0f, 0xa0, 0xff, 0xfe))],
    ['text that is no UTF-8', wireFrame(0x81, Uint8Array.of(0xff, 0xfe))],
    ['a length of 2^32 - 1', wireFrame(BINARY, new Uint8Array(10), { length: 2 ** 32 - 1 })],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['noise', Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 197 + 13) & 255))],
  ])('%s', async (_, bytes) => {
    const target = await arena.target();
    const actor = await arena.attacker(target);
    await arena.survives(target, async () => {
      const socket = await upgradedByHand(arena.world, actor, target.room);
      const closed = once(socket, 'close');
      socket.resume().write(bytes);
      await closed;
      return 'closed';
    });
  });

  test('a message of 100,000 fragments of one byte', async () => {
    const target = await arena.target();
    const actor = await arena.attacker(target);
    const fragments = Buffer.concat([
      wireFrame(0x02, Uint8Array.of(0)),
      ...Array.from({ length: 100_000 }, () => wireFrame(0, Uint8Array.of(1))),
    ]);
    await arena.survives(target, async () => {
      const socket = await upgradedByHand(arena.world, actor, target.room);
      const closed = once(socket, 'close');
      socket.resume().write(fragments);
      await closed;
      return 'closed';
    });
  });

  test('compression, which could make much out of little, is not agreed to', async () => {
    const target = await arena.target();
    await arena.survives(target, async () => {
      const mallory = await new RawSocket(arena.world, await arena.attacker(target), target.room, { extensions: true }).entered();
      expect(mallory.ws.extensions).toBe('');
      mallory.leave();
      return 'not agreed to';
    });
  });
});

test('after a restart every board that was attacked is there', async () => {
  await arena.restart();
});
