import { expect, test } from 'vitest';
import { analyze, type Answer, type TokenRequest } from '../../lib/engine/index.ts';
import { describeGoldens, expectTable, indexed, type Golden } from './golden-tables.ts';
import { noControl } from './testing.ts';

const values = (answer: Answer) => Object.fromEntries(answer.terms.map(({ name, value }) => [name, value!]));

describeGoldens('frozen views of', (subject) => {
  test('flow [M26]', async () => {
    const answer = await subject.ask({ view: 'flow' });
    expectTable(values(answer), subject.golden.flow);
    expectTable({ sum: answer.sum! }, { sum: subject.golden.metric });
    expect(answer.remainder).toBeUndefined();
    const few = await subject.ask({ view: 'flow', top: 5 });
    expect(few.terms).toHaveLength(5);
    expect(few.sum).toBe(answer.sum);
    const mass = answer.terms.reduce((sum, { value }) => sum + Math.abs(value!), 0);
    const kept = few.terms.reduce((sum, { value }) => sum + Math.abs(value!), 0);
    expect(few.extent!.mass).toBeCloseTo(mass, 9);
    expect(few.extent!.unlisted).toBeCloseTo(mass - kept, 9);
  });

  test.for(['sublayer', 'head', 'neuron'] as const)('concentration by %s [M23]', async (granularity, { skip }) => {
    const wanted = subject.golden.concentration?.[granularity];
    if (!wanted) return skip();
    const { terms, search, notes } = await subject.ask({ view: 'concentration', granularity });
    expect(search).toBe('exhaustive');
    expect(notes).toHaveLength(1);
    expect(terms).toHaveLength(1);
    const [term] = terms;
    expect(term!.name).toBe(granularity);
    expect(term!.count).toBe(wanted.count);
    expectTable({ mass: term!.mass! }, { mass: wanted.mass });
    expectTable({ effective: term!.effective! }, { effective: wanted.effective });
    for (const key of ['n50', 'n90', 'n99'] as const) expect(Math.abs(term![key]! - wanted[key]), key).toBeLessThanOrEqual(1);
  });

  test('units [M22]', async ({ skip }) => {
    if (!subject.golden.opened_nodes) return skip();
    for (const [path, { node, by_neuron, by_position }] of Object.entries(subject.golden.opened_nodes)) {
      const answer = await subject.ask({ view: 'units', paths: [path], nodes: [node] });
      const [before, after] = path.split(node) as [string, string];
      const found = Object.fromEntries(
        answer.terms.map((term) => [term.name.slice(before.length + node.length, -after.length), term.value!]),
      );
      const pairs = by_position?.flatMap((row, query) => row.map((value, key): [string, number] => [`@${query}<-${key}`, value]));
      const wanted = Object.fromEntries(pairs ?? by_neuron!.map((value, neuron): [string, number] => [`.n${neuron}`, value]));
      expectTable(pairs ? { ...Object.fromEntries(pairs.map(([pair]) => [pair, 0])), ...found } : found, wanted);
      expectTable({ sum: answer.sum! }, { sum: Object.values(wanted).reduce((sum, value) => sum + value, 0) });
    }
  });

  test('orders [M25]', async () => {
    expectTable(values(await subject.ask({ view: 'orders' })), indexed(subject.golden.orders));
    const few = await subject.ask({ view: 'orders', maxDegree: 1 });
    expect(few.terms.map(({ degree }) => degree)).toEqual([0, 1]);
  });

  test('orders of a prompt set [M25]', async ({ skip }) => {
    const { prompt_set: prompts, orders_set: orders } = subject.golden;
    if (!prompts || !orders) return skip();
    const examples = prompts.map(({ tokens, target }) => ({ tokens, target, foil: null }));
    const { terms } = await analyze(
      subject.model,
      { model: '', view: 'orders', prompts: examples, position: subject.golden.position },
      noControl,
    );
    expectTable(Object.fromEntries(terms.map((term) => [term.name, term.value!])), indexed(orders.mean));
    orders.per_prompt.forEach((losses, index) => expectTable(indexed(terms.map((term) => term.values![index]!)), indexed(losses)));
  });

  test('heads: scores', async ({ skip }) => {
    const { heads, heads_tokens: tokens } = subject.golden;
    if (!heads || !tokens) return skip();
    expectScores(await subject.ask({ view: 'heads', ...alone(tokens) }), heads);
  });

  test('heads: scores of a prompt that may have no such query', async ({ skip }) => {
    if (!subject.golden.heads_on_prompt) return skip();
    expectScores(await subject.ask({ view: 'heads', ...alone(subject.golden.tokens) }), subject.golden.heads_on_prompt);
  });

  test('heads: patterns', async ({ skip }) => {
    const { patterns_sample: sample } = subject.golden;
    if (!sample) return skip();
    const { terms } = await subject.ask({ view: 'heads', nodes: [sample.head], ...alone(subject.golden.tokens) });
    expect(terms.filter(({ pattern }) => pattern).map((term) => term.name)).toEqual([sample.head]);
    const found = terms.find((term) => term.name === sample.head)!.pattern!;
    expectTable(indexed(found.flat()), indexed(sample.pattern.flat()));
  });

  test('virtual-head [M20]', async ({ skip }) => {
    if (!subject.golden.virtual_head) return skip();
    const { heads, pattern_rows: rows, ov_norm } = subject.golden.virtual_head;
    const answer = await subject.ask({ view: 'virtual-head', edges: [heads], ...alone(subject.golden.tokens) });
    const found = values(answer);
    const wanted = Object.fromEntries(
      rows.flatMap((row, query) => row.slice(0, query + 1).map((value, key) => [`${query}<-${key}`, value])),
    );
    expectTable(Object.fromEntries(Object.keys(wanted).map((entry) => [entry, found[entry]!])), wanted);
    expect(answer.whole).toEqual({ name: 'tokens', value: answer.tokens.length });
    expect(answer.error).toBeLessThan(1e-5 * answer.tokens.length);
    expectTable({ norm: answer.settings!['ovNorm'] as number }, { norm: ov_norm });
    expect(answer.notes.join()).not.toContain('[M14]');
  });

  test.for([
    ['composition [M20]', 'composition', false],
    ['composition with the norms folded in [M20]', 'composition_fold_norm', true],
  ] as const)('%s', async ([, key, foldNorm], { skip }) => {
    const wanted = subject.golden[key];
    if (!wanted) return skip();
    const answer = await analyze(subject.model, { model: '', view: 'composition', foldNorm }, noControl);
    const { layers, heads } = subject.model.spec;
    expect(answer.terms).toHaveLength((heads * heads * layers * (layers - 1)) / 2);
    for (const kind of ['q', 'k', 'v'] as const) {
      const found = Object.fromEntries(answer.terms.map((term) => [term.name, term[kind]!]));
      const table = Object.fromEntries(Object.entries(wanted).map(([pair, numbers]) => [pair, numbers[kind]]));
      expectTable(Object.fromEntries(Object.keys(table).map((pair) => [pair, found[pair]!])), table);
      expect(answer.baseline![kind].mean).toBeGreaterThan(0);
      expect(answer.baseline![kind].deviation).toBeLessThan(answer.baseline![kind].mean);
    }
  });

  test('circuits [M20]', async ({ skip }) => {
    if (!subject.golden.full_circuits) return skip();
    const { head, ov, qk } = subject.golden.full_circuits;
    const answer = await analyze(subject.model, { model: '', view: 'circuits', nodes: [head], top: ov.length }, noControl);
    const named = (circuit: string, rows: typeof ov) =>
      rows.map(([from, to, value]): [string, number] => [`${circuit}:${from}->${to}`, value]);
    for (const [circuit, rows] of Object.entries({ ov, qk })) {
      const found = Object.entries(values(answer)).filter(([entry]) => entry.startsWith(circuit));
      expectTable(Object.fromEntries(found), Object.fromEntries(named(circuit, rows)));
    }
  });
});

/** A question about a prompt of its own. */
function alone(tokens: readonly number[]): Partial<TokenRequest> {
  return { tokens, counterfactualTokens: undefined, position: undefined };
}

function expectScores({ terms, notes }: Answer, wanted: NonNullable<Golden['heads']>): void {
  const kinds = ['previous', 'duplicate', 'induction'] as const;
  const [scored, unscored] = [true, false].map((has) => kinds.filter((kind) => (Object.values(wanted)[0]![kind] !== null) === has));
  expect(notes).toHaveLength(unscored!.length);
  for (const kind of unscored!) expect(terms.every((term) => term[kind] === null)).toBe(true);
  for (const kind of scored!) {
    const table = Object.fromEntries(Object.entries(wanted).map(([head, scores]) => [head, scores[kind]!]));
    expectTable(Object.fromEntries(terms.map((term) => [term.name, term[kind]!])), table);
  }
}
