import { GraphBuilder, type Graph, type Value } from '../onnx.ts';
import type { ModelSpec, NormWeights, Weight } from '../spec.ts';
import { Blocks } from './blocks.ts';
import { foldedNorm } from './composition.ts';

/** The full circuits of a head [M20] as products of two thin matrices, [V, dh]·[V, dh]ᵀ each. */

/**
 * Feeds `head` int32 []; gives `ovFrom` = W_E·W_V, `ovTo` = (W_O·W_U)ᵀ, `qkQuery` = W_E·W_Q and `qkKey` = W_E·W_K,
 * [V, dh] each.
 * @param foldNorm W_V, W_Q and W_K become C·diag(γ)·W of the layer's norm, W_U that of the final norm
 */
export function circuitFactorsGraph(spec: ModelSpec, layer: number, foldNorm: boolean): Graph {
  const g = new GraphBuilder(circuitFactorsName(layer, foldNorm));
  const blocks = new Blocks(g, spec);
  const { q, k, v, o, norm1 } = blocks.layer(layer);
  const { vocabulary, dHead } = spec;
  const head = g.input('head', 'int32', []);
  const shared = blocks.weights.kvHead(head);
  const words = blocks.weights.stored(spec.weights.embed);
  const read = (weight: Weight, of: Value) => g.op('MatMul', [words, folded(blocks, headColumns(blocks, weight, of), norm1, foldNorm)]);
  const output = (name: string, value: Value) => g.output(name, value, 'float32', [vocabulary, dHead]);
  output('ovFrom', read(v, shared));
  output('qkQuery', read(q, head));
  output('qkKey', read(k, shared));
  const writes = blocks.weights.headMatrix(o, head, 'out');
  const columns = writes.flipped ? writes.value : g.op('Transpose', [writes.value], { perm: [1, 0] });
  output('ovTo', unembedded(blocks, foldedBack(blocks, columns, spec.weights.finalNorm, foldNorm)));
  return g.finish();
}

export function circuitFactorsName(layer: number, foldNorm: boolean): string {
  return `circuit-factors-${layer}${foldNorm ? '-folded' : ''}`;
}

/** The largest |entry| of each row of left·rightᵀ. Feeds `left` [R, dh], `right` [V, dh]; gives `peaks` [R]. */
export function rowPeaksGraph({ dHead }: ModelSpec): Graph {
  const g = new GraphBuilder('row-peaks');
  const left = g.input('left', 'float32', ['R', dHead]);
  const entries = g.op('Gemm', [left, g.input('right', 'float32', ['V', dHead])], { transB: 1 });
  const highest = g.op('ReduceMax', [entries, g.ints([1])], { keepdims: 0 });
  const lowest = g.op('ReduceMin', [entries, g.ints([1])], { keepdims: 0 });
  g.output('peaks', g.op('Max', [highest, g.op('Neg', [lowest])]), 'float32', ['R']);
  return g.finish();
}

/**
 * The largest |entries| of some rows of left·rightᵀ.
 * Feeds `left` [R, dh], `right` [V, dh], `perRow` and `count` int32 [1]; gives `values` [count] with their sign,
 * `rows` and `columns` [count].
 */
export function largestEntriesGraph({ dHead }: ModelSpec): Graph {
  const g = new GraphBuilder('largest-entries');
  const left = g.input('left', 'float32', ['R', dHead]);
  const right = g.input('right', 'float32', ['V', dHead]);
  const whole = (name: string) => g.op('Cast', [g.input(name, 'int32', [1])], { to: 7 });
  const [perRow, count] = [whole('perRow'), whole('count')];
  const entries = g.op('Gemm', [left, right], { transB: 1 });
  const sorted = { axis: -1, largest: 1, sorted: 0 };
  const [highest, columns] = g.ops('TopK', [g.op('Abs', [entries]), perRow], 2, sorted);
  const values = g.op('GatherElements', [entries, columns!], { axis: 1 });
  const flat = (x: Value) => g.op('Reshape', [x, g.ints([-1])]);
  const [, places] = g.ops('TopK', [flat(highest!), count], 2, { ...sorted, sorted: 1 });
  const picked = (x: Value) => g.op('Gather', [flat(x), places!], { axis: 0 });
  g.output('values', picked(values), 'float32', ['count']);
  g.output('rows', g.op('Cast', [g.op('Div', [places!, perRow])], { to: 1 }), 'float32', ['count']);
  g.output('columns', g.op('Cast', [picked(columns!)], { to: 1 }), 'float32', ['count']);
  return g.finish();
}

/** One head's input weight, [d, dh]. */
function headColumns(blocks: Blocks, weight: Weight, head: Value): Value {
  const { value, flipped } = blocks.weights.headMatrix(weight, head, 'in');
  return flipped ? blocks.g.op('Transpose', [value], { perm: [1, 0] }) : value;
}

function folded(blocks: Blocks, matrix: Value, norm: NormWeights, foldNorm: boolean): Value {
  return foldNorm ? foldedNorm(blocks, matrix, norm) : matrix;
}

/** diag(γ)·C·W: what reaches the unembedding of columns [d, n] that go through the final norm. */
function foldedBack(blocks: Blocks, columns: Value, norm: NormWeights, foldNorm: boolean): Value {
  const { g, spec } = blocks;
  if (!foldNorm || spec.norm === 'none') return columns;
  const centred = spec.norm === 'layer' ? g.op('Sub', [columns, g.op('ReduceMean', [columns, g.ints([0])], { keepdims: 1 })]) : columns;
  return g.op('Mul', [centred, g.op('Reshape', [blocks.gamma(norm), g.ints([spec.dModel, 1])])]);
}

/** W_Uᵀ times columns [d, n]: [V, n]. */
function unembedded(blocks: Blocks, columns: Value): Value {
  const { unembed, unembedIsTransposed } = blocks.spec.weights;
  const table = blocks.weights.stored(unembed);
  if (unembedIsTransposed) return blocks.g.op('MatMul', [table, columns]);
  return blocks.g.op('Gemm', [table, columns], { transA: 1 });
}
