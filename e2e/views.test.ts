import type { Locator, Page } from '@playwright/test';
import type { AnalyzeRequest, Answer } from '../lib/engine/index.ts';
import { expect, join, test, unravel } from './actors.ts';
import type { BoardPage } from './board-page.ts';
import { cellsOf, saved } from './csv.ts';
import { inspect } from './inspect.ts';

/** What the example of the start page asks. */
const EXAMPLE = {
  model: 'attn-2l',
  prompt: 'In June old Darcy went to Texas. In July old',
  target: ' Darcy',
  foil: ' Crawford',
};

/** The same question put to the API, as any script would. */
function ask(page: Page, request: Omit<AnalyzeRequest, 'model'> & { model?: string }): Promise<Answer> {
  const bare = request.view === 'composition' || request.view === 'circuits';
  const body = JSON.stringify({ ...(bare ? { model: EXAMPLE.model } : EXAMPLE), ...request });
  return page.evaluate(async (text) => {
    const headers = { 'content-type': 'application/json', accept: 'application/json' };
    const response = await fetch('/api/analyze', { method: 'POST', headers, body: text });
    if (!response.ok) throw new Error(await response.text());
    return response.json() as Promise<Answer>;
  }, body);
}

/** Exact numbers of a column by name, of the rows in sight. */
async function column(grid: Locator, key: string): Promise<[string, number][]> {
  await expect(grid.locator('[data-term]').first()).toBeVisible();
  return grid
    .locator('[data-term]')
    .evaluateAll(
      (rows, name) =>
        rows.map((row): [string, number] => [
          row.getAttribute('data-term') ?? '',
          Number(row.querySelector(`[data-column="${name}"]`)?.getAttribute('data-exact') ?? Number.NaN),
        ]),
      key,
    );
}

const exact = async (locator: Locator) => Number(await locator.getAttribute('data-exact'));
const valueOf = ({ terms }: Answer, name: string) => terms.find((term) => term.name === name)!;

test.describe('Unravel', () => {
  test('is an exact partition at every moment, filtered or not, and a link opens the same rows', async ({ browser, owner }) => {
    const board = await unravel(owner);
    const metric = Number(await board.metric());
    const totals = async () => [
      await exact(owner.locator('[data-total="complete"]')),
      await exact(owner.locator('[data-total="remainder"]')),
    ];
    const isWhole = async () => {
      const [complete, remainder] = await totals();
      expect(complete! + remainder!).toBeCloseTo(metric, 2);
    };
    await isWhole();
    const [suffix = ''] = await board.paths('suffix');
    await board.row(suffix).dblclick();
    await expect(board.row(suffix)).toHaveAttribute('aria-expanded', 'true');
    await isWhole();
    const split = await ask(owner, { view: 'suffixes', paths: [suffix], top: 1000 });
    for (const { name, value } of split.terms.slice(0, 3)) {
      await expect(board.row(name)).toContainText(Math.abs(value!).toFixed(3));
    }

    await test.step('open until so much, then filter', async () => {
      await owner.getByLabel('How much to open').selectOption('90%');
      await owner.getByRole('button', { name: 'Open until 90%' }).click();
      await expect(owner.getByTestId('totals')).toContainText(/\d% of Σ\|value\| lies in complete paths/);
      await isWhole();
      await owner.getByRole('searchbox', { name: 'Filter the rows by name or label' }).fill('input->A0.H1');
      await expect(owner.locator('[data-path*="->"]:not([data-path*="input->a0.h1"])').first()).toBeAttached();
      const shown = await owner.locator('[data-path^="input->"]').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-path')));
      expect(shown.length).toBeGreaterThan(0);
      for (const name of shown) expect(name).toContain('input->a0.h1');
      await expect(owner.locator('[data-fold]').first()).toContainText('that the filter hides');
      await isWhole();
      await owner.getByRole('searchbox', { name: 'Filter the rows by name or label' }).fill('');
      await owner.getByLabel('Least share of the metric').selectOption('≥ 5%');
      const shares = await owner.locator('[data-path]').evaluateAll((rows) => rows.map((row) => row.children[3]?.textContent ?? ''));
      for (const share of shares) expect(Math.abs(Number.parseFloat(share.replace('−', '-')))).toBeGreaterThanOrEqual(4.95);
      await owner.getByLabel('Least share of the metric').selectOption('any share');
    });

    await test.step('what is taken away holds the same numbers', async () => {
      const shown = await saved(owner, owner.getByRole('button', { name: 'Download Unravel as CSV' }));
      const { head, rows } = cellsOf(shown.text);
      expect(head).toEqual(['path', 'is', 'depth', 'degree', 'value (logits)', 'share of the metric', 'labels']);
      const root = await ask(owner, { view: 'suffixes', top: 1000 });
      for (const { name, value } of root.terms.slice(0, 3)) {
        expect(Number(rows.find(([path]) => path === name)![4])).toBeCloseTo(value!, 6);
      }
      const all = cellsOf((await saved(owner, owner.getByRole('button', { name: 'Download every opened path as CSV' }))).text);
      const leaves = all.rows.filter(([, is]) => is !== 'suffix, opened');
      expect(leaves.reduce((sum, cells) => sum + Number(cells[4]), 0)).toBeCloseTo(root.metric!, 4);
      const picture = await saved(owner, owner.getByRole('button', { name: 'Download Unravel as SVG' }));
      expect(picture.text).toMatch(/^<svg [^]*<title [^]*<desc [^]*<\/svg>$/);
      const png = await saved(owner, owner.getByRole('button', { name: 'Download Unravel as PNG' }));
      expect(png.text.slice(1, 4)).toBe('PNG');
    });

    await test.step('the link opens them for somebody else', async () => {
      await expect(owner).toHaveURL(/unravel\.open=/);
      const rows = await owner.locator('[data-path]').evaluateAll((all) => all.map((row) => row.getAttribute('data-path')));
      const context = await browser.newContext({
        storageState: await owner.context().storageState(),
        baseURL: new URL(owner.url()).origin,
      });
      const page = await context.newPage();
      await page.goto(owner.url());
      await expect(page.locator('[data-path]')).toHaveCount(rows.length);
      expect(await page.locator('[data-path]').evaluateAll((all) => all.map((row) => row.getAttribute('data-path')))).toEqual(rows);
      await expect(page.getByLabel('How much to open')).toHaveValue('90');
      await context.close();
    });
  });

  test('rows, tokens and the inspector light each other, and other people’s cursors', async ({ owner, visitor }) => {
    const board = await unravel(owner);
    const guest = await join(visitor, board, 'Vera');
    const path = 'a1.h2->logits';

    await board.row(path).hover();
    await expect(owner.getByTestId('paint')).toContainText(`By source token: ${path}`);
    const split = await ask(owner, { view: 'suffixes', paths: [path], byToken: true, top: 1000 });
    const reads = split.tokens.map((_, token) =>
      split.terms.reduce((sum, term) => sum + (term.parent === path ? (term.byToken?.[token] ?? 0) : 0), 0),
    );
    const strongest = reads.indexOf(Math.max(...reads));
    expect(Number(await owner.locator(`[data-token="${strongest}"]`).getAttribute('data-painted'))).toBeCloseTo(reads[strongest]!, 4);
    await expect(guest.row(path)).toHaveCSS('box-shadow', /inset/);

    await owner.locator(`[data-token="${strongest}"]`).hover();
    await expect(board.row(path)).toHaveAttribute('data-token-share', /^\d+$/);
    await expect(guest.row(path)).toHaveCSS('box-shadow', 'none');
    await expect(visitor.locator(`[data-token="${strongest}"]`)).toHaveCSS('box-shadow', /inset/);

    await board.row(path).dblclick();
    await guest.select(path);
    await visitor.goto(`${new URL(visitor.url()).pathname}?select=a1.h2`);
    await guest.isReady();
    await visitor.locator('[data-value-of="a1.h2->logits"]').hover();
    await expect(guest.row(path)).toHaveAttribute('data-lit', 'true');
    await expect(board.row(path)).toHaveCSS('box-shadow', /inset/);
  });
});

test('the inspector says what nodes, edges, tokens and units add, and tests them', async ({ owner }) => {
  const board = await unravel(owner);
  const show = async (anchor: string) => {
    await owner.goto(`${new URL(owner.url()).pathname}?select=${encodeURIComponent(anchor)}`);
    await board.isReady();
  };
  await show('a1.h2');
  const [direct, flow] = [await ask(owner, { view: 'direct' }), await ask(owner, { view: 'flow' })];
  const { inspector } = board;
  expect(await exact(inspector.getByTestId('direct-value'))).toBeCloseTo(valueOf(direct, 'a1.h2').value!, 6);
  const into = flow.terms.filter(({ name }) => name.endsWith('->a1.h2')).reduce((sum, { value }) => sum + value!, 0);
  expect(await exact(inspector.getByTestId('flow-in'))).toBeCloseTo(into, 5);
  expect(await exact(inspector.getByTestId('flow-out'))).toBeCloseTo(into, 4);
  await inspector.getByRole('button', { name: 'Ablate it' }).click();
  const ablated = await ask(owner, {
    view: 'ablate',
    ablate: ['a1.h2'],
    counterfactual: 'In June old Crawford went to Texas. In July old',
  });
  const change = ablated.terms[0]!.value! - ablated.metric!;
  await expect(inspector.getByTestId('effect')).toHaveText(`${change < 0 ? '−' : '+'}${Math.abs(change).toFixed(3)}`);
  await expect(inspector.locator('[data-run]')).toContainText('causal');
  await expect(inspector.getByRole('button', { name: 'Attach to claim…' })).toBeVisible();

  await show('a0.h3->a1.h2<k>');
  expect(await exact(inspector.getByTestId('edge-flow'))).toBeCloseTo(valueOf(flow, 'a0.h3->a1.h2').value!, 6);
  await inspector.getByRole('button', { name: 'Attribution of the edge (EAP)' }).click();
  const eap = await ask(owner, { view: 'attribution', counterfactual: 'In June old Crawford went to Texas. In July old' });
  await expect(inspector.getByTestId('eap-score')).toHaveCount(1);
  expect(await exact(inspector.getByTestId('eap-score'))).toBeCloseTo(valueOf(eap, 'a0.h3->a1.h2<k>').value!, 5);

  await show('token:5');
  await expect(inspector.locator('[data-value-of="a1.h2->logits"]')).toBeVisible();
  const root = await ask(owner, { view: 'suffixes', top: 1000 });
  const paths = root.terms.filter(({ open }) => open).map(({ name }) => name);
  const all = await ask(owner, { view: 'suffixes', paths, byToken: true, top: 100_000 });
  const listed = await ask(owner, { view: 'suffixes', byToken: true, top: 1000 });
  const from = [...all.terms, ...listed.terms.filter(({ open }) => !open)];
  const total = from.reduce((sum, { byToken }) => sum + (byToken?.[5] ?? 0), 0);
  expect(await exact(inspector.getByTestId('token-total'))).toBeCloseTo(total, 4);

  await show('input->a0.h3->a1.h2->logits');
  await inspector.getByLabel('Node to open').selectOption('a1.h2');
  await inspector.getByRole('button', { name: 'Open into units' }).click();
  const units = await ask(owner, { view: 'units', paths: ['input->a0.h3->a1.h2->logits'], nodes: ['a1.h2'], top: 1 });
  const name = units.terms[0]!.name.split('->').find((part, index, parts) => part.includes('@') && parts.length > index);
  const unit = units.terms[0]!.name.replace('input->a0.h3->', '').replace('->logits', '');
  expect(name).toBeDefined();
  expect(
    await exact(
      inspector
        .getByTestId('units')
        .locator(`[data-value-of="${unit.split('->')[0]}"]`)
        .first(),
    ),
  ).not.toBeNaN();
});

test('Heads: scores, patterns and virtual heads are the API’s, by pointer and by keyboard', async ({ owner }) => {
  const board = await unravel(owner);
  await board.show('Heads');
  const list = owner.getByRole('grid', { name: 'Scores of every head' });
  const answer = await ask(owner, { view: 'heads', nodes: ['a1.h2'] });
  for (const score of ['previous', 'duplicate', 'induction'] as const) {
    for (const [name, value] of await column(list, score)) expect(value).toBeCloseTo(valueOf(answer, name)[score]!, 6);
  }
  await expect(owner.locator('[data-score]')).toHaveCount(3);
  const best = answer.terms.toSorted((left, right) => right.induction! - left.induction!)[0]!.name;
  await expect(owner.getByTestId('head-readout')).toContainText(best);

  const thumbnails = owner.getByRole('radiogroup', { name: 'Heads of the layer' });
  await thumbnails.getByRole('radio', { name: 'a1.h1' }).click();
  await owner.keyboard.press('ArrowRight');
  await expect(owner.getByRole('heading', { name: 'Attention pattern of a1.h2' })).toBeVisible();
  await expect(owner.getByTestId('selected-path')).toHaveText('a1.h2');
  const map = owner.getByRole('application', { name: /^Attention pattern of a1\.h2/ });
  await map.focus();
  await owner.keyboard.press('PageDown');
  for (let presses = 0; presses < 5; presses++) await owner.keyboard.press('ArrowRight');
  const last = answer.tokens.length - 1;
  const pattern = valueOf(answer, 'a1.h2').pattern!;
  const weight = owner.getByTestId('pattern-readout').locator('[data-weight]').first();
  expect(Number(await weight.getAttribute('data-weight'))).toBeCloseTo(pattern[last]![5]!, 6);
  await expect(owner.getByTestId('paint')).toContainText(`What query ${last}`);
  expect(Number(await owner.locator('[data-token="5"]').getAttribute('data-painted'))).toBeCloseTo(pattern[last]![5]!, 6);
  await owner.keyboard.press('Enter');
  await expect(owner).toHaveURL(new RegExp(`heads\\.token=${last}`));

  await owner.locator('[data-token="4"]').hover();
  await expect(owner.getByTestId('paint')).toContainText('What query 4');

  const csv = cellsOf((await saved(owner, owner.getByRole('button', { name: 'Download Attention pattern of a1.h2 as CSV' }))).text);
  const place = csv.rows.find(([query, , key]) => query === String(last) && key === '5')!;
  expect(Number(place[4])).toBeCloseTo(pattern[last]![5]!, 6);
  const svg = await saved(owner, owner.getByRole('button', { name: 'Download Attention pattern of a1.h2 as SVG' }));
  expect(svg.text).toContain(`a1.h2@${last}&lt;-5`);

  await owner.getByRole('combobox', { name: /^first/ }).selectOption('a0.h3');
  await expect(owner.getByTestId('virtual-facts')).toContainText(/Σ 13\.000 = 13 tokens, error/);
  await owner.reload();
  await expect(owner.getByTestId('virtual-facts')).toBeVisible();
  await expect(
    owner
      .getByRole('heading', { name: 'Attention pattern of a0.h3->a1.h2' })
      .or(owner.getByRole('region', { name: 'Attention pattern of a0.h3->a1.h2' })),
  ).toBeVisible();
  await expect(owner.getByTestId('paint')).toContainText(`What query ${last}`);
});

test('Weights: pairs beside random heads, and circuits of a head', async ({ owner }) => {
  const board = await unravel(owner);
  await board.show('Weights');
  const list = owner.getByRole('grid', { name: 'Pairs of heads' });
  const answer = await ask(owner, { view: 'composition', foldNorm: false });
  for (const [name, value] of await column(list, 'k')) expect(value).toBeCloseTo(valueOf(answer, name).k!, 6);
  await expect(owner.locator('[data-slot="k"]')).toContainText(`random ${answer.baseline!.k.mean.toFixed(3)}`);
  await expect(owner.getByTestId('pairs-shown')).toHaveText('all 64 pairs');
  await owner.getByLabel('Show pairs that lie above random heads by').selectOption('20 standard deviations');
  const above = answer.terms.filter((term) =>
    (['q', 'k', 'v'] as const).some((slot) => term[slot]! >= answer.baseline![slot].mean + 20 * answer.baseline![slot].deviation),
  );
  await expect(owner.getByTestId('pairs-shown')).toContainText(`${above.length} of 64 pairs`);

  const map = owner.getByRole('application', { name: /^Composition into the key/ });
  await map.focus();
  for (const key of ['Home', 'PageUp', 'ArrowDown', 'ArrowRight', 'Enter']) await owner.keyboard.press(key);
  await expect(owner.getByTestId('selected-path')).toHaveText('a0.h1->a1.h1<k>');
  await expect(owner.getByTestId('pair-k')).toContainText('a0.h1->a1.h1');

  await owner.getByLabel('Head, such as a0.h1').fill('a1.h3');
  await owner.getByRole('button', { name: 'Show', exact: true }).click();
  const circuits = await ask(owner, { view: 'circuits', nodes: ['a1.h3'], top: 20, foldNorm: false });
  const ov = owner.locator('[data-circuit="ov"]');
  const found = await column(ov.getByRole('grid'), 'value');
  const expected = circuits.terms.filter(({ name }) => name.startsWith('ov:'));
  expect(found).toHaveLength(expected.length);
  found.forEach(([, value], index) => expect(value).toBeCloseTo(expected[index]!.value!, 5));
  await owner.getByLabel('fold the norm in').check();
  await expect(owner).toHaveURL(/weights\.fold=1/);
  const folded = await ask(owner, { view: 'composition', foldNorm: true });
  await expect.poll(async () => (await column(list, 'k'))[0]![1]).toBeCloseTo(Math.max(...folded.terms.map(({ k }) => k!)), 5);
});

test('Interactions: every set, their sum, and what an order leaves out', async ({ owner }) => {
  const board = await unravel(owner);
  await board.show('Interactions');
  const answer = await ask(owner, { view: 'interactions' });
  const list = owner.getByRole('grid', { name: 'Sets of blocks' });
  const values = await column(list, 'value');
  expect(values.map(([name]) => name).toSorted()).toEqual(answer.terms.map(({ name }) => name).toSorted());
  for (const [name, value] of values) expect(value).toBeCloseTo(valueOf(answer, name).value!, 6);
  await expect(owner.getByTestId('sum-check')).toContainText(`= metric ${await board.metric()}`);
  const defects = await column(owner.getByRole('grid', { name: 'Additivity defects' }), 'live');
  expect(defects[0]![1]).toBeCloseTo(answer.defects![0]!.live!, 5);

  const map = owner.getByRole('application', { name: /^Interactions, block by block/ });
  await map.focus();
  for (const key of ['Home', 'PageUp', 'ArrowRight']) await owner.keyboard.press(key);
  await expect(owner.getByTestId('pair-readout')).toContainText('{a0,a1}');
  await owner.keyboard.press('Enter');
  await expect(list.locator('[data-term]')).toHaveCount(2);
  await owner.getByLabel('of order').selectOption('2');
  await expect(list.locator('[data-term]')).toHaveCount(1);
  await owner.reload();
  await expect(list.locator('[data-term]')).toHaveCount(1);

  await owner.getByLabel('largest set').selectOption('1');
  const limited = await ask(owner, { view: 'interactions', maxDegree: 1 });
  await expect(owner.locator('[data-order="remainder"]')).toContainText(Math.abs(limited.remainder!).toFixed(3));
  await expect(owner.getByText('The remainder is by subtraction')).toBeVisible();
});

test('Degrees: each kind of number in a panel of its own, on one axis', async ({ owner }) => {
  const board = await unravel(owner);
  await board.show('Degrees');
  const answer = await ask(owner, { view: 'degrees' });
  await expect(owner.locator('[data-degree]')).toHaveCount(answer.terms.length);
  for (const { name, value } of answer.terms) {
    expect(await exact(owner.locator(`[data-degree="${name}"] [data-exact]`))).toBeCloseTo(value!, 6);
  }
  const naive = await ask(owner, { view: 'naive-expansion' });
  const error = owner.getByRole('img', { name: /^Naive: how far the sum up to each degree is/ });
  await expect(error).toContainText(`up to 1: ${naive.terms[1]!.relativeError!.toFixed(3)}`);
  await expect(owner.getByRole('img', { name: /^Exact and nonlinear/ })).toBeVisible();
  await expect(owner.getByRole('img', { name: /^Importance/ })).toBeVisible();
  const parts = owner.locator('[data-part]');
  await expect(parts.filter({ hasText: 'The naive expansion' })).toContainText('approximation');
  const { text } = await saved(owner, owner.getByRole('button', { name: 'Download Degrees as SVG' }));
  for (const words of ['identity, error', 'approximation', 'degree (blocks)', 'relative error', 'loss (nats)'])
    expect(text).toContain(words);
  const csv = cellsOf((await saved(owner, owner.getByRole('button', { name: 'Download The naive expansion as CSV' }))).text);
  expect(Number(csv.rows[1]!.at(-1))).toBeCloseTo(naive.terms[1]!.relativeError!, 6);
  await owner.getByLabel('up to degree').selectOption('1');
  await expect(owner).toHaveURL(/degrees\.naive=1/);
  await expect(error).not.toContainText('up to 2');
});

test('every one of these views is accessible in light and dark, and fits a phone', async ({ owner }) => {
  test.setTimeout(240_000);
  const board: BoardPage = await unravel(owner);
  const ready: [Parameters<BoardPage['show']>[0], Locator][] = [
    ['Heads', owner.getByTestId('pattern-readout')],
    ['Weights', owner.getByRole('grid', { name: 'Pairs of heads' })],
    ['Interactions', owner.getByRole('grid', { name: 'Sets of blocks' })],
    ['Degrees', owner.getByRole('img', { name: /^Importance/ })],
  ];
  for (const [view, there] of ready) {
    await board.show(view);
    await expect(there).toBeVisible();
    await inspect(owner, `view-${view.toLowerCase()}`);
  }
});
