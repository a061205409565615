import { rm } from 'node:fs/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { visitBest } from '../../lib/engine/best-first.ts';
import { Expansion } from '../../lib/engine/expansion.ts';
import { analyze, type Control, type Granularity, type Model, type TokenRequest } from '../../lib/engine/index.ts';
import { PRODUCT_ROWS } from '../../lib/engine/trie.ts';
import { randomLens, writeModel, type LensSizes, type RandomModel } from './random-model.ts';
import { loadModel, noControl } from './testing.ts';

/** Bounds on memory and on answers, and numbers that do not exist. */

const sizes: LensSizes = { layers: 2, heads: 4, d: 8, dHead: 2, dMlp: 0, vocabulary: 30, context: 256, norm: 'LN', activation: null };

const opened: { model: Model; folder: string }[] = [];
afterEach(async () => {
  for (const { model, folder } of opened.splice(0)) {
    await model.close();
    await rm(folder, { recursive: true });
  }
});

async function modelOf(random: RandomModel): Promise<Model> {
  const folder = await writeModel(random);
  const model = await loadModel(folder);
  opened.push({ model, folder });
  return model;
}

/** The model with every entry of some of its tensors 0. */
function without({ config, tensors }: RandomModel, name: RegExp): RandomModel {
  return { config, tensors: tensors.map((one) => (name.test(one.name) ? { ...one, data: one.data.map(() => 0) } : one)) };
}

const ask = (model: Model, request: Omit<TokenRequest, 'model'>, control: Control = noControl) =>
  analyze(model, { model: '', ...request }, control);
const tokensOf = (length: number) => Array.from({ length }, (_, index) => (7 * index) % 30);

test.for(['head', 'sublayer', 'neuron'] as const)(
  '[M23] a search by %s pulls as many rows at once for long prompts as for short',
  async (grain) => {
    const model = await modelOf(randomLens({ ...sizes, layers: 4, dMlp: 40, activation: 'gelu' }, 5));
    for (const length of [4, 200]) {
      const most = await mostRows(model, grain, tokensOf(length));
      expect(most).toBeLessThan(PRODUCT_ROWS + length);
      expect(most).toBeGreaterThan(length);
    }
  },
);

/** The most rows [P·S] of directions that a graph was fed. */
async function mostRows(model: Model, granularity: Granularity, tokens: number[]): Promise<number> {
  const run = await model.clean(tokens);
  const question = { tokens, counterfactual: null, target: 1, foil: 2 };
  const expansion = new Expansion(model, run, await model.direction(run, question), granularity);
  const asked = vi.spyOn(model, 'run');
  await visitBest(expansion, 300, noControl, () => {});
  const fed = asked.mock.calls.flatMap(([, , feeds]) => feeds['directions'] ?? []);
  asked.mockRestore();
  return Math.max(...fed.map(({ dims }) => dims[0]! * dims[1]!));
}

test('heads: patterns of more numbers than an answer may hold are refused before the run', async () => {
  const model = await modelOf(randomLens({ ...sizes, layers: 1, heads: 101, dHead: 1 }, 6));
  const nodes = Array.from({ length: 101 }, (_, head) => `a0.h${head}`);
  const factorized = vi.spyOn(model, 'clean');
  await expect(ask(model, { view: 'heads', tokens: tokensOf(200), nodes })).rejects.toThrow(
    'nodes: expected patterns of at most 4000000 numbers, heads × tokens², which is 100 heads at 200 tokens, got 101 heads, 4040000 numbers',
  );
  expect(factorized).not.toHaveBeenCalled();
  const { terms } = await ask(model, { view: 'heads', tokens: tokensOf(200), nodes: nodes.slice(1) });
  expect(terms.filter(({ pattern }) => pattern)).toHaveLength(100);
});

describe('numbers that do not exist are null', () => {
  test('[M20] composition with a head whose matrix is 0', async () => {
    const given = randomLens(sizes, 7);
    const dead = await modelOf(without(given, /^blocks\.0\.attn\.W_O$|^blocks\.1\.attn\.W_Q$/));
    const answer = await ask(dead, { view: 'composition' });
    for (const { q, k, v } of answer.terms) expect([q, k, v]).toEqual([null, null, null]);
    expect(answer.notes.join(' ')).toContain("null: a head's matrix is 0");
    const half = await ask(await modelOf(without(given, /^blocks\.1\.attn\.W_Q$/)), { view: 'composition', top: 3 });
    expect(half.terms).toHaveLength(3);
    for (const { q, k, v } of half.terms) {
      expect([q, k]).toEqual([null, null]);
      expect(v).toBeGreaterThan(0);
    }
    const whole = await ask(await modelOf(given), { view: 'composition' });
    expect(whole.notes).toEqual([]);
  });

  test('[M20] a virtual head of a head whose matrix is 0', async () => {
    const model = await modelOf(without(randomLens(sizes, 8), /^blocks\.0\.attn\.W_O$/));
    const answer = await ask(model, { view: 'virtual-head', tokens: [1, 2, 3], edges: ['a0.h0->a1.h1'] });
    expect(answer.settings).toMatchObject({ ovNorm: 0, vComposition: null });
    expect(answer.notes.join(' ')).toContain('vComposition is null');
  });

  test('[M19] the additivity defect of a constant block, and its mean over a set', async () => {
    const given = randomLens({ ...sizes, dMlp: 12, activation: 'gelu' }, 9);
    const model = await modelOf(without(given, /^blocks\.0\.mlp\.W_in$/));
    const answer = await ask(model, { view: 'interactions', tokens: [1, 2, 3], maxDegree: 0 });
    expect(answer.defects!.find(({ name }) => name === 'm0')).toEqual({ name: 'm0', live: null, frozenScale: null });
    for (const { live } of answer.defects!.filter(({ name }) => name !== 'm0')) expect(live).toBeGreaterThan(0);
    const note = 'm0 writes the same whatever it reads, so it has no additivity defect.';
    expect(answer.notes).toContain(note);
    const set = await ask(model, { view: 'interactions', prompts: [{ tokens: [1, 2, 3] }, { tokens: [4, 5] }], maxDegree: 0 });
    expect(set.defects!.find(({ name }) => name === 'm0')).toEqual({ name: 'm0', live: null, frozenScale: null });
    expect(set.notes.filter((one) => one === note)).toHaveLength(1);
  });
});

describe('circuits [M20]', () => {
  const given = randomLens({ ...sizes, vocabulary: 300 }, 10);

  test('more entries than can be sorted are refused', async () => {
    const request = ask(await modelOf(given), { view: 'circuits', nodes: ['a0.h0'], top: 10_001 });
    await expect(request).rejects.toThrow('top: expected at most 10000 entries of each circuit, got 10001');
  });

  test.for([1, 7, 250, 2000])('the %i largest are a part of all, and progress runs once from start to end', async (top) => {
    const model = await modelOf(given);
    const steps: [number, number][] = [];
    const control: Control = { progress: (done, total) => steps.push([done, total]), async checkpoint() {} };
    const { terms } = await ask(model, { view: 'circuits', nodes: ['a0.h0'], top }, control);
    const all = await ask(model, { view: 'circuits', nodes: ['a0.h0'], top: 2000 });
    for (const circuit of ['ov', 'qk']) {
      const of = (entries: typeof terms) => entries.filter(({ name }) => name.startsWith(circuit)).map(({ value }) => Math.abs(value!));
      expect(of(terms)).toHaveLength(top);
      of(terms).forEach((value, index) => expect(value).toBeCloseTo(of(all.terms)[index]!, 5));
    }
    const total = 2 * (300 + Math.min(top, 300));
    expect(steps.map(([done]) => done)).toEqual(steps.map(([done]) => done).toSorted((a, b) => a - b));
    expect(steps.every(([, of]) => of === total)).toBe(true);
    expect(steps.at(-1)).toEqual([total, total]);
  });
});
