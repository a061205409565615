import { expect, test } from 'vitest';
import type { Doom } from '../testing/doom.ts';
import { describeEngines } from '../testing/engines.ts';
import type { Place } from '../testing/place.ts';
import { ServerProcess } from '../testing/server-process.ts';
import { freePort } from '../testing/services.ts';
import { Client, openWorld, until } from '../testing/world.ts';

/** `npm run torture` does this at random moments, over bad networks and for hours; see bench/torture. */

async function startServer(place: Place, doom: Doom): Promise<{ server: ServerProcess; port: number }> {
  const server = new ServerProcess();
  const port = await freePort();
  await server.start({ place, port, redisUrl: null, compactAfter: 20, unloadAfter: 50, doom });
  if (server.hasEnded) throw new Error(`server: expected it to start, got\n${server.said}`);
  return { server, port };
}

const MOMENTS: Doom[] = [
  { at: 'append', phase: 'before commit', nth: 12, delay: 0 },
  { at: 'append', phase: 'after commit', nth: 12, delay: 0 },
  { at: 'compaction', phase: 'before commit', nth: 2, delay: 0 },
];

describeEngines('kill -9', (engine) => {
  test('keeps what was acknowledged, and what was not is still with the client', { timeout: 90_000 }, async () => {
    const place = await engine.place();
    const world = await openWorld(place);
    const actor = await world.owner();
    const id = await world.board(actor);
    await world.stop();

    const acknowledged: string[] = [];
    const made: string[] = [];
    let client: Client | null = null;
    for (const [round, doom] of MOMENTS.entries()) {
      const { server, port } = await startServer(place, doom);
      // A browser tab that outlives the server: the same document, offline in between.
      client = new Client(port, actor, `board/${id}`, client?.doc);
      await client.synced();
      await until(() => client?.persisted === 1);
      const keys: string[] = [];
      // One at a time, or many of them would be one row.
      while (!server.hasEnded) {
        keys.push(`${round}-${keys.length}`);
        client.labels.set(keys.at(-1)!, { text: 'label' });
        await new Promise((done) => setTimeout(done, 4));
      }
      expect((await server.ended).signal).toBe('SIGKILL');
      client.destroy();
      // The first count is that of step 2.
      acknowledged.push(...keys.slice(0, client.persisted - 1));
      made.push(...keys);
    }
    expect(acknowledged.length).toBeGreaterThan(30);
    expect(acknowledged.length).toBeLessThan(made.length);

    const again = await openWorld(place);
    const fresh = again.connect(actor, `board/${id}`);
    await fresh.synced();
    expect(acknowledged.filter((key) => !fresh.labels.has(key))).toEqual([]);
    const late = again.connect(actor, `board/${id}`, client?.doc);
    await until(() => late.persisted === 1 && fresh.labels.size === made.length);
    expect([...fresh.labels.keys()].sort()).toEqual(made.sort());
    await again.stop();
  });
});
