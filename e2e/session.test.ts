import { readFile } from 'node:fs/promises';
import type { Browser, Page } from '@playwright/test';
import { expect, follow, test, unravel } from './actors.ts';
import { BoardPage } from './board-page.ts';
import { inspect } from './inspect.ts';
import { enterSession, openSetUp, setUpSession } from './session-page.ts';

test.setTimeout(300_000);

const LABELS = ['copies', 'moves', 'noise'];
const NAME = 'What the largest paths do';
const NOTE = 'nobody-must-see-this-yet';

/** Somebody in a browser of their own. */
async function newcomer(browser: Browser, url: string): Promise<Page> {
  const page = await (await browser.newContext({ baseURL: url })).newPage();
  page.on('pageerror', (error) => {
    throw error;
  });
  return page;
}

/** Everything that the server sends to a page, but for files of the site. */
function overhear(page: Page): string[] {
  const heard: string[] = [];
  page.on('response', (response) => {
    if (!response.url().includes('/_next/'))
      void response.text().then(
        (text) => heard.push(text),
        () => {},
      );
  });
  page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => heard.push(payload.toString('latin1' as never))));
  return heard;
}

test('a facilitator and three annotators: blind by keys, paused, reassigned, revealed, agreed upon and exported', async ({
  browser,
  owner,
  server,
}) => {
  const board = await unravel(owner);
  const link = await board.invite('commenter');
  const [annPage, boPage, cyPage] = [
    await newcomer(browser, server.url),
    await newcomer(browser, server.url),
    await newcomer(browser, server.url),
  ];
  const annBoard = await follow(annPage, link, 'Ann');
  const boBoard = await follow(boPage, link, 'Bo');
  const cyBoard = await follow(cyPage, link, 'Cy');

  // An empty list, and a set-up that says what it lacks.
  const dialog = await setUpSession(board, { name: '', labels: LABELS, count: 6, people: ['Ann', 'Bo'] });
  await dialog.getByRole('button', { name: 'Open the session' }).click();
  await expect(dialog.getByRole('alert')).toHaveText('Give it a name.');
  await dialog.getByLabel('Name', { exact: true }).fill(NAME);
  const facilitator = await openSetUp(dialog, owner);
  await expect(facilitator.state).toHaveText('open');

  // It appears on the boards of the others by itself.
  await expect(annPage.getByRole('button', { name: 'Sessions (1)' })).toBeVisible();
  const ann = await enterSession(annBoard, NAME);
  const bo = await enterSession(boBoard, NAME);
  const heardByBo = overhear(boPage);
  const cy = await enterSession(cyBoard, NAME);
  await expect(cyPage.getByText('You have no queue in this session.')).toBeVisible();

  // Keys alone: label, skip, note, unsure, undo.
  await expect(ann.progress).toHaveText('0 of 6 labelled');
  const first = await ann.anchor.textContent();
  await expect(annPage.getByTestId('value')).toHaveText(/^[+−]\d/);
  await expect(annPage.getByTestId('by-token').getByRole('listitem').first()).toBeVisible();
  await ann.press('n');
  await annPage.keyboard.type(NOTE);
  await ann.press('Escape', '1');
  await expect(ann.anchor).not.toHaveText(first ?? '');
  await ann.press('s');
  await expect(ann.item(2)).toContainText('skipped');
  await ann.press('m', '2', '3');
  await expect(ann.progress).toHaveText('3 of 6 labelled');
  await ann.press('u');
  await expect(ann.progress).toHaveText('2 of 6 labelled');
  await ann.press('3');
  await ann.isSent();
  expect(await ann.labels()).toEqual(['copies', null, 'moves', 'noise', null, null]);

  // A reload in the middle loses nothing, and a second key changes a label.
  await annPage.reload();
  await ann.isReady();
  await expect(ann.progress).toHaveText('3 of 6 labelled');
  expect(await ann.labels()).toEqual(['copies', null, 'moves', 'noise', null, null]);
  await expect(ann.item(3)).toContainText('moves ?');
  await expect(ann.item(5)).toHaveAttribute('aria-current', 'true');
  await ann.press('k', '1', 'j', '1');
  await expect(ann.item(4)).toHaveAttribute('data-label', 'copies');

  // Without a connection labels wait in the browser, and are sent once.
  await ann.isSent();
  await annPage.context().setOffline(true);
  await ann.press('2');
  await expect(ann.progress).toHaveText('5 of 6 labelled');
  await expect(ann.outbox).toHaveAttribute('data-waiting', '1');
  const kept = await annPage.evaluate(() => Object.entries(localStorage).find(([key]) => key.startsWith('pathboard.labels.'))?.[1] ?? '');
  expect(kept).toContain('"authorId":');
  await annPage.context().setOffline(false);
  await ann.isSent();
  await expect(ann.outbox).toHaveAttribute('data-waiting', '0');

  // A pause is seen at once, and holds labels off.
  await facilitator.show('Facilitate');
  await owner.getByRole('button', { name: 'Pause' }).click();
  await expect(facilitator.state).toHaveText('paused');
  await expect(bo.banner).toContainText('paused');
  await bo.press('1');
  await expect(bo.progress).toHaveText('0 of 6 labelled');
  await owner.getByRole('button', { name: 'Resume' }).click();
  await expect(bo.banner).toContainText('Blind');

  // Bo labels four; the rest goes to Cy, who was not in it before.
  await bo.press('1', '2', '2', '3');
  await bo.isSent();
  await expect(facilitator.annotator('Bo').getByTestId('done')).toHaveText('4 of 6');
  await owner.getByRole('button', { name: 'Reassign what Bo has not labelled' }).click();
  await owner.getByLabel('Give 2 items of Bo to').selectOption('Cy');
  await owner.getByRole('button', { name: 'Reassign', exact: true }).click();
  await expect(facilitator.annotator('Cy').getByTestId('done')).toHaveText('0 of 2');
  await expect(bo.progress).toHaveText('4 of 4 labelled');
  await expect(bo.banner).toContainText('You have labelled everything');
  await expect(cy.progress).toHaveText('0 of 2 labelled');
  await inspect(cyPage, 'session-queue');
  await cy.press('1', '2');
  await ann.press('3');
  await Promise.all([ann.isSent(), cy.isSent()]);
  await expect(ann.progress).toHaveText('6 of 6 labelled');
  expect(await ann.labels()).toEqual(['copies', 'noise', 'moves', 'copies', 'copies', 'moves']);

  // Until now nobody was sent anything of it.
  await bo.show('Results');
  await expect(boPage.getByText('The labels are not revealed yet.')).toBeVisible();
  expect(heardByBo.length).toBeGreaterThan(5);
  expect(heardByBo.filter((text) => text.includes(NOTE))).toEqual([]);
  await expect(owner.getByTestId('total')).toHaveText('12 of 12 labels');
  await inspect(owner, 'session-facilitate');

  await owner.getByRole('button', { name: 'Reveal' }).click();
  await owner.getByRole('group').getByRole('button', { name: 'Reveal' }).click();
  await expect(facilitator.state).toHaveText('revealed');
  await expect(bo.agreement).toBeVisible();
  await ann.show('Results');

  // What is shown is what comes of the labels that were given.
  const given = {
    Ann: ['copies', 'noise', 'moves', 'copies', 'copies', 'moves'],
    Bo: ['copies', 'moves', 'moves', 'noise', null, null],
    Cy: [null, null, null, null, 'copies', 'moves'],
  };
  for (const page of [bo, ann]) {
    expect(await page.kappa('all labels')).toBeCloseTo(fleiss(Object.values(given)), 9);
    for (const label of LABELS) {
      const split = Object.values(given).map((row) => row.map((one) => (one === null ? null : String(one === label))));
      expect(await page.kappa(label)).toBeCloseTo(fleiss(split), 9);
    }
    expect(await page.kappa('Ann and Bo')).toBeCloseTo(cohen(given.Ann, given.Bo), 9);
    expect(await page.kappa('Ann and Cy')).toBeCloseTo(1, 9);
  }
  await expect(bo.agreement.locator('[data-row="all labels"]').getByTestId('interval')).toHaveText(/^\S+ … \S+$/);
  await expect(bo.agreement.locator('[data-row="Bo and Cy"]')).toContainText('no item has two labels');

  // Disagreements come first, and open their thread.
  const order = await boPage.locator('[data-result]').evaluateAll((rows) => rows.map((row) => Number(row.getAttribute('data-result'))));
  expect(order).toEqual([2, 4, 1, 3, 5, 6]);
  await expect(bo.result(1)).toContainText(`Ann “${NOTE}”`);
  await bo.result(2).getByRole('button', { name: 'Discuss' }).click();
  await bo.result(2).getByLabel('Write a comment').fill('it moves the name, look at its source');
  await bo.result(2).getByRole('button', { name: 'Comment', exact: true }).click();
  await expect(ann.result(2).getByRole('button', { name: 'Discuss (1 comment)' })).toBeVisible();
  await ann.result(2).getByRole('button', { name: 'Discuss' }).click();
  await expect(ann.result(2).getByTestId('thread')).toContainText('it moves the name');
  await inspect(boPage, 'session-results');

  // Who comes after the reveal sees everything, is told so, and does not count.
  await owner.getByLabel('Add an annotator').selectOption('Owner');
  await owner.getByRole('button', { name: 'Add', exact: true }).click();
  await facilitator.show('Your queue');
  await expect(facilitator.banner).toContainText('does not count in the agreement');
  await facilitator.press('j', '2');
  await expect(ann.result(2)).toContainText('Owner (after the reveal)');
  await annPage.reload();
  await expect(ann.agreement).toContainText('1 label given after the reveal not counted');
  expect(await ann.kappa('all labels')).toBeCloseTo(fleiss(Object.values(given)), 9);

  // An editor adopts a label for the board.
  await facilitator.show('Results');
  await owner.getByRole('button', { name: 'Adopt moves as a label of the board' }).first().click();
  const path = (await facilitator.result(2).getByRole('link').first().textContent()) ?? '';
  await expect(facilitator.result(2)).toContainText('on the board');

  await files(annPage, given);

  await facilitator.show('Facilitate');
  await owner.getByRole('button', { name: 'Close', exact: true }).click();
  await owner.getByRole('group').getByRole('button', { name: 'Close' }).click();
  await expect(ann.state).toHaveText('closed');
  await facilitator.show('Results');
  await facilitator.result(2).getByRole('link').first().click();
  const back = new BoardPage(owner);
  await back.isReady();
  await expect(owner.getByTestId('selected-path')).toHaveText(path);
  await expect(back.inspector.locator('[data-label="moves"]')).toBeVisible();
});

test('a session is set up by hand and by threshold, and every state of its screens is accessible', async ({ browser, owner, server }) => {
  const board = await unravel(owner);
  const page = await newcomer(browser, server.url);
  const annBoard = await follow(page, await board.invite('commenter'), 'Ann');
  const [suffix = ''] = await board.paths('suffix');
  await board.select(suffix);
  await owner.getByRole('button', { name: /^Sessions/ }).click();
  await inspect(owner, 'sessions-empty');
  const dialog = owner.getByRole('dialog', { name: 'Annotation sessions' });
  await dialog.getByRole('button', { name: 'Set up a session' }).click();
  await dialog.getByRole('button', { name: 'Fill in an example' }).click();
  await dialog.getByRole('radio', { name: 'paths from a size on' }).check();
  await dialog.getByLabel('At least').fill('1e9');
  await expect(dialog.getByText('No path is as large as that.')).toBeVisible();
  await dialog.getByLabel('At least').fill('5');
  await dialog.getByLabel('of', { exact: true }).selectOption({ label: '|share of the metric|, in %' });
  await expect(dialog.getByTestId('preview')).toHaveText(/The queue: \d+ items?/);
  await dialog.getByRole('radio', { name: 'by hand' }).check();
  await dialog.getByLabel(/^Paths, suffixes/).fill('a0.h0->nowhere');
  await expect(dialog.getByRole('alert')).toContainText('a0.h0->nowhere is no path');
  await dialog.getByLabel(/^Paths, suffixes/).fill('a0.h0->a1.h0');
  await dialog.getByRole('button', { name: `Add ${suffix}` }).click();
  await expect(dialog.getByTestId('preview')).toHaveText('The queue: 2 items');
  await dialog.getByRole('checkbox', { name: /^Ann / }).check();
  await dialog.getByRole('checkbox', { name: /^Hide values/ }).check();
  await inspect(owner, 'session-set-up');
  const facilitator = await openSetUp(dialog, owner);
  const ann = await enterSession(annBoard, 'What the largest paths do');
  await expect(page.getByText('Values and shares are hidden until the reveal.')).toBeVisible();
  await expect(page.getByTestId('by-token')).toHaveCount(0);
  await ann.press('?');
  await expect(page.getByRole('dialog', { name: 'Keys of the queue' })).toContainText('suppresses');
  // Keys are the sheet's while it is open.
  await ann.press('1');
  await page.keyboard.press('Escape');
  await expect(ann.progress).toHaveText('0 of 2 labelled');
  await ann.press('1', '2');
  await ann.isSent();
  await expect(ann.banner).toContainText('You have labelled everything');
  await inspect(page, 'session-done');
  await facilitator.show('Facilitate');
  await owner.getByRole('button', { name: 'Reveal' }).click();
  await owner.getByRole('group').getByRole('button', { name: 'Reveal' }).click();
  await facilitator.show('Results');
  await expect(facilitator.agreement).toContainText('no item has two labels');
  await inspect(owner, 'session-one-annotator');
});

async function files(page: Page, given: Record<string, (string | null)[]>): Promise<void> {
  const download = async (name: string) => {
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name }).click()]);
    return { name: file.suggestedFilename(), text: await readFile(await file.path(), 'utf8') };
  };
  const long = await download('CSV, a row a label');
  expect(long.name).toBe('pathboard-session-What-the-largest-paths-do-long.csv');
  const rows = long.text
    .trim()
    .split('\r\n')
    .slice(1)
    .map((line) => line.split(','));
  for (const [name, labels] of Object.entries(given)) {
    const theirs = rows.filter((cells) => cells[5] === name && cells[8] === 'true').map((cells) => [Number(cells[1]), cells[7]]);
    expect(theirs).toEqual(labels.flatMap((label, index) => (label === null ? [] : [[index + 1, label]])));
  }
  expect(rows.filter((cells) => cells[8] === 'false').map((cells) => [cells[5], cells[7]])).toEqual([['Owner', 'moves']]);
  const matrix = await download('CSV, a row an item');
  const head = matrix.text.split('\r\n')[0]!.split(',');
  const columns = matrix.text
    .trim()
    .split('\r\n')
    .slice(1)
    .map((line) => line.split(','));
  for (const [name, labels] of Object.entries(given)) {
    expect(columns.map((cells) => cells[head.indexOf(name)] || null)).toEqual(labels);
  }
  const json = JSON.parse((await download('JSON')).text) as {
    labels: string[];
    items: { labels: unknown[] }[];
    agreement: { fleiss: { value: number } };
  };
  expect(json.labels).toEqual(LABELS);
  expect(json.items.map(({ labels }) => labels.length)).toEqual([2, 3, 2, 2, 2, 2]);
  expect(json.agreement.fleiss.value).toBeCloseTo(fleiss(Object.values(given)), 12);
}

/** Fleiss' kappa of rows of labels by person, pair by pair; every item weighs the same. */
function fleiss(rows: readonly (readonly (string | null)[])[]): number {
  const items = rows[0]!
    .map((_, index) => rows.map((row) => row[index]).filter((label) => label !== null && label !== undefined))
    .filter((item) => item.length > 1);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const observed = mean(items.map((item) => mean(item.flatMap((a, i) => item.flatMap((b, j) => (i === j ? [] : [Number(a === b)]))))));
  const labels = [...new Set(items.flat())];
  const chance = labels.reduce(
    (sum, label) => sum + mean(items.map((item) => item.filter((one) => one === label).length / item.length)) ** 2,
    0,
  );
  return (observed - chance) / (1 - chance);
}

function cohen(first: readonly (string | null)[], second: readonly (string | null)[]): number {
  const both = first.flatMap((label, index) => (label !== null && second[index] ? [[label, second[index]] as const] : []));
  const part = (holds: (pair: readonly [string, string]) => boolean) => both.filter(holds).length / both.length;
  const observed = part(([a, b]) => a === b);
  const labels = [...new Set(both.flat())];
  const chance = labels.reduce((sum, label) => sum + part(([a]) => a === label) * part(([, b]) => b === label), 0);
  return (observed - chance) / (1 - chance);
}
