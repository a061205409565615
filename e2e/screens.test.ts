import { expect, join, test, unravel } from './actors.ts';
import { AnalysesPage } from './analyses-page.ts';
import { FOLDER, WIDE, inspect } from './inspect.ts';

/** axe looks at every screen twice, which takes a while where few cores are free. */
test.setTimeout(300_000);

test('every page is accessible in light and dark, and fits a phone', async ({ owner, visitor }) => {
  await visitor.goto('/');
  await inspect(visitor, 'signed-out');
  await inspect(owner, 'start');
  await owner.goto('/models');
  await inspect(owner, 'models');
  await owner.goto('/no-such-page');
  await inspect(owner, 'not-found');

  await owner.goto('/');
  const board = await unravel(owner);
  await visitor.goto(await board.invite());
  await inspect(visitor, 'join');
});

test('every view of a board is accessible in light and dark, and fits a phone', async ({ browser, owner, visitor }) => {
  const board = await unravel(owner);
  const guest = await join(visitor, board, 'Vera Lind');
  const [suffix = '', other = ''] = await board.paths('suffix');
  await guest.select(other);
  await board.select(suffix);
  await owner.keyboard.press('ArrowRight');
  await expect(board.row(suffix)).toHaveAttribute('aria-expanded', 'true');
  await board.label('copies the phrase');
  await guest.label('writes the name');
  await board.comment(`Larger than \`${other}\`, and it attends to the first occurrence.`);
  await board.inspector.getByRole('button', { name: 'Path effect' }).click();
  await expect(board.inspector.getByTestId('effect').first()).toBeVisible();
  await inspect(owner, 'board-unravel');

  await board.inspector.locator('[data-run]').getByRole('button', { name: 'Attach to claim…' }).first().click();
  await board.inspector.getByLabel('Claim, one sentence').first().fill('This head moves the answer to the phrase that was there before');
  await inspect(owner, 'board-attach');
  await board.inspector.getByRole('button', { name: 'Attach', exact: true }).click();
  await expect(board.inspector.locator('[data-verdict="holds"]')).toBeVisible();

  await board.show('Degrees');
  await expect(owner.locator('[data-degree]').first()).toBeVisible();
  await inspect(owner, 'board-degrees');
  await board.show('Claims');
  await owner.getByRole('button', { name: 'against' }).first().click();
  await expect(owner.getByTestId('disagreement').first()).toBeVisible();
  await inspect(owner, 'board-claims');

  await owner.getByRole('button', { name: 'Edit prompt' }).click();
  await inspect(owner, 'board-prompt');
  await owner.getByRole('form', { name: 'Edit prompt' }).getByRole('button', { name: 'Cancel' }).click();
  await owner.getByTestId('target-button').click();
  await expect(owner.getByRole('listbox').getByRole('option').first()).toBeVisible();
  await inspect(owner, 'board-picker');
  await owner.keyboard.press('Escape');
  await owner.getByRole('button', { name: 'Help' }).click();
  await inspect(owner, 'board-help');
  await owner.keyboard.press('Escape');

  await owner.getByRole('button', { name: 'Publish', exact: true }).first().click();
  await inspect(owner, 'board-publish');
  await owner.keyboard.press('Escape');

  const address = await board.publish({
    title: 'A head that repeats what came before',
    question: 'Which paths make the model repeat the phrase?',
    findings: 'Mostly **one suffix**, see the claim.\n\n- its effect is causal\n- the sum is exact for *this* run',
  });
  const context = await browser.newContext({ bypassCSP: true, viewport: WIDE });
  const page = await context.newPage();
  await page.goto(new URL(address, owner.url()).href);
  await inspect(page, 'published');
  await page.screenshot({ path: `${FOLDER}published-full.png`, fullPage: true });
  await context.close();
});

test('every kind of analysis is accessible in light and dark, and fits a phone', async ({ owner }) => {
  const board = await unravel(owner);
  await board.show('Analyses');
  const analyses = new AnalysesPage(owner);
  await inspect(owner, 'board-analyses-empty');
  for (const title of ['Flow', 'Orders', 'Attribution', 'Composition']) {
    await analyses.choose(title);
    await analyses.run();
    await inspect(owner, `board-analyses-${title.toLowerCase()}`);
  }
});

test('the chosen colours stay, on every page', async ({ owner }) => {
  const ground = () => owner.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await ground();
  const toggle = owner.getByRole('button', { name: /^Colours/ });
  await toggle.click();
  await toggle.click();
  await expect(toggle).toHaveText('dark');
  const dark = await ground();
  expect(dark).not.toBe(light);
  await owner.goto('/models');
  expect(await ground()).toBe(dark);
  await toggle.click();
  await expect(toggle).toHaveText('auto');
  expect(await ground()).toBe(light);
});
