import { expect, join, test, unravel } from './actors.ts';

test('comments are edited and deleted by their author, threads resolved and reopened', async ({ owner, visitor }) => {
  const board = await unravel(owner);
  const guest = await join(visitor, board, 'Vera');
  const [path = ''] = await board.paths('complete');
  await board.select(path);
  await guest.select(path);

  await board.comment('a frist thought');
  const said = board.said('a frist thought');
  await said.getByRole('button', { name: 'Edit' }).click();
  await board.inspector.getByLabel('Edit').fill('a first thought with <b>no markup</b>');
  await board.inspector.getByRole('button', { name: 'Save' }).click();
  await expect(guest.said('a first thought with <b>no markup</b>')).toContainText('edited');

  await board.inspector.getByRole('button', { name: 'Resolve' }).click();
  await expect(guest.inspector).toContainText('resolved by Owner');
  await guest.inspector.getByRole('button', { name: 'Reopen' }).click();
  await expect(board.inspector).not.toContainText('resolved by');

  await board.said('a first thought').getByRole('button', { name: 'Delete' }).click();
  await expect(guest.said('a first thought')).toHaveCount(0);
});

test('a label is renamed and removed, and one used elsewhere is suggested', async ({ owner, visitor }) => {
  const board = await unravel(owner);
  const guest = await join(visitor, board, 'Vera');
  const [path = '', other = ''] = await board.paths('suffix');
  await board.select(path);
  await board.label('inducton');
  await board.inspector.getByRole('button', { name: 'Rename label inducton' }).click();
  await board.inspector.getByLabel('Rename label inducton').fill('induction');
  await owner.keyboard.press('Enter');
  await expect(guest.row(path)).toContainText('induction');

  await guest.select(other);
  await guest.inspector.getByLabel('Add a label').click();
  const used = guest.inspector.getByRole('listbox', { name: 'Labels used on this board' });
  await expect(used.getByRole('option')).toHaveText(['induction']);
  await visitor.keyboard.press('ArrowDown');
  await visitor.keyboard.press('Enter');
  await expect(guest.row(other)).toContainText('induction');
  await guest.select(path);
  await guest.inspector.getByRole('button', { name: 'Remove label induction' }).click();
  await expect(board.row(path)).not.toContainText('induction');
});

test('a stance has a reason, and can be taken back', async ({ owner, visitor }) => {
  const board = await unravel(owner);
  await join(visitor, board, 'Vera');
  await board.show('Claims');
  await owner.locator('main').getByLabel('Claim, one sentence').first().fill('Short paths carry it');
  await owner.locator('main').getByRole('button', { name: 'Make the claim' }).first().click();
  await visitor.getByRole('button', { name: 'Claims', exact: true }).click();
  await visitor.getByRole('button', { name: 'unsure' }).click();
  await visitor.getByRole('button', { name: 'add a reason' }).click();
  await visitor.getByLabel('Your reason').fill('only one prompt');
  await visitor.getByRole('button', { name: 'Save' }).click();
  await expect(owner.locator('[data-stance="unsure"]')).toHaveText('Vera unsure – only one prompt');
  await visitor.getByRole('button', { name: 'unsure' }).click();
  await expect(owner.locator('[data-stance]')).toHaveCount(0);
});

test('what takes long can be cancelled, and what failed be tried again', async ({ owner }) => {
  const board = await unravel(owner);
  await owner.route('**/api/analyze', () => {});
  await owner.getByRole('button', { name: 'Open until 95%' }).click();
  await owner.getByRole('button', { name: 'Cancel' }).click();
  await expect(owner.getByRole('button', { name: 'Open until 95%' })).toBeEnabled();
  await expect(owner.locator('main').getByRole('alert')).toHaveCount(0);
  await owner.unroute('**/api/analyze');

  await owner.route('**/api/analyze', (route) => route.abort());
  await board.show('Degrees');
  await expect(owner.locator('main').getByRole('alert').first()).toContainText('cannot be reached');
  await owner.unroute('**/api/analyze');
  await owner.getByRole('button', { name: 'Try again' }).first().click();
  await expect(owner.locator('[data-degree]').first()).toBeVisible();
});
