import fc from 'fast-check';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compose, type BlockSet } from '../../lib/engine/compositions.ts';
import { analyze, type Answer, type Model, type TokenRequest } from '../../lib/engine/index.ts';
import { slice } from '../../lib/engine/runtime.ts';
import { describeGoldens, expectTable, indexed } from './golden-tables.ts';
import { randomGpt2, randomLens, writeModel, type RandomModel } from './random-model.ts';
import { SlowModel, sum, type Matrix } from './slow-model.ts';
import { loadModel, noControl } from './testing.ts';

const gpt2 = { layers: 2, heads: 3, d: 24, vocabulary: 30, context: 12 };
const lens = { layers: 2, heads: 2, d: 20, dHead: 8, vocabulary: 30, context: 12 };

const MODELS: Record<string, RandomModel> = {
  'gpt2, gelu_new': randomGpt2({ ...gpt2, prefix: '', tied: true, activation: 'gelu_new' }, 31),
  'lens, LN, attention only': randomLens({ ...lens, layers: 4, dMlp: 0, norm: 'LN', activation: null }, 32),
  'lens, RMS, silu': randomLens({ ...lens, dMlp: 40, norm: 'RMS', activation: 'silu' }, 33),
  'lens, no norm, relu': randomLens({ ...lens, dMlp: 40, norm: null, activation: 'relu' }, 34),
};
const prompt = fc.array(fc.nat(29), { minLength: 1, maxLength: 8 });
const RUNS = { numRuns: 5, seed: 20_261 };

const table = (answer: Answer, field: 'value' | 'norm' | 'relativeError') =>
  Object.fromEntries(answer.terms.map((term) => [term.name, term[field]!]));

describeGoldens('blocks of', (subject) => {
  const orderOf = (set: string) => (set === '{}' ? 0 : set.split(',').length);

  test('interactions [M18]: every set of the table, in its order, and a sum that is the metric', async () => {
    const names = Object.keys(subject.golden.moebius);
    const highest = Math.max(...names.map(orderOf));
    const answer = await subject.ask({ view: 'interactions', maxDegree: highest });
    expectTable(table(answer, 'value'), subject.golden.moebius);
    expect(answer.terms.map((term) => term.name)).toEqual(names);
    expect(answer.terms.map(({ degree }) => degree)).toEqual(names.map(orderOf));
    const scale = Math.max(...Object.values(subject.golden.moebius).map(Math.abs));
    expect(answer.error).toBeLessThanOrEqual(1e-4 * scale);
    const all = await subject.ask({ view: 'interactions' });
    expect(all.error).toBeLessThanOrEqual(1e-4 * scale);
    const blocks = all.settings!['blocks'] as number;
    expect(all.terms).toHaveLength(2 ** blocks);
    expect(all.remainder).toBe(0);
    const beyond = all.terms.filter(({ degree }) => degree! > highest).reduce((sum, { value }) => sum + value!, 0);
    expect(Math.abs(answer.remainder! - beyond)).toBeLessThanOrEqual(1e-4 * scale);
    expect(answer.notes.join(' ').includes('by subtraction')).toBe(highest < blocks);
  });

  test('interactions: the largest of them, the rest in the remainder', async () => {
    const all = await subject.ask({ view: 'interactions' });
    const top = await subject.ask({ view: 'interactions', top: 3 });
    const largest = all.terms.map(({ value }) => Math.abs(value!)).toSorted((a, b) => b - a);
    expect(top.terms.map(({ value }) => Math.abs(value!)).toSorted((a, b) => b - a)).toEqual(largest.slice(0, 3));
    expect(top.sum).toBeCloseTo(all.sum!, 9);
  });

  test('additivity defects [M19], live and with the scales held', async () => {
    const { defects } = await subject.ask({ view: 'interactions', maxDegree: 0 });
    expectTable(Object.fromEntries(defects!.map((defect) => [defect.name, defect.live!])), subject.golden.additivity_defect);
    if (!subject.golden.additivity_defect_frozen_scale) return;
    const frozen = Object.fromEntries(defects!.map((defect) => [defect.name, defect.frozenScale!]));
    expectTable(frozen, subject.golden.additivity_defect_frozen_scale);
  });

  test('naive-expansion [M15]', async () => {
    const answer = await subject.ask({ view: 'naive-expansion' });
    expect(answer.kind).toBe('approximation');
    const { relative_error_by_degree: errors, term_norm_by_degree: norms } = subject.golden.residual_expansion;
    const count = answer.terms.length;
    expect(count).toBe(1 + Math.min(3, answer.settings!['blocks'] as number));
    expectTable(table(answer, 'norm'), indexed(norms.slice(0, count)));
    expectTable(table(answer, 'relativeError'), indexed(errors.slice(0, count)));
    expect(answer.sum).toBeUndefined();
  });
});

describe.each(Object.keys(MODELS))('blocks of %s', (name) => {
  let model: Model;
  let folder: string;
  const slow = new SlowModel(MODELS[name]!);
  const [target, foil] = [1, 2];

  beforeAll(async () => {
    folder = await writeModel(MODELS[name]!);
    model = await loadModel(folder);
  });
  afterAll(async () => {
    await model.close();
    await rm(folder, { recursive: true });
  });

  const ask = (request: Omit<TokenRequest, 'model'>) => analyze(model, { model: name, target, foil, ...request }, noControl);

  test('[M18] interactions sum to the metric and agree with float64, however the position is chosen', async () => {
    await fc.assert(
      fc.asyncProperty(prompt, fc.nat(100), async (tokens, at) => {
        const position = at % tokens.length;
        const wanted = slowInteractions(slow, tokens.slice(0, position + 1), target, foil);
        const answer = await ask({ view: 'interactions', tokens, position });
        expectTable(table(answer, 'value'), wanted);
        const scale = Math.max(...Object.values(wanted).map(Math.abs));
        expect(answer.error).toBeLessThan(1e-4 * scale);
        const singles = await ask({ view: 'interactions', tokens, position, maxDegree: 1 });
        const rest = Object.entries(wanted).filter(([set]) => set.includes(','));
        expect(Math.abs(singles.remainder! - rest.reduce((sum, [, value]) => sum + value, 0))).toBeLessThan(1e-4 * scale);
      }),
      RUNS,
    );
  });

  test('[M15] the naive expansion agrees with float64; degree 0 is the input', async () => {
    await fc.assert(
      fc.asyncProperty(prompt, async (tokens) => {
        const wanted = slowExpansion(slow, tokens);
        const answer = await ask({ view: 'naive-expansion', tokens, maxDegree: 100 });
        expect(answer.terms).toHaveLength(slow.blocks.length + 1);
        expectTable(table(answer, 'norm'), indexed(wanted.norms));
        expectTable(table(answer, 'relativeError'), indexed(wanted.errors));
        expect(Math.abs(answer.terms[0]!.norm! - norm(slow.embed(tokens)))).toBeLessThan(1e-5 * norm(slow.embed(tokens)));
      }),
      RUNS,
    );
  });

  test('[M19] live additivity defects agree with float64', async () => {
    await fc.assert(
      fc.asyncProperty(prompt, async (tokens) => {
        const { defects } = await ask({ view: 'interactions', tokens, maxDegree: 0 });
        expectTable(Object.fromEntries(defects!.map((defect) => [defect.name, defect.live!])), slowDefects(slow, tokens));
      }),
      RUNS,
    );
  });

  test('compositions come out the same in little memory', async () => {
    const tokens = [3, 1, 4, 1, 5];
    const { sources } = await model.clean(tokens);
    const walk = async (memory: number) => {
      const found = new Map<string, number>();
      const visit = (sets: readonly BlockSet[]) => sets.forEach(({ members, stream }) => found.set(members.join(), stream.at(-1)!));
      const input = slice(sources, 0).data;
      await compose(model, { input, tokens: tokens.length, maxSize: 3, residual: true, visit, control: noControl, memory });
      return Object.fromEntries(found);
    };
    expectTable(await walk(1), await walk(2 ** 30));
  });
});

describe('many blocks', () => {
  let model: Model;
  let folder: string;
  const sizes = { heads: 1, d: 8, dHead: 4, dMlp: 8, vocabulary: 20, context: 6, norm: 'LN', activation: 'gelu' } as const;
  const ask = (request: Omit<TokenRequest, 'model' | 'tokens'>) => analyze(model, { model: '', tokens: [1, 2, 3], ...request }, noControl);

  beforeAll(async () => {
    folder = await writeModel(randomLens({ ...sizes, layers: 12 }, 21));
    model = await loadModel(folder);
  });
  afterAll(async () => {
    await model.close();
    await rm(folder, { recursive: true });
  });

  test('pairs alone by default, the rest as one number, and said so', async () => {
    const answer = await ask({ view: 'interactions' });
    expect(answer.terms).toHaveLength(1 + 24 + 276);
    expect(answer.remainder).not.toBe(0);
    expect(answer.error).toBeLessThan(1e-3);
    expect(answer.notes.join(' ')).toContain('by subtraction: v(all) − the 301 interactions of up to 2 of the 24 blocks; those');
    const top = await ask({ view: 'interactions', top: 4 });
    expect(top.terms).toHaveLength(4);
    expect(top.sum).toBeCloseTo(answer.sum!, 6);
  });

  test('too high a degree is refused with the number of evaluations', async () => {
    for (const view of ['naive-expansion', 'interactions'] as const) {
      await expect(ask({ view, maxDegree: 5 })).rejects.toThrow(/max-degree: expected a degree of at most 50000 evaluations.*55455/);
    }
    expect((await ask({ view: 'naive-expansion', maxDegree: 1 })).terms).toHaveLength(2);
  });
});

function subsets<T>(items: readonly T[]): T[][] {
  return items.reduce<T[][]>((all, item) => [...all, ...all.map((set) => [...set, item])], [[]]);
}

/** Σ_{S⊆T} (−1)^{|T|−|S|} v(S), as the definition says. */
function slowInteractions(slow: SlowModel, tokens: readonly number[], target: number, foil: number): Record<string, number> {
  const nameOf = (set: readonly { name: string }[]) => `{${set.map((block) => block.name).join(',')}}`;
  const valueOf = (set: typeof slow.blocks) => {
    let x = slow.embed(tokens);
    for (const { write } of set) x = sum(x, write(x));
    const logits = slow.read(x.at(-1)!);
    return logits[target]! - logits[foil]!;
  };
  const sets = subsets(slow.blocks);
  const values = new Map(sets.map((set) => [nameOf(set), valueOf(set)]));
  return Object.fromEntries(
    sets.map((set) => [
      nameOf(set),
      subsets(set).reduce((total, part) => total + (-1) ** (set.length - part.length) * values.get(nameOf(part))!, 0),
    ]),
  );
}

function slowExpansion(slow: SlowModel, tokens: readonly number[]): { norms: number[]; errors: number[] } {
  const input = slow.embed(tokens);
  const { blocks } = slow;
  const final = blocks.reduce((x, { write }) => sum(x, write(x)), input);
  const parts = Array.from({ length: blocks.length + 1 }, (_, degree) =>
    subsets(blocks)
      .filter((set) => set.length === degree)
      .map((set) => set.reduce((x, { write }) => write(x), input))
      .reduce(sum),
  );
  const upTo = parts.map((_, degree) => parts.slice(0, degree + 1).reduce(sum));
  return { norms: parts.map(norm), errors: upTo.map((part) => norm(minus(part, final)) / norm(final)) };
}

function slowDefects(slow: SlowModel, tokens: readonly number[]): Record<string, number> {
  let before = slow.embed(tokens);
  const defects: Record<string, number> = {};
  slow.blocks.forEach(({ name, write }, index) => {
    if (index === 0) return;
    const change = slow.blocks[index - 1]!.write(before);
    const after = sum(before, change);
    const nothing = write(before.map((row) => row.map(() => 0)));
    const defect = sum(minus(minus(write(after), write(before)), write(change)), nothing);
    defects[name] = norm(defect) / norm(minus(write(after), nothing));
    before = after;
  });
  return defects;
}

function minus(a: Matrix, b: Matrix): Matrix {
  return a.map((row, at) => row.map((value, column) => value - b[at]![column]!));
}

function norm(x: Matrix): number {
  return Math.sqrt(x.flat().reduce((total, value) => total + value * value, 0));
}
