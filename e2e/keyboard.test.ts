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
