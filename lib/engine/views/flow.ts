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
  const listed = largest(terms, top).terms;
  return { terms: listed, sum, error: Math.abs(sum - metric), extent: extentOf(terms, listed), through: throughNodes(terms, listed, sum) };
}

function extentOf(terms: readonly Term[], listed: readonly Term[]): NonNullable<Outcome['extent']> {
  const massOf = (some: readonly Term[]) => some.reduce((mass, { value }) => mass + Math.abs(value!), 0);
  const kept = new Set(listed);
  const edges = terms.reduce((count, { value }) => count + Number(value !== 0), 0);
  return { edges, mass: massOf(terms), unlisted: massOf(terms.filter((term) => !kept.has(term))) };
}

/** What flows out of each node that a listed edge touches; `logits`, which ends it all, has what flows in. */
function throughNodes(terms: readonly Term[], listed: readonly Term[], sum: number): NonNullable<Outcome['through']> {
  const out = new Map<string, number>([['logits', sum]]);
  for (const { name, value } of terms) {
    const from = name.split('->')[0]!;
    out.set(from, (out.get(from) ?? 0) + value!);
  }
  const touched = new Set(listed.flatMap(({ name }) => name.split('->')));
  return [...touched].map((name) => ({ name, value: out.get(name) ?? 0 }));
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
