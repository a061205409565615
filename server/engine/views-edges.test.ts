import fc from 'fast-check';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { everyEdge, maskedFinals } from '../../lib/engine/edge-runs.ts';
import { readMetricGraph } from '../../lib/engine/graphs/causal.ts';
import { analyze, printEdge, type Answer, type Model, type TokenRequest } from '../../lib/engine/index.ts';
import { metricFeeds } from '../../lib/engine/model.ts';
import { tensor } from '../../lib/engine/runtime.ts';
import { describeGoldens, expectTable } from './golden-tables.ts';
import { randomGpt2, randomLens, writeModel } from './random-model.ts';
import { noControl, loadModel } from './testing.ts';

const values = (answer: Answer) => Object.fromEntries(answer.terms.map(({ name, value }) => [name, value!]));
const pick = (table: Record<string, number>, names: Iterable<string>) => Object.fromEntries([...names].map((name) => [name, table[name]!]));

describeGoldens('edges of', (subject) => {
  test('edge-patch [M8]: each alone, by slot, and all together', async () => {
    const whole = await subject.ask({ view: 'edge-patch', edges: Object.keys(subject.golden.edge_patch), together: true });
    const { together, ...alone } = values(whole);
    expectTable(alone, subject.golden.edge_patch);
    const scale = Math.max(...Object.values(subject.golden.edge_patch).map(Math.abs));
    expect(Math.abs(together! - subject.golden.edge_patch_all_of_the_above)).toBeLessThanOrEqual(1e-4 * scale);
    expect(whole.joint).toEqual({ names: Object.keys(subject.golden.edge_patch), value: together });
    expectTable(
      values(await subject.ask({ view: 'edge-patch', edges: Object.keys(subject.golden.edge_patch_qkv) })),
      subject.golden.edge_patch_qkv,
    );
  });

  test('edge-patch with other references [M8]', async ({ skip }) => {
    if (!subject.golden.edge_patch_zero || !subject.golden.edge_patch_mean || !subject.golden.edge_patch_resample)
      return skip('no numbers for them');
    const zero = await subject.ask({ view: 'edge-patch', edges: Object.keys(subject.golden.edge_patch_zero), ablation: 'zero' });
    expectTable(values(zero), subject.golden.edge_patch_zero);
    const referencePrompts = subject.golden.prompt_set!.map(({ tokens }) => ({ tokens }));
    const mean = await subject.ask({
      view: 'edge-patch',
      edges: Object.keys(subject.golden.edge_patch_mean),
      ablation: 'mean',
      referencePrompts,
    });
    expectTable(values(mean), subject.golden.edge_patch_mean);
    const { donor_tokens: tokens, values: resampled } = subject.golden.edge_patch_resample;
    const edges = Object.keys(resampled);
    expectTable(values(await subject.ask({ view: 'edge-patch', edges, ablation: 'resample', referencePrompts: [{ tokens }] })), resampled);
  });

  test('attribution [M21]: against central differences, and every edge against autograd', async () => {
    const answer = await subject.ask({ view: 'attribution' });
    const scores = values(answer);
    const withWhole = (edge: string) => scores[edge] ?? ['q', 'k', 'v'].reduce((sum, slot) => sum + scores[`${edge}<${slot}>`]!, 0);
    const names = Object.keys(subject.golden.attribution);
    expectTable(Object.fromEntries(names.map((edge) => [edge, withWhole(edge)])), subject.golden.attribution);
    expect(answer.terms).toHaveLength(everyEdge(subject.model.spec).length);
    if (!subject.golden.eap) return;
    expectTable(scores, subject.golden.eap);
    const zero = values(await subject.ask({ view: 'attribution', ablation: 'zero' }));
    expectTable(pick(zero, Object.keys(subject.golden.eap_zero!)), subject.golden.eap_zero!);
    const integrated = values(await subject.ask({ view: 'attribution', steps: subject.golden.eap_ig!.steps }));
    expectTable(integrated, subject.golden.eap_ig!.scores);
  });
});

const MODELS = {
  'GPT-2, gelu': randomGpt2({ layers: 2, heads: 3, d: 24, vocabulary: 30, context: 8, prefix: '', tied: true, activation: 'gelu' }, 31),
  'attention only, no norm': randomLens(
    { layers: 3, heads: 2, d: 16, dHead: 6, dMlp: 0, vocabulary: 30, context: 8, norm: null, activation: null },
    32,
  ),
  'RMSNorm, silu': randomLens(
    { layers: 2, heads: 2, d: 16, dHead: 6, dMlp: 24, vocabulary: 30, context: 8, norm: 'RMS', activation: 'silu' },
    33,
  ),
};

const pair = fc.integer({ min: 1, max: 8 }).chain((length) => {
  const tokens = fc.array(fc.nat(29), { minLength: length, maxLength: length });
  return fc.tuple(tokens, tokens);
});
const RUNS = { numRuns: 5, seed: 20_261 };

describe.each(Object.entries(MODELS))('edges of a random model: %s', (_, random) => {
  let model: Model;
  let folder: string;

  beforeAll(async () => {
    folder = await writeModel(random);
    model = await loadModel(folder);
  });
  afterAll(async () => {
    await model.close();
    await rm(folder, { recursive: true });
  });

  const ask = (tokens: number[], counterfactualTokens: number[], request: Partial<TokenRequest> & Pick<TokenRequest, 'view'>) =>
    analyze(model, { model: '', tokens, counterfactualTokens, target: 1, foil: 2, ...request }, noControl);
  const near = (found: number, wanted: number, scale: number) => expect(Math.abs(found - wanted)).toBeLessThan(2e-4 * Math.max(1, scale));

  test('[M8] all edges into every node give the counterfactual metric, none the clean one', async () => {
    await fc.assert(
      fc.asyncProperty(pair, async ([tokens, counterfactualTokens]) => {
        const answer = await ask(tokens, counterfactualTokens, { view: 'edge-patch', allEdges: true, together: true });
        const scale = Math.max(Math.abs(answer.metric!), Math.abs(answer.counterfactualMetric!));
        near(answer.joint!.value, answer.counterfactualMetric!, scale);
        const question = { tokens, counterfactual: counterfactualTokens, target: 1, foil: 2 };
        const reference = (await model.clean(counterfactualTokens)).sources;
        const finals = await maskedFinals(model, tokens, reference, [new Set()]);
        const clean = tensor(new Float32Array(model.spec.dModel), [model.spec.dModel]);
        const { metric } = await model.run('read-metric', readMetricGraph, { ...metricFeeds(question), clean, change: finals });
        near(metric!.data[0]!, answer.metric!, scale);
      }),
      RUNS,
    );
  });

  test('[M8] one edge patched alone is one edge patched in the whole model, and three slots are the edge', async () => {
    await fc.assert(
      fc.asyncProperty(pair, fc.nat(), async ([tokens, counterfactualTokens], seed) => {
        const edges = everyEdge(model.spec);
        const edge = printEdge(edges[seed % edges.length]!);
        const alone = await ask(tokens, counterfactualTokens, { view: 'edge-patch', edges: [edge], together: true });
        near(alone.terms[0]!.value!, alone.joint!.value, Math.abs(alone.metric!));
        const slots = ['q', 'k', 'v'].map((slot) => `a0.h1->a1.h0<${slot}>`);
        const split = await ask(tokens, counterfactualTokens, { view: 'edge-patch', edges: slots, together: true });
        const whole = await ask(tokens, counterfactualTokens, { view: 'edge-patch', edges: ['a0.h1->a1.h0'] });
        near(split.joint!.value, whole.terms[0]!.value!, Math.abs(whole.metric!));
      }),
      RUNS,
    );
  });

  test('[M21] attribution is the slope of patching: towards a reference that is near, both agree', async () => {
    const tokens = [3, 1, 4, 1, 5];
    const run = await model.clean(tokens);
    const scores = values(await ask(tokens, [3, 1, 4, 2, 5], { view: 'attribution' }));
    const far = (await model.clean([3, 1, 4, 2, 5])).sources;
    const step = 2e-2;
    const near1 = far.data.map((value, index) => run.sources.data[index]! + step * (value - run.sources.data[index]!));
    const away = far.data.map((value, index) => run.sources.data[index]! - step * (value - run.sources.data[index]!));
    const edges = everyEdge(model.spec)
      .map(printEdge)
      .filter((_name, index) => index % 5 === 0);
    const metrics = async (data: Float32Array) => {
      const finals = await maskedFinals(
        model,
        tokens,
        tensor(data, far.dims),
        edges.map((edge) => new Set([edge])),
      );
      const clean = tensor(new Float32Array(model.spec.dModel), [model.spec.dModel]);
      const feeds = { ...metricFeeds({ tokens, counterfactual: null, target: 1, foil: 2 }), clean, change: finals };
      return (await model.run('read-metric', readMetricGraph, feeds))['metric']!.data;
    };
    const [up, down] = [await metrics(near1), await metrics(away)];
    const scale = Math.max(...edges.map((edge) => Math.abs(scores[edge]!)));
    edges.forEach((edge, index) => {
      const slope = (up[index]! - down[index]!) / (2 * step);
      expect(Math.abs(slope - scores[edge]!), edge).toBeLessThan(1e-2 * scale);
    });
  });
});
