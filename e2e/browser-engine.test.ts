import { chromium } from '@playwright/test';
import { findBrowser } from './browser.mjs';
import { expect, test, unravel } from './actors.ts';
import { BoardPage } from './board-page.ts';
import { inspect } from './inspect.ts';

test.setTimeout(240_000);

test('a board is computed in this browser, with the same numbers, and the server is not asked', async ({ owner }) => {
  const board = await unravel(owner);
  const metric = await board.metric();
  const values = await owner.locator('[role=row][data-path] [role=gridcell]:nth-child(3)').allTextContents();
  await owner.getByTestId('device').click();
  await owner.getByRole('radio', { name: 'This browser' }).click();
  await expect(owner.getByRole('dialog')).toContainText('passed on known numbers', { timeout: 90_000 });
  await inspect(owner, 'device');
  await owner.keyboard.press('Escape');
  await expect(owner.getByTestId('device')).toContainText('this browser, wasm fp32, self-test ok');
  await expect(owner.getByTestId('metric')).toHaveText(metric, { timeout: 60_000 });

  const asked: string[] = [];
  owner.on('request', (request) => asked.push(new URL(request.url()).pathname));
  expect(await owner.locator('[role=row][data-path] [role=gridcell]:nth-child(3)').allTextContents()).toEqual(values);
  const [suffix = ''] = await board.paths('suffix');
  await board.select(suffix);
  await owner.keyboard.press('ArrowRight');
  await expect(board.row(suffix)).toHaveAttribute('aria-expanded', 'true');
  await board.show('Degrees');
  await expect(owner.locator('[data-degree]').first()).toBeVisible({ timeout: 60_000 });
  await owner.getByTestId('target-button').click();
  await owner.getByRole('combobox', { name: 'target' }).fill('old');
  await expect(owner.getByRole('listbox').getByRole('option').first()).toBeVisible();
  await owner.keyboard.press('Escape');
  expect(asked.filter((path) => /^\/api\/(analyze|models\/[^/]+\/toke)/.test(path))).toEqual([]);

  // The choice stays with the board, and the model with the browser.
  await owner.reload();
  asked.length = 0;
  await board.isReady();
  await expect(owner.getByTestId('device')).toContainText('this browser, wasm');
  expect(asked.filter((path) => path.includes('/files/'))).toEqual([]);
});

test('WebGPU computes the same, where there is one', async ({ owner, server, ownerState }) => {
  const board = await unravel(owner);
  const metric = await board.metric();
  const options = findBrowser();
  const browser = await chromium.launch({
    ...options,
    args: [...(options?.args ?? []), '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
  });
  const page = await (await browser.newContext({ baseURL: server.url, storageState: ownerState })).newPage();
  await page.goto(new URL(owner.url()).pathname);
  const same = new BoardPage(page);
  await same.isReady();
  await page.getByTestId('device').click();
  await page.getByRole('radio', { name: 'This browser' }).click();
  await expect(page.getByRole('dialog')).toContainText('passed on known numbers', { timeout: 200_000 });
  await expect(page.getByRole('dialog')).toContainText('WebGPU, float32');
  await page.keyboard.press('Escape');
  await expect(page.getByTestId('metric')).toHaveText(metric, { timeout: 120_000 });
  await browser.close();
});

test('a reader without an account verifies a published page in their own browser', async ({ owner, visitor }) => {
  const board = await unravel(owner);
  const address = await board.publish({ title: 'To be verified elsewhere', question: '', findings: 'Sums.' });
  // Scripts that come late: nothing that is clicked before may be lost.
  await visitor.route('**/_next/static/**/*.js', (route) => setTimeout(() => void route.continue(), 3_000));
  await visitor.goto(new URL(address, owner.url()).href);
  await visitor.getByRole('link', { name: 'Verify in your own browser' }).click();
  const asked: string[] = [];
  visitor.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await visitor.getByRole('button', { name: 'Verify', exact: true }).click();
  await expect(visitor.locator('[data-outcome]')).toHaveAttribute('data-outcome', 'reproduced', { timeout: 120_000 });
  for (const part of ['paths', 'degrees', 'flow', 'heads', 'page']) {
    await expect(visitor.locator(`[data-part="${part}"]`)).toHaveAttribute('data-mark', 'reproduced');
  }
  expect(asked.filter((path) => /\/verify$|\/api\/analyze/.test(path))).toEqual([]);
  await inspect(visitor, 'verify-here');
});
