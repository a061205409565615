import fc from 'fast-check';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { analyze, type Answer, type Model, type TokenRequest } from '../../lib/engine/index.ts';
import { sourceRows } from '../../lib/engine/spec.ts';
import { randomGpt2, randomLens, writeModel, type RandomModel } from './random-model.ts';
import { SlowModel } from './slow-model.ts';
import { loadModel, noControl } from './testing.ts';

const gpt2 = { layers: 2, heads: 3, d: 24, vocabulary: 30, context: 12 };
const lens = { layers: 2, heads: 2, d: 20, dHead: 8, vocabulary: 30, context: 12 };

const MODELS: Record<string, RandomModel> = {
  'gpt2, prefix, tied, gelu_new': randomGpt2({ ...gpt2, prefix: 'transformer.', tied: true, activation: 'gelu_new' }, 1),
  'gpt2, bare, untied, gelu': randomGpt2({ ...gpt2, prefix: '', tied: false, activation: 'gelu' }, 2),
  'gpt2, bare, tied, relu': randomGpt2({ ...gpt2, prefix: '', tied: true, activation: 'relu' }, 3),
  'lens, LN, attention only': randomLens({ ...lens, dMlp: 0, norm: 'LN', activation: null }, 4),
  'lens, no norm, attention only': randomLens({ ...lens, dMlp: 0, norm: null, activation: null }, 5),
  'lens, RMS, silu': randomLens({ ...lens, dMlp: 40, norm: 'RMS', activation: 'silu' }, 6),
  'lens, folded LN, relu': randomLens({ ...lens, dMlp: 40, norm: 'LNPre', activation: 'relu' }, 7),
  'lens, no norm, gelu': randomLens({ ...lens, dMlp: 40, norm: null, activation: 'gelu' }, 8),
};

const prompt = fc.array(fc.nat(29), { minLength: 1, maxLength: 12 });
const pair = fc.integer({ min: 1, max: 12 }).chain((length) => {
  const tokens = fc.array(fc.nat(29), { minLength: length, maxLength: length });
  return fc.tuple(tokens, tokens);
});
const RUNS = { numRuns: 8, seed: 20_261 };

const total = (answer: Answer) => answer.terms.reduce((sum, { value }) => sum + value!, 0);
const mass = (answer: Answer) => answer.terms.reduce((sum, { value }) => sum + Math.abs(value!), 0);

describe.each(Object.keys(MODELS))('%s', (name) => {
  let model: Model;
  let folder: string;
  const slow = new SlowModel(MODELS[name]!);

  beforeAll(async () => {
    folder = await writeModel(MODELS[name]!);
    model = await loadModel(folder);
  });
  afterAll(async () => {
    await model.close();
    await rm(folder, { recursive: true });
  });

  const ask = (request: Omit<TokenRequest, 'model'>) => analyze(model, { model: name, ...request }, noControl);

  test('the forward graph agrees with a float64 forward pass', async () => {
    await fc.assert(
      fc.asyncProperty(prompt, async (tokens) => {
        const wanted = slow.logits(tokens);
        const answer = await ask({ view: 'logits', tokens });
        const scale = Math.max(...wanted.map(Math.abs));
        for (const { name: token, logit } of answer.terms) expect(Math.abs(logit! - wanted[Number(token)]!)).toBeLessThan(1e-4 * scale);
      }),
      RUNS,
    );
  });

  test('[M11] all paths sum to the metric, and so do nodes and degrees', async () => {
    await fc.assert(
      fc.asyncProperty(prompt, fc.constantFrom(undefined, null), async (tokens, foil) => {
        const direct = await ask({ view: 'direct', tokens, foil });
        const bound = 1e-5 * mass(direct) + 1e-6;
        expect(direct.error).toBeLessThanOrEqual(bound);
        for (const view of ['degrees', 'paths'] as const) {
          const answer = await ask({ view, tokens, foil, top: view === 'paths' ? 5 : undefined });
          expect(answer.error, view).toBeLessThanOrEqual(bound);
          expect(total(answer) + answer.remainder!).toBeCloseTo(answer.sum!, 9);
        }
      }),
      RUNS,
    );
  });

  test('[M4], [M13] the paths of a degree sum to its entry in the spectrum', async () => {
    await fc.assert(
      fc.asyncProperty(prompt, async (tokens) => {
        const spectrum = await ask({ view: 'degrees', tokens });
        const paths = await ask({ view: 'paths', tokens, top: 100_000 });
        for (const { name: degree, value } of spectrum.terms) {
          const own = paths.terms.filter((path) => String(path.degree) === degree);
          const sum = own.reduce((all, path) => all + path.value!, 0);
          expect(Math.abs(sum - value!), `degree ${degree}`).toBeLessThan(1e-5 * mass(paths) + 1e-6);
        }
        const few = await ask({ view: 'paths', tokens, top: 100_000, maxDegree: 1 });
        expect(few.terms.every(({ degree }) => degree! <= 1)).toBe(true);
        expect(few.error).toBeLessThan(1e-5 * mass(paths) + 1e-6);
      }),
      RUNS,
    );
  });

  test('[M12] a suffix holds what its children and its own sources hold', async () => {
    await fc.assert(
      fc.asyncProperty(prompt, async (tokens) => {
        const root = await ask({ view: 'suffixes', tokens });
        const suffixes = root.terms.filter(({ open }) => open);
        const opened = await ask({ view: 'suffixes', tokens, paths: suffixes.map((term) => term.name), byToken: true });
        for (const suffix of suffixes) {
          const children = opened.terms.filter(({ parent }) => parent === suffix.name);
          const sum = children.reduce((value, child) => value + child.value!, 0);
          expect(Math.abs(sum - suffix.value!), suffix.name).toBeLessThan(1e-5 * mass(root) + 1e-6);
          for (const { byToken, value } of children) {
            expect(byToken!.reduce((a, b) => a + b, 0)).toBeCloseTo(value!, 3);
          }
        }
        expect(opened.error).toBeLessThan(1e-5 * mass(root) + 1e-6);
      }),
      RUNS,
    );
  });

  test('[M11] dropping one bias shows as an error', async () => {
    const tokens = [3, 1, 4, 1, 5];
    const whole = await ask({ view: 'paths', tokens, top: 3 });
    const run = await model.clean(tokens);
    const [from, to] = ['a1.b', 'a1.b'].map((bias, end) => (sourceRows(model.spec).get(bias)! + end) * tokens.length * model.spec.dModel);
    const kept = run.sources.data.slice(from, to);
    run.sources.data.fill(0, from, to);
    const broken = await ask({ view: 'paths', tokens, top: 3 });
    run.sources.data.set(kept, from);
    expect(broken.error).toBeGreaterThan(100 * whole.error! + 1e-3);
  });

  test('[M16] an effect against itself is nothing, and every path at once is the other run', async () => {
    await fc.assert(
      fc.asyncProperty(pair, async ([tokens, counterfactualTokens]) => {
        const paths = ['input->logits', ...heads(model).map((head) => `${head}->logits`)];
        const none = await ask({ view: 'path-effect', tokens, counterfactualTokens: tokens, paths, target: 1, foil: 2 });
        for (const { value } of none.terms) expect(Math.abs(value!)).toBeLessThan(1e-4);
        const every = everyPath(model);
        const answer = await ask({ view: 'path-effect', tokens, counterfactualTokens, paths: every, together: true, target: 1, foil: 2 });
        const wanted = answer.counterfactualMetric! - answer.metric!;
        expect(Math.abs(answer.joint!.value - wanted)).toBeLessThan(1e-4 * Math.max(1, Math.abs(answer.metric!), Math.abs(wanted)));
      }),
      { ...RUNS, numRuns: 3 },
    );
  });

  test('[M16] the three slots of a head together are the head', async () => {
    await fc.assert(
      fc.asyncProperty(pair, async ([tokens, counterfactualTokens]) => {
        const request = { view: 'path-effect', tokens, counterfactualTokens, target: 1, foil: 2 } as const;
        const whole = await ask({ ...request, paths: ['input->a0.h1->a1.h0->logits'] });
        const slots = ['q', 'k', 'v'].flatMap((outer) => ['q', 'k', 'v'].map((inner) => `input->a0.h1<${inner}>->a1.h0<${outer}>->logits`));
        const parts = await ask({ ...request, paths: slots, together: true });
        expect(Math.abs(parts.joint!.value - whole.terms[0]!.value!)).toBeLessThan(1e-4 * Math.max(1, Math.abs(whole.metric!)));
      }),
      { ...RUNS, numRuns: 4 },
    );
  });

  test('[M16] a path named without slots and one of its slots beside it are the path once', async () => {
    const request = { tokens: [3, 1, 4, 1], counterfactualTokens: [3, 1, 5, 9], target: 1, foil: 2 };
    const joint = async (paths: string[]) => (await ask({ view: 'path-effect', ...request, paths, together: true })).joint!.value;
    const slots = ['q', 'k', 'v'].map((slot) => `a0.h0->a1.h0<${slot}>->logits`);
    const mixed = await joint(['a0.h0->a1.h0->logits', 'input->a0.h0->a1.h0<q>->logits']);
    const named = await joint([...slots, 'input->a0.h0->a1.h0<q>->logits']);
    expect(mixed).toBeCloseTo(named, 5);
    expect(await joint(['a0.h0->a1.h0->logits', ...slots])).toBeCloseTo(await joint(['a0.h0->a1.h0->logits']), 5);
  });

  test('[M7] the embeddings of the counterfactual give its metric, and so do all of its outputs at once', async () => {
    await fc.assert(
      fc.asyncProperty(pair, async ([tokens, counterfactualTokens]) => {
        const nodes = ['input', ...heads(model), ...(model.spec.hasMlp ? ['m0', 'm1'] : [])];
        const answer = await ask({ view: 'ablate', tokens, counterfactualTokens, ablate: nodes, together: true, target: 1, foil: 2 });
        expect(answer.terms[0]!.value).toBeCloseTo(answer.counterfactualMetric!, 3);
        expect(answer.joint!.value).toBeCloseTo(answer.counterfactualMetric!, 3);
      }),
      RUNS,
    );
  });
});

test('[M16] without norms, along <v> slots, zero-ablating a leaf takes its frozen value away', async () => {
  const folder = await writeModel(MODELS['lens, no norm, attention only']!);
  const model = await loadModel(folder);
  const tokens = [3, 1, 4, 1, 5];
  const ask = (request: Omit<TokenRequest, 'model' | 'tokens'>) => analyze(model, { model: '', tokens, ...request }, noControl);
  const frozen = await ask({ view: 'paths', top: 1000 });
  const values = frozen.terms.filter(({ name }) => name.startsWith('input->'));
  const slotted = values.map(({ name }) => name.replaceAll(/(a\d+\.h\d+)/g, '$1<v>'));
  const effects = await ask({ view: 'path-effect', paths: slotted, ablation: 'zero', target: frozen.target!, foil: frozen.foil });
  const scale = Math.max(...values.map(({ value }) => Math.abs(value!)));
  effects.terms.forEach(({ value }, index) => expect(Math.abs(value! + values[index]!.value!)).toBeLessThan(1e-5 * scale));
  await model.close();
  await rm(folder, { recursive: true });
});

function heads({ spec }: Model): string[] {
  return Array.from({ length: spec.layers * spec.heads }, (_, index) => `a${Math.floor(index / spec.heads)}.h${index % spec.heads}`);
}

/** Every path from `input` to `logits`. */
function everyPath({ spec }: Model): string[] {
  let ends = [['logits']];
  for (let layer = spec.layers - 1; layer >= 0; layer--) {
    const stages = [...(spec.hasMlp ? [[`m${layer}`]] : []), heads({ spec } as Model).slice(layer * spec.heads, (layer + 1) * spec.heads)];
    for (const stage of stages) ends = [...ends, ...stage.flatMap((node) => ends.map((end) => [node, ...end]))];
  }
  return ends.map((end) => ['input', ...end].join('->'));
}
