import type { Locator } from '@playwright/test';
import { expect, follow, test, unravel } from './actors.ts';
import { GraphPage } from './graph-page.ts';
import { FOLDER, overflowOf, violationsOn } from './inspect.ts';

/** A phone of today, held upright. */
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };

test('on a phone a guest reads the board, comments, finds the claims, moves the graph and reads the page', async ({
  browser,
  owner,
  server,
}) => {
  const board = await unravel(owner);
  const [path = ''] = await board.paths('complete');
  await board.select(path);
  await board.label('copies the phrase');
  const address = await board.publish({ title: 'On a phone', question: 'Can it be read?', findings: 'By the sum $\\sum_p v_p$.' });
  const context = await browser.newContext({ baseURL: server.url, ...PHONE });
  const page = await context.newPage();
  const guest = await follow(page, await board.invite('commenter'), 'Phoebe');
  expect.soft(await overflowOf(page), 'board').toBeLessThanOrEqual(0);

  await test.step('reads a path, and says something', async () => {
    await guest.row(path).tap();
    await expect(page.getByTestId('selected-path')).toHaveText(path);
    await page.evaluate(() => scrollTo(0, 0));
    const details = page.getByRole('button', { name: 'Details' });
    await expect(details).toBeInViewport({ ratio: 1 });
    await page.screenshot({ path: `${FOLDER}phone-selected.png` });
    await details.tap();
    await expect(page.getByTestId('selected-path')).toBeInViewport();
    await expect(guest.inspector.locator('[data-label="copies the phrase"]')).toBeVisible();
    await guest.inspector.getByLabel('Write a comment').tap();
    await page.keyboard.type('read on the train');
    await guest.inspector.getByRole('button', { name: 'Comment', exact: true }).tap();
    await expect(guest.said('read on the train')).toBeVisible();
    await expect(board.said('read on the train')).toContainText('Phoebe');
    expect.soft(await overflowOf(page), 'inspector').toBeLessThanOrEqual(0);
    expect.soft(await violationsOn(page), 'board').toEqual([]);
    await page.screenshot({ path: `${FOLDER}phone-board.png`, fullPage: true });
  });

  const views = page.getByRole('navigation', { name: 'Views' });
  await test.step('finds the claims', async () => {
    await views.getByRole('button', { name: 'Claims' }).tap();
    await expect(page.getByRole('heading', { name: 'Claims', level: 2 })).toBeVisible();
    expect.soft(await overflowOf(page), 'claims').toBeLessThanOrEqual(0);
  });

  await test.step('moves the graph with a finger', async () => {
    await views.getByRole('button', { name: 'Graph' }).tap();
    const graph = new GraphPage(page);
    await graph.isDrawn();
    await graph.stage.scrollIntoViewIfNeeded();
    const before = await graph.rowAt('a1');
    await drag(graph.stage, 60);
    await expect.poll(async () => Math.round((await graph.rowAt('a1')) - before)).toBe(60);
    expect.soft(await overflowOf(page), 'graph').toBeLessThanOrEqual(0);
    await page.screenshot({ path: `${FOLDER}phone-graph.png`, fullPage: true });
  });

  await test.step('reads the published page', async () => {
    await page.goto(address);
    await expect(page.getByRole('heading', { level: 1, name: 'On a phone' })).toBeVisible();
    await expect(page.getByRole('heading', { name: 'Findings' })).toBeVisible();
    expect.soft(await overflowOf(page), 'published page').toBeLessThanOrEqual(0);
    await page.screenshot({ path: `${FOLDER}phone-published.png`, fullPage: true });
  });
  await context.close();

  // The page's policy keeps axe out unless it is told to look away.
  const checked = await browser.newContext({ ...PHONE, bypassCSP: true });
  const published = await checked.newPage();
  await published.goto(address);
  expect.soft(await violationsOn(published), 'published page').toEqual([]);
  await checked.close();
});

/** One finger goes down by `dy` pixels. */
async function drag(element: Locator, dy: number): Promise<void> {
  const box = await element.boundingBox();
  if (!box) throw new Error('phone: expected something to drag, got nothing in view');
  const session = await element.page().context().newCDPSession(element.page());
  const [x, y] = [box.x + box.width / 2, box.y + 30];
  await session.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [{ x, y }] });
  for (let step = 1; step <= 4; step++) {
    await session.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: [{ x, y: y + (dy * step) / 4 }] });
  }
  await session.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  await session.detach();
}
