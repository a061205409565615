import { readFile } from 'node:fs/promises';
import type { Page } from '@playwright/test';
import { expect, join, test, unravel } from './actors.ts';
import type { BoardPage } from './board-page.ts';
import { GraphPage } from './graph-page.ts';
import { inspect } from './inspect.ts';

test.setTimeout(180_000);

async function openGraph(page: Page): Promise<{ board: BoardPage; graph: GraphPage }> {
  const board = await unravel(page);
  await board.show('Graph');
  const graph = new GraphPage(page);
  await graph.isDrawn();
  return { board, graph };
}

test('the picture moves, zooms and fits, says what it hides, and its address opens it again', async ({ owner }) => {
  const { board, graph } = await openGraph(owner);
  const first = await graph.edges();
  await expect(graph.hidden).toHaveText(/^300 of .+ edges shown; the .+ hidden ones hold \d+\.\d% of Σ\|value\| over all edges\./);
  expect(first).toBe(300);

  await test.step('drag, wheel, keys, overview', async () => {
    await expect(graph.minimap).toBeHidden();
    const before = await graph.rowAt('a1');
    const box = (await graph.stage.boundingBox())!;
    await owner.mouse.move(box.x + 30, box.y + 40);
    await owner.mouse.down();
    await owner.mouse.move(box.x + 40, box.y + 90, { steps: 4 });
    await owner.mouse.up();
    expect((await graph.rowAt('a1')) - before).toBeCloseTo(50, -1);
    await graph.stage.focus();
    await owner.keyboard.press('ArrowUp');
    expect((await graph.rowAt('a1')) - before).toBeCloseTo(110, -1);
    await owner.mouse.wheel(0, -900);
    await owner.keyboard.press('+');
    await expect(graph.minimap).toBeVisible();
    await expect.poll(() => graph.setting('at')).toMatch(/^\d+,\d+,[\d.]+$/);
    await graph.isDrawn();
    const near = await graph.rowAt('a1');
    await graph.minimap.click({ position: { x: 10, y: 8 } });
    expect(await graph.rowAt('a1')).not.toBe(near);
    await owner.keyboard.press('0');
    await expect(graph.minimap).toBeHidden();
    await expect.poll(() => graph.setting('at')).toBeNull();
    expect(await graph.rowAt('a1')).toBeCloseTo(before, 0);
  });

  await test.step('the threshold', async () => {
    await graph.threshold.focus();
    await owner.keyboard.press('End');
    await graph.isDrawn(1);
    await expect(graph.hidden).toHaveText(/^1 of /);
    for (let i = 0; i < 3; i++) await owner.keyboard.press('PageDown');
    await expect.poll(() => graph.edges()).toBeGreaterThan(1);
    await owner.keyboard.press('Home');
    await expect(graph.hidden).toHaveText(/^All .+ edges shown\.$/);
    await owner.getByLabel('Which edges').selectOption('negative');
    await expect(graph.hidden).toHaveText(/ edges shown; the /);
    await owner.getByLabel('Which edges').selectOption('all');
  });

  await test.step('the address', async () => {
    await owner.keyboard.press('Tab');
    await graph.threshold.focus();
    await owner.keyboard.press('End');
    for (let i = 0; i < 4; i++) await owner.keyboard.press('PageDown');
    await graph.stage.focus();
    await owner.keyboard.press('+');
    await owner.keyboard.press('+');
    await expect.poll(() => graph.setting('at')).not.toBeNull();
    await graph.isDrawn();
    const [edges, at, hidden, row] = [await graph.edges(), graph.setting('at'), await graph.hidden.textContent(), await graph.rowAt('a1')];
    await owner.reload();
    await board.isReady();
    await graph.isDrawn(edges);
    expect(graph.setting('at')).toBe(at);
    await expect(graph.hidden).toHaveText(hidden!);
    expect(Math.abs((await graph.rowAt('a1')) - row)).toBeLessThan(3);
  });

  await test.step('by head', async () => {
    await owner.getByText('head', { exact: true }).first().click();
    await expect(owner.getByText('biases', { exact: true })).toBeVisible();
    await expect(graph.hidden).toHaveText(/108/);
    expect(graph.setting('by')).toBe('head');
  });
});

test('what is under the cursor lights in other views and on other screens', async ({ owner, visitor }) => {
  const board = await unravel(owner);
  const guest = await join(visitor, board, 'Vera Lind');
  await board.show('Graph');
  const graph = new GraphPage(owner);
  await graph.isDrawn();

  await graph.find('a1', /^a1\.h2 at ·old \(12\)/);
  await expect(graph.tooltip).toContainText('of the metric');
  await expect(guest.row('a1.h2->logits')).toHaveCSS('box-shadow', /inset/);
  await expect(guest.row('a1.h0->logits')).toHaveCSS('box-shadow', 'none');
  await owner.mouse.move(0, 0);
  await expect(guest.row('a1.h2->logits')).toHaveCSS('box-shadow', 'none');

  const lit = async () => Number(await owner.locator('[data-lit-edges]').getAttribute('data-lit-edges'));
  await expect.poll(lit).toBe(0);
  await guest.row('a1.h4->logits').hover();
  await expect.poll(lit).toBeGreaterThan(0);
  await visitor.mouse.move(0, 0);
  await expect.poll(lit).toBe(0);
  // A selection stays lit for others, in their views too.
  await guest.select('a1.h4->logits');
  await visitor.mouse.move(0, 0);
  await expect.poll(lit).toBeGreaterThan(0);
  const { inspector } = board;
  await owner.locator('summary', { hasText: 'strongest edges as a list' }).click();
  await owner
    .getByRole('button', { name: /^a1\.h2@12/ })
    .first()
    .click();
  await expect(inspector.getByTestId('selected-path')).toHaveText('a1.h2@12->logits');
  await expect(inspector.getByTestId('selected-flow')).toHaveText(/^\+\d/);
  await guest.show('Graph');
  const other = new GraphPage(visitor);
  await other.isDrawn();
  await other.find('a1', /^a1\.h4 at/);
});

test('nodes are pinned, grouped into a mechanism and drawn as one', async ({ owner }) => {
  const { board, graph } = await openGraph(owner);
  const { x, y } = await graph.find('a1', /^a1\.h2 at ·old \(12\)/);
  await owner.keyboard.down('Control');
  await owner.mouse.click(x, y);
  await owner.keyboard.up('Control');
  await expect(owner.getByTestId('graph-pins')).toContainText('1 pinned');
  expect(graph.setting('pins')).toBe('a1.h2@12');
  await owner.getByLabel('Which edges').selectOption('pinned');
  await expect.poll(() => graph.edges()).toBeLessThan(100);
  await owner.getByLabel('Which edges').selectOption('all');
  await expect.poll(() => graph.edges()).toBe(300);

  await test.step('by keys alone', async () => {
    await graph.stage.focus();
    await owner.keyboard.press('Enter');
    await expect(graph.walked).toHaveText(/^logits: \+14\.\d+ flows through it\. \d+ edges in, 0 out\.$/);
    await owner.keyboard.press('ArrowDown');
    await expect(graph.walked).toHaveText(/^a1\.h2 at ·old \(12\)/);
    await owner.keyboard.press('ArrowRight');
    await expect(graph.walked).toHaveText(/^a1\.h3 at ·old \(12\)/);
    await owner.keyboard.press('Enter');
    await expect(board.inspector.getByTestId('selected-path')).toHaveText('a1.h3@12');
    await owner.keyboard.press(' ');
    await expect(owner.getByTestId('graph-pins')).toContainText('2 pinned');
    await owner.keyboard.down('g');
    await owner.keyboard.press(' ');
    await owner.keyboard.press('ArrowLeft');
    await owner.keyboard.press(' ');
    await expect(owner.getByText('Grouping: 2 chosen.')).toBeVisible();
    await owner.keyboard.up('g');
    await owner.getByRole('textbox', { name: 'Name of the mechanism' }).first().fill('name movers');
    await owner.keyboard.press('Enter');
    await expect(board.inspector.getByTestId('selected-path')).toHaveText('name movers');
    await expect(board.inspector.getByTestId('mechanism-placed')).toHaveText(/^\+\d/);
  });

  await test.step('as one node', async () => {
    await owner.getByRole('checkbox', { name: /name movers/ }).check();
    await expect.poll(() => graph.setting('folded')).not.toBeNull();
    await graph.find('a1', /^name movers/);
    await owner.reload();
    await board.isReady();
    await graph.isDrawn();
    await expect(owner.getByRole('checkbox', { name: /name movers/ })).toBeChecked();
  });
});

test('it is taken away as text, CSV, SVG and PNG, fills the screen, and is accessible', async ({ owner }) => {
  const { graph } = await openGraph(owner);
  const save = async (format: string) => {
    const [file] = await Promise.all([
      owner.waitForEvent('download'),
      owner.getByRole('button', { name: `Download Graph as ${format}` }).click(),
    ]);
    expect(file.suggestedFilename()).toBe(`pathboard-attn-2l-flow.${format.toLowerCase()}`);
    return readFile(await file.path());
  };
  const csv = (await save('CSV')).toString().trim().split('\r\n');
  expect(csv).toHaveLength(301);
  expect(csv[0]).toBe('from,token,to,token,flow (logits),share of the metric,edges');
  expect(csv[1]).toMatch(/^a1\.h2@12,·old,logits,,5\.\d{6,},0\.\d+,1$/);
  const svg = (await save('SVG')).toString();
  expect(svg).toContain('token position');
  expect(svg.match(/<path d="M[^"]*C/g)).toHaveLength(300);
  const png = await save('PNG');
  expect(png.subarray(1, 4).toString()).toBe('PNG');
  expect(png.length).toBeGreaterThan(20_000);

  await owner.getByRole('button', { name: 'Full screen' }).click();
  await expect(owner.getByRole('button', { name: 'Leave full screen' })).toHaveAttribute('aria-pressed', 'true');
  await graph.isDrawn();
  await owner.getByRole('button', { name: 'Leave full screen' }).click();
  await expect(owner.getByRole('button', { name: 'Full screen', exact: true })).toBeVisible();

  await owner.locator('summary', { hasText: 'strongest edges as a list' }).click();
  await inspect(owner, 'board-graph');
});
