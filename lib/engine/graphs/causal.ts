import { GraphBuilder, type Graph, type Value } from '../onnx.ts';
import type { Slot } from '../names.ts';
import { sourceRows, type LayerWeights, type ModelSpec } from '../spec.ts';
import { Blocks } from './blocks.ts';
import { metricRow } from './frozen.ts';
import { fromToken } from './patches.ts';
import type { Matrix } from './weights.ts';

/**
 * How a head's copies are evaluated: every token, the last token alone, or with changes that differ by slot, from a
 * given token on.
 */
export type HeadMode = 'all' | 'last' | 'by-slot';

/**
 * One head of one layer, live, on changed inputs [M16]: its own norm and softmax on `clean + change`.
 * Feeds `clean` [S, d] the stream it reads, the changes [P, S, d] (`changeIn`, or by slot three: `changeQ`, `changeK`,
 * `changeV`), `head` int32 [], `mask` [S, S] but for the last token alone, `before` [S, d] its clean output without bias
 * ([1, d] for the last token alone), and by slot `from` int32 [1] the first token wanted. Gives `change` of the output at
 * the tokens wanted, [P, R, d].
 */
export function headEffectGraph(spec: ModelSpec, layer: number, mode: HeadMode): Graph {
  const g = new GraphBuilder(headEffectName(layer, mode));
  const effect = new HeadEffect(new Blocks(g, spec), layer);
  const before = g.input('before', 'float32', ['R', spec.dModel]);
  const out = mode === 'all' ? effect.everyToken() : mode === 'last' ? effect.lastToken() : effect.bySlot();
  const { o } = effect.weights;
  const written = effect.blocks.weights.times(out, effect.blocks.weights.headMatrix(o, effect.head, 'out'));
  g.output('change', g.op('Sub', [written, before]), 'float32', ['P', 'R', spec.dModel]);
  return g.finish();
}

export function headEffectName(layer: number, mode: HeadMode): string {
  return `head-effect-${layer}-${mode}`;
}

class HeadEffect {
  readonly weights: LayerWeights;
  readonly head: Value;
  readonly #shared: Value;
  readonly #clean: Value;

  constructor(
    readonly blocks: Blocks,
    readonly layer: number,
  ) {
    const { g, spec } = blocks;
    this.weights = blocks.layer(layer);
    this.#clean = g.input('clean', 'float32', ['S', spec.dModel]);
    this.head = g.input('head', 'int32', []);
    this.#shared = blocks.weights.kvHead(this.head);
  }

  /** Mixed values [P, S, dh]; one product gives queries, keys and values. */
  everyToken(): Value {
    const { g, spec } = this.blocks;
    const xs = this.#read('changeIn');
    const parts = (['q', 'k', 'v'] as const).map((slot) => this.#matrix(slot));
    const outer = 3 * spec.dHead;
    const same = parts.every(({ flipped }) => flipped === parts[0]!.flipped);
    const [q, k, v] = same
      ? g.ops('Split', [this.blocks.weights.times(xs, { ...joined(g, parts), outer })], 3, { axis: -1, num_outputs: 3 })
      : parts.map((part) => this.blocks.weights.times(xs, part));
    return this.#attend(this.#withBias(q!, 'q'), this.#withBias(k!, 'k'), v!, this.#mask());
  }

  /** Mixed values of the queries wanted, [P, R, dh]. */
  bySlot(): Value {
    const wanted = fromToken(this.blocks.g);
    const [xq, xk, xv] = [this.#read('changeQ'), this.#read('changeK'), this.#read('changeV')];
    const project = (xs: Value, slot: Slot) => this.blocks.weights.times(xs, this.#matrix(slot));
    const queries = this.#withBias(project(wanted(xq, 1), 'q'), 'q');
    return this.#attend(queries, this.#withBias(project(xk, 'k'), 'k'), project(xv, 'v'), wanted(this.#mask(), 0), wanted);
  }

  /**
   * Mixed value of the last query, [P, 1, dh]. It looks at every token, so there is no mask but a window; scores are
   * taken against the streams themselves, (q·W_Kᵀ)·xsᵀ, and values after mixing, which needs no keys and values of
   * other tokens. The keys' bias adds the same to every score and falls away in the softmax.
   */
  lastToken(): Value {
    const { blocks } = this;
    const { g, spec } = blocks;
    const xs = this.#read('changeIn');
    const queries = this.#withBias(blocks.weights.times(blocks.cut(xs, 1, -1), this.#matrix('q')), 'q');
    const window = spec.windows[this.layer] ?? null;
    const mask = window === null ? null : blocks.cut(this.#mask(), 0, -1);
    if (spec.rotary) return this.#attendRotary(queries, xs, mask);
    const seen = blocks.weights.timesTransposed(queries, this.#matrix('k'));
    const scores = g.op('MatMul', [seen, g.op('Transpose', [xs], { perm: [0, 2, 1] })]);
    const scaled = g.op('Mul', [scores, g.scalar(spec.attentionScale)]);
    const pattern = g.op('Softmax', [mask === null ? scaled : g.op('Add', [scaled, mask])], { axis: -1 });
    return blocks.weights.times(g.op('MatMul', [pattern, xs]), this.#matrix('v'));
  }

  #attendRotary(queries: Value, xs: Value, mask: Value | null): Value {
    const { blocks } = this;
    const keys = this.#withBias(blocks.weights.times(xs, this.#matrix('k')), 'k');
    const turns = blocks.turns(keys)!;
    const last = { cos: blocks.cut(turns.cos, 0, -1), sin: blocks.cut(turns.sin, 0, -1) };
    const pattern = blocks.pattern(blocks.turn(queries, last), blocks.turn(keys, turns), [0, 2, 1], mask ?? blocks.g.scalar(0));
    return blocks.weights.times(blocks.g.op('MatMul', [pattern, xs]), this.#matrix('v'));
  }

  #attend(queries: Value, keys: Value, values: Value, mask: Value, wanted?: (x: Value, axis: number) => Value): Value {
    const { blocks } = this;
    const turns = blocks.turns(keys);
    const own = turns && wanted ? { cos: wanted(turns.cos, 0), sin: wanted(turns.sin, 0) } : turns;
    const pattern = blocks.pattern(blocks.turn(queries, own), blocks.turn(keys, turns), [0, 2, 1], mask);
    return blocks.g.op('MatMul', [pattern, values]);
  }

  #read(name: string): Value {
    const { g, spec } = this.blocks;
    const change = g.input(name, 'float32', ['P', 'S', spec.dModel]);
    return this.blocks.scaled(g.op('Add', [change, this.#clean]), this.weights.norm1).xs;
  }

  #mask(): Value {
    return this.blocks.maskOf(this.layer, this.blocks.g.input('mask', 'float32', ['S', 'S']));
  }

  #matrix(slot: Slot): Matrix {
    return this.blocks.weights.headMatrix(this.weights[slot], slot === 'q' ? this.head : this.#shared, 'in');
  }

  /** + β·W + b of this head. */
  #withBias(projected: Value, slot: 'q' | 'k'): Value {
    const { g, spec, weights } = this.blocks;
    const { beta } = this.weights.norm1;
    const own = slot === 'q' ? this.weights.qBias : this.weights.kBias;
    const parts = [projected];
    if (beta) parts.push(weights.times(g.op('Reshape', [weights.vector(beta), g.ints([1, -1])]), this.#matrix(slot)));
    if (own) {
      const byHead = g.op('Reshape', [weights.vector(own), g.ints([-1, spec.dHead])]);
      parts.push(g.op('Gather', [byHead, slot === 'q' ? this.head : this.#shared], { axis: 0 }));
    }
    return parts.reduce((sum, part) => g.op('Add', [sum, part]));
  }
}

/** Matrices side by side, for one product of all. */
function joined(g: GraphBuilder, parts: readonly Matrix[]): Matrix {
  const { flipped } = parts[0]!;
  const values = parts.map(({ value }) => value);
  return { ...parts[0]!, value: g.op('Concat', values, { axis: flipped ? 0 : 1 }) };
}

/**
 * The MLP of one layer, live, on changed inputs [M16]. Feeds `clean` [S, d], `changeIn` [P, S, d], `before`
 * [S, d] its clean output with its own bias, `from` int32 [1] the first token wanted. Gives `change` [P, R, d].
 */
export function mlpEffectGraph(spec: ModelSpec, layer: number): Graph {
  const g = new GraphBuilder(`mlp-effect-${layer}`);
  const blocks = new Blocks(g, spec);
  const { dModel } = spec;
  const clean = g.input('clean', 'float32', ['S', dModel]);
  const changeIn = g.input('changeIn', 'float32', ['P', 'S', dModel]);
  const before = g.input('before', 'float32', ['S', dModel]);
  const wanted = fromToken(g);
  const x = g.op('Add', [wanted(changeIn, 1), wanted(clean, 0)]);
  const out = blocks.liveMlp(x, layer);
  g.output('change', g.op('Sub', [out, wanted(before, 0)]), 'float32', ['P', 'R', dModel]);
  return g.finish();
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
      const attended = g.op('Add', [x, this.#attention(x, layer, mask)]);
      x = spec.hasMlp ? g.op('Add', [attended, this.#mlp(spec.parallel ? x : attended, layer)]) : attended;
    }
    const last = g.op('Gather', [x, g.ints([-1], [])], { axis: 1 });
    g.output('metric', metricOf(blocks, last), 'float32', ['B']);
  }

  #attention(x: Value, layer: number, mask: Value): Value {
    const { g, blocks } = this;
    const { heads, dModel } = blocks.spec;
    const weights = blocks.layer(layer);
    const { xs } = blocks.scaled(x, weights.norm1);
    const { queries, keys, values } = blocks.headInputs([xs, xs, xs], layer);
    const pattern = blocks.pattern(queries, keys, [0, 1, 3, 2], blocks.maskOf(layer, mask));
    const mixed = g.op('MatMul', [pattern, values]);
    const amount = this.#amount(heads);
    const kept = g.op('Reshape', [g.op('Sub', [g.scalar(1), amount]), g.ints([0, heads, 1, 1])]);
    const out = blocks.times(blocks.joinHeads(g.op('Mul', [mixed, kept])), weights.o);
    const reference = g.op('Flatten', [this.#rowsOf(`a${layer}.h0`, heads)], { axis: 1 });
    const replaced = g.op('Reshape', [g.op('MatMul', [amount, reference]), this.#shapeOf(out, dModel)]);
    return g.op('Add', [g.op('Add', [out, replaced]), blocks.attentionBias(layer)]);
  }

  #mlp(x: Value, layer: number): Value {
    const { g, blocks } = this;
    const out = blocks.liveMlp(x, layer);
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

/** Final norm and metric of rows [P, d], live: [P]. */
export function metricOf(blocks: Blocks, rows: Value): Value {
  const { g, spec } = blocks;
  const { row, pick } = metricRow(g, blocks);
  const normed = blocks.norm(rows, spec.weights.finalNorm);
  const column = g.op('Reshape', [row, g.ints([spec.dModel, 1])]);
  const metric = g.op('Reshape', [g.op('MatMul', [normed, column]), g.ints([-1])]);
  const { unembedBias } = spec.weights;
  return unembedBias ? g.op('Add', [metric, pick(blocks.weights.vector(unembedBias))]) : metric;
}
