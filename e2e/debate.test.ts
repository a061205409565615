import { expect, join, test, unravel } from './actors.ts';
import { cable } from './cable.ts';

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

test('a mention reaches the other’s screen, and its link opens the comment', async ({ owner, visitor }) => {
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

  await told.getByRole('button', { name: 'Reply' }).click();
  await guest.comment('I think so');
  await expect(board.said('I think so')).toContainText('Owner: what do you think');
  await expect(board.said('I think so')).toHaveAttribute('data-unread', 'true');
  await expect(owner.getByRole('button', { name: 'Notifications: 1 new' })).toBeVisible();
  // In sight for a while: read.
  await expect(owner.getByRole('button', { name: 'Notifications', exact: true })).toBeVisible();

  const address = visitor.url();
  expect(address).toContain('comment=');
  await guest.select(other);
  await visitor.goto(address);
  await expect(guest.said('what do you think')).toBeFocused();
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
