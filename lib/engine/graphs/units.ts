import { GraphBuilder, type Graph, type Value } from '../onnx.ts';
import type { ModelSpec, Weight } from '../spec.ts';
import { Blocks } from './blocks.ts';

/**
 * Frozen maps forwards, of all heads together, and of their parts: neurons and (query, key) pairs [M22]. Everywhere
 * `pattern` [H, S, S], `gate` [S, M] and `inverse` [S, 1] are one layer's frozen constants, `inverse` only with norms.
 */

interface HeadPart {
  blocks: Blocks;
  head: Value;
  pattern: Value;
  inverse: Value;
}

interface MlpPart {
  blocks: Blocks;
  gate: Value;
  inverse: Value;
}

/** One head's frozen map. Feeds `x` [P, S, d], `head` int32 [], `pattern`, `inverse`; gives `out` [P, S, d]. */
export function headForwardGraph(spec: ModelSpec, layer: number): Graph {
  const g = new GraphBuilder(`head-forward-${layer}`);
  const part = headPart(g, spec);
  const values = carriedValues(part, g.input('x', 'float32', ['P', 'S', spec.dModel]), layer);
  const { weights } = part.blocks;
  const out = weights.times(g.op('MatMul', [part.pattern, values]), weights.headMatrix(part.blocks.layer(layer).o, part.head, 'out'));
  g.output('out', out, 'float32', ['P', 'S', spec.dModel]);
  return g.finish();
}

/** An MLP's frozen map, without its bias. Feeds `x` [P, S, d], `gate`, `inverse`; gives `out` [P, S, d]. */
export function mlpForwardGraph(spec: ModelSpec, layer: number): Graph {
  const g = new GraphBuilder(`mlp-forward-${layer}`);
  const part = mlpPart(g, spec);
  const hidden = carriedHidden(part, g.input('x', 'float32', ['P', 'S', spec.dModel]), layer);
  g.output('out', part.blocks.times(hidden, part.blocks.mlp(layer).out), 'float32', ['P', 'S', spec.dModel]);
  return g.finish();
}

/**
 * What each (query, key) pair of a head carries from its input to a direction at its output.
 * Feeds `x`, `direction` [S, d], `head` int32 [], `pattern`, `inverse`; gives `values` [S, S], rows are queries.
 */
export function pairsGraph(spec: ModelSpec, layer: number): Graph {
  const g = new GraphBuilder(`pairs-${layer}`);
  const part = headPart(g, spec);
  const values = carriedValues(part, g.input('x', 'float32', ['S', spec.dModel]), layer);
  const { weights } = part.blocks;
  const out = weights.headMatrix(part.blocks.layer(layer).o, part.head, 'out');
  const wanted = weights.timesTransposed(g.input('direction', 'float32', ['S', spec.dModel]), out);
  const agreement = g.op('MatMul', [wanted, g.op('Transpose', [values], { perm: [1, 0] })]);
  g.output('values', g.op('Mul', [part.pattern, agreement]), 'float32', ['S', 'S']);
  return g.finish();
}

/**
 * What each neuron of an MLP carries from its input to directions at its output.
 * Feeds `x` [S, d], `directions` [P, S, d], `gate`, `inverse`; gives `values` [P, M].
 */
export function neuronsGraph(spec: ModelSpec, layer: number): Graph {
  const g = new GraphBuilder(`neurons-${layer}`);
  const part = mlpPart(g, spec);
  const hidden = carriedHidden(part, g.input('x', 'float32', ['S', spec.dModel]), layer);
  const wanted = part.blocks.timesTransposed(g.input('directions', 'float32', ['P', 'S', spec.dModel]), part.blocks.mlp(layer).out);
  const values = g.op('ReduceSum', [g.op('Mul', [wanted, hidden]), g.ints([1])], { keepdims: 0 });
  g.output('values', values, 'float32', ['P', spec.dMlp]);
  return g.finish();
}

/**
 * U·Mᵀ of single neurons. Feeds `directions` [P, S, d], `rows` and `neurons` int32 [Q] (which direction through which
 * neuron), `gate`, `inverse`; gives `pulled` [Q, S, d].
 */
export function neuronTransposeGraph(spec: ModelSpec, layer: number): Graph {
  const g = new GraphBuilder(`neuron-transpose-${layer}`);
  const { blocks, gate, inverse } = mlpPart(g, spec);
  const directions = g.input('directions', 'float32', ['P', 'S', spec.dModel]);
  const chosen = g.op('Gather', [directions, g.input('rows', 'int32', ['Q'])], { axis: 0 });
  const neurons = g.input('neurons', 'int32', ['Q']);
  const { in: reads, out: writes, norm2 } = blocks.mlp(layer);
  const written = g.op('Unsqueeze', [neuronRows(blocks, writes, neurons, 'out'), g.ints([2])]);
  const gates = g.op('Transpose', [g.op('Gather', [gate, neurons], { axis: 1 })], { perm: [1, 0] });
  const wanted = g.op('Mul', [g.op('MatMul', [chosen, written]), g.op('Unsqueeze', [gates, g.ints([2])])]);
  const pulled = g.op('MatMul', [wanted, g.op('Unsqueeze', [neuronRows(blocks, reads, neurons, 'in'), g.ints([1])])]);
  g.output('pulled', blocks.frozenScaledTransposed(pulled, norm2, inverse), 'float32', ['Q', 'S', spec.dModel]);
  return g.finish();
}

/**
 * U·Mᵀ of a layer's attention, the sum of its heads [M22]. Feeds `directions` [P, S, d], `pattern`, `inverse`; gives
 * `pulled` [P, S, d].
 */
export function attentionTransposeGraph(spec: ModelSpec, layer: number): Graph {
  const g = new GraphBuilder(`attention-transpose-${layer}`);
  const blocks = new Blocks(g, spec);
  const { dModel, dHead, heads, kvHeads } = spec;
  const { norm1, o, v } = blocks.layer(layer);
  const directions = g.input('directions', 'float32', ['P', 'S', dModel]);
  const pattern = g.op('Transpose', [g.input('pattern', 'float32', [heads, 'S', 'S'])], { perm: [0, 2, 1] });
  const inverse = inverseInput(g, spec);
  const moved = blocks.joinHeads(g.op('MatMul', [pattern, blocks.splitHeads(blocks.timesTransposed(directions, o))]));
  const byOwner = g.op('Reshape', [moved, g.ints([0, 0, kvHeads, heads / kvHeads, dHead])]);
  const shared = g.op('Reshape', [g.op('ReduceSum', [byOwner, g.ints([3])], { keepdims: 0 }), g.ints([0, 0, kvHeads * dHead])]);
  const pulled = blocks.frozenScaledTransposed(blocks.timesTransposed(shared, v), norm1, inverse);
  g.output('pulled', pulled, 'float32', ['P', 'S', dModel]);
  return g.finish();
}

function headPart(g: GraphBuilder, spec: ModelSpec): HeadPart {
  const head = g.input('head', 'int32', []);
  const patterns = g.input('pattern', 'float32', [spec.heads, 'S', 'S']);
  const pattern = g.op('Gather', [patterns, head], { axis: 0 });
  return { blocks: new Blocks(g, spec), head, pattern, inverse: inverseInput(g, spec) };
}

function mlpPart(g: GraphBuilder, spec: ModelSpec): MlpPart {
  return { blocks: new Blocks(g, spec), gate: g.input('gate', 'float32', ['S', spec.dMlp]), inverse: inverseInput(g, spec) };
}

function inverseInput(g: GraphBuilder, spec: ModelSpec): Value {
  return spec.norm === 'none' ? g.scalar(1) : g.input('inverse', 'float32', ['S', 1]);
}

/** A head's values without bias, [.., S, dh]. */
function carriedValues({ blocks, head, inverse }: HeadPart, x: Value, layer: number): Value {
  const { norm1, v } = blocks.layer(layer);
  const matrix = blocks.weights.headMatrix(v, blocks.weights.kvHead(head), 'in');
  return blocks.weights.times(blocks.frozenScaled(x, norm1, inverse), matrix);
}

/** The gated hidden layer without bias, [.., S, M]. */
function carriedHidden({ blocks, gate, inverse }: MlpPart, x: Value, layer: number): Value {
  const { norm2, in: reads } = blocks.mlp(layer);
  return blocks.g.op('Mul', [blocks.times(blocks.frozenScaled(x, norm2, inverse), reads), gate]);
}

/** Columns of W_in or rows of W_out that belong to neurons [Q], [Q, d]. */
function neuronRows(blocks: Blocks, weight: Weight, neurons: Value, side: 'in' | 'out'): Value {
  const { value, flipped } = blocks.matrix(weight);
  if ((side === 'out') !== flipped) return blocks.g.op('Gather', [value, neurons], { axis: 0 });
  return blocks.g.op('Transpose', [blocks.g.op('Gather', [value, neurons], { axis: 1 })], { perm: [1, 0] });
}
