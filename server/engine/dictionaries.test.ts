import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Dictionary, analyze, type Answer, type DictionaryStore, type Model, type TokenRequest } from '../../lib/engine/index.ts';
import { readDictionaryFolder } from './dictionary-folder.ts';
import { expectTable } from './golden-tables.ts';
import { FIXTURES, loadModel, noControl, runtimeOf } from './testing.ts';

/** Dictionaries of every kind on two families, against the float64 numbers of bench/goldens/dictionaries.py. */

type Table = Record<string, number>;

interface Golden {
  model: string;
  kind: string;
  activations: number[][];
  direct: Table;
  others: Table;
  paths: Record<string, Table>;
  edges_at: Record<string, { pre: number; edges: Table }>;
  edges_on_path: Record<string, Table>;
  ablate_zero: Table;
  ablate_zero_together: number;
  ablate_counterfactual: Table;
  ablate_mean: Table;
  tokens: Record<string, number[]>;
  tokens_fold_norm: Record<string, number[]>;
}
interface Pair {
  path: string;
  readers: string[];
  wholes: Table;
  edges: Table;
}
type File = Record<string, Golden> & { pairs: Record<string, Pair[]>; virtual_weights: Record<string, Table> };

const read = async (name: string) => JSON.parse(await readFile(join(FIXTURES, 'goldens', `${name}.json`), 'utf8'));
const goldens = (await read('dictionaries')) as File;
const names = Object.keys(goldens).filter((name) => name !== 'pairs' && name !== 'virtual_weights');

interface Subject {
  model: Model;
  prompt: { tokens: number[]; counterfactualTokens: number[]; target: number; foil: number | null; position: number };
}
const subjects = new Map<string, Subject>();

beforeAll(async () => {
  for (const name of new Set(names.map((dictionary) => goldens[dictionary]!.model))) {
    const model = await loadModel(join(FIXTURES, name), 1, (owner) => fixtureStore(owner));
    const { tokens, counterfactual_tokens: counterfactualTokens, target, foil, position } = await read(name);
    subjects.set(name, { model, prompt: { tokens, counterfactualTokens, target, foil, position } });
  }
});
afterAll(() => Promise.all([...subjects.values()].map(({ model }) => model.close())));

function fixtureStore({ spec }: Pick<Model, 'spec'>): DictionaryStore {
  const opened = new Map<string, Promise<Dictionary>>();
  const open = async (name: string) => {
    const folder = join(FIXTURES, 'dictionaries', name);
    return new Dictionary(name, `hash of ${name}`, (await readDictionaryFolder(folder, spec)).spec, await runtimeOf(folder, 1));
  };
  return {
    open: (name) => opened.set(name, opened.get(name) ?? open(name)).get(name)!,
    close: async () => void (await Promise.all([...opened.values()].map(async (one) => (await one).close()))),
  };
}

const ask = (dictionary: string, request: Partial<TokenRequest> & Pick<TokenRequest, 'view'>): Promise<Answer> => {
  const { model, prompt } = subjects.get(goldens[dictionary.split(' > ')[0]!]!.model)!;
  const { counterfactualTokens, ...clean } = prompt;
  const isOfPrompt = request.view !== 'feature-tokens';
  const isCausal = request.view === 'feature-ablate' && request.ablation === 'counterfactual';
  return analyze(
    model,
    {
      ...(isOfPrompt && clean),
      ...(isCausal && { counterfactualTokens }),
      model: model.name,
      dictionaries: dictionary.split(' > '),
      ...request,
    } as TokenRequest,
    noControl,
  );
};
const valuesOf = ({ terms }: Answer): Table => Object.fromEntries(terms.map(({ name, value }) => [name, value!]));
const massOf = ({ terms }: Answer) => terms.reduce((sum, { value }) => sum + Math.abs(value!), 0);
/** Both tables with 0 for what only the other has. */
function expectSparse(found: Table, wanted: Table): void {
  const keys = [...new Set([...Object.keys(found), ...Object.keys(wanted)])];
  const filled = (table: Table) => Object.fromEntries(keys.map((key) => [key, table[key] ?? 0]));
  expectTable(filled(found), filled(wanted));
}
function expectExact(answer: Answer): void {
  expect(answer.error).toBeLessThanOrEqual(1e-5 * massOf(answer));
}

describe.each(names)('%s', (name) => {
  const golden = goldens[name]!;
  const layer = Number(/\d+$/.exec(name)![0]);

  test('features take the place of what they explain, and the metric stays the exact sum [D1], [M7]', async () => {
    const answer = await ask(name, { view: 'features', top: 1000 });
    expectExact(answer);
    expect(Math.abs(answer.sum! - answer.metric!)).toBe(answer.error);
    expectSparse(valuesOf(answer), { ...golden.direct, ...golden.others });
    expect(answer.dictionaries).toMatchObject([{ name, kind: golden.kind, layer }]);
    const few = await ask(name, { view: 'features', top: 2 });
    expectExact({ ...few, terms: answer.terms });
    expect(few.terms.filter(({ name: term }) => /^f\d+\.\d+$/.test(term))).toHaveLength(2);
  });

  test('activations at each token', async () => {
    const { prompt } = subjects.get(golden.model)!;
    const columns = golden.activations[0]!.map((_, feature) => feature);
    const answer = await ask(name, { view: 'features', nodes: columns.map((feature) => `f${layer}.${feature}`), byToken: true });
    const scale = Math.max(...golden.activations.flat());
    for (const term of answer.terms) {
      const feature = /^f\d+\.(\d+)$/.exec(term.name)?.[1];
      if (feature === undefined) continue;
      const wanted = golden.activations.slice(0, prompt.position + 1).map((row) => row[Number(feature)]!);
      term.activations!.forEach((value, token) =>
        expect(Math.abs(value - wanted[token]!), `${term.name}@${token}`).toBeLessThan(1e-4 * scale),
      );
      expect(term.activation).toBe(Math.max(0, ...term.activations!));
      expect(term.byToken!.reduce((sum, value) => sum + value, 0)).toBeCloseTo(term.value!, 4);
    }
  });

  test.each(Object.keys(golden.paths))('the value of %s, split exactly [D3]', async (path) => {
    const answer = await ask(name, { view: 'features', paths: [path], top: 1000 });
    expectExact(answer);
    const part = /(f\d+\.(?:\d+|b|error))/;
    const found = Object.fromEntries(answer.terms.map((term) => [part.exec(term.name)![1]!, term.value!]));
    expectSparse(found, golden.paths[path]!);
    // A path that begins before the dictionary's place is worth what the trie says of it.
    const isWhole = answer.terms.some((term) => /f\d+\.b/.test(term.name));
    if (isWhole) return;
    const nodes = path.split('->');
    const known = await ask(name, { view: 'suffixes', dictionaries: [], paths: [nodes.slice(1).join('->')] });
    expect(answer.whole!.value).toBeCloseTo(known.terms.find((term) => term.name === path)!.value!, 5);
  });

  test.each(Object.keys(golden.edges_at))('what %s reads: exact parts of its pre-activation [D4]', async (feature) => {
    const answer = await ask(name, { view: 'feature-edges', nodes: [feature], top: 10_000 });
    expectExact(answer);
    expect(answer.whole!.value).toBeCloseTo(golden.edges_at[feature]!.pre, 4);
    const [plain] = feature.split('@');
    const found = Object.fromEntries(
      Object.entries(valuesOf(answer)).map(([edge, value]) => [edge.replace(/->f.*$/, '').replace(plain!, plain!), value]),
    );
    expectTable(found, golden.edges_at[feature]!.edges);
  });

  test('what the largest features read on the way to the logits', async () => {
    const features = Object.keys(golden.edges_on_path);
    const answer = await ask(name, { view: 'feature-edges', nodes: features, top: 10_000 });
    expectExact(answer);
    const wanted = features.flatMap((feature) =>
      Object.entries(golden.edges_on_path[feature]!).map(([from, value]) => [`${from}->${feature}`, value] as const),
    );
    expectTable(valuesOf(answer), Object.fromEntries(wanted));
  });

  test('ablating features, the error kept, everything downstream live [D5]', async () => {
    const features = Object.keys(golden.ablate_zero);
    const zero = await ask(name, { view: 'feature-ablate', ablate: features, ablation: 'zero', together: true });
    expect(zero.kind).toBe('causal');
    expectTable(valuesOf(zero), { ...golden.ablate_zero, together: golden.ablate_zero_together });
    const { prompt } = subjects.get(golden.model)!;
    const other = await ask(name, { view: 'feature-ablate', ablate: features, ablation: 'counterfactual' });
    expectTable(valuesOf(other), golden.ablate_counterfactual);
    const referencePrompts = [{ tokens: prompt.tokens }, { tokens: prompt.counterfactualTokens }];
    const mean = await ask(name, { view: 'feature-ablate', ablate: features, ablation: 'mean', referencePrompts });
    expectTable(valuesOf(mean), golden.ablate_mean);
  });

  test('the tokens that a feature raises and lowers [D6]', async () => {
    for (const [foldNorm, table] of [
      [false, golden.tokens],
      [true, golden.tokens_fold_norm],
    ] as const) {
      const [feature, logits] = Object.entries(table)[0]!;
      const answer = await ask(name, { view: 'feature-tokens', nodes: [feature], top: 3, foldNorm });
      const order = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]!);
      const listed = [...order.slice(0, 3), ...order.slice(-3)];
      expect(answer.terms.map((term) => term.name)).toEqual(listed.map((token) => `${feature}->${token}`));
      expectTable(valuesOf(answer), Object.fromEntries(listed.map((token) => [`${feature}->${token}`, logits[token]!])));
    }
  });
});

describe.each(Object.entries(goldens.pairs))('features of %s', (pair, entries) => {
  test.each(entries.map((entry) => [entry.path || 'the stream', entry] as const))(
    'edges along %s',
    async (_, { path, readers, wholes, edges }) => {
      const answer = await ask(pair, { view: 'feature-edges', nodes: readers, ...(path && { paths: [path] }), top: 100_000 });
      expectExact(answer);
      expect(answer.whole!.value).toBeCloseTo(
        Object.values(wholes).reduce((sum, value) => sum + value, 0),
        4,
      );
      expectSparse(valuesOf(answer), edges);
      const weights = goldens.virtual_weights[pair] ?? {};
      const known = answer.terms.filter(({ name, weight }) => weight !== undefined && weights[name] !== undefined);
      expectTable(
        Object.fromEntries(known.map(({ name, weight }) => [name, weight!])),
        Object.fromEntries(known.map(({ name }) => [name, weights[name]!])),
      );
    },
  );
});

test('an edge between features is activation times weight over the scale of the norm, where nothing is between [D4]', async () => {
  const { view, ...rest } = { view: 'feature-edges' as const, nodes: ['f2.16@6'], top: 100_000 };
  const answer = await ask('gpt2-mlp1 > gpt2-skip2', { view, ...rest });
  const straight = answer.terms.filter(({ weight }) => weight !== undefined && weight !== 0);
  expect(straight.length).toBeGreaterThan(5);
  const features = straight.map(({ name }) => name.split('->')[0]!);
  const { terms } = await ask('gpt2-mlp1', { view: 'features', nodes: features, byToken: true });
  const activation = new Map(terms.map(({ name, activations }) => [name, activations?.[6]]));
  const scales = straight.map(({ name, value, weight }) => (activation.get(name.split('->')[0]!)! * weight!) / value!);
  for (const scale of scales) expect(scale).toBeCloseTo(scales[0]!, 3);
  expect(scales[0]).toBeGreaterThan(0);
});
