import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FIXTURES, loadModel } from '../../server/engine/testing.ts';
import { firstLayers } from './first-layers.ts';
import { compareValues } from './peers.ts';

test('values agree to 1e-3 of the largest magnitude', () => {
  const ours = new Map([
    ['a', 100],
    ['b', 0.01],
    ['c', 7],
  ]);
  expect(compareValues(ours, new Map([['a', 100.05]]))).toMatchObject({ count: 1, scale: 100, agree: true });
  expect(compareValues(ours, new Map([['b', 0.02]])).agree).toBe(false);
  expect(compareValues(ours, new Map([['b', 0.02]]), 0.01).agree).toBe(true);
  expect(compareValues(ours, new Map([['missing', 1]])).agree).toBe(false);
  expect(compareValues(ours, new Map([['a', Number.NaN]])).agree).toBe(false);
  expect(compareValues(ours, new Map()).agree).toBe(false);
});

test('the first layers of a model are a model', async () => {
  const cache = await mkdtemp(join(tmpdir(), 'pathboard-layers-'));
  try {
    const folder = await firstLayers(join(FIXTURES, 'random-gpt2'), 2, cache);
    expect(JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'))).toMatchObject({ n_layer: 2 });
    const [whole, part] = [await loadModel(join(FIXTURES, 'random-gpt2')), await loadModel(folder)];
    const [clean, cut] = [await whole.clean([1, 2, 3]), await part.clean([1, 2, 3])];
    const rows = (stream: Float32Array) => new Map(Array.from(stream, (value, index) => [String(index), value]));
    const lastInThirdLayer = clean.beforeAttention.data.slice((2 * 3 + 2) * 32, 3 * 3 * 32);
    expect(compareValues(rows(lastInThirdLayer), rows(cut.final.data)).largestDifference).toBeLessThan(1e-5);
    await Promise.all([whole.close(), part.close()]);
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
});
