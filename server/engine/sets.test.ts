import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { analyze, type Answer, type Model, type TokenRequest, type View } from '../../lib/engine/index.ts';
import { referencesOf } from '../../lib/engine/references.ts';
import { tensor } from '../../lib/engine/runtime.ts';
import { SetMean } from '../../lib/engine/sets.ts';
import { KeptTensors, referenceSources, referenceTokens } from '../../lib/engine/views/reference.ts';
import { randomGpt2, randomLens, seeded, writeModel } from './random-model.ts';
import { SlowModel } from './slow-model.ts';
import { loadModel, noControl } from './testing.ts';

const VOCABULARY = 30;
const GPT2 = randomGpt2(
  { layers: 2, heads: 3, d: 24, vocabulary: VOCABULARY, context: 12, prefix: '', tied: true, activation: 'gelu_new' },
  21,
);
/** Without norms logits are linear in the stream, so that the mean stream gives the mean logits. */
const LINEAR_END = randomLens(
  { layers: 2, heads: 2, d: 20, dHead: 8, dMlp: 40, vocabulary: VOCABULARY, context: 12, norm: null, activation: 'gelu' },
  22,
);

const random = seeded(23);
const drawTokens = (length: number) => Array.from({ length }, () => Math.floor(random() * VOCABULARY));
const PROMPTS = Array.from({ length: 5 }, () => ({ tokens: drawTokens(6), counterfactualTokens: drawTokens(6), target: 3, foil: 4 }));
const SET: TokenRequest['prompts'] = PROMPTS;

let gpt2: Model;
let linear: Model;
const folders: string[] = [];

beforeAll(async () => {
  for (const made of [GPT2, LINEAR_END]) folders.push(await writeModel(made));
  [gpt2, linear] = (await Promise.all(folders.map((folder) => loadModel(folder)))) as [Model, Model];
});
afterAll(async () => {
  await Promise.all([gpt2.close(), linear.close()]);
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
});

type Request = Omit<TokenRequest, 'model'>;
const ask = (model: Model, request: Request) => analyze(model, { model: '', ...request }, noControl);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('a mean over prompts', () => {
  const cases: [View, Partial<TokenRequest>][] = [
    ['direct', {}],
    ['degrees', {}],
    ['ablate', { ablate: ['a0.h1', 'm1'], together: true }],
    ['flow', {}],
    ['orders', {}],
    ['edge-patch', { edges: ['a0.h0->a1.h1<k>', 'm0->logits'], together: true }],
    ['path-effect', { paths: ['input->a1.h0->logits', 'a0.h0->m1->logits'] }],
  ];
  test.each(cases)('%s: terms and metric are the means of the single prompts', async (view, more) => {
    const all = await ask(gpt2, { view, prompts: SET, setName: 'five', ...more });
    const single: Answer[] = [];
    for (const example of PROMPTS) single.push(await ask(gpt2, { view, ...example, ...more }));
    expect(all.terms.map(({ name }) => name)).toEqual(single[0]!.terms.map(({ name }) => name));
    all.terms.forEach(({ value, values, spread }, index) => {
      const own = single.map(({ terms }) => terms[index]!.value!);
      expect(values).toEqual(own);
      expect(value).toBeCloseTo(mean(own), 12);
      const variance = own.reduce((sum, one) => sum + (one - mean(own)) ** 2, 0) / (own.length - 1);
      expect(spread).toBeCloseTo(Math.sqrt(variance), 12);
    });
    expect(all.metric).toBeCloseTo(mean(single.map(({ metric }) => metric!)), 12);
    expect(all.counterfactualMetric).toBeCloseTo(mean(single.map(({ counterfactualMetric }) => counterfactualMetric!)), 12);
    expect(all.examples!.map(({ metric }) => metric)).toEqual(single.map(({ metric }) => metric));
    expect(all.reference).toBe(single[0]!.reference);
    expect(all.settings).toMatchObject({ prompts: 5, promptSet: 'five', order: 'per prompt, then mean over prompts' });
  });

  test.each(['direct', 'degrees', 'logits'] as const)('%s: sum is a mean, error the largest', async (view) => {
    const all = await ask(gpt2, { view, prompts: SET });
    const single: Answer[] = [];
    for (const example of PROMPTS) single.push(await ask(gpt2, { view, ...example }));
    const errors = single.map(({ error }) => error!);
    expect(all.error).toBe(Math.max(...errors));
    expect(all.examples!.map(({ error }) => error)).toEqual(errors);
    expect(all.sum).toBeCloseTo(mean(single.map(({ sum }) => sum!)), 12);
  });

  test('top keeps the largest means, and the rest is the remainder', async () => {
    const all = await ask(gpt2, { view: 'direct', prompts: SET });
    const few = await ask(gpt2, { view: 'direct', prompts: SET, top: 3 });
    const kept = all.terms.toSorted((a, b) => Math.abs(b.value!) - Math.abs(a.value!)).slice(0, 3);
    expect(new Set(few.terms.map(({ name }) => name))).toEqual(new Set(kept.map(({ name }) => name)));
    expect(few.terms.reduce((sum, { value }) => sum + value!, 0) + few.remainder!).toBeCloseTo(few.sum!, 9);
    const likely = await ask(gpt2, { view: 'logits', prompts: SET, top: 4 });
    expect(likely.terms).toHaveLength(4);
    expect(likely.terms.map(({ logit }) => logit)).toEqual(likely.terms.map(({ logit }) => logit!).toSorted((a, b) => b - a));
  });

  test('top keeps the edges that move the mean metric most, and what was patched together', async () => {
    const request: Request = { view: 'edge-patch', prompts: SET, allEdges: true, together: true };
    const all = await ask(gpt2, request);
    const few = await ask(gpt2, { ...request, top: 2 });
    const moved = all.terms.slice(0, -1).toSorted((a, b) => Math.abs(b.value! - all.metric!) - Math.abs(a.value! - all.metric!));
    expect(new Set(few.terms.map(({ name }) => name))).toEqual(new Set([...moved.slice(0, 2).map(({ name }) => name), 'together']));
    expect(few.joint!.value).toBeCloseTo(mean(all.examples!.map(({ counterfactualMetric }) => counterfactualMetric!)), 4);
  });

  test('scrubbing draws a donor for each prompt, and everything is recovered when nothing is scrubbed', async () => {
    const answer = await ask(gpt2, { view: 'scrub', prompts: PROMPTS.map(({ tokens }) => ({ tokens })), allEdges: true });
    expect(answer).toMatchObject({ reference: 'resample', settings: { ablation: 'resample', seed: 0 } });
    expect(answer.examples!.every(({ donor }) => donor !== undefined)).toBe(true);
    expect(answer.terms.at(-1)!.value).toBeCloseTo(1, 4);
  });

  test('lengths may differ, and a request decides for examples that do not', async () => {
    const prompts = [{ tokens: drawTokens(3) }, { tokens: drawTokens(7), foil: null }];
    const answer = await ask(gpt2, { view: 'degrees', prompts, target: 5, foil: 6 });
    expect(answer.examples).toMatchObject([
      { target: 5, foil: 6 },
      { target: 5, foil: null },
    ]);
    expect(answer).toMatchObject({ tokens: prompts[0]!.tokens, position: 2 });
  });

  test('progress counts prompts, and every prompt can be the last', async () => {
    const seen: string[] = [];
    let checkpoints = 0;
    const control = {
      progress: (done: number, total: number, what: string) => seen.push(`${done} of ${total} ${what}`),
      async checkpoint() {
        checkpoints += 1;
        if (checkpoints === 3) throw new Error('stop');
      },
    };
    await expect(analyze(gpt2, { view: 'degrees', model: '', prompts: SET }, control)).rejects.toThrow('stop');
    expect(seen).toEqual(['1 of 5 prompts analysed', '2 of 5 prompts analysed']);
  });

  test('progress of a set that is scrubbed counts prompts twice, and stops where it is asked to', async () => {
    const seen: string[] = [];
    const progress = (done: number, total: number, what: string) => seen.push(`${done} of ${total} ${what}`);
    const request = { view: 'scrub', model: '', prompts: PROMPTS.slice(0, 2), ablation: 'counterfactual' } as const;
    await analyze(gpt2, { ...request, paths: ['input->a0.h0->logits'] }, { ...noControl, progress });
    expect(seen).toEqual(['1 of 2 prompts run', '2 of 2 prompts run', '1 of 2 examples scrubbed', '2 of 2 examples scrubbed']);
    const stop = { progress() {}, checkpoint: () => Promise.reject(new Error('stop')) };
    await expect(analyze(gpt2, request, stop)).rejects.toThrow('stop');
  });

  test('notes are given once, and say of how many prompts they hold', () => {
    const set = new SetMean('heads', 3, null);
    set.add({ terms: [], notes: ['Of all, a0.h1 [M7].', 'Of some.', 'At least 1.5e-7 of a1.'] });
    set.add({ terms: [], notes: ['Of all, a0.h1 [M7].', 'At least 20 of a1.', 'At least 20 of a2.'] });
    set.add({ terms: [], notes: ['Of all, a0.h1 [M7].', 'Of some.'] });
    expect(set.finish(0).notes).toEqual([
      'Of all, a0.h1 [M7].',
      '2 of 3 prompts: Of some.',
      '2 of 3 prompts, with numbers of their own, as here: At least 1.5e-7 of a1.',
      '1 of 3 prompts: At least 20 of a2.',
    ]);
  });

  test('scores that no query has are counted over the set', async () => {
    const prompts = [{ tokens: [1, 2, 3] }, { tokens: [1, 2, 1, 3] }];
    const { notes } = await ask(gpt2, { view: 'heads', prompts });
    expect(notes).toEqual([
      '1 of 2 prompts: No query has a key to score for duplicate.',
      '1 of 2 prompts: No query has a key to score for induction.',
    ]);
  });

  test('what interactions leave out is told once for the set, also where the list is cut', async () => {
    const { notes } = await ask(gpt2, { view: 'interactions', prompts: PROMPTS.slice(0, 2), maxDegree: 1, top: 2 });
    expect(notes).toEqual([
      'The remainder is by subtraction: v(all) − the 5 interactions of up to 1 of the 4 blocks; those of them that are not listed are added to it.',
    ]);
  });

  test('defects are means over the prompts that have them', () => {
    const set = new SetMean('interactions', 2, null);
    const frozenScale = null;
    set.add({ terms: [], defects: [{ name: 'm0', live: 0.5, frozenScale }] });
    set.add({ terms: [], defects: [{ name: 'm0', live: null, frozenScale }] });
    expect(set.finish(0).defects).toEqual([{ name: 'm0', live: 0.5, frozenScale: null }]);
  });

  test('of a single prompt has no spread', async () => {
    const answer = await ask(gpt2, { view: 'degrees', prompts: [PROMPTS[0]!] });
    expect(answer.terms[0]).toMatchObject({ spread: null, values: [answer.terms[0]!.value] });
  });

  test('compensation is a ratio of means, with each prompt beside it', () => {
    const set = new SetMean('repair', 3, null);
    for (const [real, frozen] of [
      [1, 2],
      [0.5, 0],
      [3, 4],
    ] as const) {
      set.add({ terms: [{ name: 'm0', real, frozen, compensation: frozen === 0 ? null : 1 - real / frozen }] });
    }
    expect(set.finish(0).terms).toEqual([
      { name: 'm0', real: 1.5, frozen: 2, compensation: 0.25, values: [0.5, null, 0.25], spread: Math.sqrt(0.03125) },
    ]);
  });

  test('scores that a prompt does not have are left out of their mean', () => {
    const set = new SetMean('heads', 2, null);
    set.add({ terms: [{ name: 'a0.h0', previous: 0.5, induction: null, pattern: [[1, 0]] }] });
    set.add({ terms: [{ name: 'a0.h0', previous: null, induction: null, pattern: [[0, 1]] }] });
    expect(set.finish(0).terms).toEqual([{ name: 'a0.h0', previous: 0.5, induction: null, pattern: [[0.5, 0.5]] }]);
  });
});

describe('the reference', () => {
  const nodes = ({ spec }: Model) => [
    'input',
    ...Array.from({ length: spec.layers }, (_, layer) => [
      ...Array.from({ length: spec.heads }, (_, head) => `a${layer}.h${head}`),
      ...(spec.hasMlp ? [`m${layer}`] : []),
    ]).flat(),
  ];
  const question = { tokens: drawTokens(6), target: 3, foil: 4 };

  test('mean is taken at each position over the runs of the set', async () => {
    const prompts = PROMPTS.map(({ tokens }) => tokens);
    const got = await referenceSources({ model: gpt2, references: { kind: 'mean', prompts }, control: noControl });
    const runs = await Promise.all(prompts.map((tokens) => gpt2.clean(tokens)));
    const wanted = Float64Array.from(got!.data, (_, index) => mean(runs.map(({ sources }) => sources.data[index]!)));
    expect(Math.max(...got!.data.map((value, index) => Math.abs(value - wanted[index]!)))).toBeLessThan(1e-6);
    expect(referenceTokens({ references: { kind: 'mean', prompts } })).toBeNull();
  });

  test('mean of all outputs without norms gives the mean metric of a float64 forward pass', async () => {
    const slow = new SlowModel(LINEAR_END);
    const metrics = PROMPTS.map(({ tokens }) => slow.logits(tokens)).map((logits) => logits[3]! - logits[4]!);
    const request: Request = { view: 'ablate', ...question, ablate: nodes(linear), together: true, ablation: 'mean' };
    const answer = await ask(linear, { ...request, referencePrompts: SET, referenceSetName: 'five' });
    expect(answer.joint!.value).toBeCloseTo(mean(metrics), 4);
    expect(answer).toMatchObject({
      reference: 'mean',
      settings: { direction: 'clean -> reference', ablation: 'mean', referencePrompts: 5, referenceSet: 'five' },
    });
  });

  test('mean of a large set is cropped once for all prompts that are read at the same position', () => {
    const set = PROMPTS.map(({ tokens }) => ({ tokens }));
    const prompts = PROMPTS.map(({ tokens }, index) => ({ where: '', tokens, position: index === 0 ? 3 : 5 }));
    const sources = referencesOf('mean', prompts, { ablation: 'mean', set, seed: 0 }, gpt2.spec);
    const arrays = sources.map((source) => source.kind === 'mean' && source.prompts);
    expect(new Set(arrays).size).toBe(2);
    expect(arrays[0]).toEqual(PROMPTS.map(({ tokens }) => tokens.slice(0, 4)));
    expect(arrays[1]).toEqual(PROMPTS.map(({ tokens }) => tokens));
  });

  test('means are kept by their size, the last one whatever it is', () => {
    const kept = new KeptTensors(40);
    const of = (size: number) => tensor(new Float32Array(size), [size]);
    for (const name of ['first', 'second', 'third']) kept.set(name, of(3));
    expect(kept.get('first')).toBeDefined();
    kept.set('third', of(4));
    kept.set('fourth', of(3));
    expect(['first', 'second', 'third', 'fourth'].filter((name) => kept.get(name))).toEqual(['first', 'third', 'fourth']);
    kept.set('large', of(100));
    expect(['first', 'third', 'fourth', 'large'].filter((name) => kept.get(name))).toEqual(['large']);
  });

  test('resample gives the metric of the drawn prompt, the same for the same seed', async () => {
    const slow = new SlowModel(GPT2);
    const request = {
      view: 'ablate',
      ...question,
      ablate: nodes(gpt2),
      together: true,
      ablation: 'resample',
      referencePrompts: SET,
    } as const;
    const donors = new Set<unknown>();
    for (let seed = 0; seed < 12; seed++) {
      const answer = await ask(gpt2, { ...request, seed });
      const donor = /^example ([1-5])$/.exec(String(answer.settings!['donor']))![1];
      donors.add(donor);
      const logits = slow.logits(PROMPTS[Number(donor) - 1]!.tokens);
      expect(answer.joint!.value).toBeCloseTo(logits[3]! - logits[4]!, 4);
      expect((await ask(gpt2, { ...request, seed })).terms).toEqual(answer.terms);
    }
    expect(donors.size).toBeGreaterThan(2);
  });

  test('resample over a set draws for each prompt another one of the same length', async () => {
    const prompts = [...PROMPTS.slice(0, 3), { tokens: drawTokens(4) }, { tokens: drawTokens(4) }, PROMPTS[0]!];
    const answer = await ask(gpt2, { view: 'ablate', prompts, target: 3, foil: 4, ablate: ['m0'], ablation: 'resample', seed: 7 });
    answer.examples!.forEach(({ tokens, donor }) => {
      expect(prompts[donor!]!.tokens).toHaveLength(tokens.length);
      expect(prompts[donor!]!.tokens).not.toEqual(tokens);
    });
    expect(answer.settings).toMatchObject({ ablation: 'resample', seed: 7, referencePrompts: 6 });
  });

  test('a prompt that differs after the position alone is no donor', async () => {
    const prompts = [{ tokens: [1, 2, 3] }, { tokens: [1, 2, 4] }];
    const request: Request = { view: 'ablate', prompts, position: 1, ablate: ['m0'], ablation: 'resample' };
    await expect(ask(gpt2, request)).rejects.toThrow('expected another prompt of 3 tokens, as many as example 1, got none');
  });
});

describe('refused', () => {
  const ablate: Request = { view: 'ablate', ablate: ['m0'] };
  const cases: [string, Request, string][] = [
    ['paths of a set', { view: 'paths', prompts: SET }, 'paths of a prompt set: expected a single prompt'],
    ['a set and a prompt', { view: 'direct', prompts: SET, tokens: [1] }, 'expected either tokens or a prompt set, got both'],
    ['neither', { view: 'direct' }, 'expected either tokens or a prompt set, got neither'],
    ['an empty set', { view: 'direct', prompts: [] }, 'prompts: expected from 1 to 1000 examples, got 0'],
    ['one counterfactual for all', { view: 'direct', prompts: SET, counterfactualTokens: [1] }, "each example's own"],
    [
      'a position outside one example',
      { view: 'direct', prompts: [{ tokens: [1, 2] }, { tokens: [1] }], position: 1 },
      'example 2: position: expected a whole number from 0 to 0, got 1',
    ],
    ['a token of an example', { view: 'direct', prompts: [{ tokens: [1] }, { tokens: [1, 99] }] }, 'example 2: prompt: token 1'],
    [
      'counterfactuals for some alone',
      { ...ablate, prompts: [PROMPTS[0]!, { tokens: [1] }] },
      'example 2: counterfactual: expected a counterfactual in every example',
    ],
    ['mean of nothing', { ...ablate, tokens: [1], ablation: 'mean' }, 'ablation mean: expected reference prompts'],
    ['resample of nothing', { ...ablate, tokens: [1], ablation: 'resample' }, 'ablation resample: expected reference prompts'],
    [
      'a mean over other lengths',
      { ...ablate, tokens: [1, 2], ablation: 'mean', referencePrompts: [{ tokens: [3, 4] }, { tokens: [1, 2, 3] }] },
      'reference prompts: example 2: expected 2 tokens, as many as the prompt, since the mean is taken at each position, got 3',
    ],
    [
      'the prompt itself as its donor',
      { ...ablate, tokens: [1, 2], ablation: 'resample', referencePrompts: [{ tokens: [1, 2] }, { tokens: [1] }] },
      'expected another prompt of 2 tokens, as many as the prompt, got none',
    ],
    ['scrubbing with zero', { view: 'scrub', tokens: [1], ablation: 'zero' }, 'ablation: expected resample or counterfactual'],
    ['a prompt for weights', { view: 'composition', tokens: [1] }, 'prompt: expected none, since composition is of weights alone'],
    ['no steps', { view: 'attribution', tokens: [1], steps: 0 }, 'steps: expected a whole number from 1 to 1000, got 0'],
    ['a broken seed', { view: 'direct', tokens: [1], seed: -1 }, 'seed: expected a whole number from 0 to 4294967295, got -1'],
    [
      'patterns of different lengths',
      { view: 'heads', nodes: ['a0.h0'], prompts: [{ tokens: [1, 2] }, { tokens: [1] }] },
      'example 2: expected 2 tokens, as many as the first, for a mean of patterns, got 1',
    ],
  ];
  test.each(cases)('%s', async (_, request, message) => {
    await expect(ask(gpt2, request)).rejects.toThrow(message);
  });
});
