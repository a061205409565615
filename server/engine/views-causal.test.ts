import fc from 'fast-check';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { everyEdge } from '../../lib/engine/edge-runs.ts';
import { ablatableNodes } from '../../lib/engine/graphs/causal.ts';
import { analyze, printEdge, type Model, type Term, type TokenRequest } from '../../lib/engine/index.ts';
import { tensor } from '../../lib/engine/runtime.ts';
import { stagesOf } from '../../lib/engine/stages.ts';
import { ablatedRun, expand } from '../../lib/engine/takeover.ts';
import { countSuffixes, pathName } from '../../lib/engine/trie.ts';
import { describeGoldens, expectTable, indexed, type Golden } from './golden-tables.ts';
import { randomGpt2, randomLens, writeModel, type RandomModel } from './random-model.ts';
import { loadModel, noControl } from './testing.ts';

const gpt2 = { layers: 2, heads: 3, d: 24, vocabulary: 30, context: 12 };
const lens = { layers: 2, heads: 2, d: 20, dHead: 8, vocabulary: 30, context: 12 };

const MODELS: Record<string, RandomModel> = {
  'gpt2, gelu_new': randomGpt2({ ...gpt2, prefix: '', tied: true, activation: 'gelu_new' }, 41),
  'lens, no norm, attention only': randomLens({ ...lens, dMlp: 0, norm: null, activation: null }, 42),
  'lens, RMS, silu': randomLens({ ...lens, dMlp: 40, norm: 'RMS', activation: 'silu' }, 43),
  'lens, folded LN, relu': randomLens({ ...lens, dMlp: 40, norm: 'LNPre', activation: 'relu' }, 44),
};
const prompt = fc.array(fc.nat(29), { minLength: 1, maxLength: 8 });
const pair = fc.integer({ min: 1, max: 8 }).chain((length) => {
  const tokens = fc.array(fc.nat(29), { minLength: length, maxLength: length });
  return fc.tuple(tokens, tokens);
});
const RUNS = { numRuns: 5, seed: 20_261 };

type Numbers = 'value' | 'real' | 'frozen' | 'lossModel' | 'lossRandom' | 'lossScrubbed';
const table = (terms: readonly Term[], field: Numbers) => Object.fromEntries(terms.map((term) => [term.name, term[field]!]));
/** A list as a table by number, from 1, as examples are named. */
const numbered = (values: readonly number[]) => Object.fromEntries(values.map((value, index) => [index + 1, value]));

describeGoldens('interventions on', (subject) => {
  test('ablate to zero [M7], each alone and all together', async () => {
    const ablate = Object.keys(subject.golden.zero_ablation);
    const answer = await subject.ask({ view: 'ablate', ablate, ablation: 'zero', together: true });
    const { together, ...alone } = table(answer.terms, 'value');
    expectTable(alone, subject.golden.zero_ablation);
    if (subject.golden.zero_ablation_all_of_the_above === undefined) return;
    expectTable(
      { ...alone, together: together! },
      { ...subject.golden.zero_ablation, together: subject.golden.zero_ablation_all_of_the_above },
    );
  });

  test('ablate to the mean of a prompt set and to the counterfactual run [M8]', async ({ skip }) => {
    if (!subject.golden.mean_ablation || !subject.golden.counterfactual_ablation) return skip('no numbers for them');
    const referencePrompts = subject.golden.prompt_set!.map(({ tokens }) => ({ tokens }));
    const mean = await subject.ask({
      view: 'ablate',
      ablate: Object.keys(subject.golden.mean_ablation),
      ablation: 'mean',
      referencePrompts,
    });
    expect(mean.reference).toBe('mean');
    expectTable(table(mean.terms, 'value'), subject.golden.mean_ablation);
    const ablate = Object.keys(subject.golden.counterfactual_ablation);
    expectTable(table((await subject.ask({ view: 'ablate', ablate })).terms, 'value'), subject.golden.counterfactual_ablation);
    const donor = [{ tokens: subject.golden.counterfactual_tokens }];
    const resampled = await subject.ask({ view: 'ablate', ablate, ablation: 'resample', referencePrompts: donor });
    expectTable(table(resampled.terms, 'value'), subject.golden.counterfactual_ablation);
  });

  test('repair [M24] against zero and the counterfactual run', async ({ skip }) => {
    if (!subject.golden.repair) return skip('no numbers for it');
    const tables = { zero: subject.golden.repair, counterfactual: subject.golden.repair_counterfactual } as const;
    for (const [ablation, wanted] of Object.entries(tables) as ['zero' | 'counterfactual', Golden['repair']][]) {
      if (!wanted) continue;
      const answer = await subject.ask({ view: 'repair', ablate: Object.keys(wanted), ablation });
      expect(answer.reference).toBe(ablation);
      for (const field of ['real', 'frozen'] as const) {
        expectTable(table(answer.terms, field), Object.fromEntries(Object.entries(wanted).map(([node, values]) => [node, values[field]])));
      }
      for (const { real, frozen, compensation } of answer.terms) expect(compensation).toBeCloseTo(1 - real! / frozen!, 9);
    }
  });

  test('repair of nodes together [M24]', async ({ skip }) => {
    if (!subject.golden.repair_joint) return skip('no numbers for it');
    const { nodes, real, frozen } = subject.golden.repair_joint;
    const { terms } = await subject.ask({ view: 'repair', ablate: nodes, ablation: 'zero', together: true });
    const joint = terms.at(-1)!;
    expect(joint.name).toBe('together');
    expectTable({ real: joint.real!, frozen: joint.frozen! }, { real, frozen });
  });

  test('the paths of an ablated run [M24], and those that took over', async ({ skip }) => {
    if (!subject.golden.repair_paths) return skip('no numbers for them');
    const { node, count, sum, top } = subject.golden.repair_paths;
    const { dModel } = subject.model.spec;
    const tokens = subject.golden.tokens.slice(0, subject.golden.position + 1);
    const run = await subject.model.clean(tokens);
    expect(run.final.dims).toEqual([dModel]);
    const zero = tensor(new Float32Array(run.sources.data.length), run.sources.dims);
    const ablated = await ablatedRun(subject.model, tokens, [node], zero);
    const question = { tokens, counterfactual: null, target: subject.golden.target, foil: subject.golden.foil };
    const found = new Map<string, number>();
    await expand(subject.model, ablated, question, Infinity, noControl, (path) => found.set(pathName(path), path.value));
    const gone = new RegExp(`(^|->)${node.replace('.', '\\.')}(\\.b)?->`);
    const kept = new Map([...found].filter(([path]) => !gone.test(path)));
    expect(kept.size).toBe(count);
    expectTable(Object.fromEntries(Object.keys(top).map((path) => [path, kept.get(path)!])), top);
    const scale = Math.max(...Object.values(top).map(Math.abs));
    expect(Math.abs([...kept.values()].reduce((all, value) => all + value, 0) - sum)).toBeLessThanOrEqual(1e-4 * scale);

    const { terms, settings } = await subject.ask({ view: 'repair', ablate: [node], ablation: 'zero' });
    const takeover = terms[0]!.takeover!;
    const exhaustive = countSuffixes(subject.model.spec, Infinity) <= 1024;
    const clean = new Map<string, number>();
    await expand(subject.model, run, question, settings!['takeoverDegree'] as number, noControl, (path) =>
      clean.set(pathName(path), path.value),
    );
    expect(takeover).toHaveLength(10);
    for (const { name: path, clean: before, ablated: after } of takeover) {
      expect(before).toBeCloseTo(clean.get(path)!, 4);
      expect(after).toBeCloseTo(kept.get(path)!, 4);
    }
    if (!exhaustive) return;
    const changes = [...kept].map(([path, value]) => Math.abs(value - clean.get(path)!)).toSorted((a, b) => b - a);
    expectTable(indexed(takeover.map(({ clean: before, ablated: after }) => Math.abs(after - before))), indexed(changes.slice(0, 10)));
  });

  test('scrub [M17] of edges and of paths', async ({ skip }) => {
    if (!subject.golden.scrub) return skip('no numbers for it');
    for (const entry of subject.golden.scrub) {
      const hypothesis = entry.kind === 'edges' ? { edges: entry.edges! } : { paths: entry.paths! };
      const prompts = entry.examples.map(({ tokens, donor_tokens: counterfactualTokens, target }) => ({
        tokens,
        counterfactualTokens,
        target,
        foil: null,
      }));
      const answer = await analyze(
        subject.model,
        { view: 'scrub', model: '', prompts, ablation: 'counterfactual', ...hypothesis },
        noControl,
      );
      const examples = answer.terms.slice(0, -1);
      expectTable(table(examples, 'lossModel'), numbered(entry.loss_model));
      expectTable(table(examples, 'lossRandom'), numbered(entry.loss_random));
      expectTable(table(examples, 'lossScrubbed'), numbered(entry.loss_scrubbed));
      const whole = { 'the full hypothesis': 1 };
      const wanted = { ...numbered(entry.recovered), mean: entry.recovered_mean, ...whole };
      expectTable({ ...table(answer.terms, 'value'), ...whole }, wanted, 1e-3);
    }
  });
});

describe.each(Object.keys(MODELS))('interventions on %s', (name) => {
  let model: Model;
  let folder: string;

  beforeAll(async () => {
    folder = await writeModel(MODELS[name]!);
    model = await loadModel(folder);
  });
  afterAll(async () => {
    await model.close();
    await rm(folder, { recursive: true });
  });

  const ask = (request: Omit<TokenRequest, 'model'>) => analyze(model, { model: name, target: 1, foil: 2, ...request }, noControl);
  const nodes = () => ablatableNodes(model.spec);

  test('[M24] the frozen drop of a node is the sum of the paths through it', async () => {
    await fc.assert(
      fc.asyncProperty(prompt, async (tokens) => {
        const { terms: paths } = await ask({ view: 'paths', tokens, top: 100_000 });
        const { terms } = await ask({ view: 'repair', tokens, ablate: nodes(), ablation: 'zero' });
        const through = (node: string) =>
          paths.filter((path) => path.name.split('->').some((stop) => stop === node || stop === `${node}.b`));
        const wanted = nodes().map((node): [string, number] => [node, through(node).reduce((sum, { value }) => sum + value!, 0)]);
        expectTable(table(terms, 'frozen'), Object.fromEntries(wanted));
      }),
      RUNS,
    );
  });

  test('[M24] with every node silent the frozen metric is what the constants write', async () => {
    await fc.assert(
      fc.asyncProperty(prompt, async (tokens) => {
        const { terms: direct, metric } = await ask({ view: 'direct', tokens });
        const constants = direct.filter(({ name: term }) => term.endsWith('.b')).reduce((sum, { value }) => sum + value!, 0);
        const { terms } = await ask({ view: 'repair', tokens, ablate: nodes(), ablation: 'zero', together: true });
        const scale = Math.max(...direct.map(({ value }) => Math.abs(value!)));
        expect(Math.abs(metric! - terms.at(-1)!.frozen! - constants)).toBeLessThan(1e-4 * scale);
      }),
      RUNS,
    );
  });

  test('[M24] a node that writes what it wrote leaves nothing to repair', async () => {
    const tokens = [3, 1, 4, 1, 5];
    const { terms } = await ask({ view: 'repair', tokens, counterfactualTokens: tokens, ablate: ['a0.h1', 'input'], together: true });
    for (const { real, frozen, compensation, takeover } of terms) {
      expect(Math.abs(real!)).toBeLessThan(1e-4);
      expect(Math.abs(frozen!)).toBe(0);
      expect(compensation).toBeNull();
      for (const { clean, ablated } of takeover!) expect(Math.abs(clean - ablated)).toBeLessThan(1e-4);
    }
  });

  test('[M24] progress never goes back within a stage, and each ends', async () => {
    const seen = new Map<string, [number, number][]>();
    const progress = (done: number, total: number, what: string) => seen.set(what, [...(seen.get(what) ?? []), [done, total]]);
    const request = { view: 'repair' as const, model: '', tokens: [3, 1, 4], ablate: ['a0.h0', 'a1.h1'], together: true };
    await analyze(model, request, { ...noControl, progress });
    expect([...seen.keys()]).toEqual(['ablations run', 'frozen ablations run', 'suffixes opened']);
    for (const steps of seen.values()) {
      const [done, total] = steps.at(-1)!;
      expect(done).toBe(total);
      expect(new Set(steps.map(([, own]) => own))).toEqual(new Set([total]));
      expect(steps.map(([own]) => own)).toEqual(steps.map(([own]) => own).toSorted((a, b) => a - b));
    }
  });

  test('[M24] over a set the drops are means, and nobody is said to have taken over', async () => {
    const prompts = [
      [1, 2, 3],
      [4, 5, 6],
    ].map((tokens) => ({ tokens, target: 1, foil: 2 }));
    const repair = { view: 'repair' as const, ablate: ['a0.h0'], ablation: 'zero' as const };
    const { terms, notes } = await analyze(model, { model: name, ...repair, prompts }, noControl);
    expect(terms[0]!.takeover).toBeUndefined();
    expect(notes.filter((note) => note.includes('took over'))).toEqual(['Which paths took over is told for single prompts alone.']);
    const single = await Promise.all(prompts.map((own) => ask({ ...own, ...repair })));
    const mean = single.reduce((sum, answer) => sum + answer.terms[0]!.frozen!, 0) / 2;
    expect(terms[0]!.frozen).toBeCloseTo(mean, 5);
  });

  test('[M24] the paths of an ablated run sum to its metric', async () => {
    await fc.assert(
      fc.asyncProperty(prompt, fc.nat(1000), async (tokens, at) => {
        const ablate = nodes()[at % nodes().length]!;
        const answer = await ask({ view: 'ablate', tokens, ablate: [ablate], ablation: 'zero' });
        const { sources } = await model.clean(tokens);
        const run = await ablatedRun(model, tokens, [ablate], tensor(new Float32Array(sources.data.length), sources.dims));
        let [sum, mass] = [0, 0];
        await expand(model, run, { tokens, counterfactual: null, target: 1, foil: 2 }, Infinity, noControl, (path) => {
          const stops = pathName(path).split('->');
          if (stops.includes(ablate) || stops.includes(`${ablate}.b`)) return;
          sum += path.value;
          mass += Math.abs(path.value);
        });
        expect(Math.abs(sum - answer.terms[0]!.value!)).toBeLessThan(1e-5 * mass + 1e-5);
      }),
      RUNS,
    );
  });

  test('[M17] everything recovers the loss and nothing recovers none of it, by edges and by paths', async () => {
    await fc.assert(
      fc.asyncProperty(pair, async ([tokens, counterfactualTokens]) => {
        const every = everyPath(model);
        const scrub = (hypothesis: Partial<TokenRequest>) => ask({ view: 'scrub', tokens, counterfactualTokens, ...hypothesis });
        const hypotheses: [Partial<TokenRequest>, number][] = [
          [{}, 0],
          [{ allEdges: true }, 1],
          [{ edges: everyEdge(model.spec).map(printEdge) }, 1],
          [{ paths: every }, 1],
        ];
        for (const [hypothesis, recovered] of hypotheses) {
          const { terms } = await scrub(hypothesis);
          expect(terms.map((term) => term.name)).toEqual(['1', 'mean']);
          for (const { lossModel, lossRandom, lossScrubbed } of terms) {
            expect(Math.abs(lossScrubbed! - (recovered ? lossModel! : lossRandom!))).toBeLessThan(1e-4 * Math.max(1, lossScrubbed!));
          }
          const telling = terms.filter(({ lossModel, lossRandom }) => Math.abs(lossModel! - lossRandom!) > 0.1);
          for (const { value } of telling) expect(value).toBeCloseTo(recovered, 2);
        }
      }),
      { ...RUNS, numRuns: 3 },
    );
  });

  test('[M17] the mean is of losses, and donors come from the set', async () => {
    const prompts = [
      [1, 2, 3, 4],
      [5, 6, 7, 8],
      [9, 8, 7, 6],
    ].map((tokens) => ({ tokens, target: 3, foil: null }));
    const edges = ['input->a0.h0', 'a0.h0->a1.h1<v>', 'a1.h1->logits'];
    const answer = await analyze(model, { view: 'scrub', model: '', prompts, edges, seed: 5 }, noControl);
    expect(answer.reference).toBe('resample');
    const examples = answer.terms.slice(0, -1);
    const mean = (field: 'lossModel' | 'lossRandom' | 'lossScrubbed') => examples.reduce((sum, term) => sum + term[field]!, 0) / 3;
    const wanted = (mean('lossScrubbed') - mean('lossRandom')) / (mean('lossModel') - mean('lossRandom'));
    expect(answer.terms.at(-1)!.value).toBeCloseTo(wanted, 9);
    expect(answer.settings!['edges']).toBe(5);
    for (const [index, { donor }] of answer.examples!.entries()) {
      expect(donor).not.toBe(index);
      const own = await ask({
        view: 'scrub',
        ...prompts[index]!,
        counterfactualTokens: prompts[donor!]!.tokens,
        edges,
      });
      expect(own.terms[0]!.value).toBeCloseTo(examples[index]!.value!, 4);
    }
  });

  test('[M17] what is no hypothesis or no donor is refused', async () => {
    const request = { view: 'scrub' as const, tokens: [1, 2, 3], counterfactualTokens: [3, 2, 1] };
    await expect(ask({ ...request, edges: ['input->logits'], paths: ['input->logits'] })).rejects.toThrow(
      /expected edges or paths, got both/,
    );
    await expect(ask({ ...request, edges: ['a1.h0->a0.h0'] })).rejects.toThrow(/stage order/);
    await expect(ask({ ...request, paths: ['a0.b->logits'] })).rejects.toThrow(/a bias/);
    await expect(ask({ ...request, ablation: 'zero' })).rejects.toThrow(/donor/);
    await expect(ask({ view: 'scrub', tokens: [1, 2, 3] })).rejects.toThrow(/counterfactual/);
  });
});

test('[M24] without norms nothing after the last stage repairs it', async () => {
  const folder = await writeModel(MODELS['lens, no norm, attention only']!);
  const model = await loadModel(folder);
  const tokens = [3, 1, 4, 1, 5];
  const ablate = ['a1.h0', 'a1.h1'];
  const { terms } = await analyze(model, { view: 'repair', model: '', tokens, ablate, ablation: 'zero', together: true }, noControl);
  for (const { real, frozen } of terms) expect(real).toBeCloseTo(frozen!, 4);
  await model.close();
  await rm(folder, { recursive: true });
});

/** Every path from `input` to `logits`. */
function everyPath({ spec }: Model): string[] {
  let ends = [['logits']];
  for (const stage of stagesOf(spec).toReversed()) {
    const heads = stage.attention ? Array.from({ length: spec.heads }, (_, head) => `a${stage.layer}.h${head}`) : [];
    const own = stage.mlp ? [...heads, `m${stage.layer}`] : heads;
    ends = [...ends, ...own.flatMap((node) => ends.map((end) => [node, ...end]))];
  }
  return ends.map((end) => ['input', ...end].join('->'));
}
