import { expect, join, test, unravel } from './actors.ts';

test('a version is named, compared, gone back to, and that taken back', async ({ owner, visitor }) => {
  const board = await unravel(owner);
  const guest = await join(visitor, board, 'Vera', 'viewer');
  const [path = ''] = await board.paths('complete');
  await board.select(path);
  await guest.select(path);
  await board.label('the first idea');
  await board.comment('said before');
  await expect(board.said('said before')).toBeVisible();
  await board.isSaved();

  const dialog = owner.getByRole('dialog', { name: 'History of this board' });
  await owner.getByRole('button', { name: 'History' }).click();
  await dialog.getByLabel('Name the current state').fill('Before the meeting');
  await dialog.getByRole('button', { name: 'Keep' }).click();
  await expect(dialog.getByTestId('versions')).toContainText('Before the meeting');
  await dialog.getByRole('button', { name: 'Close' }).click();

  await board.inspector.getByRole('button', { name: 'Remove label the first idea' }).click();
  await board.label('the second idea');
  await board.comment('said after');
  await expect(board.said('said after')).toBeVisible();
  await board.isSaved();

  await owner.getByRole('button', { name: 'History' }).click();
  await dialog.getByRole('button', { name: /Before the meeting/ }).click();
  await expect(dialog.locator('[data-difference="added"]')).toContainText('the first idea');
  await expect(dialog.locator('[data-difference="removed"]')).toContainText('the second idea');
  await dialog.getByRole('button', { name: 'Restore this version' }).click();
  await expect(board.notice).toContainText('Restored “Before the meeting”. Ctrl-Z takes it back.');
  await expect(guest.inspector.locator('[data-label]')).toHaveText(['the first idea']);
  await expect(guest.said('said after')).toBeVisible();

  await board.grid.focus();
  await owner.keyboard.press('Control+z');
  await expect(guest.inspector.locator('[data-label]')).toHaveText(['the second idea']);

  await test.step('it is renamed and deleted; a viewer only looks', async () => {
    await visitor.getByRole('button', { name: 'History' }).click();
    const look = visitor.getByRole('dialog', { name: 'History of this board' });
    await look.getByRole('button', { name: /Before the meeting/ }).click();
    await expect(look.getByTestId('differences')).toContainText('the first idea');
    for (const name of ['Restore this version', 'Rename', 'Delete', 'Keep'])
      await expect(look.getByRole('button', { name })).toHaveCount(0);

    await owner.getByRole('button', { name: 'History' }).click();
    await dialog.getByRole('button', { name: /Before the meeting/ }).click();
    await dialog.getByRole('button', { name: 'Rename' }).click();
    await dialog.getByLabel('New name').fill('After the meeting');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect(dialog.getByTestId('versions')).toContainText('After the meeting');
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await dialog.getByRole('group').getByRole('button', { name: 'Delete' }).click();
    await expect(dialog.getByTestId('versions').getByText('After the meeting')).toHaveCount(0);
  });
});
