import fc from 'fast-check';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { flowOfEdges, flowOfNodes, parentsOf, readMembers, sumOfPaths } from '../../lib/board/mechanism.ts';
import { analyze, type Answer, type Model, type TokenRequest } from '../../lib/engine/index.ts';
import { FIXTURES, loadModel, noControl } from './testing.ts';

/** What a mechanism adds up to, against every path of a small model added up one by one. */

const TOKENS = [3, 1, 4, 1, 5];

describe.each(['random-attn-only', 'random-lens-mlp', 'random-neox'])('%s', (name) => {
  let model: Model;
  let paths: Map<string, number>;
  let flow: Answer;
  const ask = (request: Omit<TokenRequest, 'model'>) => analyze(model, { model: name, ...request }, noControl);

  beforeAll(async () => {
    model = await loadModel(join(FIXTURES, name));
    const all = await ask({ view: 'paths', tokens: TOKENS, top: 100_000 });
    expect(all.remainder).toBe(0);
    paths = new Map(all.terms.map((term) => [term.name, term.value!]));
    flow = await ask({ view: 'flow', tokens: TOKENS });
  });
  afterAll(() => model.close());

  /** Σ of all paths that one of the members stands for, each once. */
  const union = (isOf: (path: string) => boolean) => {
    let sum = 0;
    for (const [path, value] of paths) if (isOf(path)) sum += value;
    return sum;
  };
  const scale = () => [...paths.values()].reduce((sum, value) => sum + Math.abs(value), 0);

  test('paths and suffixes: the union, each path once [M12]', async () => {
    const complete = [...paths.keys()];
    // An MLP's suffix is without the paths from its own bias, which start beside it.
    const suffixes = complete.flatMap((path) => {
      const first = path.slice(path.indexOf('->') + 2);
      return first === 'logits' || first.startsWith('m') ? [] : [first];
    });
    const members = fc.uniqueArray(fc.constantFrom(...complete, ...suffixes), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(members, async (chosen) => {
        const { paths: reduced } = readMembers(chosen);
        const answer = await ask({ view: 'suffixes', tokens: TOKENS, paths: parentsOf(reduced) });
        const wanted = union((path) => chosen.some((member) => path === member || path.endsWith(`->${member}`)));
        expect(Math.abs(sumOfPaths(reduced, answer)! - wanted)).toBeLessThanOrEqual(1e-5 * scale());
      }),
      { numRuns: 12, seed: 20_263 },
    );
  });

  const uses = (path: string, edge: string) => {
    const [from, to] = edge.split('->');
    return `->${path}->`.includes(`->${from}->${to}->`) || `->${path}->`.includes(`->${from}.b->${to}->`);
  };

  test('edges: the sum of their flows where no path uses two, else none [M26]', () => {
    const edges = flow.terms.map((term) => term.name).filter((edge) => !edge.startsWith('logits.b') && !edge.includes('.b->'));
    const chosen = fc.uniqueArray(fc.constantFrom(...edges), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(chosen, (members) => {
        const total = flowOfEdges(members, flow)!;
        const overlaps = [...paths.keys()].some((path) => members.filter((edge) => uses(path, edge)).length > 1);
        expect(total.exact).toBe(!overlaps);
        if (!total.exact) return;
        const wanted = union((path) => members.some((edge) => uses(path, edge)));
        expect(Math.abs(total.value - wanted)).toBeLessThanOrEqual(1e-5 * scale());
      }),
      { numRuns: 200, seed: 20_264 },
    );
  });

  test('nodes: what flows out of them where no path goes through two, else none [M26]', () => {
    const nodes = [...new Set(flow.terms.map((term) => term.name.split('->')[0]!))].filter((node) => !node.endsWith('.b'));
    const through = (path: string, node: string) =>
      path.split('->').some((stop, index) => stop === node || (index === 0 && stop === `${node}.b` && node.startsWith('m')));
    const chosen = fc.uniqueArray(fc.constantFrom(...nodes), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(chosen, (members) => {
        const total = flowOfNodes(members, flow)!;
        const overlaps = [...paths.keys()].some((path) => members.filter((node) => through(path, node)).length > 1);
        expect(total.exact).toBe(!overlaps);
        if (!total.exact) return;
        const wanted = union((path) => members.some((node) => through(path, node)));
        expect(Math.abs(total.value - wanted)).toBeLessThanOrEqual(1e-5 * scale());
      }),
      { numRuns: 100, seed: 20_265 },
    );
  });

  test('what a model has not is no zero', () => {
    expect(flowOfEdges(['a0.h0->a9.h9'], flow)).toBeNull();
    expect(flowOfNodes(['a9.h9'], flow)).toBeNull();
    expect(sumOfPaths(['a9.h9->logits'], flow)).toBeNull();
  });
});
