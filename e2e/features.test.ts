import { expect, join, test, unravel } from './actors.ts';
import { importDictionary } from './dictionary.ts';
import { inspect } from './inspect.ts';

test.setTimeout(180_000);

const exact = async (locator: { getAttribute: (name: string) => Promise<string | null> }, name = 'data-exact') =>
  Number((await locator.getAttribute(name)) ?? Number.NaN);

test('a path is split over the features of a dictionary; a feature is labelled, looked into and ablated', async ({
  owner,
  visitor,
  server,
}) => {
  await importDictionary(server.home, { name: 'stream-0', hook: 'blocks.0.hook_resid_post', seed: 1 });
  await importDictionary(server.home, { name: 'stream-1', hook: 'blocks.1.hook_resid_post', seed: 2 });
  const board = await unravel(owner);
  const [suffix = ''] = await board.paths('suffix');
  await board.select(suffix);
  const table = board.inspector.getByTestId('features');

  await test.step('the exact sum is that of all rows, the error among them', async () => {
    await board.inspector
      .getByLabel('Dictionary')
      .selectOption({ label: 'stream-1 · the stream at blocks.1.hook_resid_post, 48 features' });
    await expect(table).toBeVisible();
    const values = await table
      .locator('tbody [data-exact]')
      .evaluateAll((cells) => cells.map((cell) => Number(cell.getAttribute('data-exact'))));
    expect(values.length).toBeGreaterThan(5);
    const sum = board.inspector.getByTestId('features-sum');
    const [total, whole] = [await exact(sum), await exact(sum, 'data-whole')];
    const mass = values.reduce((all, value) => all + Math.abs(value), 0);
    expect(Math.abs(values.reduce((all, value) => all + value, 0) - total)).toBeLessThan(1e-6 * mass);
    expect(Math.abs(total - whole)).toBeLessThan(1e-5 * mass);
    await expect(table.locator('[data-feature="f1.error"]')).toBeVisible();
    await expect(table.getByText('identity')).toBeVisible();
    // The value of the suffix is what is split.
    const selected = (await board.inspector.getByTestId('selected-value').textContent())!.replace('−', '-');
    expect(whole).toBeCloseTo(Number(selected), 2);
  });
  await inspect(owner, 'board-features');

  await test.step('it goes away as CSV', async () => {
    const [file] = await Promise.all([
      owner.waitForEvent('download'),
      board.inspector.getByRole('button', { name: 'Download Features of the path as CSV' }).click(),
    ]);
    expect(file.suggestedFilename()).toBe('pathboard-attn-2l-features.csv');
  });

  const first = table.locator('tbody tr[data-feature]').first();
  const name = (await first.getAttribute('data-feature')) ?? '';
  const worth = await exact(first.locator('[data-exact]'));

  await test.step('a feature is selected by keyboard, and its numbers are the row’s', async () => {
    await first.getByRole('button', { name }).focus();
    await owner.keyboard.press('Enter');
    await expect(owner.getByTestId('selected-path')).toHaveText(name);
    await expect(owner).toHaveURL(new RegExp(`select=${name.replace('.', '\\.')}%23[0-9a-f]{8}`));
    const value = board.inspector.getByTestId('feature-value');
    await expect(value).toBeVisible();
    expect(await exact(value)).toBeCloseTo(worth, 4);
    await expect(board.inspector.getByTestId('feature-positions').locator('[data-token]').first()).toBeVisible();
    await expect(board.inspector.getByTestId('feature-tokens').getByRole('listitem')).toHaveCount(16);
  });

  await test.step('what it reads sums to what it is worth, also over another dictionary’s features', async () => {
    const sum = board.inspector.getByTestId('feature-edges-sum');
    await expect(sum).toBeVisible();
    expect(await exact(sum, 'data-whole')).toBeCloseTo(worth, 4);
    expect(await exact(sum)).toBeCloseTo(worth, 3);
    await board.inspector.getByLabel('Split earlier nodes over').selectOption('stream-0');
    const edge = board.inspector.getByTestId('feature-edges').locator('[data-value-of*="f0."]').first();
    await expect(edge).toBeVisible();
    expect(await exact(board.inspector.getByTestId('feature-edges-sum'))).toBeCloseTo(worth, 3);
  });

  await test.step('it is labelled, talked about, and others see it', async () => {
    await board.label('fires on names');
    await board.comment(`Compare \`${name}\` with the rest.`);
    await expect(board.said('Compare')).toBeVisible();
    const guest = await join(visitor, board, 'Vera Lind');
    await visitor.goto(owner.url());
    await expect(visitor.getByTestId('selected-path')).toHaveText(name);
    await expect(guest.inspector.locator('[data-label="fires on names"]')).toBeVisible();
    await expect(guest.said('Compare')).toBeVisible();
  });

  await test.step('it is ablated: a causal test that a claim can point at', async () => {
    await board.inspector.getByRole('button', { name: 'Ablate the feature' }).click();
    const result = board.inspector.locator('[data-run]').first();
    await expect(result.getByTestId('effect')).toBeVisible();
    await expect(result.getByTitle('What happened to the metric when something was changed.')).toBeVisible();
    await result.getByRole('button', { name: 'Attach to claim…' }).click();
    await board.inspector.getByLabel('Claim, one sentence').first().fill('This feature matters here');
    await board.inspector.getByRole('button', { name: 'Attach', exact: true }).click();
    await expect(board.inspector.locator('[data-verdict="holds"]')).toBeVisible();
  });
  await inspect(owner, 'board-feature');

  await test.step('the row of the path shows the label', async () => {
    await board.select(suffix);
    await expect(table.locator(`[data-feature="${name}"]`)).toContainText('fires on names');
  });
});

test('the same is computed in this browser', async ({ owner, server }) => {
  await importDictionary(server.home, { name: 'stream-here', hook: 'blocks.1.hook_resid_pre', seed: 3 });
  const board = await unravel(owner);
  const [suffix = ''] = await board.paths('suffix');
  await board.select(suffix);
  await board.inspector
    .getByLabel('Dictionary')
    .selectOption({ label: 'stream-here · the stream at blocks.1.hook_resid_pre, 48 features' });
  const sum = board.inspector.getByTestId('features-sum');
  await expect(sum).toBeVisible();
  const there = await exact(sum);
  await owner.getByTestId('device').click();
  await owner.getByRole('radio', { name: 'This browser' }).click();
  await expect(owner.getByRole('dialog')).toContainText('passed on known numbers', { timeout: 90_000 });
  const asked: string[] = [];
  owner.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await owner.keyboard.press('Escape');
  await expect(owner.getByTestId('device')).toContainText('this browser, wasm');
  await expect(sum).toBeVisible({ timeout: 60_000 });
  await expect.poll(() => asked.some((path) => /dictionaries\/[0-9a-f]{64}\/sae_weights/.test(path)), { timeout: 60_000 }).toBe(true);
  await expect(board.inspector.getByTestId('features')).toBeVisible({ timeout: 60_000 });
  expect(await exact(sum)).toBeCloseTo(there, 4);
  expect(asked.filter((path) => path === '/api/analyze')).toEqual([]);
});
