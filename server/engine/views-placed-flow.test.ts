import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  analyze,
  checkPlacedEdge,
  parsePlacedEdge,
  printNode,
  printPlace,
  type Answer,
  type Model,
  type TokenRequest,
} from '../../lib/engine/index.ts';
import { describeGoldens, expectTable } from './golden-tables.ts';
import { randomLens, writeModel } from './random-model.ts';
import { SlowFrozen } from './slow-frozen.ts';
import { loadModel, noControl } from './testing.ts';

const values = ({ terms }: Answer) => new Map(terms.map(({ name, value }) => [name, value!]));
const add = (to: Map<string, number>, name: string, value: number) => to.set(name, (to.get(name) ?? 0) + value);

/** What flows into each place less what flows out of it, for places that have both. */
function defects(answer: Answer): Map<string, number> {
  const into = new Map<string, number>();
  const out = new Map<string, number>();
  for (const [name, value] of values(answer)) {
    const { from, to } = parsePlacedEdge(name);
    add(out, printPlace(from), value);
    add(into, printPlace(to), value);
  }
  return new Map([...into].filter(([place]) => place !== 'logits').map(([place, value]) => [place, value - (out.get(place) ?? 0)]));
}

const largestOf = (numbers: Iterable<number>) => Math.max(0, ...[...numbers].map(Math.abs));

describeGoldens('flow by position of', (subject) => {
  const ask = (more: Partial<TokenRequest> = {}) => subject.ask({ view: 'flow', positions: true, top: 100_000, ...more });

  test('its sums over positions are the flow of every edge [M26]', async () => {
    const answer = await ask();
    const sums = new Map<string, number>(Object.keys(subject.golden.flow).map((edge) => [edge, 0]));
    for (const [name, value] of values(answer)) {
      const { from, to } = parsePlacedEdge(name);
      if (from.node.kind !== 'mlp-bias') add(sums, `${printNode(from.node)}->${printNode(to.node)}`, value);
    }
    expectTable(Object.fromEntries(sums), subject.golden.flow);
    expectTable({ sum: answer.sum! }, { sum: subject.golden.metric });
    expect(answer.error).toBe(Math.abs(answer.sum! - answer.metric!));
    expect(answer.extent).toMatchObject({ edges: answer.terms.length, unlisted: 0 });
  });

  test('every place gives what it takes, its own bias included [M26]', async () => {
    const answer = await ask();
    const bound = 1e-5 * answer.extent!.mass;
    expect(largestOf(defects(answer).values())).toBeLessThan(bound);
    const out = new Map<string, number>();
    for (const [name, value] of values(answer)) add(out, name.split('->')[0]!, value);
    for (const { name, value } of answer.through!) {
      expect(Math.abs((name === 'logits' ? answer.sum! : out.get(name)!) - value), name).toBeLessThan(bound);
    }
  });

  test('what a head takes of a token is what its units say [M22]', async () => {
    const answer = await ask();
    const { layers, hasMlp, parallel } = subject.model.spec;
    const head = `a${layers - 1}.h0`;
    const wanted = new Map<string, number>();
    for (const suffix of [`${head}->logits`, ...(hasMlp && !parallel ? [`${head}->m${layers - 1}->logits`] : [])]) {
      const units = await subject.ask({ view: 'units', paths: [suffix], nodes: [head], counterfactualTokens: undefined });
      for (const [name, value] of values(units)) add(wanted, name.split('->')[0]!, value);
    }
    const taken = new Map<string, number>();
    for (const [name, value] of values(answer)) {
      const { from, to } = parsePlacedEdge(name);
      if (printNode(to.node) === head) add(taken, `${head}@${to.position}<-${from.position}`, value);
    }
    const scale = largestOf(wanted.values());
    expect(wanted.size).toBe(taken.size);
    for (const [pair, value] of wanted) expect(Math.abs(taken.get(pair)! - value), pair).toBeLessThanOrEqual(1e-4 * scale);
  });

  test('`top` lists the largest, and says what the others hold', async () => {
    const all = await ask();
    const few = await ask({ top: 7 });
    expect(few.terms).toEqual(all.terms.slice(0, 7));
    expect(few.sum).toBe(all.sum);
    expect(few.extent!.edges).toBe(all.extent!.edges);
    expect(few.extent!.mass / all.extent!.mass).toBeCloseTo(1, 5);
    const others = all.terms.slice(7).reduce((sum, { value }) => sum + Math.abs(value!), 0);
    expect(few.extent!.unlisted / others).toBeCloseTo(1, 5);
    const touched = new Set(few.terms.flatMap(({ name }) => name.split('->')));
    expect(new Set(few.through!.map(({ name }) => name))).toEqual(touched);
  });

  test('a prompt set is refused', async () => {
    const { tokens } = subject.golden;
    const asked = analyze(subject.model, { model: '', view: 'flow', positions: true, prompts: [{ tokens }] }, noControl);
    await expect(asked).rejects.toThrow('flow by position of a prompt set: expected a single prompt');
  });
});

describe.each([
  ['LayerNorm', { norm: 'LN', dMlp: 10, activation: 'relu' }],
  ['RMSNorm, attention only', { norm: 'RMS', dMlp: 0, activation: null }],
  ['no norm', { norm: null, dMlp: 8, activation: 'relu' }],
] as const)('leaving one flow out of the frozen run, %s', (_, given) => {
  const random = randomLens({ layers: 2, heads: 2, d: 12, dHead: 5, vocabulary: 20, context: 6, ...given }, 31);
  const tokens = [3, 1, 4, 1];
  let folder: string;
  let model: Model;
  let answer: Answer;

  beforeAll(async () => {
    folder = await writeModel(random);
    model = await loadModel(folder);
    answer = await analyze(model, { model: '', view: 'flow', positions: true, tokens, target: 7, foil: 9, top: 100_000 }, noControl);
  });
  afterAll(async () => {
    await model.close();
    await rm(folder, { recursive: true });
  });

  test('takes from the metric what the flow is worth [M26]', () => {
    const slow = new SlowFrozen(random, tokens);
    const whole = slow.metric(7, 9, null);
    expect(Math.abs(whole - answer.metric!)).toBeLessThan(1e-5);
    const scale = largestOf(values(answer).values());
    for (const [name, value] of values(answer)) {
      const without = slow.metric(7, 9, parsePlacedEdge(name));
      expect(Math.abs(whole - without - value), name).toBeLessThan(1e-5 * scale + 1e-6);
    }
  });

  test('dropping a bias, or reading past the mask, is seen', () => {
    const bound = 1e-5 * answer.extent!.mass;
    const without = (dropped: RegExp): Answer => ({ ...answer, terms: answer.terms.filter(({ name }) => !dropped.test(name)) });
    expect(largestOf(defects(answer).values())).toBeLessThan(bound);
    for (const dropped of given.dMlp > 0 ? [/^a0\.b@/, /^m0\.b@/] : [/^a0\.b@/]) {
      expect(largestOf(defects(without(dropped)).values()), String(dropped)).toBeGreaterThan(100 * bound);
    }
    for (const { name } of answer.terms) expect(() => checkPlacedEdge(parsePlacedEdge(name), model.spec)).not.toThrow();
  });
});
