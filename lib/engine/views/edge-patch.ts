import { EdgePatches, bySlot, everyEdge, maskedFinals } from '../edge-runs.ts';
import { EngineError } from '../errors.ts';
import { readMetricGraph } from '../graphs/causal.ts';
import { metricFeeds } from '../model.ts';
import { parseEdge, printEdge, type Edge } from '../names.ts';
import type { Term } from '../request.ts';
import { tensor } from '../runtime.ts';
import { referenceSources } from './reference.ts';
import { TOGETHER, keepLargest, type Asked, type Outcome } from './view.ts';

/**
 * The metric after patching each edge alone [M8]: its reader sees the writer's output of the reference instead, and the
 * reader with everything behind it is recomputed; with `together` also all of them in one run. With `allEdges` every
 * edge of the model, slots apart; `top` lists those that change the metric most.
 */
export async function edgePatchView(asked: Asked): Promise<Outcome> {
  const { model, question, metric } = asked;
  const edges = edgesOf(asked);
  const run = await model.clean(question.tokens);
  const reference = await referenceSources(asked);
  const patches = await EdgePatches.prepare(model, run, question, reference);
  const values = await patches.metrics(
    edges.map(({ edge }) => edge),
    asked.control,
  );
  const terms = edges.map(({ name }, index): Term => ({ name, value: values[index]! }));
  const { kept: listed } = keepLargest(terms, ({ value }) => Math.abs(value! - metric), asked.top);
  if (!asked.together) return { terms: listed, reference: asked.reference };
  const patched = new Set(edges.flatMap(({ edge }) => bySlot(edge).map(printEdge)));
  const against = reference ?? tensor(new Float32Array(run.sources.data.length), run.sources.dims);
  const finals = await maskedFinals(model, question.tokens, against, [patched]);
  const { dModel } = model.spec;
  const outputs = await model.run('read-metric', readMetricGraph, {
    ...metricFeeds(question),
    clean: tensor(new Float32Array(dModel), [dModel]),
    change: finals,
  });
  const value = outputs['metric']!.data[0]!;
  return {
    terms: [...listed, { name: TOGETHER, value }],
    reference: asked.reference,
    joint: { names: edges.map(({ name }) => name), value },
  };
}

function edgesOf({ model, edges, allEdges }: Asked): { name: string; edge: Edge }[] {
  if (allEdges && edges.length > 0) throw new EngineError('bad-request', 'edges', 'either named edges or all of them', 'both');
  if (allEdges) return everyEdge(model.spec).map((edge) => ({ name: printEdge(edge), edge }));
  if (edges.length === 0) throw new EngineError('bad-request', 'edge-patch', 'at least one edge, or all edges', 'none');
  return edges.map((name) => ({ name, edge: parseEdge(name, model.spec) }));
}
