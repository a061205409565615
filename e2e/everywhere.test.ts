import { expect, join, test, unravel } from './actors.ts';
import { inspect } from './inspect.ts';

test('everything is found by typing, on a board and elsewhere', async ({ owner }) => {
  test.setTimeout(180_000);
  const board = await unravel(owner);
  const palette = owner.getByRole('dialog', { name: 'Commands' });
  const [suffix = ''] = await board.paths('suffix');

  await owner.keyboard.press('Control+k');
  await expect(palette.getByRole('combobox')).toBeFocused();
  await inspect(owner, 'palette');
  await owner.keyboard.type('show degr');
  await owner.keyboard.press('Enter');
  await expect(palette).toHaveCount(0);
  await expect(owner.getByRole('heading', { name: 'Degrees' })).toBeVisible();
  await expect(owner).toHaveURL(/view=degrees/);

  // What is typed may be a path, with whatever arrow.
  await owner.keyboard.press('Control+k');
  await owner.keyboard.type(suffix.replaceAll('->', ' → '));
  await owner.keyboard.press('Enter');
  await expect(owner.getByTestId('selected-path')).toHaveText(suffix);

  await owner.keyboard.press('Control+k');
  await owner.keyboard.type('label it');
  await owner.keyboard.press('Enter');
  await owner.keyboard.type('found by typing');
  await owner.keyboard.press('Enter');
  await owner.keyboard.press('Escape');
  await owner.keyboard.press('1');
  await expect(board.row(suffix)).toContainText('found by typing');

  const undo = owner.getByRole('button', { name: 'Take back your last edit' });
  await undo.click();
  await expect(board.row(suffix)).not.toContainText('found by typing');
  await expect(owner.getByRole('button', { name: 'Repeat it' })).toBeEnabled();
  await owner.keyboard.press('Control+y');
  await expect(board.row(suffix)).toContainText('found by typing');

  await owner.goto('/models');
  // A page hears keys once its scripts are there.
  await expect(async () => {
    await owner.keyboard.press('Control+k');
    await expect(palette).toBeVisible({ timeout: 500 });
  }).toPass();
  await owner.keyboard.type('start page');
  await owner.keyboard.press('Enter');
  await expect(owner).toHaveURL(/\/$/);
});

test('keys stay letters where something is being written', async ({ owner }) => {
  const board = await unravel(owner);
  const [suffix = ''] = await board.paths('suffix');
  await board.select(suffix);
  const comment = board.inspector.getByLabel('Write a comment');
  await comment.click();
  await owner.keyboard.type('lc?2');
  await expect(comment).toHaveValue('lc?2');
  await expect(owner.getByRole('dialog')).toHaveCount(0);
  await expect(owner).not.toHaveURL(/view=/);
});

test('one person follows another through views and selections', async ({ owner, visitor }) => {
  const board = await unravel(owner);
  const guest = await join(visitor, board, 'Vera Lind');
  const [suffix = '', other = ''] = await board.paths('suffix');
  await visitor.getByRole('list', { name: 'People here' }).getByRole('button').first().click();
  await board.select(suffix);
  await expect(visitor.getByTestId('selected-path')).toHaveText(suffix);
  await board.show('Degrees');
  await expect(visitor.getByRole('heading', { name: 'Degrees' })).toBeVisible();
  await board.show('Unravel');

  // Looking at something by oneself ends it.
  await guest.select(other);
  await expect(visitor.getByText('You see what')).toHaveCount(0);
  await board.select(suffix);
  await expect(visitor.getByTestId('selected-path')).toHaveText(other);
});
