import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Browser, Page } from '@playwright/test';
import { expect, join, test, unravel } from './actors.ts';
import type { BoardPage } from './board-page.ts';
import { FOLDER, WIDE, inspect } from './inspect.ts';

/** A published page as readers have it: whole without JavaScript, verified, quoted, framed, anonymous, and found out. */

test.setTimeout(150_000);

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);

/** Somebody without a session; the policy of published pages keeps axe out unless it is told to look away. */
async function reader(browser: Browser, options: { javaScriptEnabled?: boolean; bypassCSP?: boolean } = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: WIDE, ...options });
  return context.newPage();
}

/** A board on which something of everything was said. */
async function discussed(owner: Page, visitor: Page): Promise<BoardPage> {
  const board = await unravel(owner);
  const guest = await join(visitor, board, `Vera ${crypto.randomUUID().slice(0, 6)}`, 'commenter');
  const [suffix = ''] = await board.paths('suffix');
  await board.select(suffix);
  await board.label('copies the name');
  await guest.select(suffix);
  await guest.comment('Look at `input->logits` too');
  await board.inspector.getByRole('button', { name: 'Path effect' }).click();
  await expect(board.inspector.getByTestId('effect').first()).toBeVisible();
  await board.inspector.locator('[data-run]').getByRole('button', { name: 'Attach to claim…' }).first().click();
  await board.inspector.getByLabel('Claim, one sentence').first().fill('This suffix moves the answer');
  await board.inspector.getByRole('button', { name: 'Attach', exact: true }).click();
  await expect(board.inspector.locator('[data-verdict="holds"]')).toBeVisible();
  await guest.show('Claims');
  await visitor.getByRole('button', { name: 'against' }).first().click();
  return board;
}

const FIELDS = { title: 'What moves the answer', question: 'Which suffix?', findings: 'One of them: $\\sum_p v_p$ is the metric.' };

test('readers have it whole without JavaScript, verify it, and take it with them', async ({ browser, owner, visitor, server }) => {
  const board = await discussed(owner, visitor);
  const address = await board.publish(FIELDS);
  const path = new URL(address).pathname;

  await test.step('without JavaScript it is all there, and can be verified', async () => {
    const page = await reader(browser, { javaScriptEnabled: false });
    await page.goto(address);
    for (const heading of [
      'Findings',
      'The metric, path by path',
      'By degree',
      'Flow',
      'Heads',
      'Labels',
      'Claims',
      'Discussion',
      'Methods',
      'Verification',
    ]) {
      await expect(page.getByRole('heading', { name: heading, exact: true })).toBeVisible();
    }
    await expect(page.locator('math').first()).toBeVisible();
    await expect(page.getByText('Nobody has verified this version yet.')).toBeVisible();
    await page.getByRole('button', { name: 'Verify', exact: true }).click();
    await expect(page.locator('[data-outcome]')).toHaveText('Everything is reproduced', { timeout: 60_000 });
    await expect(page.locator('[data-mark="reproduced"]')).not.toHaveCount(0);
    await expect(page.locator('[data-mark]:not([data-mark="reproduced"])')).toHaveCount(0);
    await page.context().close();
  });

  await test.step('with JavaScript every number has its mark, tables sort and paths light up', async () => {
    const page = await reader(browser);
    const violations: string[] = [];
    page.on('console', (message) => message.type() === 'error' && violations.push(message.text()));
    await page.goto(address);
    const numbers = await page.locator('[data-number]').count();
    await expect(page.locator('.seal.reproduced')).toHaveCount(numbers);

    const posted: string[] = [];
    page.on('request', (request) => request.method() === 'POST' && posted.push(new URL(request.url()).pathname));
    await page.getByRole('button', { name: 'Verify', exact: true }).click();
    await expect(page.locator('#verify-report')).toContainText('in this browser (', { timeout: 90_000 });
    await expect(page.locator('[data-outcome="reproduced"]')).toBeVisible();
    await expect(page.locator('.seal.reproduced')).toHaveCount(numbers);
    expect(posted).toEqual([]);
    await page.locator('#verification').scrollIntoViewIfNeeded();
    await page.screenshot({ path: `${FOLDER}published-verified-here.png` });

    await page.route('**/self-test/**', (route) => route.abort());
    await page.getByRole('button', { name: 'Verify', exact: true }).click();
    await expect(page.locator('#verify-progress')).toContainText('This browser could not:', { timeout: 60_000 });
    await expect(page.locator('#verify-report')).not.toContainText('in this browser (');
    expect(posted).toEqual([`${path}/verify`]);
    await page.unroute('**/self-test/**');
    violations.length = 0;

    const rows = page.locator('table[data-table="paths"] tbody tr[data-path]');
    const first = await rows.first().getAttribute('data-path');
    await page.getByRole('button', { name: 'Logits' }).first().click();
    await page.getByRole('button', { name: 'Logits' }).first().click();
    expect(await rows.first().getAttribute('data-path')).not.toBe(first);
    await rows.first().focus();
    await expect(rows.first()).toHaveClass('lit');
    await expect(page.locator('svg path[data-edge].dim').first()).toBeAttached();
    await page.locator('h1').hover();
    expect(violations).toEqual([]);
    await page.context().close();
  });

  await test.step('it says of itself what links and lists of references need', async () => {
    const page = await reader(browser);
    await page.goto(address);
    const meta = (name: string) => page.locator(`meta[property="${name}"], meta[name="${name}"]`).getAttribute('content');
    expect([await meta('og:title'), await meta('og:url'), await meta('twitter:card')]).toEqual([
      FIELDS.title,
      address,
      'summary_large_image',
    ]);
    const image = await page.request.get((await meta('og:image')) ?? '');
    expect([image.status(), image.headers()['content-type'], image.headers()['cross-origin-resource-policy']]).toEqual([
      200,
      'image/png',
      'cross-origin',
    ]);
    await page.goto((await meta('og:image')) ?? '');
    await page.screenshot({ path: `${FOLDER}published-card.png` });
    const files = ['snapshot.json', 'paths.csv', 'degrees.csv', 'flow.csv', 'heads.csv', 'labels.csv', 'claims.csv', 'evidence.csv'];
    for (const file of [...files, 'paths.svg', 'degrees.svg', 'flow.svg', 'citation.bib', 'graph.json', 'annotations.jsonld']) {
      const answer = await page.request.get(`${address}/${file}`);
      expect([file, answer.status(), (await answer.body()).length > 20]).toEqual([file, 200, true]);
    }
    await page.context().close();
  });

  await test.step('another site frames the embedded piece, and nothing else of ours', async () => {
    const other = createServer((request, response) => {
      const src = request.url === '/embed' ? `${address}/embed` : request.url === '/page' ? address : `${server.url}/`;
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end(`<!doctype html><title>Elsewhere</title><iframe src="${src}" width="640" height="460"></iframe>`);
    });
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
    const elsewhere = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    const page = await reader(browser);
    await page.goto(`${elsewhere}/embed`);
    await expect(page.frameLocator('iframe').getByRole('link', { name: FIELDS.title })).toHaveAttribute('href', address);
    await page.screenshot({ path: `${FOLDER}published-embed.png` });
    for (const refused of ['/page', '/start']) {
      await page.goto(`${elsewhere}${refused}`);
      await expect.poll(() => page.frames().length).toBe(2);
      const text = await page
        .frames()[1]!
        .evaluate(() => document.body?.innerText ?? '')
        .catch(() => '');
      expect(text).not.toMatch(/Verification|Unravel/);
    }
    await page.context().close();
    other.close();
  });

  await test.step('the weights of the built-in model may be had, whole and in part', async () => {
    const snapshot = (await (await owner.request.get(`${address}/snapshot.json`)).json()) as { partition: { model: { hash: string } } };
    const model = `${address}/model/${snapshot.partition.model.hash}`;
    const { files } = (await (await owner.request.get(`${model}/files.json`)).json()) as { files: { name: string; bytes: number }[] };
    const weights = files.find(({ name }) => name === 'model.safetensors');
    const part = await fetch(`${model}/model.safetensors`, { headers: { range: 'bytes=0-7' } });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 0-7/${weights?.bytes}`]);
    const header = new DataView(await part.arrayBuffer()).getBigUint64(0, true);
    expect(header > 0n && header < 1_000_000n).toBe(true);
    expect((await fetch(`${address}/model/${'0'.repeat(64)}/model.safetensors`)).status).toBe(404);
  });

  await test.step('what is changed in the database is found, and named', async () => {
    const slug = path.split('/')[2] ?? '';
    const page = await reader(browser);
    const outcome = async (change: string) => {
      await server.kill();
      await run(process.execPath, ['--import', 'tsx', 'e2e/tamper.mjs', server.home, slug, change], { cwd: ROOT });
      await server.restart();
      await page.goto(address);
      await page.getByRole('button', { name: /^(Verify|Show the report)$/ }).click();
      await expect(page.locator('[data-outcome]')).toBeVisible({ timeout: 60_000 });
      await expect(page.locator('#verify-progress')).toHaveText('');
      return page
        .locator('[data-mark="not-reproduced"]')
        .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-part')?.split(':')[0]));
    };
    expect(await outcome('label')).toEqual([]);
    expect(await outcome('term')).toEqual(['paths', 'page']);
    await expect(page.locator('.why').first()).toContainText('the page states');
    await page.locator('#verification').scrollIntoViewIfNeeded();
    await page.screenshot({ path: `${FOLDER}published-tampered.png` });
    expect(await outcome('verdict')).toEqual(['paths', 'evidence', 'claim', 'page']);
    expect(await outcome('model')).toEqual(['paths', 'degrees', 'evidence', 'claim', 'page']);
    await expect(page.locator('[data-part="degrees"]')).toContainText('model hash');
    await page.context().close();
  });
});

test('for double-blind review no name leaves the board, and weights stay where the publisher wants them', async ({
  browser,
  owner,
  visitor,
}) => {
  const board = await discussed(owner, visitor);
  await owner.getByRole('button', { name: 'Publish', exact: true }).first().click();
  const dialog = owner.getByRole('dialog');
  await expect(dialog.getByLabel(/^Let readers download/)).toBeChecked();
  await dialog.getByLabel(/^Let readers download/).uncheck();
  await dialog.getByLabel(/^Anonymous/).check();
  await inspect(owner, 'board-publish-options');
  await dialog.getByRole('button', { name: 'Close' }).click();
  const address = await board.publish({ ...FIELDS, title: 'Who moves the answer' });
  const names = await owner
    .getByRole('list', { name: 'People here' })
    .locator('[data-person]')
    .evaluateAll((people) => people.map((one) => one.getAttribute('data-person') ?? ''));
  const vera = names.find((name) => name.startsWith('Vera')) ?? 'Vera';
  const request = owner.request;
  for (const file of [
    '',
    '/embed',
    '/snapshot.json',
    '/claims.csv',
    '/stances.csv',
    '/evidence.csv',
    '/citation.bib',
    '/annotations.jsonld',
    '/graph.json',
  ]) {
    const text = await (await request.get(`${address}${file}`)).text();
    expect([file, text.includes(vera), text.includes('Owner')]).toEqual([file, false, false]);
  }
  const page = await reader(browser, { bypassCSP: true });
  await page.goto(address);
  await expect(page.locator('header')).toContainText('Author 1, Author 2');
  await expect(page.getByText('The publisher does not pass the model on.')).toBeVisible();
  const snapshot = (await (await request.get(`${address}/snapshot.json`)).json()) as { partition: { model: { hash: string } } };
  expect((await request.get(`${address}/model/${snapshot.partition.model.hash}/model.safetensors`)).status()).toBe(404);

  await page.getByRole('button', { name: 'Verify', exact: true }).click();
  await expect(page.locator('[data-outcome="reproduced"]')).toBeVisible({ timeout: 60_000 });
  await inspect(page, 'published-verified');
  await page.screenshot({ path: `${FOLDER}published-verified-full.png`, fullPage: true });
  await page.goto(`${address}/embed`);
  await inspect(page, 'published-embed');
  await page.context().close();
});

test('deleting a board asks what becomes of its pages', async ({ browser, owner }) => {
  const board = await unravel(owner);
  const address = await board.publish({ ...FIELDS, title: 'What goes along' });
  const share = await board.share();
  await share.place.getByLabel('Take them along').check();
  await inspect(owner, 'board-delete-pages');
  await share.place.getByRole('button', { name: 'Delete this board' }).click();
  await share.place.getByRole('group').getByRole('button', { name: 'Delete this board' }).click();
  await expect(owner).toHaveURL(/deleted=/);
  const page = await reader(browser);
  await page.goto(address);
  await expect(page.getByRole('heading', { name: 'No such page' })).toBeVisible();
  await owner.getByRole('status').getByRole('button', { name: 'Undo' }).click();
  await expect.poll(async () => (await page.goto(address))?.status()).toBe(200);
  await page.context().close();
});
