import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, test, unravel } from './actors.ts';
import { AnalysesPage } from './analyses-page.ts';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

async function open(page: Page) {
  const board = await unravel(page);
  await board.show('Analyses');
  return { board, analyses: new AnalysesPage(page) };
}

/** A metric or sum as it is written, as a number. */
const numberIn = (text: string, what: string) => Number(new RegExp(`${what} (−?[\\d.]+)`).exec(text)?.[1]?.replace('−', '-') ?? Number.NaN);

test('flow: what flows into the logits is the metric, and the file holds the same numbers', async ({ owner }) => {
  const { board, analyses } = await open(owner);
  await expect(owner.getByText('Nothing computed yet')).toBeVisible();
  await analyses.choose('Flow');
  await analyses.run();
  const metric = await board.metric();
  await expect(analyses.facts).toContainText(`metric ${metric}`);
  await expect(analyses.facts).toContainText(/identity error \d+(e−\d+)?/);
  await expect(owner.getByRole('img', { name: /Flow through edges: the 30 largest of/ })).toBeVisible();

  const { file, head, rows } = await analyses.csv();
  expect(file).toBe('pathboard-attn-2l-flow.csv');
  expect(head).toEqual(['edge', 'value (logits)']);
  const intoLogits = rows.filter(([edge]) => edge!.endsWith('->logits')).reduce((sum, [, value]) => sum + Number(value), 0);
  expect(intoLogits).toBeCloseTo(Number(metric), 2);
  const shown = await analyses.numbers('value');
  for (const [edge, value] of [...shown].slice(0, 5)) expect(rows).toContainEqual([edge, String(value)]);

  await test.step('it sorts, filters, and its names select', async () => {
    const sizes = [...shown.values()].map(Math.abs);
    expect(sizes).toEqual(sizes.toSorted((left, right) => right - left));
    await analyses.terms.getByRole('button', { name: 'value' }).click();
    await expect(analyses.terms.getByRole('columnheader', { name: 'value' })).toHaveAttribute('aria-sort', 'descending');
    await owner.getByRole('searchbox', { name: 'Filter names' }).fill('input->a0.h1');
    await expect(analyses.terms.locator('[data-term]')).toHaveCount(1);
    await analyses.terms.getByRole('button', { name: 'input->a0.h1', exact: true }).click();
    await expect(owner.getByTestId('selected-path')).toHaveText('input->a0.h1');
    await expect(owner).toHaveURL(/select=input-%3Ea0\.h1/);
  });

  await test.step('the keyboard moves through it and selects', async () => {
    await owner.getByRole('searchbox', { name: 'Filter names' }).fill('');
    await analyses.terms.focus();
    await owner.keyboard.press('End');
    await owner.keyboard.press('ArrowUp');
    const active = analyses.terms.locator(`[id="${await analyses.terms.getAttribute('aria-activedescendant')}"]`);
    await expect(active).toBeInViewport({ ratio: 1 });
    const name = (await active.getAttribute('data-term')) ?? '';
    await owner.keyboard.press('Enter');
    await expect(owner.getByTestId('selected-path')).toHaveText(name);
  });

  await test.step('an edge leads to its patch, but for a bias, which is the same in every run', async () => {
    await owner.getByRole('searchbox', { name: 'Filter names' }).fill('->a1.h2');
    await analyses.terms.getByRole('button', { name: 'a0.b->a1.h2' }).click();
    await expect(owner.getByRole('button', { name: 'Ablate a1.h2' })).toBeVisible();
    await expect(owner.getByRole('button', { name: 'Patch this edge' })).toHaveCount(0);
    await analyses.terms.getByRole('button', { name: 'a0.h3->a1.h2' }).click();
    await owner.getByRole('button', { name: 'Patch this edge' }).click();
    await expect(analyses.form.getByLabel('Edges', { exact: true })).toHaveValue('a0.h3->a1.h2');
    await analyses.run();
    await expect(analyses.facts).toContainText('against counterfactual');
  });
});

test('orders: the last degree has the model’s own loss, and a link gives the same numbers', async ({ owner }) => {
  const { analyses } = await open(owner);
  await analyses.choose('Orders');
  await analyses.run();
  await expect(owner.getByRole('img', { name: 'Loss when only paths up to a degree count' })).toBeVisible();
  const losses = await analyses.numbers('value');
  expect([...losses.keys()]).toEqual(['0', '1', '2']);
  expect(losses.get('2')).toBeGreaterThanOrEqual(0);

  const address = owner.url();
  expect(address).toMatch(/view=analyses&a=orders&q=/);
  await owner.goto('about:blank');
  await owner.goto(address);
  await analyses.isDone();
  expect(await analyses.numbers('value')).toEqual(losses);
  await expect(analyses.form.getByLabel('Asked of')).toHaveValue('own');
  await expect(owner.getByTestId('elsewhere')).toHaveCount(0);
});

test('a link keeps the question that it was made for', async ({ owner }) => {
  const { board, analyses } = await open(owner);
  await analyses.choose('Flow');
  await analyses.run();
  const before = await board.metric();
  const address = owner.url();
  await owner.getByTestId('foil-button').click();
  await owner.getByRole('option', { name: 'no foil: the plain logit' }).click();
  await expect(owner.getByTestId('metric')).not.toHaveText(before);
  await board.isSaved();

  await owner.goto('about:blank');
  await owner.goto(address);
  await analyses.isDone();
  await expect(analyses.facts).toContainText(`metric ${before}`);
  await expect(owner.getByTestId('elsewhere')).toBeVisible();
  await owner.getByRole('button', { name: 'Use the board’s' }).click();
  await expect(owner.getByText('The settings above are not those of these numbers.')).toBeVisible();
  await analyses.run();
  await expect(analyses.facts).toContainText(`metric ${await board.metric()}`);
});

test('edge patch: several edges, each alone and together', async ({ owner }) => {
  const { board, analyses } = await open(owner);
  await analyses.choose('Edge patch');
  await analyses.form.getByRole('button', { name: 'Run' }).click();
  await expect(analyses.form.getByRole('alert')).toHaveText('expected at least one name');
  await analyses.form.getByLabel('Edges', { exact: true }).fill('input->a1.h2\na0.h3->a1.h2<k>');
  await analyses.form.getByLabel('Also all of them at once').check();
  await analyses.run();
  const after = await analyses.numbers('value');
  const change = await analyses.numbers('change');
  expect([...after.keys()]).toEqual(['input->a1.h2', 'a0.h3->a1.h2<k>', 'together']);
  for (const [name, value] of after) expect(value - change.get(name)!).toBeCloseTo(Number(await board.metric()), 2);
  expect(numberIn((await analyses.facts.textContent()) ?? '', 'all at once')).toBeCloseTo(after.get('together')!, 2);
  expect((await analyses.csv()).head).toEqual(['edge', 'metric after it (logits)', 'change (logits)']);

  await analyses.form.getByLabel('Edges', { exact: true }).fill('a9.h0->logits');
  await analyses.form.getByRole('button', { name: 'Run' }).click();
  await expect(owner.getByRole('main').getByRole('alert')).toContainText('expected');
  await expect(owner.getByRole('button', { name: 'Try again' })).toBeVisible();
});

test('ablation against the mean of a generated set, over that set', async ({ owner }) => {
  const { analyses } = await open(owner);
  await analyses.choose('Ablation');
  await analyses.form.getByLabel('Asked of').selectOption('a generated set');
  await analyses.form.getByLabel('Examples').fill('6');
  await analyses.form.getByLabel('Seed of the set').fill('3');
  await analyses.form.getByLabel('Nodes to ablate').fill('a0.h3 a1.h2');
  await analyses.form.getByLabel('Against').selectOption('mean of a prompt set');
  await analyses.run();
  await expect(analyses.facts).toContainText('over 6 examples');
  await expect(analyses.facts).toContainText('against mean');
  const values = await analyses.numbers('value');
  const { head, rows } = await analyses.csv();
  expect(head.slice(0, 4)).toEqual(['node', 'metric after it (logits)', 'change (logits)', 'standard deviation (logits)']);
  expect(head.slice(4)).toEqual([1, 2, 3, 4, 5, 6].map((number) => `metric after it, example ${number} (logits)`));
  for (const [node, mean, , , ...each] of rows) {
    expect(Number(mean)).toBe(values.get(node!));
    expect(each.reduce((sum, value) => sum + Number(value), 0) / each.length).toBeCloseTo(Number(mean), 6);
  }
  await expect(owner.getByRole('grid', { name: 'Examples' })).toBeVisible();

  await owner.goto('about:blank');
  await owner.goBack();
  await analyses.isDone();
  expect(await analyses.numbers('value')).toEqual(values);
  await expect(analyses.form.getByLabel('Seed of the set')).toHaveValue('3');
});

test('composition needs no prompt', async ({ owner }) => {
  const { analyses } = await open(owner);
  await analyses.choose('Composition');
  await expect(analyses.form.getByLabel('Asked of')).toHaveCount(0);
  await analyses.run();
  await expect(analyses.facts).toContainText(/random q \d/);
  await expect(owner.getByRole('img', { name: 'Composition into the key' })).toBeVisible();
  const { head, rows } = await analyses.csv();
  expect(head).toEqual(['pair of heads', 'into the query (composition)', 'into the key (composition)', 'into the value (composition)']);
  expect(rows).toHaveLength(64);
  for (const cell of rows.flatMap((row) => row.slice(1))) expect(Number(cell)).toBeGreaterThan(0);
});

test('a path’s nodes lead to their analyses, filled in', async ({ owner }) => {
  const board = await unravel(owner);
  const analyses = new AnalysesPage(owner);
  await owner.goto(`${new URL(owner.url()).pathname}?select=input-%3Ea1.h2-%3Elogits`);
  await board.isReady();
  await board.inspector.getByRole('button', { name: 'Open a1.h2' }).click();
  await expect(analyses.form.getByLabel('Path', { exact: true })).toHaveValue('input->a1.h2->logits');
  await expect(analyses.form.getByLabel('Node of the path')).toHaveValue('a1.h2');
  await analyses.run();
  await expect(analyses.facts).toContainText('identity error');
  await board.inspector.getByRole('button', { name: 'Ablate a1.h2' }).click();
  await expect(analyses.form.getByLabel('Nodes to ablate')).toHaveValue('a1.h2');
});

test('an analysis is cancelled and started again', async ({ owner }) => {
  const { analyses } = await open(owner);
  await owner.route('**/api/analyze', () => new Promise(() => undefined));
  await analyses.choose('Attribution');
  await analyses.form.getByRole('button', { name: 'Run' }).click();
  await expect(analyses.form.getByRole('button', { name: 'Run' })).toBeDisabled();
  await owner.getByRole('main').getByRole('button', { name: 'Cancel' }).click();
  await expect(owner.getByText('Cancelled before it was done.')).toBeVisible();
  await owner.unroute('**/api/analyze');
  await owner.getByRole('button', { name: 'Try again' }).click();
  await analyses.isDone();
  await expect(owner.getByRole('img', { name: /Attribution of edges/ })).toBeVisible();
});

test('analyses are accessible in both colour schemes, and scroll inside their tables on a phone', async ({ owner }) => {
  const { analyses } = await open(owner);
  await analyses.choose('Heads');
  await analyses.form.getByLabel('Heads to show patterns of').fill('a1.h2');
  await analyses.run();
  for (const colorScheme of ['light', 'dark'] as const) {
    await owner.emulateMedia({ colorScheme });
    const { violations } = await new AxeBuilder({ page: owner }).withTags(RULES).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join('\n  ')}`)).toEqual([]);
  }
  await owner.setViewportSize({ width: 390, height: 800 });
  expect(await owner.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);
  await owner.getByLabel('Analysis', { exact: true }).selectOption('Ablation');
  await expect(owner.getByRole('heading', { level: 2, name: 'Ablation' })).toBeVisible();
});
