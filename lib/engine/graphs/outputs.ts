import { GraphBuilder, type Graph } from '../onnx.ts';
import { printNode } from '../names.ts';
import { sourceRows, type ModelSpec } from '../spec.ts';
import { ablatableNodes } from './causal.ts';

/**
 * What each node writes, own biases included, and how far a reference is from it.
 * Feeds `sources`, `reference` [N, S, d] in the order of streamSources; gives `outputs` and `change`
 * [nodes, S, d] in the order of ablatableNodes, `change` = reference − outputs.
 */
export function outputsGraph(spec: ModelSpec): Graph {
  const g = new GraphBuilder('outputs');
  const rows = sourceRows(spec);
  const nodes = ablatableNodes(spec);
  const own = g.ints(nodes.map((name) => rows.get(name)!));
  const biasRow = nodes.map((name) =>
    name.startsWith('m') ? rows.get(printNode({ kind: 'mlp-bias', layer: Number(name.slice(1)) }))! : null,
  );
  const bias = g.ints(biasRow.map((row) => row ?? 0));
  const hasBias = g.floats(
    biasRow.map((row) => (row === null ? 0 : 1)),
    [nodes.length, 1, 1],
  );
  const outputsOf = (sources: string) => {
    const biases = g.op('Mul', [g.op('Gather', [sources, bias], { axis: 0 }), hasBias]);
    return g.op('Add', [g.op('Gather', [sources, own], { axis: 0 }), biases]);
  };
  const outputs = outputsOf(g.input('sources', 'float32', [rows.size, 'S', spec.dModel]));
  const reference = outputsOf(g.input('reference', 'float32', [rows.size, 'S', spec.dModel]));
  g.output('outputs', outputs, 'float32', [nodes.length, 'S', spec.dModel]);
  g.output('change', g.op('Sub', [reference, outputs]), 'float32', [nodes.length, 'S', spec.dModel]);
  return g.finish();
}

/** Sums of changes: `weights` [P, E] × `changes` [E, S, d] = `mixed` [P, S, d]. */
export function mixGraph(spec: ModelSpec): Graph {
  const g = new GraphBuilder('mix');
  const weights = g.input('weights', 'float32', ['P', 'E']);
  const changes = g.input('changes', 'float32', ['E', 'S', spec.dModel]);
  const flat = g.op('MatMul', [weights, g.op('Flatten', [changes], { axis: 1 })]);
  const count = g.op('Shape', [weights], { start: 0, end: 1 });
  const shape = g.op('Concat', [count, g.op('Shape', [changes], { start: 1 })], { axis: 0 });
  g.output('mixed', g.op('Reshape', [flat, shape]), 'float32', ['P', 'S', spec.dModel]);
  return g.finish();
}

/** A clean stream and changes of it: `stream` [P, S, d] + `clean` [S, d] = `after` [P, S, d]. */
export function changedGraph(spec: ModelSpec): Graph {
  const g = new GraphBuilder('changed');
  const dims = ['P', 'S', spec.dModel];
  const sum = g.op('Add', [g.input('change', 'float32', dims), g.input('clean', 'float32', ['S', spec.dModel])]);
  g.output('stream', sum, 'float32', dims);
  return g.finish();
}

/** Inputs between two runs: `clean` [S, d] + `shares` [B] · `change` [S, d] = `embeddings` [B, S, d]. */
export function interpolateGraph(spec: ModelSpec): Graph {
  const g = new GraphBuilder('interpolate');
  const clean = g.input('clean', 'float32', ['S', spec.dModel]);
  const change = g.input('change', 'float32', ['S', spec.dModel]);
  const shares = g.op('Reshape', [g.input('shares', 'float32', ['B']), g.ints([-1, 1, 1])]);
  g.output('embeddings', g.op('Add', [g.op('Mul', [shares, change]), clean]), 'float32', ['B', 'S', spec.dModel]);
  return g.finish();
}
