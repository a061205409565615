import fc from 'fast-check';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { visitBest } from '../../lib/engine/best-first.ts';
import { Expansion } from '../../lib/engine/expansion.ts';
import { analyze, type Answer, type Granularity, type Model, type TokenRequest } from '../../lib/engine/index.ts';
import { randomGpt2, randomLens, writeModel, type RandomModel } from './random-model.ts';
import { FIXTURES, loadModel, noControl } from './testing.ts';

const gpt2 = { layers: 2, heads: 3, d: 24, vocabulary: 30, context: 12 };
const lens = { layers: 2, heads: 2, d: 20, dHead: 8, vocabulary: 30, context: 12 };

const MODELS: Record<string, RandomModel | string> = {
  'gpt2, tied, gelu_new': randomGpt2({ ...gpt2, prefix: 'transformer.', tied: true, activation: 'gelu_new' }, 1),
  'lens, LN, attention only': randomLens({ ...lens, dMlp: 0, norm: 'LN', activation: null }, 4),
  'lens, no norm, gelu': randomLens({ ...lens, dMlp: 12, norm: null, activation: 'gelu' }, 8),
  'lens, RMS, silu': randomLens({ ...lens, dMlp: 12, norm: 'RMS', activation: 'silu' }, 6),
  'random-neox, parallel': join(FIXTURES, 'random-neox'),
  'random-llama, shared keys and values': join(FIXTURES, 'random-llama-tied'),
};

const prompt = fc.array(fc.nat(29), { minLength: 1, maxLength: 9 });
const RUNS = { numRuns: 6, seed: 20_262 };

const values = ({ terms }: Answer) => new Map(terms.map(({ name, value }) => [name, value!]));
const massOf = (answer: Answer) => answer.terms.reduce((sum, { value }) => sum + Math.abs(value!), 0);
const sum = (numbers: Iterable<number>) => [...numbers].reduce((total, value) => total + value, 0);

describe.each(Object.keys(MODELS))('%s', (name) => {
  let model: Model;
  let folder: string;
  const given = MODELS[name]!;

  beforeAll(async () => {
    folder = typeof given === 'string' ? given : await writeModel(given);
    model = await loadModel(folder);
  });
  afterAll(async () => {
    await model.close();
    if (typeof given !== 'string') await rm(folder, { recursive: true });
  });

  const ask = (request: Omit<TokenRequest, 'model'>) => analyze(model, { model: name, ...request }, noControl);

  test('[M26] what flows into a node and its own bias flow out of it', async () => {
    await fc.assert(
      fc.asyncProperty(prompt, async (tokens) => {
        const flow = await ask({ view: 'flow', tokens });
        const direct = await ask({ view: 'direct', tokens });
        const bound = 1e-5 * massOf(direct) + 1e-5;
        expect(flow.error).toBeLessThanOrEqual(bound);
        const paths = await ask({ view: 'paths', tokens, top: 100_000 });
        for (const node of componentsOf(model)) {
          const into = sum([...values(flow)].filter(([edge]) => edge.endsWith(`->${node}`)).map(([, value]) => value));
          const own = sum([...values(paths)].filter(([path]) => path.startsWith(`${node}.b->`)).map(([, value]) => value));
          const out = sum([...values(flow)].filter(([edge]) => edge.startsWith(`${node}->`)).map(([, value]) => value));
          expect(Math.abs(into + own - out), node).toBeLessThanOrEqual(bound);
          expect(flow.through!.find(({ name: one }) => one === node)!.value).toBeCloseTo(out, 9);
        }
      }),
      RUNS,
    );
  });

  test('[M26] the flow of an edge is the sum of the paths that use it', async () => {
    const tokens = [3, 1, 4, 1, 5];
    const flow = values(await ask({ view: 'flow', tokens }));
    const paths = await ask({ view: 'paths', tokens, top: 100_000 });
    const sums = new Map<string, number>([...flow.keys()].map((edge) => [edge, 0]));
    for (const { name: path, value } of paths.terms) {
      const stops = path.replace(/^(m\d+)\.b->/, '$1->').split('->');
      for (let at = 1; at < stops.length; at++) {
        const edge = `${stops[at - 1]}->${stops[at]}`;
        sums.set(edge, sums.get(edge)! + value!);
      }
    }
    for (const [edge, value] of flow) expect(Math.abs(value - sums.get(edge)!), edge).toBeLessThan(1e-5 * massOf(paths) + 1e-5);
  });

  test('[M22] neurons sum to their MLP, (query, key) pairs to their head, on paths and on suffixes', async () => {
    await fc.assert(
      fc.asyncProperty(prompt, async (tokens) => {
        const paths = values(await ask({ view: 'paths', tokens, top: 100_000 }));
        const bound = 1e-6 * sum([...paths.values()].map(Math.abs)) + 1e-6;
        const chosen = [...paths.keys()].filter((path) => /->(a|m\d->)/.test(path)).slice(0, 12);
        for (const path of chosen) {
          for (const node of path.split('->').slice(1, -1)) {
            const answer = await ask({ view: 'units', tokens, paths: [path], nodes: [node] });
            expect(Math.abs(answer.whole!.value - paths.get(path)!), path).toBeLessThanOrEqual(bound);
            expect(answer.error, path).toBeLessThanOrEqual(bound);
          }
        }
        const suffixes = (await ask({ view: 'suffixes', tokens })).terms.filter(({ open }) => open);
        for (const { name: suffix, value } of suffixes) {
          const answer = await ask({ view: 'units', tokens, paths: [suffix], top: 3 });
          expect(answer.terms.length).toBeLessThanOrEqual(3);
          expect(Math.abs(answer.sum! - value!), suffix).toBeLessThanOrEqual(10 * bound);
        }
      }),
      { ...RUNS, numRuns: 3 },
    );
  });

  test('[M23] a finer granularity has no less mass, and a search within a budget no more', async () => {
    const tokens = [3, 1, 4, 1, 5, 9];
    const masses: number[] = [];
    for (const granularity of grains(model)) {
      const answer = await ask({ view: 'concentration', tokens, granularity });
      const [term] = answer.terms;
      const bound = 1e-5 * massOf(await ask({ view: 'direct', tokens })) + 1e-5;
      expect(answer.error, '[M11]').toBe(Math.abs(answer.sum! - answer.metric!));
      expect(answer.error, '[M11]').toBeLessThanOrEqual(bound);
      expect(answer.remainder).toBeUndefined();
      masses.push(term!.mass!);
      expect(term!.n50).toBeLessThanOrEqual(term!.n90!);
      expect(term!.n90).toBeLessThanOrEqual(term!.n99!);
      expect(term!.effective).toBeLessThanOrEqual(term!.count! + 1e-9);
      const slack = 1e-5 * term!.mass!;
      const few = await searched(granularity, tokens, 8);
      expect(few.mass).toBeLessThanOrEqual(term!.mass! + slack);
      expect(few.mass + few.closedMass).toBeLessThanOrEqual(term!.mass! + slack);
      expect(Math.abs(few.total + few.closedTotal - answer.metric!), '[M12]').toBeLessThanOrEqual(bound);
      const all = await searched(granularity, tokens, answer.opened!);
      expect(all.count).toBe(term!.count);
      expect([all.closedMass, all.closedTotal]).toEqual([0, 0]);
      expect(Math.abs(all.mass - term!.mass!)).toBeLessThanOrEqual(slack);
    }
    masses.reduce((coarser, finer) => {
      expect(coarser).toBeLessThanOrEqual(finer * (1 + 1e-5));
      return finer;
    });
  });

  test('[M23] bounded memory finds the same paths', async () => {
    const tokens = [3, 1, 4, 1, 5];
    const run = await model.clean(tokens);
    const expansion = new Expansion(model, run, await model.direction(run, { tokens, counterfactual: null, target: 1, foil: 2 }), 'head');
    const found = async (bytes: number) => {
      const all: number[] = [];
      await expansion.visitAll(bytes, noControl, (batch) => all.push(...batch));
      return all.toSorted((a, b) => a - b);
    };
    const whole = await found(1e9);
    for (const tight of [await found(1), await found(20 * 4 * expansion.size)]) {
      expect(tight).toHaveLength(expansion.counts().paths);
      whole.forEach((value, index) => expect(Math.abs(value - tight[index]!)).toBeLessThan(1e-4));
    }
  });

  async function searched(granularity: Granularity, tokens: number[], budget: number) {
    const first = await ask({ view: 'logits', tokens, top: 1 });
    const run = await model.clean(tokens);
    const question = { tokens, counterfactual: null, target: first.target!, foil: first.foil };
    const expansion = new Expansion(model, run, await model.direction(run, question), granularity);
    let mass = 0;
    let total = 0;
    let count = 0;
    const found = await visitBest(expansion, budget, noControl, (batch) => {
      mass += sum(batch.map(Math.abs));
      total += sum(batch);
      count += batch.length;
    });
    return { ...found, mass, total, count };
  }
});

test('[M23] beyond the exhaustive limit the numbers are of the paths found, and the answer says so', async () => {
  const folder = await writeModel(randomLens({ ...lens, layers: 5, heads: 20, dHead: 4, dMlp: 0, norm: 'LN', activation: null }, 9));
  const model = await loadModel(folder);
  const ask = (granularity: Granularity) =>
    analyze(model, { model: '', view: 'concentration', granularity, tokens: [3, 1, 4], target: 1, foil: 2 }, noControl);
  const [heads, layers] = [await ask('head'), await ask('sublayer')];
  expect(heads.search).toBe('budget');
  expect(heads.opened).toBe(4096);
  expect(heads.largestUnopened).toBeGreaterThan(0);
  expect(heads.notes.slice(0, 4)).toEqual([
    'mass and count are lower bounds on Σ|value| and on the number of all paths.',
    'n50, n90, n99 and effective are of the paths found alone and bound nothing.',
    expect.stringMatching(/^The search, largest \|total\| first, found \d+ of \d\.\d+e\+6 paths\.$/),
    expect.stringMatching(/^With the \|totals\| of unopened suffixes Σ\|value\| is at least [\d.]+\.$/),
  ]);
  const direct = await analyze(model, { model: '', view: 'direct', tokens: [3, 1, 4], target: 1, foil: 2 }, noControl);
  expect(heads.remainder).not.toBe(0);
  expect(heads.error, '[M11]').toBe(Math.abs(heads.sum! - heads.metric!));
  expect(heads.error, '[M11]').toBeLessThanOrEqual(1e-5 * massOf(direct));
  expect(layers.search).toBe('exhaustive');
  expect(layers.opened).toBe(2 ** 5);
  expect(layers.notes.join(' ')).not.toContain('bound');
  expect(layers.remainder).toBeUndefined();
  await model.close();
  await rm(folder, { recursive: true });
});

describe('composition [M20]', () => {
  const base = randomGpt2({ ...gpt2, prefix: '', tied: true, activation: 'gelu' }, 11);
  const scaled: RandomModel = {
    ...base,
    tensors: base.tensors.map((tensor) =>
      /attn\.c_\w+\.weight$/.test(tensor.name) ? { ...tensor, data: tensor.data.map((x) => 7 * x) } : tensor,
    ),
  };

  test('does not depend on the scale of the heads, and the baseline depends on the seed alone', async () => {
    const tables = await Promise.all([base, scaled].map((given) => compose(given, 3)));
    tables[0]!.terms.forEach(({ name, q, k, v }, index) => {
      const other = tables[1]!.terms[index]!;
      expect(other.name).toBe(name);
      expect([other.q, other.k, other.v].map((value, kind) => Math.abs(value! - [q, k, v][kind]!)).every((gap) => gap < 1e-5)).toBe(true);
    });
    expect(tables[0]!.baseline).toEqual(tables[1]!.baseline);
    expect((await compose(base, 4)).baseline).not.toEqual(tables[0]!.baseline);
  });

  test('top lists the strongest pairs', async () => {
    const all = await compose(base, 0);
    const strength = ({ q, k, v }: Answer['terms'][number]) => Math.max(q!, k!, v!);
    const wanted = all.terms.toSorted((a, b) => strength(b) - strength(a)).slice(0, 2);
    expect(new Set((await compose(base, 0, 2)).terms.map(({ name }) => name))).toEqual(new Set(wanted.map(({ name }) => name)));
  });

  async function compose(given: RandomModel, seed: number, top?: number): Promise<Answer> {
    const folder = await writeModel(given);
    const model = await loadModel(folder);
    const answer = await analyze(model, { model: '', view: 'composition', seed, ...(top && { top }) }, noControl);
    await model.close();
    await rm(folder, { recursive: true });
    return answer;
  }
});

function componentsOf({ spec }: Model): string[] {
  return Array.from({ length: spec.layers }, (_, layer) => [
    ...Array.from({ length: spec.heads }, (_head, head) => `a${layer}.h${head}`),
    ...(spec.hasMlp ? [`m${layer}`] : []),
  ]).flat();
}

/** Granularities at which these small models are opened exhaustively. */
function grains({ spec }: Model): Granularity[] {
  const fine = spec.hasMlp && spec.dMlp <= 12;
  return fine ? ['sublayer', 'head', 'neuron'] : ['sublayer', 'head'];
}

describe('what frozen views refuse', () => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(join(FIXTURES, 'random-gpt2'));
  });
  afterAll(() => model.close());

  const tokens = [1, 2, 3];
  test.each<[string, Omit<TokenRequest, 'model'>, RegExp]>([
    ['no path', { view: 'units', tokens }, /paths: expected one path, got 0/],
    [
      'two nodes',
      { view: 'units', tokens, paths: ['input->m0->logits'], nodes: ['m0', 'm1'] },
      /nodes: expected one node of the path, got 2/,
    ],
    ['a node elsewhere', { view: 'units', tokens, paths: ['input->m0->logits'], nodes: ['m1'] }, /expected a head or MLP on it, got m1/],
    ['a path without nodes', { view: 'units', tokens, paths: ['input->logits'] }, /expected a head or MLP on it, got none/],
    ['a slot', { view: 'units', tokens, paths: ['input->a0.h0<q>->logits'] }, /value paths alone in a frozen view/],
    ['a short concentration', { view: 'concentration', tokens, maxDegree: 1 }, /max-degree: expected none/],
    ['a pattern of an MLP', { view: 'heads', tokens, nodes: ['m0'] }, /nodes: expected heads, which have patterns, got m0/],
    ['no edge', { view: 'virtual-head', tokens }, /edges: expected one edge of two heads/],
    ['an edge of an MLP', { view: 'virtual-head', tokens, edges: ['m0->a1.h0'] }, /expected heads/],
    ['an edge backwards', { view: 'virtual-head', tokens, edges: ['a1.h0->a0.h0'] }, /expected a head of a later layer/],
    ['no head', { view: 'circuits' }, /nodes: expected one head, such as a0.h1, got 0 nodes/],
    ['an MLP', { view: 'circuits', nodes: ['m0'] }, /nodes: expected a head, such as a0.h1, got m0/],
    ['a head that is not there', { view: 'circuits', nodes: ['a9.h0'] }, /expected a layer below 3, got a9.h0/],
  ])('%s', async (_, request, message) => {
    await expect(analyze(model, { model: '', ...request }, noControl)).rejects.toThrow(message);
  });

  test('composition of one layer', async () => {
    const folder = await writeModel(randomLens({ ...lens, layers: 1, dMlp: 0, norm: null, activation: null }, 1));
    const single = await loadModel(folder);
    await expect(analyze(single, { model: '', view: 'composition' }, noControl)).rejects.toThrow(/at least two layers, got 1/);
    await single.close();
    await rm(folder, { recursive: true });
  });

  test('circuits with the norms folded in differ, and centre what they read', async () => {
    const ask = (foldNorm: boolean) => analyze(model, { model: '', view: 'circuits', nodes: ['a1.h0'], top: 3000, foldNorm }, noControl);
    const [raw, folded] = await Promise.all([ask(false), ask(true)]);
    expect(raw.terms).toHaveLength(2 * model.spec.vocabulary ** 2);
    expect(raw.terms.map(({ name }) => name)).not.toEqual(folded.terms.map(({ name }) => name));
    expect(folded.settings).toMatchObject({ foldNorm: true });
  });

  test('an analysis that is stopped stops', async () => {
    const control = {
      progress() {},
      async checkpoint() {
        throw new Error('cancelled');
      },
    };
    const requests: Omit<TokenRequest, 'model'>[] = [
      { view: 'concentration', tokens },
      { view: 'composition' },
      { view: 'circuits', nodes: ['a0.h0'] },
    ];
    for (const request of requests) {
      await expect(analyze(model, { model: '', ...request }, control)).rejects.toThrow('cancelled');
    }
  });
});
