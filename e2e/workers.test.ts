import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { hasPostgres, startPostgres, type Postgres } from '../server/testing/services.ts';
import { WorkerProcess } from '../server/testing/worker-process.ts';
import { unravel } from './actors.ts';
import { inspect } from './inspect.ts';
import { PathboardServer } from './server.ts';

/** A server that computes nothing, and workers that come and go. */

if (!hasPostgres()) console.warn('SKIPPED: PostgreSQL is not installed, and workers are not tested in the browser');
test.skip(!hasPostgres(), 'PostgreSQL is not installed');
test.setTimeout(180_000);

let postgres: Postgres;
let server: PathboardServer;
let home: string;
let databaseUrl: string;
const workers: WorkerProcess[] = [];

test.beforeAll(async () => {
  const started = await startPostgres();
  if (!started) throw new Error('services: expected PostgreSQL');
  postgres = started;
  databaseUrl = await postgres.createDatabase();
  home = await mkdtemp(join(tmpdir(), 'pathboard-e2e-worker-'));
  server = await PathboardServer.start({ DATABASE_URL: databaseUrl, PATHBOARD_ENGINE: 'off', WORKER_LEASE: '2' });
});

test.afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.kill()));
  await server?.stop();
  await postgres?.stop();
  if (home) await rm(home, { recursive: true, force: true });
});

async function startWorker(name: string): Promise<WorkerProcess> {
  const worker = new WorkerProcess({ name, databaseUrl, home, lease: 2 });
  workers.push(worker);
  await worker.ready;
  return worker;
}

test('what people ask is computed by whichever worker is there, and without one that is said', async ({ browser }) => {
  const context = await browser.newContext({ baseURL: server.url });
  const page = await context.newPage();
  await page.goto(server.ownerLink);
  await page.getByRole('button', { name: 'Unravel' }).click();
  await expect(page.getByText(/worker: expected one that runs, has the model attn-2l .*got none/)).toBeVisible();

  const first = await startWorker('first-worker');
  const board = await unravel(page);
  await page.getByTestId('device').click();
  const listed = page.getByTestId('workers');
  await expect(listed).toContainText('first-worker (a worker)');
  await expect(listed).toContainText('cpu, float32');
  await expect(listed.getByRole('row')).toHaveCount(2);
  await inspect(page, 'workers');
  await page.keyboard.press('Escape');

  await first.kill();
  await startWorker('second-worker');
  await board.show('Degrees');
  await expect(page.locator('[data-degree]').first()).toBeVisible({ timeout: 60_000 });
  await page.getByTestId('device').click();
  await expect(page.getByTestId('workers')).toContainText('second-worker', { timeout: 10_000 });
  await context.close();
});
