import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { randomPathsLike } from '../../lib/board/random-paths.ts';
import { DEFAULTS, TEMPLATES, stepsOf, type Template } from '../../lib/board/templates.ts';
import { verdictOf } from '../../lib/board/verdict.ts';
import { analyze, type Answer, type Model, type TokenRequest } from '../../lib/engine/index.ts';
import { FIXTURES, loadModel, noControl } from './testing.ts';

/** Every template's runs, made on small models, hold what its predicates ask for; and what they say is so. */

const TOKENS = [3, 1, 4, 1, 5];
const OTHER = [2, 7, 4, 8, 5];

describe.each(['random-attn-only', 'random-lens-mlp', 'random-neox'])('%s', (name) => {
  let model: Model;
  let flow: Answer;
  let paths: [string, string];
  const ask = (request: Omit<TokenRequest, 'model'>) => analyze(model, { model: name, ...request }, noControl);

  beforeAll(async () => {
    model = await loadModel(join(FIXTURES, name));
    flow = await ask({ view: 'flow', tokens: TOKENS });
    const found = await ask({ view: 'paths', tokens: TOKENS, top: 60 });
    const [first, second] = found.terms.filter((term) => term.degree === 1 && term.name.startsWith('input')).map((term) => term.name);
    paths = [first!, second!];
  });
  afterAll(() => model.close());

  const judge = async (template: Template, changes: Partial<(typeof DEFAULTS)[Template]> = {}) => {
    const settings = { ...DEFAULTS[template], paths: template === 'matters' ? paths.slice(0, 1) : paths, ...changes };
    const steps = stepsOf(template, settings, { hasCounterfactual: true, flow });
    return Promise.all(
      steps.map(async (step) => {
        const answers: Answer[] = [];
        for (const { view, options, reference } of step.runs) {
          answers.push(await ask({ view, tokens: TOKENS, ...(reference && { counterfactualTokens: OTHER }), ...(options as object) }));
        }
        return { ...step, answers, verdict: verdictOf(step.predicate, answers) };
      }),
    );
  };

  test.each(TEMPLATES)('%s is decided by its own runs', async (template) => {
    const count = randomPathsLike(paths[0], flow, 50, 0).length;
    for (const { verdict, predicate } of await judge(template)) {
      // A model of few heads has too few paths of a degree for a baseline, and the verdict says so.
      const few = template === 'matters' && count < 10;
      expect([predicate, verdict.value === 'not tested', verdict.why]).toEqual([predicate, few, expect.any(String)]);
    }
  });

  test('the expansion is exact as frozen, and not as blocks on each other’s outputs', async () => {
    const [naive, identity] = await judge('exact');
    expect(identity).toMatchObject({ beside: true, verdict: { value: 'holds' } });
    expect(naive).toMatchObject({ beside: false, verdict: { value: 'fails' } });
    const errors = naive!.answers[0]!.terms.map((term) => term.relativeError!);
    expect(naive!.verdict.tests[0]!.left).toBe(errors.at(-1));
    const defects = naive!.answers[1]!.defects!.flatMap(({ live }) => (live === null ? [] : [live]));
    expect(naive!.verdict.tests[1]!.left).toBe(Math.max(...defects));
  });

  test('what paths beyond the last degree take off the loss is nothing', async () => {
    const [long] = await judge('long', { degree: 99 });
    expect(long!.verdict).toMatchObject({ value: 'holds', left: 0 });
    const [from0] = await judge('long', { degree: 0 });
    const losses = from0!.answers[0]!.terms.map((term) => term.value!);
    expect(from0!.verdict.left).toBe(losses[0]! - losses.at(-1)!);
  });

  test('redundancy is what neither of two paths shows alone', async () => {
    const [joint] = await judge('redundant');
    const [p, q, both] = joint!.answers[0]!.terms.map((term) => term.value!);
    expect(joint!.verdict.tests[0]!.left).toBeCloseTo((both! - p! - q!) / both!, 12);
    expect(joint!.verdict.tests[1]!.left).toBe(Math.abs(both!));
  });

  test('all paths together explain the metric; none of it is left', async () => {
    const all = flow.terms.flatMap(({ name: edge }) => (edge.endsWith('->logits') ? [edge] : []));
    // What an MLP's own bias adds stands beside its suffix.
    const found = await ask({ view: 'suffixes', tokens: TOKENS });
    const members = found.terms.map((term) => term.name);
    expect(members).toEqual(expect.arrayContaining(all));
    const [share, scrub] = await judge('explain', { paths: members });
    expect(share!.verdict.left).toBeCloseTo(1, 4);
    expect(scrub!.verdict.left).toBeCloseTo(1, 3);
  });
});

test('random paths are of the same degree, of the model, different, and the same for the same seed', async () => {
  const model = await loadModel(join(FIXTURES, 'random-gpt2'));
  const flow = await analyze(model, { model: 'random-gpt2', view: 'flow', tokens: TOKENS }, noControl);
  const all = await analyze(model, { model: 'random-gpt2', view: 'paths', tokens: TOKENS, top: 100_000 }, noControl);
  await model.close();
  const like = all.terms.find((term) => term.degree === 2 && term.name.startsWith('input'))!.name;
  const others = all.terms
    .filter((term) => term.degree === 2 && term.name.startsWith('input') && term.name !== like)
    .map((term) => term.name);
  const drawn = randomPathsLike(like, flow, 8, 3);
  expect(new Set(drawn).size).toBe(8);
  expect(others).toEqual(expect.arrayContaining(drawn));
  expect(randomPathsLike(like, flow, 8, 3)).toEqual(drawn);
  expect(randomPathsLike(like, flow, 8, 4)).not.toEqual(drawn);
  expect(randomPathsLike(like, flow, 1000, 3).toSorted()).toEqual(others.toSorted());
});
