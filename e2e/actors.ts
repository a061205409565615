import { test as base, expect, type Browser, type BrowserContext, type Page } from '@playwright/test';
import { BoardPage } from './board-page.ts';
import { PathboardServer } from './server.ts';

/** Which workspace a test's boards go to: names are unique within one, and tests share a server. */
const workspaces = new WeakMap<Page, string>();

type StorageState = Awaited<ReturnType<BrowserContext['storageState']>>;

interface Actors {
  /** the person who started the installation, on the start page */
  owner: Page;
  /** somebody without a session */
  visitor: Page;
}

interface World {
  server: PathboardServer;
  ownerState: StorageState;
}

async function signIn(browser: Browser, link: string): Promise<StorageState> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(link);
  await expect(page.getByRole('button', { name: 'Unravel' })).toBeVisible();
  const state = await context.storageState();
  await context.close();
  return state;
}

export const test = base.extend<Actors, World>({
  server: [
    // oxlint-disable-next-line no-empty-pattern -- Playwright reads from the pattern which fixtures are needed
    async ({}, use) => {
      const server = await PathboardServer.start();
      await use(server);
      await server.stop();
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  ownerState: [async ({ browser, server }, use) => use(await signIn(browser, server.ownerLink)), { scope: 'worker' }],
  baseURL: async ({ server }, use) => use(server.url),
  owner: async ({ browser, server, ownerState }, use) => {
    const context = await browser.newContext({ baseURL: server.url, storageState: ownerState });
    const page = watched(await context.newPage());
    await page.goto('/');
    workspaces.set(page, await makeWorkspace(page));
    await page.reload();
    await use(page);
    await context.close();
  },
  visitor: async ({ browser, server }, use) => {
    const context = await browser.newContext({ baseURL: server.url });
    await use(watched(await context.newPage()));
    await context.close();
  },
});

async function makeWorkspace(page: Page): Promise<string> {
  const name = `Team ${crypto.randomUUID().slice(0, 8)}`;
  const status = await page.evaluate(async (body) => {
    const response = await fetch('/api/workspaces', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    return response.status;
  }, JSON.stringify({ name }));
  expect(status).toBe(200);
  return name;
}

/** An exception on a page fails the test. */
function watched(page: Page): Page {
  page.on('pageerror', (error) => {
    throw error;
  });
  return page;
}

/** From the start page to a board of the example. */
export async function unravel(page: Page, workspace: string | undefined = workspaces.get(page)): Promise<BoardPage> {
  if (workspace !== undefined) await page.getByLabel('Workspace', { exact: true }).selectOption(workspace);
  await page.getByRole('button', { name: 'Unravel' }).click();
  const board = new BoardPage(page);
  await board.isReady();
  return board;
}

/** By an invitation of `board` to the same board. */
export async function join(
  page: Page,
  board: BoardPage,
  name: string,
  role: 'editor' | 'commenter' | 'viewer' = 'editor',
): Promise<BoardPage> {
  return follow(page, await board.invite(role), name);
}

/** By an invitation to a board. */
export async function follow(page: Page, link: string, name: string): Promise<BoardPage> {
  await page.goto(link);
  await page.getByLabel('Your name').fill(name);
  await page.getByRole('button', { name: 'Join' }).click();
  const joined = new BoardPage(page);
  await joined.isReady();
  return joined;
}

export { expect };
