import { expect, test, type Browser } from '@playwright/test';
import { hasPostgres, hasRedis, startPostgres, startRedis, type Postgres, type Service } from '../server/testing/services.ts';
import { follow, unravel } from './actors.ts';
import type { BoardPage } from './board-page.ts';
import { PathboardServer } from './server.ts';

/** Two servers on one Postgres and one Redis, and a person at each. */
interface Site {
  postgres: Postgres;
  redis: Service;
  here: PathboardServer;
  there: PathboardServer;
}

let site: Site;

const isServed = hasPostgres() && hasRedis();
if (!isServed) console.warn('SKIPPED: PostgreSQL or Redis is not installed, and two instances are not tested in the browser');
test.skip(!isServed, 'PostgreSQL or Redis is not installed');

test.beforeAll(async () => {
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  if (!postgres || !redis) throw new Error('services: expected PostgreSQL and Redis');
  const settings = {
    DATABASE_URL: await postgres.createDatabase({ empty: true }),
    REDIS_URL: redis.url,
    PATHBOARD_SECRET: 'the same for both instances, 32 characters',
  };
  // Together, on an empty database.
  const [here, there] = await Promise.all([PathboardServer.start(settings), PathboardServer.start(settings)]);
  site = { postgres, redis, here, there };
});

test.afterAll(async () => {
  if (!site) return;
  await Promise.all([site.here.stop(), site.there.stop()]);
  await Promise.all([site.postgres.stop(), site.redis.stop()]);
});

test('people at two instances share a board, also when one of them is killed and when Redis is gone', async ({ browser }) => {
  const { here, there, redis } = site;
  const board = await unravel(await pageOf(browser, here, here.ownerLink));
  const [path = ''] = await board.paths('complete');
  await board.select(path);
  const link = await board.invite('editor');
  const guest = await follow(await pageOf(browser, there, '/'), link.replace(here.url, there.url), 'Vera');
  await guest.select(path);

  await test.step('labels, comments and presence cross over', async () => {
    await board.label('made here');
    await guest.label('made there');
    await expect(labelOf(guest, 'made here')).toBeVisible();
    await expect(labelOf(board, 'made there')).toBeVisible();
    await board.comment('said here');
    await expect(guest.said('said here')).toBeVisible();
    await guest.comment('said there');
    await expect(board.said('said there')).toBeVisible();
    await expect(board.page.locator('[data-person="Vera"]')).toBeVisible();
    await expect(guest.page.locator('[data-person="Owner"]')).toBeVisible();
    await expect(board.row(path).getByRole('img', { name: 'Vera looks at this path' })).toBeVisible();
  });

  await test.step('a role that is changed at one counts at the other', async () => {
    const share = await board.share();
    await share.setRole('Vera', 'viewer');
    await expect(guest.notice).toContainText('viewer');
    await expect(guest.inspector.getByLabel('Add a label')).toHaveCount(0);
    await share.setRole('Vera', 'editor');
    await expect(guest.notice).toContainText('editor');
    await share.close();
    await guest.label('made by an editor again');
    await expect(labelOf(board, 'made by an editor again')).toBeVisible();
    await guest.isSaved();
  });

  await test.step('one instance is killed: nothing is lost, and its people come back', async () => {
    await there.kill();
    await expect(guest.connection).toHaveAttribute('data-connection', 'offline');
    await expect(board.page.locator('[data-person="Vera"]')).toHaveCount(0, { timeout: 60_000 });
    await board.label('made while the other was down');
    await board.isSaved();
    await guest.label('made without a server');
    await there.restart();
    await expect(guest.connection).toHaveText('saved', { timeout: 30_000 });
    await expect(labelOf(guest, 'made while the other was down')).toBeVisible();
    await expect(labelOf(board, 'made without a server')).toBeVisible();
  });

  await test.step('without Redis edits still arrive', async () => {
    await redis.kill();
    await board.label('made without Redis');
    await board.isSaved();
    await expect(labelOf(guest, 'made without Redis')).toBeVisible({ timeout: 20_000 });
    await guest.comment('said without Redis');
    await expect(board.said('said without Redis')).toBeVisible({ timeout: 20_000 });
  });

  await test.step('and with Redis again', async () => {
    await redis.restart();
    await guest.label('made with Redis again');
    await expect(labelOf(board, 'made with Redis again')).toBeVisible();
    await guest.page.reload();
    await guest.isReady();
    for (const text of ['made here', 'made there', 'made without a server', 'made without Redis']) {
      await expect(labelOf(guest, text)).toHaveCount(1);
    }
    for (const text of ['said here', 'said there', 'said without Redis']) await expect(guest.said(text)).toHaveCount(1);
  });
});

async function pageOf(browser: Browser, server: PathboardServer, path: string) {
  const context = await browser.newContext({ baseURL: server.url });
  const page = await context.newPage();
  page.on('pageerror', (error) => {
    throw error;
  });
  await page.goto(path);
  return page;
}

function labelOf(board: BoardPage, text: string) {
  return board.inspector.locator(`[data-label="${text}"]`);
}
