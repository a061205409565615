import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { analyze, type Answer, type Model, type TokenRequest } from '../../lib/engine/index.ts';
import { Trie, countSuffixes, openAll, pathName } from '../../lib/engine/trie.ts';
import { randomLens, writeModel } from './random-model.ts';
import { loadModel, noControl } from './testing.ts';

const sizes = { d: 16, dHead: 4, dMlp: 0, vocabulary: 30, context: 8, norm: 'LN', activation: null } as const;
const tokens = [3, 1, 4, 1, 5];

async function open(layers: number, heads: number): Promise<{ model: Model; close(): Promise<void> }> {
  const folder = await writeModel(randomLens({ ...sizes, layers, heads }, 11));
  const model = await loadModel(folder);
  return {
    model,
    async close() {
      await model.close();
      await rm(folder, { recursive: true });
    },
  };
}

const mass = ({ terms }: Answer) => terms.reduce((sum, { value }) => sum + Math.abs(value!), 0);

describe('[M12] a search that cannot open everything', () => {
  let deep: Awaited<ReturnType<typeof open>>;
  const ask = (request: Omit<TokenRequest, 'model' | 'tokens'>) => analyze(deep.model, { model: '', tokens, ...request }, noControl);

  beforeAll(async () => {
    deep = await open(6, 6);
  });
  afterAll(() => deep.close());

  test('says so and still leaves an exact partition', async () => {
    expect(countSuffixes(deep.model.spec, 6)).toBe(7 ** 6);
    const direct = await ask({ view: 'direct' });
    const answer = await ask({ view: 'paths', top: 20 });
    expect(answer.search).toBe('budget');
    expect(answer.opened).toBeLessThan(7 ** 6);
    expect(answer.largestUnopened).toBeGreaterThan(0);
    expect(answer.terms).toHaveLength(20);
    expect(answer.error).toBeLessThan(1e-5 * mass(direct) + 1e-6);
  });

  test('a degree that it can reach makes it exhaustive, with the same values', async () => {
    const within = await ask({ view: 'paths', top: 100_000, maxDegree: 2 });
    expect(within.search).toBe('exhaustive');
    const values = new Map(within.terms.map(({ name, value }) => [name, value!]));
    const short = (await ask({ view: 'paths', top: 20 })).terms.filter(({ degree }) => degree! <= 2);
    expect(short.length).toBeGreaterThan(0);
    for (const { name, value } of short) expect(value).toBeCloseTo(values.get(name)!, 4);
  });

  test('opens until complete paths hold the share that was asked for, or says where it ended', async () => {
    const answer = await ask({ view: 'suffixes', untilMass: 0.3 });
    const opened = new Set(answer.terms.map(({ parent }) => parent));
    const frontier = answer.terms.filter(({ name }) => !opened.has(name));
    const weight = (terms: typeof frontier) => terms.reduce((sum, { value }) => sum + Math.abs(value!), 0);
    const reached = weight(frontier.filter((term) => !term.open)) / weight(frontier);
    expect(answer.notes[0]).toContain(`${(100 * reached).toFixed(1)}%`);
    expect(frontier.reduce((sum, { value }) => sum + value!, 0) + answer.remainder!).toBeCloseTo(answer.metric!, 3);
  });
});

test('[M12] opening everything in little memory finds the same paths', async () => {
  const { model, close } = await open(4, 3);
  const question = { tokens, counterfactual: null, target: 1, foil: 2 };
  const run = await model.clean(tokens);
  const direction = await model.direction(run, question);
  const found = async (bytes: number) => {
    const paths = new Map<string, number>();
    const trie = new Trie(model, run, direction);
    await openAll(trie, 4, bytes, noControl, (opened) => opened.paths.forEach((path) => paths.set(pathName(path), path.value)));
    return paths;
  };
  const [roomy, tight] = [await found(64 * 1024 * 1024), await found(1)];
  expect([...tight.keys()].toSorted()).toEqual([...roomy.keys()].toSorted());
  for (const [name, value] of roomy) expect(tight.get(name)).toBeCloseTo(value, 4);
  await close();
});
