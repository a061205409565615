import { EngineError } from '../errors.ts';
import { ablatableNodes, ablatedGraph } from '../graphs/causal.ts';
import { causalMask, metricFeeds } from '../model.ts';
import { checkNode, parseNode } from '../names.ts';
import type { Term } from '../request.ts';
import { indices, tensor } from '../runtime.ts';
import { referenceSources } from './reference.ts';
import { TOGETHER, type Asked, type Outcome } from './view.ts';

const BATCH = 16;
const CONSTANT_STAYS = 'Ablating a head replaces its output without bias: its constant stays in a{l}.b [M7].';

/** The metric after replacing each node's output by the reference, everything downstream recomputed [M7]. */
export async function ablateView(asked: Asked): Promise<Outcome> {
  const { model, question, control } = asked;
  if (asked.ablate.length === 0) throw new EngineError('bad-request', 'ablate', 'at least one node', 'none');
  const columns = new Map(ablatableNodes(model.spec).map((name, column) => [name, column]));
  for (const name of asked.ablate) checkAblatable(name, asked, columns);
  const sets = asked.ablate.map((name) => [name]);
  if (asked.together) sets.push([...asked.ablate]);
  const run = await model.clean(question.tokens);
  const reference = (await referenceSources(asked)) ?? tensor(new Float32Array(run.sources.data.length), run.sources.dims);
  const values: number[] = [];
  for (let from = 0; from < sets.length; from += BATCH) {
    await control.checkpoint();
    const batch = sets.slice(from, from + BATCH);
    const replace = new Float32Array(batch.length * columns.size);
    batch.forEach((set, row) => set.forEach((name) => (replace[row * columns.size + columns.get(name)!] = 1)));
    const { metric } = await model.run('ablated', ablatedGraph, {
      ...metricFeeds(question),
      tokens: indices(question.tokens),
      mask: causalMask(question.tokens.length),
      replace: tensor(replace, [batch.length, columns.size]),
      reference,
    });
    values.push(...metric!.data);
    control.progress(values.length, sets.length, 'ablations run');
  }
  const terms = asked.ablate.map((name, index): Term => ({ name, value: values[index]! }));
  if (asked.together) terms.push({ name: TOGETHER, value: values.at(-1)! });
  return {
    terms,
    reference: asked.reference,
    notes: asked.ablate.some((name) => name.includes('.h')) ? [CONSTANT_STAYS] : [],
    ...(asked.together && { joint: { names: [...asked.ablate], value: values.at(-1)! } }),
  };
}

function checkAblatable(name: string, { model }: Asked, columns: ReadonlyMap<string, number>): void {
  const node = parseNode(name);
  checkNode(node, model.spec, `ablate ${JSON.stringify(name)}`);
  if (!columns.has(name)) throw new EngineError('bad-name', 'ablate', 'input, a head or an MLP', JSON.stringify(name));
}
