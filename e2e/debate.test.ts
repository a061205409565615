import { expect, join, test, unravel } from './actors.ts';

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
