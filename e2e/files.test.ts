import { readFile } from 'node:fs/promises';
import { expect, test, unravel } from './actors.ts';
import { inspect } from './inspect.ts';

/** Files for other tools: a board's graph and annotations, out of one board and into another. */

test('a graph and annotations go from one board to another', async ({ owner }) => {
  const board = await unravel(owner);
  const [path = ''] = await board.paths('suffix');
  await board.select(path);
  await board.label('carries the name');
  await board.comment('Why this one?');
  await board.isSaved();

  const dialog = owner.getByRole('dialog');
  const take = async (name: string) => {
    const [download] = await Promise.all([owner.waitForEvent('download'), dialog.getByRole('link', { name }).click()]);
    return download.path();
  };
  await owner.getByRole('button', { name: 'Files', exact: true }).click();
  const graph = await take('Attribution graph');
  const annotations = await take('Web annotations');
  const eap = await take('EAP-IG graph');
  const labels = await take('Labels');
  expect(await readFile(labels, 'utf8')).toContain(`${path},carries the name,`);
  const written = JSON.parse(await readFile(graph, 'utf8')) as {
    nodes: { node_id: string }[];
    links: { weight: number }[];
    metadata: { prompt_tokens: string[] };
  };
  expect(written.links.length).toBeGreaterThan(20);
  expect(written.metadata.prompt_tokens).toContain(' Darcy');
  const place = owner.url();

  await owner.goto('/');
  const other = await unravel(owner);
  expect(owner.url()).not.toBe(place);
  await owner.getByRole('button', { name: 'Files', exact: true }).click();
  const bring = async (file: string) => {
    await dialog.getByLabel(/^File/).setInputFiles(file);
    await expect(dialog.getByTestId('brought-in')).toBeVisible();
    return dialog.getByTestId('brought-in').textContent();
  };
  expect(await bring(graph)).toBe('Brought in: 0 mechanisms, 1 label, 0 comments.');
  await expect(dialog.locator('[data-imported]')).toContainText('imported, not verified');
  expect(await bring(eap)).toBe('Brought in: 1 mechanism, 0 labels, 0 comments.');
  expect(await bring(annotations)).toBe('Brought in: 0 mechanisms, 0 labels, 1 comment.');
  await dialog.getByLabel(/^File/).setInputFiles({ name: 'notes.json', mimeType: 'application/json', buffer: Buffer.from('no json') });
  await expect(dialog.getByRole('alert')).toHaveText('file: expected JSON, got something else');
  await inspect(owner, 'board-files');
  await dialog.getByRole('button', { name: 'Close' }).click();

  await other.select(path);
  await expect(other.inspector.locator('[data-label="carries the name"]')).toBeVisible();
  await expect(other.said('Why this one?')).toContainText(`Imported by Owner from ${place.split('?')[0]}`);
});
