import { flowGraph } from '../graphs/flow.ts';
import type { FloatTensor } from '../runtime.ts';
import { printNode, stageOf, type Node } from '../names.ts';
import type { Term } from '../request.ts';
import { streamSources, type ModelSpec } from '../spec.ts';
import { placedFlowView } from './placed-flow.ts';
import { largest, sumOf, type Asked, type Outcome } from './view.ts';

/**
 * Flow [M26]: for every edge u→v the exact sum of all frozen paths that use it, in the metric's unit. An `m{l}` as
 * writer holds its own bias. Edges do not partition the metric: `sum` is over the edges into `logits` and `logits.b`,
 * all of them whatever `top` lists, and there is no remainder. `top` lists the largest |value|. With `positions`, edges
 * between token positions: {@link placedFlowView}.
 */
export async function flowView(asked: Asked): Promise<Outcome> {
  if (asked.positions) return placedFlowView(asked);
  const { model, question, metric, top } = asked;
  const run = await model.clean(question.tokens);
  const { direction, bias } = await model.direction(run, question);
  const { sources, patterns, inverse1, inverse2, gates } = run;
  const { flows } = await model.run('flow', flowGraph, { sources, direction, patterns, inverse1, inverse2, gates });
  const edges = edgesOf(model.spec, flows!);
  const intoLogits: Term[] = [...edges.filter(({ name }) => name.endsWith('->logits')), { name: 'logits.b->logits', value: bias }];
  const terms = [...edges.filter(({ name }) => !name.endsWith('->logits')), ...intoLogits];
  const sum = sumOf(intoLogits);
  return { terms: largest(terms, top).terms, sum, error: Math.abs(sum - metric) };
}

/** Edges by reader as readers stand in the stream, `logits` last. */
function edgesOf(spec: ModelSpec, { data, dims }: FloatTensor): Term[] {
  const sources = streamSources(spec);
  const readers = readersOf(spec);
  return readers
    .map((reader, row): [Node, Float32Array] => [reader, data.subarray(row * dims[1]!, (row + 1) * dims[1]!)])
    .toSorted(([a], [b]) => stageOf(a, spec) - stageOf(b, spec))
    .flatMap(([reader, values]) => edgesInto(reader, values, sources, spec));
}

function edgesInto(reader: Node, values: Float32Array, sources: readonly Node[], spec: ModelSpec): Term[] {
  const stage = stageOf(reader, spec);
  const terms: Term[] = [];
  sources.forEach((source, column) => {
    if (stageOf(source, spec) >= stage) return;
    if (source.kind === 'mlp-bias') terms.at(-1)!.value! += values[column]!;
    else terms.push({ name: `${printNode(source)}->${printNode(reader)}`, value: values[column]! });
  });
  return terms;
}

/** In the order of flowGraph's rows. */
function readersOf({ layers, heads, hasMlp }: ModelSpec): Node[] {
  const readers: Node[] = [{ kind: 'logits' }];
  for (let layer = layers - 1; layer >= 0; layer--) {
    for (let head = 0; head < heads; head++) readers.push({ kind: 'head', layer, head });
    if (hasMlp) readers.push({ kind: 'mlp', layer });
  }
  return readers;
}
