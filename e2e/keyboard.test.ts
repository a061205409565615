import type { Page } from '@playwright/test';
import { expect, test, unravel } from './actors.ts';

test('a path is found, opened, labelled and the label taken back by keyboard alone', async ({ owner }) => {
  const board = await unravel(owner);
  const [suffix = ''] = await board.paths('suffix');

  for (let presses = 0; presses < 60; presses++) {
    await owner.keyboard.press('Tab');
    if (await board.grid.evaluate((element) => element === document.activeElement)) break;
  }
  await expect(board.grid).toBeFocused();
  await expect(owner.getByTestId('selected-path')).toHaveText('logits');
  for (let presses = 0; presses < 20; presses++) {
    if ((await owner.getByTestId('selected-path').textContent()) === suffix) break;
    await owner.keyboard.press('ArrowDown');
  }
  await expect(board.row(suffix)).toHaveAttribute('aria-selected', 'true');
  await owner.keyboard.press('Enter');
  await expect(board.row(suffix)).toHaveAttribute('aria-expanded', 'true');
  await owner.keyboard.press('ArrowRight');
  await expect(owner.getByTestId('selected-path')).toHaveText(new RegExp(`->${suffix.replaceAll('.', '\\.')}$`));
  await owner.keyboard.press('ArrowLeft');
  await expect(owner.getByTestId('selected-path')).toHaveText(suffix);

  await owner.getByRole('button', { name: 'Open until 95%' }).click();
  await expect(owner.getByRole('button', { name: 'Open until 95%' })).toBeEnabled();
  await board.grid.focus();
  for (const key of ['End', 'ArrowUp', 'PageUp', 'PageUp', 'Home', 'PageDown']) {
    await owner.keyboard.press(key);
    await expect(board.grid.locator('[role=row][aria-selected=true]')).toBeInViewport({ ratio: 1 });
  }
  await board.select(suffix);
  await board.grid.focus();

  await owner.keyboard.press('l');
  await owner.keyboard.type('by hand');
  await owner.keyboard.press('Enter');
  await expect(board.row(suffix)).toContainText('by hand');
  await owner.keyboard.press('Escape');
  await expect(board.grid).toBeFocused();
  await owner.keyboard.press('Control+z');
  await expect(board.row(suffix)).not.toContainText('by hand');
  await owner.keyboard.press('Control+Shift+z');
  await expect(board.row(suffix)).toContainText('by hand');

  await owner.keyboard.press('c');
  await owner.keyboard.type('typed only');
  await owner.keyboard.press('Control+Enter');
  await expect(board.said('typed only')).toBeVisible();
  await owner.keyboard.press('Escape');
  await owner.keyboard.press('?');
  await expect(owner.getByRole('dialog', { name: 'Keys and signs' })).toBeVisible();
  await owner.keyboard.press('Escape');
  await expect(owner.getByRole('dialog')).toHaveCount(0);
});

test('a claim is made from a template, and a stance taken with a reason, by keyboard alone', async ({ owner }) => {
  await unravel(owner);
  await command(owner, 'Show Claims');
  await expect(owner.getByRole('heading', { name: 'Claims', level: 2 })).toBeVisible();

  await tabTo(owner, 'combobox', /^or from a template/);
  await owner.keyboard.press('ArrowDown');
  await expect(owner.getByRole('region', { name: 'The residual expansion is exact here' })).toBeVisible();
  await owner.keyboard.press('ArrowDown');
  const form = owner.getByRole('region', { name: 'Short paths carry the metric' });
  await expect(form).toBeVisible();
  await tabTo(owner, 'textbox', 'Degree');
  await owner.keyboard.press('Control+a');
  await owner.keyboard.type('2');
  await tabTo(owner, 'button', 'Try it');
  await owner.keyboard.press('Enter');
  await expect(form.locator('[data-step="degrees"] [data-verdict="holds"]')).toBeVisible();
  await tabTo(owner, 'button', 'Make the claim');
  await owner.keyboard.press('Enter');
  const card = owner.locator('main [data-claim]');
  await expect(card.getByRole('heading', { level: 3 })).toContainText('Paths of degree 2 or less carry 90% of the metric here.');
  await expect(card.getByTestId('claim-verdict')).toHaveText(/holds/);

  await tabTo(owner, 'button', 'for');
  await owner.keyboard.press('Space');
  await expect(card.locator('[data-stance="for"]')).toBeVisible();
  await tabTo(owner, 'button', 'add a reason');
  await owner.keyboard.press('Enter');
  await owner.keyboard.type('The 2 largest paths are short.');
  await owner.keyboard.press('Enter');
  await expect(card.locator('[data-stance="for"]')).toContainText('The 2 largest paths are short.');
});

test('a board is published by keyboard alone', async ({ owner }) => {
  await unravel(owner);
  await command(owner, 'Publish the board');
  const dialog = owner.getByRole('dialog', { name: 'Publish this board as a page' });
  await expect(dialog).toBeVisible();
  await tabTo(owner, 'textbox', 'Title');
  await owner.keyboard.press('Control+a');
  await owner.keyboard.type('Published by keys');
  await owner.keyboard.press('Tab');
  await owner.keyboard.type('Can it be done?');
  await owner.keyboard.press('Tab');
  await owner.keyboard.type('- by `Tab`');
  await owner.keyboard.press('Enter');
  await owner.keyboard.type('- and by `Enter`');
  await tabTo(owner, 'checkbox', 'Anonymous, for double-blind review');
  await owner.keyboard.press('Space');
  await expect(dialog.getByRole('checkbox', { name: 'Anonymous, for double-blind review' })).toBeChecked();
  await tabTo(owner, 'button', 'Publish');
  await owner.keyboard.press('Enter');
  await expect(dialog.getByTestId('published-link')).toBeVisible();

  await tabTo(owner, 'link', /^\/p\//);
  const [page] = await Promise.all([owner.context().waitForEvent('page'), owner.keyboard.press('Enter')]);
  await expect(page.getByRole('heading', { level: 1, name: 'Published by keys' })).toBeVisible();
  await expect(page.getByText('Can it be done?')).toBeVisible();
  await expect(page.getByRole('listitem').filter({ hasText: 'and by Enter' })).toBeVisible();
  await page.close();
  await owner.keyboard.press('Escape');
  await expect(owner.getByRole('dialog')).toHaveCount(0);
});

/** Finds a command by its title, and runs it. */
async function command(page: Page, title: string): Promise<void> {
  await page.keyboard.press('Control+k');
  await expect(page.getByRole('dialog', { name: 'Commands' }).getByRole('combobox')).toBeFocused();
  await page.keyboard.type(title);
  await expect(page.getByRole('option', { name: title, selected: true })).toBeVisible();
  await page.keyboard.press('Enter');
}

/** More than any screen of the tests has to tab through. */
const TABS = 120;

/** Presses Tab until the focus is on what has this role and name. */
async function tabTo(page: Page, role: 'button' | 'checkbox' | 'combobox' | 'link' | 'textbox', name: string | RegExp): Promise<void> {
  const wanted = page.getByRole(role, { name, exact: true });
  for (let presses = 0; presses < TABS; presses++) {
    await page.keyboard.press('Tab');
    if (await wanted.evaluateAll((elements) => elements.some((element) => element === document.activeElement))) return;
  }
  throw new Error(`keyboard: expected ${role} ${String(name)} within ${TABS} presses of Tab, got it nowhere`);
}
