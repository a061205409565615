import { GraphBuilder, type Graph, type Value } from '../onnx.ts';
import { sourceRows, type ModelSpec } from '../spec.ts';
import { Blocks } from './blocks.ts';
import { metricRow } from './frozen.ts';

/**
 * One head of one layer, live, on changed inputs [M16]: its own norm and softmax on `clean + change`.
 * Feeds `clean` [S, d] the stream it reads, the changes [P, S, d] (`changeIn`, or with `bySlot` three:
 * `changeQ`, `changeK`, `changeV`), `head` int32 [], `mask` [S, S], `before` [S, d] its clean output without
 * bias, `from` int32 [1] the first token wanted. Gives `change` of the output from there on, [P, R, d].
 */
export function headEffectGraph(spec: ModelSpec, layer: number, bySlot: boolean): Graph {
  const g = new GraphBuilder(headEffectName(layer, bySlot));
  const blocks = new Blocks(g, spec);
  const { dModel, dHead } = spec;
  const weights = blocks.layer(layer);
  const clean = g.input('clean', 'float32', ['S', dModel]);
  const head = g.input('head', 'int32', []);
  const mask = g.input('mask', 'float32', ['S', 'S']);
  const before = g.input('before', 'float32', ['S', dModel]);
  const wanted = fromToken(g);
  const read = (name: string) => {
    const change = g.input(name, 'float32', ['P', 'S', dModel]);
    return blocks.scaled(g.op('Add', [change, clean]), weights.norm1).xs;
  };
  const [xq, xk, xv] = bySlot ? [read('changeQ'), read('changeK'), read('changeV')] : same(read('changeIn'));
  const project = (xs: Value, matrix: typeof weights.q) => product(g, xs, blocks.headWeight(matrix, head, 'in'), dModel, dHead);
  const bias = (matrix: typeof weights.q, vector: typeof weights.q) => {
    const all = blocks.readerBias(weights.norm1, blocks.weight(matrix), blocks.weight(vector));
    return g.op('Gather', [g.op('Reshape', [all, g.ints([-1, dHead])]), head], { axis: 0 });
  };
  const queries = g.op('Add', [project(wanted(xq, 1), weights.q), bias(weights.q, weights.qBias)]);
  const keys = g.op('Add', [project(xk, weights.k), bias(weights.k, weights.kBias)]);
  const pattern = blocks.pattern(queries, keys, [0, 2, 1], wanted(mask, 0));
  const mixed = g.op('MatMul', [pattern, project(xv, weights.v)]);
  const out = product(g, mixed, blocks.headWeight(weights.o, head, 'out'), dHead, dModel);
  g.output('change', g.op('Sub', [out, wanted(before, 0)]), 'float32', ['P', 'R', dModel]);
  return g.finish();
}

export function headEffectName(layer: number, bySlot: boolean): string {
  return `head-effect-${layer}${bySlot ? '-by-slot' : ''}`;
}

/**
 * The MLP of one layer, live, on changed inputs [M16]. Feeds `clean` [S, d], `changeIn` [P, S, d], `before`
 * [S, d] its clean output with its own bias, `from` int32 [1] the first token wanted. Gives `change` [P, R, d].
 */
export function mlpEffectGraph(spec: ModelSpec, layer: number): Graph {
  const g = new GraphBuilder(`mlp-effect-${layer}`);
  const blocks = new Blocks(g, spec);
  const { dModel, dMlp } = spec;
  const clean = g.input('clean', 'float32', ['S', dModel]);
  const changeIn = g.input('changeIn', 'float32', ['P', 'S', dModel]);
  const before = g.input('before', 'float32', ['S', dModel]);
  const wanted = fromToken(g);
  const x = g.op('Add', [wanted(changeIn, 1), wanted(clean, 0)]);
  const out = liveMlp(blocks, x, layer, (rowsIn, matrix, inner, outer) => product(g, rowsIn, matrix, inner, outer), dModel, dMlp);
  g.output('change', g.op('Sub', [out, wanted(before, 0)]), 'float32', ['P', 'R', dModel]);
  return g.finish();
}

/** Cuts a value along its axis of tokens, from the token that the input `from` names to the last. */
function fromToken(g: GraphBuilder): (x: Value, axis: number) => Value {
  const from = g.op('Cast', [g.input('from', 'int32', [1])], { to: 7 });
  const end = g.ints([Number.MAX_SAFE_INTEGER]);
  return (x, axis) => g.op('Slice', [x, from, end, g.ints([axis])]);
}

/**
 * The metric of changed final streams. Feeds `clean` [d] the final stream at the position, `change` [P, d],
 * and the metric's tokens; gives `metric` [P].
 */
export function readMetricGraph(spec: ModelSpec): Graph {
  const g = new GraphBuilder('read-metric');
  const blocks = new Blocks(g, spec);
  const clean = g.input('clean', 'float32', [spec.dModel]);
  const change = g.input('change', 'float32', ['P', spec.dModel]);
  g.output('metric', metricOf(blocks, g.op('Add', [change, clean])), 'float32', ['P']);
  return g.finish();
}

/**
 * The whole model with outputs replaced [M7]: out ← (1 − m)·out + m·reference, everything downstream live.
 * Feeds `tokens` int32 [S], `mask` [S, S], `replace` [B, nodes] with m for `input`, then for each layer its
 * heads and its MLP; `reference` [N, S, d] in the order of streamSources; the metric's tokens.
 * Gives `metric` [B] at the last token. A head's constant stays, since it lives in `a{l}.b`.
 */
export function ablatedGraph(spec: ModelSpec): Graph {
  const g = new GraphBuilder('ablated');
  const run = new AblatedRun(g, new Blocks(g, spec));
  run.build();
  return g.finish();
}

class AblatedRun {
  readonly #replace: Value;
  readonly #reference: Value;
  readonly #rows: ReadonlyMap<string, number>;
  #column = 0;

  constructor(
    readonly g: GraphBuilder,
    readonly blocks: Blocks,
  ) {
    const { dModel } = blocks.spec;
    this.#rows = sourceRows(blocks.spec);
    this.#replace = g.input('replace', 'float32', ['B', ablatableNodes(blocks.spec).length]);
    this.#reference = g.input('reference', 'float32', [this.#rows.size, 'S', dModel]);
  }

  build(): void {
    const { g, blocks } = this;
    const { spec } = blocks;
    const tokens = g.input('tokens', 'int32', ['S']);
    const mask = g.input('mask', 'float32', ['S', 'S']);
    let x = this.#mix(g.op('Unsqueeze', [blocks.embed(tokens), g.ints([0])]), this.#rowsOf('input', 1));
    for (let layer = 0; layer < spec.layers; layer++) {
      x = g.op('Add', [x, this.#attention(x, layer, mask)]);
      if (spec.hasMlp) x = g.op('Add', [x, this.#mlp(x, layer)]);
    }
    const last = g.op('Gather', [x, g.ints([-1], [])], { axis: 1 });
    g.output('metric', metricOf(blocks, last), 'float32', ['B']);
  }

  #attention(x: Value, layer: number, mask: Value): Value {
    const { g, blocks } = this;
    const { heads, dModel } = blocks.spec;
    const weights = blocks.layer(layer);
    const { xs } = blocks.scaled(x, weights.norm1);
    const [q, k, v] = blocks.projections(xs, layer);
    const withBias = (projected: Value, matrix: typeof weights.q, bias: typeof weights.q) =>
      blocks.splitHeads(g.op('Add', [projected, blocks.readerBias(weights.norm1, blocks.weight(matrix), blocks.weight(bias))]));
    const queries = withBias(q, weights.q, weights.qBias);
    const keys = withBias(k, weights.k, weights.kBias);
    const pattern = blocks.pattern(queries, keys, [0, 1, 3, 2], mask);
    const mixed = g.op('MatMul', [pattern, blocks.splitHeads(v)]);
    const amount = this.#amount(heads);
    const kept = g.op('Reshape', [g.op('Sub', [g.scalar(1), amount]), g.ints([0, heads, 1, 1])]);
    const out = g.op('MatMul', [blocks.joinHeads(g.op('Mul', [mixed, kept])), blocks.weight(weights.o)]);
    const reference = g.op('Flatten', [this.#rowsOf(`a${layer}.h0`, heads)], { axis: 1 });
    const replaced = g.op('Reshape', [g.op('MatMul', [amount, reference]), this.#shapeOf(out, dModel)]);
    return g.op('Add', [g.op('Add', [out, replaced]), blocks.attentionBias(layer)]);
  }

  #mlp(x: Value, layer: number): Value {
    const { g, blocks } = this;
    const { dModel, dMlp } = blocks.spec;
    const plain = (rows: Value, matrix: Value) => g.op('MatMul', [rows, matrix]);
    const out = liveMlp(blocks, x, layer, plain, dModel, dMlp);
    const reference = g.op('ReduceSum', [this.#rowsOf(`m${layer}`, 2), g.ints([0])], { keepdims: 1 });
    return this.#mix(out, reference);
  }

  /** (1 − m)·x + m·reference for the next node; x [B or 1, S, d], reference [1, S, d]. */
  #mix(x: Value, reference: Value): Value {
    const amount = this.g.op('Reshape', [this.#amount(1), this.g.ints([-1, 1, 1])]);
    const kept = this.g.op('Mul', [x, this.g.op('Sub', [this.g.scalar(1), amount])]);
    return this.g.op('Add', [kept, this.g.op('Mul', [reference, amount])]);
  }

  /** The next `count` columns of `replace`, [B, count]. */
  #amount(count: number): Value {
    const from = this.#column;
    this.#column += count;
    return this.g.op('Slice', [this.#replace, this.g.ints([from]), this.g.ints([from + count]), this.g.ints([1])]);
  }

  /** `count` rows of the reference from the named source on, [count, S, d]. */
  #rowsOf(name: string, count: number): Value {
    const from = this.#rows.get(name)!;
    return this.g.op('Slice', [this.#reference, this.g.ints([from]), this.g.ints([from + count]), this.g.ints([0])]);
  }

  #shapeOf(x: Value, width: number): Value {
    return this.g.op('Concat', [this.g.op('Shape', [x], { start: 0, end: 2 }), this.g.ints([width])], { axis: 0 });
  }
}

/** The nodes that ablation can replace, in the order of ablatedGraph's `replace` columns. */
export function ablatableNodes(spec: ModelSpec): string[] {
  const names = ['input'];
  for (let layer = 0; layer < spec.layers; layer++) {
    for (let head = 0; head < spec.heads; head++) names.push(`a${layer}.h${head}`);
    if (spec.hasMlp) names.push(`m${layer}`);
  }
  return names;
}

type Product = (rows: Value, matrix: Value, inner: number, outer: number) => Value;

function liveMlp(blocks: Blocks, x: Value, layer: number, multiply: Product, dModel: number, dMlp: number): Value {
  const { g } = blocks;
  const weights = blocks.mlp(layer);
  const normed = blocks.norm(x, weights.norm2);
  const hidden = g.op('Add', [multiply(normed, blocks.weight(weights.in), dModel, dMlp), blocks.weight(weights.inBias)]);
  const out = multiply(blocks.activation(hidden), blocks.weight(weights.out), dMlp, dModel);
  return g.op('Add', [out, blocks.weight(weights.outBias)]);
}

/** [P, S, inner] × [inner, outer] with P·S folded into one matrix dimension. */
function product(g: GraphBuilder, rows: Value, matrix: Value, inner: number, outer: number): Value {
  const flat = g.op('MatMul', [g.op('Reshape', [rows, g.ints([-1, inner])]), matrix]);
  const shape = g.op('Concat', [g.op('Shape', [rows], { start: 0, end: 2 }), g.ints([outer])], { axis: 0 });
  return g.op('Reshape', [flat, shape]);
}

/** Final norm and metric of rows [P, d], live: [P]. */
function metricOf(blocks: Blocks, rows: Value): Value {
  const { g, spec } = blocks;
  const { row, pick } = metricRow(g, blocks);
  const normed = blocks.norm(rows, spec.weights.finalNorm);
  const column = g.op('Reshape', [row, g.ints([spec.dModel, 1])]);
  const metric = g.op('Reshape', [g.op('MatMul', [normed, column]), g.ints([-1])]);
  const { unembedBias } = spec.weights;
  return unembedBias ? g.op('Add', [metric, pick(blocks.weight(unembedBias))]) : metric;
}

function same(value: Value): [Value, Value, Value] {
  return [value, value, value];
}
