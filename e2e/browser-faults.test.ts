import { chromium, type Page } from '@playwright/test';
import { expect, test, unravel } from './actors.ts';
import { BoardPage } from './board-page.ts';
import { findBrowser } from './browser.mjs';
import { inspect } from './inspect.ts';

/** What goes wrong in a browser that computes, brought about by the browser's own means. */

test.setTimeout(420_000);

async function computeHere(page: Page): Promise<void> {
  await page.getByTestId('device').click();
  await page.getByRole('radio', { name: 'This browser' }).click();
  await expect(page.getByRole('dialog')).toContainText('passed on known numbers', { timeout: 200_000 });
  await page.keyboard.press('Escape');
}

const engineOf = (page: Page) => page.workers().at(-1)!;

test('WebGPU that goes away in the middle is replaced by WASM, which does the work anew by itself', async ({
  owner,
  server,
  ownerState,
}) => {
  const metric = await (await unravel(owner)).metric();
  const options = findBrowser();
  const browser = await chromium.launch({
    ...options,
    args: [...(options?.args ?? []), '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
  });
  const page = await (await browser.newContext({ baseURL: server.url, storageState: ownerState })).newPage();
  // Keeps the worker's devices where the test can destroy them.
  page.on('worker', (worker) => {
    void worker
      .evaluate(() => {
        const kept = globalThis as unknown as {
          devices: { destroy(): void }[];
          GPUAdapter?: { prototype: { requestDevice(): Promise<never> } };
        };
        kept.devices = [];
        const adapter = kept.GPUAdapter?.prototype;
        if (!adapter) return;
        const request = adapter.requestDevice;
        adapter.requestDevice = async function requestKept(this: unknown, ...args: []) {
          const device = await request.apply(this as never, args);
          kept.devices.push(device);
          return device;
        };
      })
      .catch(() => {});
  });
  await page.goto(new URL(owner.url()).pathname);
  const board = new BoardPage(page);
  await board.isReady();
  await computeHere(page);
  await expect(page.getByTestId('device')).toContainText('this browser, webgpu');
  await expect(page.getByTestId('metric')).toHaveText(metric, { timeout: 120_000 });

  await board.show('Degrees');
  await engineOf(page).evaluate(() => {
    for (const device of (globalThis as unknown as { devices: { destroy(): void }[] }).devices) device.destroy();
  });
  await expect(page.getByTestId('device')).toContainText('this browser, wasm fp32, in place of WebGPU', { timeout: 150_000 });
  await expect(page.locator('[data-degree]').first()).toBeVisible({ timeout: 120_000 });
  await page.getByTestId('device').click();
  await expect(page.getByRole('dialog')).toContainText('WebGPU was lost');
  await inspect(page, 'device-lost');
  await browser.close();
});

test('a worker that ends says so, and the next analysis starts another', async ({ owner }) => {
  const board = await unravel(owner);
  const metric = await board.metric();
  await computeHere(owner);
  await expect(owner.getByTestId('metric')).toHaveText(metric, { timeout: 120_000 });
  await engineOf(owner).evaluate(() => {
    setTimeout(() => {
      throw new Error('an end that nobody foresaw');
    });
  });
  await expect(owner.getByTestId('device')).toContainText('an end that nobody foresaw', { timeout: 30_000 });
  await board.show('Degrees');
  await expect(owner.locator('[data-degree]').first()).toBeVisible({ timeout: 120_000 });
  await expect(owner.getByTestId('device')).toContainText('this browser, wasm fp32, self-test ok', { timeout: 120_000 });
});

test('where a tab has no memory left it says so, and computes again when there is', async ({ owner }) => {
  const board = await unravel(owner);
  const metric = await board.metric();
  let isFull = true;
  owner.on('worker', (worker) => {
    if (!isFull) return;
    // As the browser's own: growing gives no memory.
    void worker
      .evaluate(() => {
        WebAssembly.Memory.prototype.grow = () => {
          throw new RangeError('WebAssembly.Memory.grow(): Unable to grow instance memory');
        };
      })
      .catch(() => {});
  });
  await owner.getByTestId('device').click();
  await owner.getByRole('radio', { name: 'This browser' }).click();
  await expect(owner.getByRole('dialog')).toContainText('memory enough in this tab', { timeout: 120_000 });
  isFull = false;
  await owner.getByRole('radio', { name: 'The server' }).click();
  await owner.getByRole('radio', { name: 'This browser' }).click();
  await expect(owner.getByRole('dialog')).toContainText('passed on known numbers', { timeout: 120_000 });
  await owner.keyboard.press('Escape');
  await expect(owner.getByTestId('metric')).toHaveText(metric, { timeout: 120_000 });
});

test('kept models are listed and removed, looked at again before they are used, and need no room that there is not', async ({ owner }) => {
  const board = await unravel(owner);
  const metric = await board.metric();
  await computeHere(owner);
  await expect(owner.getByTestId('metric')).toHaveText(metric, { timeout: 120_000 });
  const asked: string[] = [];
  owner.on('request', (request) => asked.push(new URL(request.url()).pathname));
  const loads = () => asked.filter((path) => path.endsWith('.safetensors') && path.includes('/files/')).length;

  // One byte of what is kept changes: the model comes from the server anew.
  await owner.evaluate(async () => {
    const cache = await caches.open('pathboard-models');
    const key = (await cache.keys()).find(({ url }) => url.endsWith('.safetensors'))!;
    const bytes = new Uint8Array(await (await cache.match(key))!.arrayBuffer());
    bytes[bytes.length - 1]! ^= 1;
    await cache.put(key, new Response(bytes));
  });
  await owner.reload();
  await board.isReady();
  await expect(owner.getByTestId('metric')).toHaveText(metric, { timeout: 120_000 });
  expect(loads()).toBe(1);
  await owner.reload();
  await board.isReady();
  await expect(owner.getByTestId('metric')).toHaveText(metric, { timeout: 120_000 });
  expect(loads()).toBe(1);

  await owner.getByTestId('device').click();
  await expect(owner.locator('[data-kept]')).toContainText('MiB');
  await inspect(owner, 'kept-models');
  await owner.getByRole('button', { name: /^Remove .* from this browser$/ }).click();
  await expect(owner.locator('[data-kept]')).toHaveCount(0);
  await owner.keyboard.press('Escape');

  const session = await owner.context().newCDPSession(owner);
  await session.send('Storage.overrideQuotaForOrigin', { origin: new URL(owner.url()).origin, quotaSize: 1_000_000 });
  await owner.reload();
  await board.isReady();
  await expect(owner.getByTestId('metric')).toHaveText(metric, { timeout: 120_000 });
  expect(loads()).toBe(2);
  await owner.getByTestId('device').click();
  await expect(owner.getByRole('dialog')).toContainText('None yet');
});
