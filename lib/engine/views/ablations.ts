import { EngineError } from '../errors.ts';
import { ablatableNodes, ablatedGraph } from '../graphs/causal.ts';
import { causalMask, metricFeeds } from '../model.ts';
import { checkNode, parseNode } from '../names.ts';
import { indices, tensor, type FloatTensor } from '../runtime.ts';
import { PRODUCT_ROWS } from '../trie.ts';
import { referenceSources } from './reference.ts';
import type { Asked } from './view.ts';

/** Says for which ablations a head's constant stays; empty for the others. */
export function constantNotes(nodes: readonly string[]): string[] {
  return nodes.some((name) => name.includes('.h'))
    ? ['Ablating a head replaces its output without bias: its constant stays in a{l}.b [M7].']
    : [];
}

/**
 * What is asked to be ablated: each node alone, and with `together` all at once as the last set.
 * @throws EngineError `bad-request` for no node, `bad-name` for one that cannot be ablated
 */
export function ablationSets({ model, ablate, together }: Asked): string[][] {
  if (ablate.length === 0) throw new EngineError('bad-request', 'ablate', 'at least one node', 'none');
  const known = new Set(ablatableNodes(model.spec));
  for (const name of ablate) {
    checkNode(parseNode(name), model.spec, `ablate ${JSON.stringify(name)}`);
    if (!known.has(name)) throw new EngineError('bad-name', 'ablate', 'input, a head or an MLP', JSON.stringify(name));
  }
  return [...ablate.map((name) => [name]), ...(together ? [[...ablate]] : [])];
}

/** Sources of the reference [N, S, d], zeros where it is zero. */
export async function referenceOrZero(asked: Asked): Promise<FloatTensor> {
  const { sources } = await asked.model.clean(asked.question.tokens);
  return (await referenceSources(asked)) ?? tensor(new Float32Array(sources.data.length), sources.dims);
}

/** 1 for each node of each set, [sets, nodes] in the order of ablatableNodes. */
export function replaceRows({ model }: Pick<Asked, 'model'>, sets: readonly (readonly string[])[]): FloatTensor {
  const columns = new Map(ablatableNodes(model.spec).map((name, column) => [name, column]));
  const replace = new Float32Array(sets.length * columns.size);
  sets.forEach((set, row) => set.forEach((name) => (replace[row * columns.size + columns.get(name)!] = 1)));
  return tensor(replace, [sets.length, columns.size]);
}

/** Sets whose runs make one batch. */
export function batchesOf<T>({ question }: Pick<Asked, 'question'>, sets: readonly T[]): T[][] {
  const most = Math.max(1, Math.ceil(PRODUCT_ROWS / question.tokens.length));
  return Array.from({ length: Math.ceil(sets.length / most) }, (_, batch) => sets.slice(batch * most, (batch + 1) * most));
}

/** The metric after each set of nodes writes the reference, everything downstream recomputed [M7]. */
export async function ablatedMetrics(asked: Asked, sets: readonly (readonly string[])[], reference: FloatTensor): Promise<number[]> {
  const { model, question, control } = asked;
  const values: number[] = [];
  for (const batch of batchesOf(asked, sets)) {
    await control.checkpoint();
    const { metric } = await model.run('ablated', ablatedGraph, {
      ...metricFeeds(question),
      tokens: indices(question.tokens),
      mask: causalMask(question.tokens.length),
      replace: replaceRows(asked, batch),
      reference,
    });
    values.push(...metric!.data);
    control.progress(values.length, sets.length, 'ablations run');
  }
  return values;
}
