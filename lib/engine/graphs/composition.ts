import { GraphBuilder, type Graph, type Value } from '../onnx.ts';
import type { ModelSpec, NormWeights, Weight } from '../spec.ts';
import { Blocks } from './blocks.ts';

/** Products of two heads' matrices by way of their Gram matrices [dh, dh]: no [d, d] matrix is ever made [M20]. */

/**
 * The matrices of a layer's heads.
 * Gives `o` [H, dh, d], `q`, `k`, `v` [d, H·dh], the Gram matrices `gramQ`, `gramK`, `gramV` (WᵀW) and `gramO` (WWᵀ)
 * [H, dh, dh], `normQk` and `normOv` [H] of QK = W_Q·W_Kᵀ and OV = W_V·W_O. Heads that share keys and values have a
 * copy each.
 * @param foldNorm W_Q, W_K and W_V become C·diag(γ)·W, C the centring of LayerNorm [M6]
 */
export function headMatricesGraph(spec: ModelSpec, layer: number, foldNorm: boolean): Graph {
  const g = new GraphBuilder(headMatricesName(layer, foldNorm));
  const blocks = new Blocks(g, spec);
  const { q, k, v, o, norm1 } = blocks.layer(layer);
  const shared = (weight: Weight) => blocks.forEveryHead(blocks.weights.perHead(weight, 'in'), 0);
  const matrices = [blocks.weights.perHead(q, 'in'), shared(k), shared(v)];
  const readers = foldNorm ? matrices.map((matrix) => foldedNorm(blocks, matrix, norm1)) : matrices;
  outputMatrices(g, spec, readers, blocks.weights.perHead(o, 'out'), spec.heads);
  return g.finish();
}

/** Of a graph of {@link headMatricesGraph}, one for each layer and choice. */
export function headMatricesName(layer: number, foldNorm: boolean): string {
  return `head-matrices-${layer}${foldNorm ? '-folded' : ''}`;
}

/** The same of heads that are fed: `readers` [3, H, d, dh] for q, k, v and `writers` [H, dh, d]. */
export function givenHeadsGraph(spec: ModelSpec): Graph {
  const g = new GraphBuilder('given-heads');
  const { dModel, dHead } = spec;
  const readers = g.input('readers', 'float32', [3, 'H', dModel, dHead]);
  const part = (index: number) => g.op('Gather', [readers, g.ints([index], [])], { axis: 0 });
  outputMatrices(g, spec, [part(0), part(1), part(2)], g.input('writers', 'float32', ['H', dHead, dModel]), 'H');
  return g.finish();
}

/**
 * Every head of one set into every head of another.
 * Feeds `o`, `gramV` of the first set (H1 heads) as `first…`, `q`, `k`, `v`, `gramQ`, `gramK`, `gramO` of the second
 * (H2); gives `products` [3, H1, H2]: ‖OV₁·QK₂‖, ‖OV₁·QK₂ᵀ‖, ‖OV₁·OV₂‖.
 */
export function compositionGraph({ dModel, dHead }: ModelSpec): Graph {
  const g = new GraphBuilder('composition');
  const writers = g.input('firstO', 'float32', ['H1', dHead, dModel]);
  const left = g.op('Unsqueeze', [g.input('firstGramV', 'float32', ['H1', dHead, dHead]), g.ints([1])]);
  const products = Object.entries({ q: 'gramK', k: 'gramQ', v: 'gramO' }).map(([reader, gram]) => {
    const between = g.op('MatMul', [writers, g.input(reader, 'float32', [dModel, 'H2*dh'])]);
    const apart = g.op('Reshape', [between, g.ints([0, 0, -1, dHead])]);
    const middle = g.op('Transpose', [apart], { perm: [0, 2, 1, 3] });
    const product = g.op('MatMul', [g.op('MatMul', [left, middle]), g.input(gram, 'float32', ['H2', dHead, dHead])]);
    const square = g.op('ReduceSum', [g.op('Mul', [product, middle]), g.ints([-2, -1])], { keepdims: 0 });
    return g.op('Unsqueeze', [root(g, square), g.ints([0])]);
  });
  g.output('products', g.op('Concat', products, { axis: 0 }), 'float32', [3, 'H1', 'H2']);
  return g.finish();
}

/** C·diag(γ)·W for W [.., d, n]: what the weight makes of a stream before its norm, but for the scale. */
export function foldedNorm(blocks: Blocks, matrix: Value, norm: NormWeights): Value {
  const { g, spec } = blocks;
  if (spec.norm === 'none') return matrix;
  const scaled = g.op('Mul', [matrix, g.op('Reshape', [blocks.gamma(norm), g.ints([spec.dModel, 1])])]);
  if (spec.norm !== 'layer') return scaled;
  return g.op('Sub', [scaled, g.op('ReduceMean', [scaled, g.ints([-2])], { keepdims: 1 })]);
}

function outputMatrices(g: GraphBuilder, { dModel, dHead }: ModelSpec, readers: readonly Value[], writers: Value, heads: number | string) {
  const transposed = (matrix: Value) => g.op('Transpose', [matrix], { perm: [0, 2, 1] });
  const grams: Record<string, Value> = { O: g.op('MatMul', [writers, transposed(writers)]) };
  ['Q', 'K', 'V'].forEach((name, index) => {
    const matrix = readers[index]!;
    grams[name] = g.op('MatMul', [transposed(matrix), matrix]);
    const sideBySide = g.op('Reshape', [g.op('Transpose', [matrix], { perm: [1, 0, 2] }), g.ints([dModel, -1])]);
    g.output(name.toLowerCase(), sideBySide, 'float32', [dModel, 'H*dh']);
  });
  g.output('o', writers, 'float32', [heads, dHead, dModel]);
  for (const [name, gram] of Object.entries(grams)) g.output(`gram${name}`, gram, 'float32', [heads, dHead, dHead]);
  const norm = (a: Value, b: Value) => root(g, g.op('ReduceSum', [g.op('Mul', [a, b]), g.ints([-2, -1])], { keepdims: 0 }));
  g.output('normQk', norm(grams['Q']!, grams['K']!), 'float32', [heads]);
  g.output('normOv', norm(grams['V']!, grams['O']!), 'float32', [heads]);
}

/** √x, where rounding may have taken a sum of squares below 0. */
function root(g: GraphBuilder, square: Value): Value {
  return g.op('Sqrt', [g.op('Max', [square, g.scalar(0)])]);
}
