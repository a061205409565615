import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, join, test, unravel } from './actors.ts';
import { cable } from './cable.ts';
import { inspect } from './inspect.ts';

test('a mechanism has members, a sum, a test, and is undone', async ({ owner, visitor }) => {
  const board = await unravel(owner);
  const guest = await join(visitor, board, 'Vera');
  const [suffix = '', other = ''] = await board.paths('suffix');
  await board.select(suffix);
  await owner.keyboard.press('g');
  const field = board.inspector.getByLabel('Add to a mechanism');
  await expect(field).toBeFocused();
  await field.selectOption('a new mechanism');
  await board.inspector.getByLabel('Name of the new mechanism').fill('copies the phrase');
  await owner.keyboard.press('Enter');
  await expect(owner.getByTestId('selected-path')).toHaveText('copies the phrase');
  await expect(guest.row(suffix)).toContainText('copies the phrase');
  await expect(board.inspector.getByTestId('mechanism-paths')).toBeVisible();
  const alone = await board.inspector.getByTestId('mechanism-paths').textContent();

  await guest.select(other);
  await guest.inspector.getByLabel('Add to a mechanism').selectOption('copies the phrase');
  await expect(guest.inspector.locator('[data-holding="copies the phrase"]')).toBeVisible();
  await expect(board.inspector.locator(`[data-member="${other}"]`)).toBeVisible();
  await expect(board.inspector.getByTestId('mechanism-paths')).not.toHaveText(alone ?? '');

  await board.inspector.getByLabel('Add a member').fill(`input->a0.h0->${suffix}`);
  await owner.keyboard.press('Enter');
  await expect(board.inspector.locator('[data-member]').filter({ hasText: 'counts once' })).toHaveCount(1);
  await board.inspector.getByLabel('Add a member').fill('no such thing!');
  await owner.keyboard.press('Enter');
  await expect(board.inspector.getByRole('alert')).toContainText('Not a path');
  await board.inspector.getByLabel('Add a member').fill('');
  await board.inspector.getByRole('button', { name: `Remove ${other} from the mechanism` }).click();
  await expect(board.inspector.getByTestId('mechanism-paths')).toHaveText(alone ?? '');

  await board.inspector.getByRole('button', { name: 'Path effect of all' }).click();
  await expect(board.inspector.getByTestId('joint-effect')).toBeVisible();

  await board.inspector.getByRole('button', { name: 'Select nothing' }).click();
  await expect(owner.locator('[data-mechanism="copies the phrase"]')).toBeVisible();
  await owner.locator('[data-mechanism="copies the phrase"]').click();
  await board.inspector.getByRole('button', { name: 'Delete mechanism' }).click();
  await board.inspector.getByRole('group', { name: 'Delete it for everyone?' }).getByRole('button', { name: 'Delete mechanism' }).click();
  await expect(guest.inspector.locator('[data-holding]')).toHaveCount(0);
  await owner.keyboard.press('Control+z');
  await expect(board.inspector.locator(`[data-member="${suffix}"]`)).toBeVisible();
});

/** The owner is the same person in every test. */
async function readAll(page: Page): Promise<void> {
  const status = await page.evaluate(async () => {
    const headers = { 'content-type': 'application/json' };
    return (await fetch('/api/notifications', { method: 'POST', headers, body: JSON.stringify({ ids: 'all' }) })).status;
  });
  expect(status).toBe(204);
}

test('a mention reaches the other’s screen, and its link opens the comment', async ({ owner, visitor }) => {
  await readAll(owner);
  const board = await unravel(owner);
  const guest = await join(visitor, board, 'Vera Lind');
  const [path = '', other = ''] = await board.paths('complete');
  await guest.select(other);
  await board.select(path);
  const field = board.inspector.getByLabel('Write a comment');
  await field.pressSequentially('what do you think, @ve');
  await expect(board.inspector.getByRole('option', { name: 'Vera Lind' })).toBeVisible();
  await owner.keyboard.press('Enter');
  await expect(field).toHaveValue('what do you think, @Vera Lind ');
  await field.press('Control+Enter');
  await expect(board.said('what do you think').locator('[data-mention]')).toHaveText('@Vera Lind');

  const bell = visitor.getByRole('button', { name: 'Notifications: 1 new' });
  await expect(bell).toBeVisible({ timeout: 3000 });
  await bell.click();
  await visitor.getByRole('link', { name: 'Owner mentioned you' }).click();
  await expect(visitor.getByTestId('selected-path')).toHaveText(path);
  const told = guest.said('what do you think');
  await expect(told).toBeFocused();
  await expect(told.locator('[data-mention="self"]')).toBeVisible();
  await expect(visitor.getByRole('button', { name: 'Notifications', exact: true })).toBeVisible();

  await board.select(other);
  await told.getByRole('button', { name: 'Reply' }).click();
  await guest.comment('I think so');
  await expect(owner.getByRole('button', { name: 'Notifications: 1 new' })).toBeVisible();
  await board.select(path);
  await expect(board.said('I think so')).toContainText('Owner: what do you think');
  await expect(board.said('I think so')).toHaveAttribute('data-unread', 'true');
  // In sight for a while: read.
  await expect(owner.getByRole('button', { name: 'Notifications', exact: true })).toBeVisible();

  const address = visitor.url();
  expect(address).toContain('comment=');
  await guest.select(other);
  await visitor.goto(address);
  await expect(guest.said('what do you think').first()).toBeFocused();
});

test('comments are Markdown with formulas and linked names, and nothing else', async ({ owner }) => {
  const board = await unravel(owner);
  const [path = ''] = await board.paths('complete');
  const [suffix = ''] = await board.paths('suffix');
  await board.select(path);
  await board.comment(
    [
      `**Larger** than \`${suffix}\`:`,
      '',
      '- by $\\frac{1}{2}$ and `code`',
      '',
      '<img src=x onerror="window.injected=1"> [x](javascript:window.injected=1) ![i](https://example.org/i.png)',
      '',
      '$$\\href{javascript:window.injected=1}{x} \\sum_i x_i$$',
    ].join('\n'),
  );
  const said = board.said('Larger');
  await expect(said.locator('strong')).toHaveText('Larger');
  await expect(said.locator('li')).toContainText('by');
  await expect(said.locator('math')).toHaveCount(2);
  await expect(said.locator('img')).toHaveCount(0);
  await expect(said).toContainText('<img src=x');
  expect(await said.locator('a').evaluateAll((links) => links.map((link) => link.getAttribute('href')))).toEqual([null]);
  expect(await said.locator('[href*="javascript"], [onerror], script').count()).toBe(0);
  expect(await owner.evaluate(() => 'injected' in window)).toBe(false);

  const name = said.getByRole('button', { name: suffix, exact: true });
  await name.hover();
  await expect(board.row(suffix)).toHaveAttribute('data-lit', 'true');
  await name.click();
  await expect(owner.getByTestId('selected-path')).toHaveText(suffix);
  await board.select(path);

  await said.getByRole('button', { name: 'Edit' }).click();
  await board.inspector.getByLabel('Edit').fill('Smaller');
  await board.inspector.getByRole('button', { name: 'Save' }).click();
  await board.said('Smaller').getByRole('button', { name: 'edited' }).click();
  await expect(board.inspector.getByTestId('comment-history')).toContainText('**Larger** than');
});

test('a reply written offline arrives once, where it answers', async ({ owner, visitor }) => {
  const board = await unravel(owner);
  const line = await cable(visitor);
  const guest = await join(visitor, board, 'Vera');
  const [path = ''] = await board.paths('complete');
  await board.select(path);
  await guest.select(path);
  await board.comment('asked');
  await guest.said('asked').getByRole('button', { name: 'Reply' }).click();
  await line.pull();
  await expect(guest.connection).toHaveAttribute('data-connection', 'offline');
  await guest.comment('answered @Owner');
  await expect(visitor.locator('[data-pending]')).toContainText('waiting to be sent');
  await line.plug();
  await expect(guest.connection).toHaveText('saved', { timeout: 30_000 });
  await expect(board.said('answered')).toHaveCount(1);
  await expect(board.said('answered')).toContainText('Owner: asked');
  await expect(owner.getByRole('button', { name: /^Notifications/ })).toHaveAttribute('data-unread', /[01]/);
});

test('a mechanism is discussed and tested, and evidence says what changed since', async ({ owner, visitor }) => {
  const board = await unravel(owner);
  const guest = await join(visitor, board, 'Vera');
  const [suffix = '', other = ''] = await board.paths('suffix');
  await board.select(suffix);
  await board.inspector.getByLabel('Add to a mechanism').selectOption('a new mechanism');
  await board.inspector.getByLabel('Name of the new mechanism').fill('copies');
  await owner.keyboard.press('Enter');
  await expect(owner.getByTestId('selected-path')).toHaveText('copies');
  await board.label('induction');
  await board.comment('one mechanism or two?');
  await visitor.getByRole('button', { name: 'copies', exact: false }).and(visitor.locator('[data-mechanism]')).click();
  await expect(guest.said('one mechanism or two?')).toBeVisible();

  const value = board.inspector.locator('section').filter({ has: owner.getByTestId('mechanism-paths') });
  await value.getByRole('button', { name: 'Attach to claim…' }).click();
  await value.getByLabel('Claim, one sentence').fill('It copies the phrase');
  await value.getByRole('button', { name: 'Attach', exact: true }).click();
  await board.show('Claims');
  const evidence = owner.locator('main [data-evidence]');
  await expect(evidence.locator('[data-verdict="holds"]').first()).toBeVisible();
  await expect(evidence.getByTestId('group-then')).toContainText('about copies as it was, 1 member');
  await expect(evidence.getByTestId('group-then')).not.toContainText('changed since');

  await guest.inspector.getByLabel('Add a member').fill(other);
  await visitor.keyboard.press('Enter');
  await expect(evidence.getByTestId('group-then')).toContainText('changed since');
  await evidence.getByTestId('group-then').locator('summary').click();
  await expect(evidence.locator('ins')).toHaveText(`+ ${other}`);
  await evidence.getByRole('button', { name: 'Run again' }).click();
  await expect(evidence.locator('[data-agrees="true"]')).toBeVisible();
});

test('a claim from a template meets contrary evidence and a stance against, and its verdict changes', async ({ owner, visitor }) => {
  await readAll(owner);
  const board = await unravel(owner);
  const guest = await join(visitor, board, 'Vera');
  await board.show('Claims');
  await owner.getByLabel('or from a template').selectOption('Short paths carry the metric');
  const form = owner.getByRole('region', { name: 'Short paths carry the metric' });
  await form.getByLabel('Degree').fill('2');
  await form.getByRole('button', { name: 'Try it' }).click();
  await expect(form.locator('[data-step="degrees"] [data-verdict="holds"]')).toBeVisible();
  await expect(form.getByRole('button', { name: 'Make the claim' })).toBeEnabled();
  await form.getByLabel('Degree').fill('1.5');
  await expect(form.getByRole('alert')).toHaveText('A whole number from 0.');
  await form.getByLabel('Degree').fill('2');
  await form.getByRole('button', { name: 'Make the claim' }).click();
  const card = owner.locator('main [data-claim]');
  await expect(card.getByTestId('claim-verdict')).toHaveText(/holds/);
  await expect(card.getByRole('heading', { level: 3 })).toContainText('Paths of degree 2 or less carry 90% of the metric here.');

  await card.getByRole('button', { name: /^Edit the sentence/ }).click();
  await card.getByLabel('Claim, one sentence').fill('Short paths carry it all');
  await card.getByRole('button', { name: 'Save' }).click();
  await guest.show('Claims');
  const theirs = visitor.locator('main [data-claim]');
  await expect(theirs.getByRole('heading', { level: 3 })).toContainText('Short paths carry it all');
  await theirs.getByRole('button', { name: 'against' }).click();
  await expect(card.getByTestId('disagreement')).toContainText('against it, but the evidence holds');
  await expect(card.getByRole('button', { name: /^Edit the sentence/ })).toBeDisabled();
  await expect(owner.getByRole('button', { name: 'Notifications: 1 new' })).toBeVisible();

  await theirs.getByRole('button', { name: 'Add evidence' }).click();
  await theirs.getByLabel('Predicate').fill('share(degree <= 0) >= 0.9 and error < 1');
  await theirs.getByRole('button', { name: 'Run and attach' }).click();
  await expect(card.getByTestId('claim-verdict')).toHaveText(/fails/);
  await expect(card.locator('[data-evidence]').nth(1).getByRole('list', { name: 'Tests of the predicate' }).locator('li')).toHaveCount(2);
  await expect(owner.getByRole('button', { name: 'Notifications: 2 new' })).toBeVisible();
  await owner.getByRole('combobox', { name: 'show', exact: true }).selectOption('holds');
  await expect(card).toHaveCount(0);
  await owner.getByRole('combobox', { name: 'show', exact: true }).selectOption('fails');
  await expect(card).toHaveCount(1);
  await owner.reload();
  await expect(card).toHaveCount(1);
});

test('every template makes its claim on the built-in model', async ({ owner }) => {
  const board = await unravel(owner);
  const [first = '', second = ''] = (await board.paths('suffix')).filter((path) => /^a\d/.test(path));
  await board.show('Claims');
  const choose = owner.getByLabel('or from a template');
  const verdicts: Record<string, string[]> = {};
  for (const title of [
    'The residual expansion is exact here',
    'These paths explain the metric',
    'This path matters causally',
    'These two paths are redundant',
    'This model is almost linear here',
    'Long paths hardly matter here',
  ]) {
    await choose.selectOption(title);
    const form = owner.getByRole('region', { name: title });
    const paths = form.getByLabel('Paths, one a line');
    if (await paths.isVisible()) await paths.fill(title.includes('two') || title.includes('explain') ? `${first}\n${second}` : first);
    await form.getByRole('button', { name: 'Try it' }).click();
    await expect(form.getByRole('button', { name: 'Make the claim' })).toBeEnabled({ timeout: 30_000 });
    verdicts[title] = await form
      .locator('[data-step] > p [data-verdict]')
      .evaluateAll((all) => all.map((one) => one.getAttribute('data-verdict') ?? ''));
    await form.getByRole('button', { name: 'Make the claim' }).click();
    await expect(form).toHaveCount(0);
  }
  await expect(owner.locator('main [data-claim]')).toHaveCount(6);
  expect(Object.values(verdicts).flat()).not.toContain('not tested');
  expect(verdicts['The residual expansion is exact here']).toEqual(['fails', 'holds']);
});

test('tokens and runs are discussed, and all threads are listed', async ({ owner }) => {
  const board = await unravel(owner);
  await owner.getByLabel('Discuss a token of the prompt').selectOption({ index: 2 });
  await expect(owner.getByTestId('selected-path')).toContainText('token 1');
  await owner.keyboard.press('Escape');
  await board.comment('about this token');
  await expect(board.said('about this token')).toBeVisible();
  await board.show('Degrees');
  await owner.getByRole('button', { name: 'Discuss this run' }).first().click();
  await expect(owner.getByTestId('selected-path')).toHaveText('run: degrees');
  await board.comment('about this run');
  await expect(board.said('about this run')).toBeVisible();
  await board.inspector.getByRole('button', { name: 'Resolve' }).click();

  await board.show('Claims');
  await owner.getByRole('group', { name: 'What is shown' }).getByRole('button', { name: 'Threads' }).click();
  const rows = owner.locator('main [data-thread]');
  await expect(rows).toHaveCount(1);
  await owner.getByRole('combobox', { name: 'show', exact: true }).selectOption('all');
  await expect(rows).toHaveCount(2);
  await rows.filter({ hasText: 'token 1' }).getByRole('button').click();
  await expect(board.said('about this token')).toBeFocused();
});

test('what is debated is accessible in light and dark, and fits a phone', async ({ owner, visitor }) => {
  test.setTimeout(240_000);
  const board = await unravel(owner);
  const guest = await join(visitor, board, 'Vera Lind');
  const [suffix = '', other = ''] = await board.paths('suffix');
  await guest.select(suffix);
  await guest.label('copies the phrase');
  await guest.comment(`**Larger** than \`${other}\`, by $\\frac{1}{2}$. @Owner, do you agree?\n\n- once\n- twice`);
  await board.select(suffix);
  await expect(board.said('Larger').locator('math')).toBeVisible();
  await board.inspector.getByLabel('Add to a mechanism').selectOption('a new mechanism');
  await owner.keyboard.press('Enter');
  await board.inspector.getByLabel('Add a member').fill(`${other}, a0.h0, a0.h1->a1.h0, a1.h0`);
  await owner.keyboard.press('Enter');
  await expect(board.inspector.getByTestId('no-sum')).toBeVisible();
  await inspect(owner, 'debate-mechanism');
  await owner.getByRole('button', { name: /^Notifications/ }).click();
  await expect(owner.locator('[data-notification]').first()).toBeVisible();
  // What lies half under the list is not what is looked at here.
  for (const colorScheme of ['dark', 'light'] as const) {
    await owner.emulateMedia({ colorScheme });
    const { violations } = await new AxeBuilder({ page: owner }).include('section[aria-label="Notifications"]').analyze();
    expect.soft(violations.map(({ id }) => id)).toEqual([]);
  }
  await owner
    .getByRole('link', { name: /mentioned you/ })
    .first()
    .click();
  await expect(board.said('Larger')).toBeFocused();
  await board.inspector.getByLabel('Write a comment').pressSequentially('@Ve');
  await expect(board.inspector.getByRole('option', { name: 'Vera Lind' })).toBeVisible();
  await inspect(owner, 'debate-thread');
  await owner.keyboard.press('Escape');
  await board.show('Claims');
  await owner.getByLabel('or from a template').selectOption('The residual expansion is exact here');
  await owner.getByRole('button', { name: 'Try it' }).click();
  await expect(owner.locator('[data-step="identity"]')).toBeVisible();
  await inspect(owner, 'debate-template');
  await owner.getByRole('region', { name: 'The residual expansion is exact here' }).getByRole('button', { name: 'Make the claim' }).click();
  await expect(owner.locator('main [data-evidence]')).toHaveCount(2);
  await inspect(owner, 'debate-claims');
  await owner.getByRole('group', { name: 'What is shown' }).getByRole('button', { name: 'Threads' }).click();
  await inspect(owner, 'debate-threads');
  await board.inspector.getByRole('button', { name: 'Select nothing' }).click();
  await inspect(owner, 'debate-lists');
});
