import { expect, join, test, unravel } from './actors.ts';

test('the start page says beside the prompt what is wrong with it', async ({ owner }) => {
  const prompt = owner.getByLabel('Prompt');
  const alert = owner.locator('main').getByRole('alert');
  await prompt.fill('');
  await owner.getByRole('button', { name: 'Unravel' }).click();
  await expect(alert).toContainText(/prompt: expected/);
  await prompt.fill('word '.repeat(5000));
  await owner.getByRole('button', { name: 'Unravel' }).click();
  await expect(alert).toContainText(/expected at most|tokens/);
  await expect(owner).toHaveURL(/\/$/);
  await owner.reload();
  await expect(owner.getByText('word word')).toHaveCount(0);
});

test('the board says beside each field what is wrong with it, and keeps its setup', async ({ owner }) => {
  const board = await unravel(owner);
  const metric = await board.metric();

  await owner.getByTestId('target-button').click();
  const target = owner.getByRole('combobox', { name: 'target' });
  await target.fill('999999999');
  await target.press('Enter');
  await expect(owner.getByRole('alert').filter({ hasText: 'target' })).toContainText('expected');
  await target.press('Escape');

  await owner.getByRole('button', { name: 'Edit prompt' }).click();
  const form = owner.getByRole('form', { name: 'Edit prompt' });
  await form.getByLabel('Counterfactual prompt').fill('one');
  await form.getByRole('button', { name: 'Apply' }).click();
  await expect(form.getByRole('alert')).toContainText(/counterfactual: expected/);
  await form.getByLabel('Counterfactual prompt').fill('');
  await form.getByLabel('Prompt', { exact: true }).fill('');
  await form.getByRole('button', { name: 'Apply' }).click();
  await expect(form.getByRole('alert')).toContainText(/prompt: expected/);
  await form.getByRole('button', { name: 'Cancel' }).click();

  expect(await board.metric()).toBe(metric);
});

test('an invitation that does not exist and a board that is not ours are refused', async ({ owner, visitor }) => {
  await visitor.goto('/join/no-such-token');
  await expect(visitor.getByRole('heading', { level: 1 })).toHaveText('This invitation cannot be used');
  const board = await unravel(owner);
  const theirs = new URL(board.page.url()).pathname;
  for (const path of [theirs, '/boards/nobody-has-this']) {
    await visitor.goto(path);
    await expect(visitor).toHaveURL(`/sign-in?to=${path}`);
  }
  await expect(visitor.getByText('npm run -s pathboard -- link')).toBeVisible();

  await owner.goto('/');
  await join(visitor, await unravel(owner), 'Vera');
  for (const path of [theirs, '/boards/nobody-has-this']) expect((await visitor.goto(path))?.status()).toBe(404);
});

test('position, target and foil change for everyone, and a link opens the same place', async ({ owner }) => {
  const board = await unravel(owner);
  const before = await board.metric();
  const tokens = owner.getByRole('radiogroup').getByRole('radio');
  await tokens.nth(1).click();
  await expect(tokens.nth(1)).toBeChecked();
  await expect(owner.getByTestId('metric')).not.toHaveText(before);
  await owner.keyboard.press('End');
  await expect(tokens.last()).toBeChecked();
  await expect(owner.getByTestId('metric')).toHaveText(before);

  await owner.getByTestId('foil-button').click();
  await owner.getByRole('option', { name: 'no foil: the plain logit' }).click();
  await expect(owner.getByTestId('foil-button')).toHaveText('none');
  await expect(owner.getByTestId('metric')).not.toHaveText(before);

  await board.isSaved();
  await owner.goto(`${new URL(owner.url()).pathname}?select=input-%3Ea0.h0-%3Elogits&view=degrees`);
  await board.isReady();
  await expect(owner.getByRole('img', { name: /^Exact: the sum of all frozen paths of each degree/ })).toBeVisible();
  await expect(owner.getByTestId('selected-path')).toHaveText('input->a0.h0->logits');
  await board.show('Unravel');
  await expect(board.row('input->a0.h0->logits')).toBeVisible();
});
