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
    const beta = g.op('Reshape', [blocks.weight(finalNorm.beta), g.ints([spec.dModel, 1])]);
    parts.push(g.op('Reshape', [g.op('MatMul', [row, beta]), g.ints([1])]));
  }
  if (unembedBias) parts.push(pick(blocks.weight(unembedBias)));
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
 * Feeds `directions` [P, S, d], `head` int32 [], `pattern` [H, S, S], `inverse` [S, 1]; gives `pulled` [P, S, d].
 */
export function headTransposeGraph(spec: ModelSpec, layer: number): Graph {
  const g = new GraphBuilder(`head-transpose-${layer}`);
  const blocks = new Blocks(g, spec);
  const { dModel, dHead, heads } = spec;
  const directions = g.input('directions', 'float32', ['P', 'S', dModel]);
  const head = g.input('head', 'int32', []);
  const patterns = g.input('pattern', 'float32', [heads, 'S', 'S']);
  const inverse = spec.norm === 'none' ? g.scalar(1) : g.input('inverse', 'float32', ['S', 1]);
  const { norm1, o, v } = blocks.layer(layer);
  const out = blocks.headWeight(o, head, 'out');
  const value = blocks.headWeight(v, head, 'in');
  const pattern = g.op('Transpose', [g.op('Gather', [patterns, head], { axis: 0 })], { perm: [1, 0] });
  const rows = g.op('Reshape', [directions, g.ints([-1, dModel])]);
  const atHead = g.op('Gemm', [rows, out], { transB: 1 });
  const shape = g.op('Concat', [g.op('Shape', [directions], { start: 0, end: 2 }), g.ints([dHead])], { axis: 0 });
  const moved = g.op('MatMul', [pattern, g.op('Reshape', [atHead, shape])]);
  const atStream = g.op('Gemm', [g.op('Reshape', [moved, g.ints([-1, dHead])]), value], { transB: 1 });
  const pulled = g.op('Reshape', [atStream, g.op('Shape', [directions])]);
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
  const rows = g.op('Reshape', [directions, g.ints([-1, dModel])]);
  const hidden = g.op('Gemm', [rows, blocks.weight(weights.out)], { transB: 1 });
  const shape = g.op('Concat', [g.op('Shape', [directions], { start: 0, end: 2 }), g.ints([dMlp])], { axis: 0 });
  const gated = g.op('Mul', [g.op('Reshape', [hidden, shape]), gate]);
  const flat = g.op('Reshape', [gated, g.ints([-1, dMlp])]);
  const atStream = g.op('Gemm', [flat, blocks.weight(weights.in)], { transB: 1 });
  const pulled = g.op('Reshape', [atStream, g.op('Shape', [directions])]);
  g.output('pulled', blocks.frozenScaledTransposed(pulled, weights.norm2, inverse), 'float32', ['P', 'S', dModel]);
  return g.finish();
}

/**
 * The degree spectrum [M13], all coefficients of p(t) carried as a batch that grows by one a stage.
 * Feeds `input` [S, d], `direction` [d], and the frozen constants of cleanGraph; gives `spectrum` [stages + 1]
 * without `logits.b`.
 */
export function degreesGraph(spec: ModelSpec): Graph {
  const g = new GraphBuilder('degrees');
  const blocks = new Blocks(g, spec);
  const { layers, heads, dModel, dMlp, hasMlp } = spec;
  const input = g.input('input', 'float32', ['S', dModel]);
  const direction = g.input('direction', 'float32', [dModel]);
  const patterns = g.input('patterns', 'float32', [layers, heads, 'S', 'S']);
  const normed = spec.norm !== 'none';
  const inverse1 = normed ? g.input('inverse1', 'float32', [layers, 'S', 1]) : null;
  const inverse2 = normed && hasMlp ? g.input('inverse2', 'float32', [layers, 'S', 1]) : null;
  const gates = hasMlp ? g.input('gates', 'float32', [layers, 'S', dMlp]) : null;
  const at = (stack: Value | null, layer: number) =>
    stack === null ? g.scalar(1) : g.op('Gather', [stack, g.ints([layer], [])], { axis: 0 });
  let p = g.op('Unsqueeze', [input, g.ints([0])]);
  for (let layer = 0; layer < layers; layer++) {
    const moved = frozenAttention(blocks, p, layer, at(patterns, layer), at(inverse1, layer));
    p = shiftAndAdd(g, p, moved, blocks.attentionBias(layer));
    if (!gates) continue;
    const { out, bias } = frozenMlp(blocks, p, layer, at(gates, layer), at(inverse2, layer));
    p = shiftAndAdd(g, p, out, bias);
  }
  const last = g.op('Gather', [p, g.ints([-1], [])], { axis: 1 });
  const read = g.op('MatMul', [last, g.op('Reshape', [direction, g.ints([dModel, 1])])]);
  g.output('spectrum', g.op('Reshape', [read, g.ints([-1])]), 'float32', ['K']);
  return g.finish();
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

function frozenAttention(blocks: Blocks, p: Value, layer: number, pattern: Value, inverse: Value): Value {
  const { g } = blocks;
  const { norm1, v, o } = blocks.layer(layer);
  const xs = blocks.frozenScaled(p, norm1, inverse);
  const values = blocks.splitHeads(g.op('MatMul', [xs, blocks.weight(v)]));
  return g.op('MatMul', [blocks.joinHeads(g.op('MatMul', [pattern, values])), blocks.weight(o)]);
}

function frozenMlp(blocks: Blocks, p: Value, layer: number, gate: Value, inverse: Value): { out: Value; bias: Value } {
  const { g } = blocks;
  const weights = blocks.mlp(layer);
  const winIn = blocks.weight(weights.in);
  const hidden = g.op('MatMul', [blocks.frozenScaled(p, weights.norm2, inverse), winIn]);
  const constant = blocks.readerBias(weights.norm2, winIn, blocks.weight(weights.inBias));
  const out = g.op('MatMul', [g.op('Mul', [hidden, gate]), blocks.weight(weights.out)]);
  const own = g.op('MatMul', [g.op('Mul', [gate, constant]), blocks.weight(weights.out)]);
  return { out, bias: g.op('Add', [own, blocks.weight(weights.outBias)]) };
}
