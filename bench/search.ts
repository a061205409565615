import { analyze, type Model } from '../lib/engine/index.ts';
import { Trie, openAll, pathName } from '../lib/engine/trie.ts';
import { noControl } from '../server/engine/testing.ts';
import { SEED, drawTokens } from './gpt2-small.ts';
import { withLayers } from './growth.ts';

export interface SearchQuality {
  tokens: number;
  /** Σ|value| of the search's top 100 over that of the true top 100 */
  share: number;
  /** how many of the true top 100 the search found */
  found: number;
  suffixes: number;
}

const TOP = 100;
const TOKENS = 16;
const LAYERS = 4;
const MEMORY = 512 * 1024 * 1024;

/** The search within its budget against all paths of a model small enough to list them. */
export async function measureSearch(model: Model): Promise<SearchQuality> {
  const four = withLayers(model, LAYERS);
  const tokens = drawTokens(model.spec.vocabulary, TOKENS, SEED);
  const question = { tokens, counterfactual: null, target: 1, foil: 2 };
  const run = await four.clean(tokens);
  const trie = new Trie(four, run, await four.direction(run, question));
  let best: { name: string; value: number }[] = [];
  let suffixes = 0;
  let least = 0;
  await openAll(trie, 2 * LAYERS, MEMORY, noControl, ({ paths }) => {
    suffixes++;
    for (const path of paths) if (Math.abs(path.value) > least) best.push({ name: pathName(path), value: Math.abs(path.value) });
    if (best.length < 20 * TOP) return;
    best = best.toSorted((a, b) => b.value - a.value).slice(0, TOP);
    least = best.at(-1)!.value;
  });
  best = best.toSorted((a, b) => b.value - a.value).slice(0, TOP);
  const answer = await analyze(four, { model: 'four layers', view: 'paths', top: TOP, tokens, target: 1, foil: 2 }, noControl);
  await four.close();
  const mass = (items: readonly number[]) => items.reduce((sum, value) => sum + Math.abs(value), 0);
  const names = new Set(best.map(({ name }) => name));
  return {
    tokens: TOKENS,
    share: mass(answer.terms.map(({ value }) => value!)) / mass(best.map(({ value }) => value)),
    found: answer.terms.filter(({ name }) => names.has(name)).length,
    suffixes,
  };
}
