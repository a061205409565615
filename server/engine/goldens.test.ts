import { expect, test } from 'vitest';
import { type Answer } from '../../lib/engine/index.ts';
import { describeGoldens, expectTable, indexed } from './golden-tables.ts';

const values = (answer: Answer) => Object.fromEntries(answer.terms.map(({ name, value }) => [name, value!]));

describeGoldens('goldens of', (subject) => {
  test('logits and metric [M5]', async () => {
    const answer = await subject.ask({ view: 'logits' });
    const found = Object.fromEntries(answer.terms.map((term) => [term.name, term.logit!]));
    expectTable(found, indexed(subject.golden.logits));
    expectTable(
      { metric: answer.metric!, counterfactual: answer.counterfactualMetric! },
      { metric: subject.golden.metric, counterfactual: subject.golden.counterfactual_metric },
    );
    expect(answer.terms.reduce((sum, { probability }) => sum + probability!, 0)).toBeCloseTo(1, 9);
  });

  test('direct [M5], [M7]', async () => {
    const answer = await subject.ask({ view: 'direct' });
    const ownBias = /^m\d+\.b$/;
    const [biases, nodes] = [true, false].map((wanted) =>
      Object.fromEntries(Object.entries(subject.golden.direct).filter(([key]) => ownBias.test(key) === wanted)),
    );
    expectTable(values(answer), nodes!);
    const root = await subject.ask({ view: 'suffixes' });
    const paths = values(root);
    const scale = Math.max(...Object.values(subject.golden.direct).map(Math.abs));
    for (const [key, value] of Object.entries(biases!)) {
      expect(Math.abs(paths[`${key}->logits`]! - value), key).toBeLessThanOrEqual(1e-4 * scale);
    }
    expect(answer.error).toBeLessThanOrEqual(1e-5 * answer.terms.reduce((sum, { value }) => sum + Math.abs(value!), 0));
  });

  test('degrees [M13]', async () => {
    const answer = await subject.ask({ view: 'degrees' });
    expectTable(values(answer), indexed(subject.golden.degree_spectrum));
  });

  test('paths [M9]-[M12]: the largest, their number and their sum', async ({ skip }) => {
    if (!subject.golden.frozen_paths) return skip('too many paths to list');
    const all = await subject.ask({ view: 'paths', top: 100_000 });
    expect(all.terms).toHaveLength(subject.golden.frozen_paths.count);
    expect(all.search).toBe('exhaustive');
    expect(all.remainder).toBe(0);
    const found = values(all);
    const wanted = subject.golden.frozen_paths.top;
    expectTable(Object.fromEntries(Object.keys(wanted).map((path) => [path, found[path]!])), wanted);
    expectTable({ sum: all.sum! }, { sum: subject.golden.frozen_paths.sum });
    const top = await subject.ask({ view: 'paths', top: 40 });
    expect(top.terms).toHaveLength(40);
    expect(Math.abs(top.sum! - all.sum!)).toBeLessThan(1e-9);
    const scale = Math.abs(Object.values(wanted)[0]!);
    Object.values(wanted).forEach((value, rank) => {
      expect(Math.abs(Math.abs(top.terms[rank]!.value!) - Math.abs(value))).toBeLessThanOrEqual(1e-4 * scale);
    });
  });

  test('path-effect [M16], with and without slots, together and alone', async () => {
    const paths = Object.keys(subject.golden.path_effect);
    const answer = await subject.ask({ view: 'path-effect', paths });
    expect(answer.reference).toBe('counterfactual');
    expectTable(values(answer), subject.golden.path_effect);
    const alone = await subject.ask({ view: 'path-effect', paths: [paths[3]!] });
    expect(alone.terms[0]!.value).toBeCloseTo(values(answer)[paths[3]!]!, 4);
  });

  test('ablate to zero [M7]', async () => {
    const answer = await subject.ask({ view: 'ablate', ablate: Object.keys(subject.golden.zero_ablation), ablation: 'zero' });
    expect(answer.reference).toBe('zero');
    expectTable(values(answer), subject.golden.zero_ablation);
  });
});
