import { GraphBuilder, type Graph, type Value } from '../onnx.ts';
import type { ModelSpec } from '../spec.ts';
import { Blocks } from './blocks.ts';

/**
 * u and `logits.b` [M5]: the metric's direction w pulled back through the final norm with its scale frozen.
 * Feeds `target`, `foil` int32 [1], `foilWeight` [1] (1, or 0 for no foil), `inverse` [1] the final norm's 1/σ
 * at the position. Gives `direction` [d] and `bias` [1].
 */
export function directionGraph(spec: ModelSpec): Graph {
  const g = new GraphBuilder('direction');
  const blocks = new Blocks(g, spec);
  const { finalNorm, unembedBias } = spec.weights;
  const { row, pick } = metricRow(g, blocks);
  const inverse = spec.norm === 'none' ? g.scalar(1) : g.input('inverse', 'float32', [1]);
  const direction = blocks.frozenScaledTransposed(row, finalNorm, inverse);
  g.output('direction', g.op('Reshape', [direction, g.ints([spec.dModel])]), 'float32', [spec.dModel]);
  const parts: Value[] = [g.scalar(0)];
  if (finalNorm.beta) {
    const beta = g.op('Reshape', [blocks.weights.vector(finalNorm.beta), g.ints([spec.dModel, 1])]);
    parts.push(g.op('Reshape', [g.op('MatMul', [row, beta]), g.ints([1])]));
  }
  if (unembedBias) parts.push(pick(blocks.weights.vector(unembedBias)));
  const bias = parts.reduce((sum, part) => g.op('Add', [sum, part]));
  g.output('bias', g.op('Reshape', [bias, g.ints([1])]), 'float32', [1]);
  return g.finish();
}

/** w = W_U[:, target] − W_U[:, foil] as a row [1, d], and the same difference of a vector [V] as [1]. */
export function metricRow(g: GraphBuilder, blocks: Blocks): { row: Value; pick: (vector: Value) => Value } {
  const target = g.input('target', 'int32', [1]);
  const foil = g.input('foil', 'int32', [1]);
  const foilWeight = g.input('foilWeight', 'float32', [1]);
  const minus = (a: Value, b: Value) => g.op('Sub', [a, g.op('Mul', [b, foilWeight])]);
  return {
    row: minus(blocks.unembedRows(target), blocks.unembedRows(foil)),
    pick: (vector) => minus(g.op('Gather', [vector, target]), g.op('Gather', [vector, foil])),
  };
}

/**
 * Suffix totals [M12]: ⟨U_p, out_n⟩ for every suffix p of a batch and every source n.
 * Feeds `directions` [P, S, d], `sources` [N, S, d]; gives `totals` [P, N].
 */
export function totalsGraph(spec: ModelSpec): Graph {
  const g = new GraphBuilder('totals');
  const directions = g.input('directions', 'float32', ['P', 'S', spec.dModel]);
  const sources = g.input('sources', 'float32', ['N', 'S', spec.dModel]);
  const flat = (x: Value) => g.op('Flatten', [x], { axis: 1 });
  g.output('totals', g.op('Gemm', [flat(directions), flat(sources)], { transB: 1 }), 'float32', ['P', 'N']);
  return g.finish();
}

/** The same totals split by the token at which the source wrote: gives `totals` [S, P, N]. */
export function totalsByTokenGraph(spec: ModelSpec): Graph {
  const g = new GraphBuilder('totals-by-token');
  const directions = g.input('directions', 'float32', ['P', 'S', spec.dModel]);
  const sources = g.input('sources', 'float32', ['N', 'S', spec.dModel]);
  const byToken = g.op('Transpose', [directions], { perm: [1, 0, 2] });
  const columns = g.op('Transpose', [sources], { perm: [1, 2, 0] });
  g.output('totals', g.op('MatMul', [byToken, columns]), 'float32', ['S', 'P', 'N']);
  return g.finish();
}

/**
 * U_{n→p} = U_p Mₙᵀ for one head of one layer [M9], [M12].
 * Feeds `directions` [P, Q, d] at the last Q tokens, `head` int32 [], `pattern` [Q, S] of those queries, `inverse` [S, 1];
 * gives `pulled` [P, S, d].
 */
export function headTransposeGraph(spec: ModelSpec, layer: number): Graph {
  const g = new GraphBuilder(`head-transpose-${layer}`);
  const blocks = new Blocks(g, spec);
  const { dModel } = spec;
  const directions = g.input('directions', 'float32', ['P', 'Q', dModel]);
  const head = g.input('head', 'int32', []);
  const pattern = g.input('pattern', 'float32', ['Q', 'S']);
  const inverse = spec.norm === 'none' ? g.scalar(1) : g.input('inverse', 'float32', ['S', 1]);
  const { norm1, o, v } = blocks.layer(layer);
  const out = blocks.weights.headMatrix(o, head, 'out');
  const value = blocks.weights.headMatrix(v, blocks.weights.kvHead(head), 'in');
  const moved = g.op('MatMul', [g.op('Transpose', [pattern], { perm: [1, 0] }), blocks.weights.timesTransposed(directions, out)]);
  const pulled = blocks.weights.timesTransposed(moved, value);
  g.output('pulled', blocks.frozenScaledTransposed(pulled, norm1, inverse), 'float32', ['P', 'S', dModel]);
  return g.finish();
}

/**
 * U_{n→p} = U_p Mₙᵀ for the MLP of one layer.
 * Feeds `directions` [P, S, d], `gate` [S, M], `inverse` [S, 1]; gives `pulled` [P, S, d].
 */
export function mlpTransposeGraph(spec: ModelSpec, layer: number): Graph {
  const g = new GraphBuilder(`mlp-transpose-${layer}`);
  const blocks = new Blocks(g, spec);
  const { dModel, dMlp } = spec;
  const directions = g.input('directions', 'float32', ['P', 'S', dModel]);
  const gate = g.input('gate', 'float32', ['S', dMlp]);
  const inverse = spec.norm === 'none' ? g.scalar(1) : g.input('inverse', 'float32', ['S', 1]);
  const weights = blocks.mlp(layer);
  const gated = g.op('Mul', [blocks.timesTransposed(directions, weights.out), gate]);
  const pulled = blocks.timesTransposed(gated, weights.in);
  g.output('pulled', blocks.frozenScaledTransposed(pulled, weights.norm2, inverse), 'float32', ['P', 'S', dModel]);
  return g.finish();
}

/**
 * The degree spectrum [M13]: what the paths of each degree add to the metric.
 * Feeds `input` [S, d], `direction` [d], and the frozen constants of cleanGraph; gives `spectrum` [stages + 1]
 * without `logits.b`.
 */
export function degreesGraph(spec: ModelSpec): Graph {
  const g = new GraphBuilder('degrees');
  const direction = g.input('direction', 'float32', [spec.dModel]);
  const last = lastByDegree(new Blocks(g, spec));
  const read = g.op('MatMul', [last, g.op('Reshape', [direction, g.ints([spec.dModel, 1])])]);
  g.output('spectrum', g.op('Reshape', [read, g.ints([-1])]), 'float32', ['K']);
  return g.finish();
}

/**
 * Importance by order [M25]: −log softmax(target), nats, of the logits that paths of degree ≤ k alone make, the final
 * norm's scale held as well.
 * Feeds `target` int32 [1], `inverseFinal` [1] at the last token, `input` [S, d], and the frozen constants of
 * cleanGraph; gives `losses` [stages + 1].
 */
export function ordersGraph(spec: ModelSpec): Graph {
  const g = new GraphBuilder('orders');
  const blocks = new Blocks(g, spec);
  const { finalNorm } = spec.weights;
  const target = g.input('target', 'int32', [1]);
  const inverse = spec.norm === 'none' ? g.scalar(1) : g.input('inverseFinal', 'float32', [1]);
  const upTo = g.op('CumSum', [lastByDegree(blocks), g.ints([0], [])]);
  const scaled = blocks.frozenScaled(upTo, finalNorm, inverse);
  const logits = blocks.unembed(blocks.plus(scaled, finalNorm.beta));
  const highest = g.op('ReduceMax', [logits, g.ints([1])], { keepdims: 1 });
  const summed = g.op('ReduceSum', [g.op('Exp', [g.op('Sub', [logits, highest])]), g.ints([1])], { keepdims: 1 });
  const whole = g.op('Add', [highest, g.op('Log', [summed])]);
  const losses = g.op('Sub', [whole, g.op('Gather', [logits, target], { axis: 1 })]);
  g.output('losses', g.op('Reshape', [losses, g.ints([-1])]), 'float32', ['K']);
  return g.finish();
}

/** Constants of one layer's frozen maps; `gate` null without MLPs, 1/σ is 1 without norms. */
export interface FrozenLayer {
  pattern: Value;
  inverse1: Value;
  gate: Value | null;
  inverse2: Value;
}

/** Declares the frozen constants of cleanGraph as inputs, stacked over layers; gives those of one layer. */
export function frozenInputs({ g, spec }: Blocks): (layer: number) => FrozenLayer {
  const { layers, heads, dMlp, hasMlp } = spec;
  const patterns = g.input('patterns', 'float32', [layers, heads, 'S', 'S']);
  const normed = spec.norm !== 'none';
  const inverse1 = normed ? g.input('inverse1', 'float32', [layers, 'S', 1]) : null;
  const inverse2 = normed && hasMlp ? g.input('inverse2', 'float32', [layers, 'S', 1]) : null;
  const gates = hasMlp ? g.input('gates', 'float32', [layers, 'S', dMlp]) : null;
  const at = (stack: Value, layer: number) => g.op('Gather', [stack, g.ints([layer], [])], { axis: 0 });
  return (layer) => ({
    pattern: at(patterns, layer),
    inverse1: inverse1 === null ? g.scalar(1) : at(inverse1, layer),
    gate: gates && at(gates, layer),
    inverse2: inverse2 === null ? g.scalar(1) : at(inverse2, layer),
  });
}

/**
 * All coefficients of p(t) [M13] at the last token, [stages + 1, d], carried as a batch that grows by one a stage.
 * Declares `input` [S, d] and the frozen constants as inputs.
 */
function lastByDegree(blocks: Blocks): Value {
  const { g, spec } = blocks;
  const input = g.input('input', 'float32', ['S', spec.dModel]);
  const at = frozenInputs(blocks);
  let p = g.op('Unsqueeze', [input, g.ints([0])]);
  for (let layer = 0; layer < spec.layers; layer++) {
    const { pattern, inverse1, gate, inverse2 } = at(layer);
    const moved = frozenAttention(blocks, p, layer, pattern, inverse1);
    const bias = blocks.attentionBias(layer);
    if (!gate) {
      p = shiftAndAdd(g, p, moved, bias);
      continue;
    }
    if (!spec.parallel) p = shiftAndAdd(g, p, moved, bias);
    const mlp = frozenMlp(blocks, p, layer, gate, inverse2);
    if (spec.parallel) p = shiftAndAdd(g, p, g.op('Add', [moved, mlp.out]), g.op('Add', [mlp.bias, bias]));
    else p = shiftAndAdd(g, p, mlp.out, mlp.bias);
  }
  return g.op('Gather', [p, g.ints([-1], [])], { axis: 1 });
}

/** p(t) + t·(moved(t) + bias), coefficients along the first axis; `bias` is of degree 1. */
function shiftAndAdd(g: GraphBuilder, p: Value, moved: Value, bias: Value): Value {
  const first = g.op('Slice', [p, g.ints([0]), g.ints([1]), g.ints([0])]);
  const zero = g.op('Mul', [first, g.scalar(0)]);
  const atOne = g.op('Concat', [zero, g.op('Add', [zero, bias])], { axis: 0 });
  const [head, tail] = [
    g.op('Slice', [moved, g.ints([0]), g.ints([1]), g.ints([0])]),
    g.op('Slice', [moved, g.ints([1]), g.ints([Number.MAX_SAFE_INTEGER]), g.ints([0])]),
  ];
  const shifted = g.op('Concat', [g.op('Add', [atOne, g.op('Concat', [zero, head], { axis: 0 })]), tail], { axis: 0 });
  return g.op('Add', [g.op('Concat', [p, zero], { axis: 0 }), shifted]);
}

/** All heads of a layer on p [K, S, d], patterns [H, S, S] held [M9]. */
export function frozenAttention(blocks: Blocks, p: Value, layer: number, pattern: Value, inverse: Value): Value {
  const { norm1, v, o } = blocks.layer(layer);
  const values = blocks.splitShared(blocks.times(blocks.frozenScaled(p, norm1, inverse), v));
  return blocks.times(blocks.joinHeads(blocks.g.op('MatMul', [pattern, values])), o);
}

/** The MLP on p [K, S, d] with its gates held, and its bias source [S, d]. */
export function frozenMlp(blocks: Blocks, p: Value, layer: number, gate: Value, inverse: Value): { out: Value; bias: Value } {
  const weights = blocks.mlp(layer);
  const carried = blocks.times(blocks.frozenScaled(p, weights.norm2, inverse), weights.in);
  const out = blocks.times(blocks.g.op('Mul', [carried, gate]), weights.out);
  return { out, bias: blocks.mlpBias(gate, layer) };
}
