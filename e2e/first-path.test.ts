import type { Browser } from '@playwright/test';
import { expect, join, test, unravel } from './actors.ts';

/** A reader without a session and without scripts. */
async function reader(browser: Browser) {
  const context = await browser.newContext({ javaScriptEnabled: false });
  return { page: await context.newPage(), close: () => context.close() };
}

test('from a prompt to a published page, by two people', async ({ browser, owner, visitor }) => {
  const board = await unravel(owner);

  await test.step('the metric is an exact sum of what is listed and what is unopened', async () => {
    await expect(owner.getByTestId('metric-line')).toContainText(
      /metric −?\d+\.\d{3} = −?\d+\.\d{3} in \d+ paths? \+ −?\d+\.\d{3} unopened/,
    );
    await expect(owner.getByTestId('device')).toContainText(/cpu fp32, identity error \d+(e−\d+)?/);
  });

  const [suffix = ''] = await board.paths('suffix');
  await test.step('a row opens into its children', async () => {
    await board.select(suffix);
    await owner.keyboard.press('ArrowRight');
    await expect(board.row(suffix)).toHaveAttribute('aria-expanded', 'true');
    await expect(owner.locator(`[data-path$="->${suffix}"]`).first()).toBeVisible();
  });

  await test.step('open until 95%', async () => {
    const totals = owner.getByTestId('totals');
    const before = (await totals.textContent()) ?? '';
    await owner.getByRole('button', { name: 'Open until 95%' }).click();
    await expect(totals).not.toHaveText(before);
    await expect(owner.getByRole('button', { name: 'Open until 95%' })).toBeEnabled();
    await expect(totals).toContainText(await board.metric());
  });

  await test.step('a taken name is refused beside its field', async () => {
    await visitor.goto(await board.invite());
    await visitor.getByLabel('Your name').fill('owner');
    await visitor.getByRole('button', { name: 'Join' }).click();
    await expect(visitor.getByRole('alert').filter({ hasText: 'name: expected' })).toContainText('nobody else in the workspace');
  });
  const guest = await join(visitor, board, 'Vera');

  await test.step('each sees the other, and what the other looks at', async () => {
    await expect(owner.locator('[data-person="Vera"]')).toBeVisible();
    await expect(visitor.locator('[data-person="Owner"]')).toBeVisible();
    await expect(guest.row(suffix).getByRole('img', { name: 'Owner looks at this path' })).toBeVisible();
    await guest.select('logits');
    await expect(board.row('logits').getByRole('img', { name: 'Vera looks at this path' })).toBeVisible();
    await guest.select(suffix);
  });

  await test.step('a label appears on the other side', async () => {
    await board.label('copies the name');
    await expect(guest.row(suffix)).toContainText('copies the name');
    await expect(guest.inspector.locator('[data-label="copies the name"]')).toBeVisible();
  });

  await test.step('they talk, and a path in a comment selects it', async () => {
    await board.comment('Is `input->logits` larger?');
    await expect(guest.said('larger?')).toContainText('Owner');
    await guest.comment('No. Look at input->logits itself');
    await expect(board.said('No.')).toContainText('Vera');
    await expect(board.row(suffix).getByLabel('2 comments')).toBeVisible();
    await expect(board.said('No.').getByRole('button', { name: 'Edit' })).toHaveCount(0);
    await expect(guest.said('larger?').getByRole('button', { name: 'Delete' })).toHaveCount(0);
    await guest.said('larger?').getByRole('button', { name: 'input->logits' }).click();
    await expect(visitor.getByTestId('selected-path')).toHaveText('input->logits');
    await expect(visitor).toHaveURL(/select=input/);
    await board.inspector.getByRole('button', { name: 'Resolve' }).click();
    await expect(board.inspector).toContainText('resolved by Owner');
  });

  let effect = '';
  await test.step('the path is tested and the run attached to a claim', async () => {
    await board.inspector.getByRole('button', { name: 'Path effect' }).click();
    const result = board.inspector.getByTestId('effect').first();
    await expect(result).toHaveText(/[+−]\d+\.\d{3}|[+−]\d\.\de−\d+/);
    effect = (await result.textContent()) ?? '';
    await expect(board.inspector.locator('[data-run]').first()).toContainText('causal');
    await board.inspector.locator('[data-run]').getByRole('button', { name: 'Attach to claim…' }).first().click();
    await board.inspector.getByLabel('Claim, one sentence').first().fill('This suffix moves the answer');
    const predicate = board.inspector.getByLabel('Predicate');
    const proposed = await predicate.inputValue();
    await predicate.fill('effect(nonsense');
    await expect(board.inspector.getByRole('alert').filter({ hasText: 'predicate, column' })).toBeVisible();
    await predicate.fill(proposed);
    await board.inspector.getByRole('button', { name: 'Attach', exact: true }).click();
    await expect(board.inspector.locator('[data-verdict="holds"]')).toBeVisible();
  });

  await test.step('both see the verdict, and that they disagree with it', async () => {
    await board.show('Claims');
    await guest.show('Claims');
    for (const page of [owner, visitor]) {
      const card = page.locator('[data-claim]').filter({ hasText: 'This suffix moves the answer' });
      await expect(card.getByTestId('claim-verdict')).toContainText('holds');
    }
    await visitor.getByRole('button', { name: 'against' }).click();
    await expect(owner.locator('[data-stance="against"]')).toContainText('Vera');
    await expect(owner.getByTestId('disagreement')).toContainText('the evidence holds');
  });

  await test.step('run again agrees', async () => {
    await visitor.getByRole('button', { name: 'Run again' }).click();
    await expect(owner.locator('[data-agrees="true"]')).toContainText('Vera');
  });

  await test.step('a claim about the degrees is tested by an identity', async () => {
    await owner.locator('main').getByLabel('Claim, one sentence').first().fill('All paths together are the metric');
    await owner.locator('main').getByRole('button', { name: 'Make the claim' }).first().click();
    const card = owner.locator('[data-claim]').filter({ hasText: 'All paths together' });
    await expect(card.getByTestId('claim-verdict')).toContainText('not tested');
    await card.getByRole('button', { name: 'Add evidence' }).click();
    await card.getByLabel('Predicate').fill('error < 1e-3');
    await card.getByRole('button', { name: 'Run and attach' }).click();
    await expect(card.getByTestId('claim-verdict')).toContainText('holds');
  });

  await test.step('the published page shows the same numbers, without scripts or a session', async () => {
    const metric = await board.metric();
    await board.show('Degrees');
    const rows = owner.locator('[data-degree]');
    await expect(rows.first()).toBeVisible();
    const degrees = await rows.evaluateAll((elements) => elements.map((element) => element.querySelector('td')?.textContent ?? ''));
    const compared = effect.replace('+', '');
    const fields = { title: 'What the suffix does', question: 'Does it matter?', findings: 'It **does**.\n\n- see the claim' };
    const first = await board.publish(fields);
    const { page, close } = await reader(browser);
    await page.goto(new URL(first, owner.url()).href);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('What the suffix does');
    await expect(page.locator('body')).toContainText(metric);
    for (const value of degrees) await expect(page.locator('svg[aria-labelledby^="degrees"]')).toContainText(value);
    await expect(page.locator('.claim').first()).toContainText(compared);
    await expect(page.getByText('copies the name').first()).toBeVisible();
    await expect(page.getByText('Is input->logits larger?')).toBeVisible();
    await expect(page.locator('header')).toContainText('version 1');
    // Nothing runs here, and the page is whole.
    expect(await page.locator('script:not([src^="/p-assets/"])').count()).toBe(0);

    const second = await board.publish({ ...fields, findings: 'It does, again.' });
    expect(second).not.toBe(first);
    const address = new URL(first, owner.url()).pathname.replace(/\/v\d+$/, '');
    await page.goto(new URL(address, owner.url()).href);
    await expect(page.locator('header')).toContainText('version 2');
    await page.goto(new URL(`${address}/v1`, owner.url()).href);
    await expect(page.locator('header')).toContainText('version 1');
    await expect(page.getByText('see the claim')).toBeVisible();
    await close();
  });
});
