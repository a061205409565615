import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Client, newHome, openWorld, until } from '../testing/world.ts';

const CHILD = fileURLToPath(new URL('../testing/child.ts', import.meta.url));
const children: ChildProcess[] = [];
let home: string;

beforeAll(async () => {
  home = await newHome();
});

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
});

/** A server on the folder in a process of its own. */
async function startChild(): Promise<{ port: number; kill: () => Promise<void> }> {
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD, home], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return {
    port: Number(line),
    async kill() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

test('what was acknowledged survives kill -9, and what was not is still with the client', { timeout: 60_000 }, async () => {
  const world = await openWorld({ home });
  const actor = await world.owner();
  const id = await world.board(actor);
  await world.stop();

  const acknowledged: string[] = [];
  let client: Client | null = null;
  for (let round = 0; round < 2; round++) {
    const { port, kill } = await startChild();
    // A browser tab that outlives the server: the same document, offline in between.
    client = new Client(port, actor, `board/${id}`, client?.doc);
    await client.synced();
    await until(() => client?.persisted === 1);
    const keys = [...Array(400).keys()].map((n) => `${round}-${n}`);
    for (const key of keys) client.labels.set(key, { text: key });
    await until(() => (client?.persisted ?? 0) > 60 + 80 * round);
    await kill();
    client.destroy();
    // The first count is that of step 2.
    acknowledged.push(...keys.slice(0, client.persisted - 1));
    client.labels.set(`offline-${round}`, 1);
  }
  expect(acknowledged.length).toBeGreaterThan(150);

  const again = await openWorld({ home });
  const fresh = again.connect(actor, `board/${id}`);
  await fresh.synced();
  expect(acknowledged.filter((key) => !fresh.labels.has(key))).toEqual([]);
  expect(fresh.labels.has('offline-0')).toBe(true);
  const late = again.connect(actor, `board/${id}`, client?.doc);
  await until(() => late.persisted === 1 && fresh.labels.has('offline-1'));
  // Nothing is lost: 800 labels of two rounds, two of the time in between.
  expect(fresh.labels.size).toBe(802);
  await again.stop();
});
