import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { hasRedis, startRedis, type Service } from '../testing/services.ts';
import { until } from '../testing/world.ts';
import { LocalBus, type FanOut } from './fan-out.ts';
import type { Notice } from './notices.ts';
import { openRedisFanOut } from './redis-fan-out.ts';

/** An instance, and what it heard. */
interface Instance {
  fanOut: FanOut;
  heard: Notice[];
  from: string[];
  changes: boolean[];
}

const opened: FanOut[] = [];

function listen(fanOut: FanOut): Instance {
  const instance: Instance = { fanOut, heard: [], from: [], changes: [] };
  fanOut.onNotice((notice, from) => {
    instance.heard.push(notice);
    instance.from.push(from);
  });
  fanOut.onChange((up) => void instance.changes.push(up));
  opened.push(fanOut);
  return instance;
}

let redis: Service | null = null;
const faults: unknown[] = [];
const overRedis = (prefix: string) => openRedisFanOut({ url: redis!.url, prefix, onFault: (error) => faults.push(error), beat: 100 });
const stored: Notice = { type: 'stored', room: 'board/a', previous: 7, last: 9, rows: 2, update: Uint8Array.of(1, 2, 3) };

beforeAll(async () => {
  redis = await startRedis();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((fanOut) => fanOut.close()));
});
afterAll(() => redis?.stop());

const implementations: [string, boolean, () => () => FanOut][] = [
  [
    'in one process',
    true,
    () => {
      const bus = new LocalBus();
      return () => bus.join();
    },
  ],
  ['over Redis', hasRedis(), () => () => overRedis('contract')],
];

for (const [name, available, make] of implementations)
  describe.skipIf(!available)(`instances ${name}`, () => {
    test('hear about the rooms that they follow, and not about others, and not themselves', async () => {
      const join = make();
      const [a, b, c] = [listen(join()), listen(join()), listen(join())];
      await until(() => [a, b, c].every(({ fanOut }) => fanOut.up));
      await Promise.all([a.fanOut.follow('board/a'), b.fanOut.follow('board/a'), c.fanOut.follow('board/b')]);
      a.fanOut.publish(stored);
      a.fanOut.publish({ ...stored, update: null });
      a.fanOut.publish({ type: 'access', personId: 'p', boardId: null });
      await until(() => b.heard.length === 3 && c.heard.length === 1);
      expect(b.heard).toEqual([stored, { ...stored, update: null }, { type: 'access', personId: 'p', boardId: null }]);
      expect(new Set(b.from)).toEqual(new Set([a.fanOut.id]));
      expect(c.heard).toEqual([{ type: 'access', personId: 'p', boardId: null }]);
      expect(a.heard).toEqual([]);
    });

    test('hear nothing any more about a room that they left, and nothing once closed', async () => {
      const join = make();
      const [a, b] = [listen(join()), listen(join())];
      await until(() => [a, b].every(({ fanOut }) => fanOut.up));
      await b.fanOut.follow('board/a');
      b.fanOut.unfollow('board/a');
      await b.fanOut.follow('board/b');
      a.fanOut.publish(stored);
      a.fanOut.publish({ ...stored, room: 'board/b' });
      await until(() => b.heard.length === 1);
      expect(b.heard).toEqual([{ ...stored, room: 'board/b' }]);
      await b.fanOut.close();
      a.fanOut.publish({ ...stored, room: 'board/b' });
      await new Promise((done) => setTimeout(done, 50));
      expect(b.heard).toHaveLength(1);
    });
  });

describe.skipIf(!hasRedis())('a bus over Redis', () => {
  test('does not mix two installations', async () => {
    const [a, b] = [listen(overRedis('one')), listen(overRedis('two'))];
    await until(() => a.fanOut.up && b.fanOut.up);
    a.fanOut.publish({ type: 'access', personId: null, boardId: 'b' });
    await new Promise((done) => setTimeout(done, 100));
    expect(b.heard).toEqual([]);
  });

  test.each<[string, () => Promise<void>, () => Promise<void>]>([
    ['killed', async () => redis!.kill(), async () => redis!.restart()],
    ['stalled', async () => redis!.pause(), async () => redis!.resume()],
  ])('says that it is down while Redis is %s, and works again by itself', async (_, away, back) => {
    const [a, b] = [listen(overRedis('outage')), listen(overRedis('outage'))];
    await until(() => a.fanOut.up && b.fanOut.up);
    await b.fanOut.follow('board/a');
    faults.length = 0;
    await away();
    await until(() => !a.fanOut.up && !b.fanOut.up);
    for (let n = 0; n < 5000; n++) a.fanOut.publish(stored);
    // Rooms may be opened meanwhile.
    await b.fanOut.follow('board/b');
    await new Promise((done) => setTimeout(done, 500));
    expect(faults.length).toBeGreaterThan(0);
    // Once by each of them.
    expect(faults.length).toBeLessThanOrEqual(2);
    await back();
    await until(() => a.fanOut.up && b.fanOut.up);
    expect(a.changes).toEqual([true, false, true]);
    b.heard.length = 0;
    for (const room of ['board/a', 'board/b']) a.fanOut.publish({ ...stored, room });
    await until(() => b.heard.length === 2);
  });

  test('is not needed to begin with', async () => {
    await redis!.kill();
    const late = listen(overRedis('late'));
    late.fanOut.publish(stored);
    await late.fanOut.follow('board/a');
    expect(late.fanOut.up).toBe(false);
    await redis!.restart();
    await until(() => late.fanOut.up);
  });
});
