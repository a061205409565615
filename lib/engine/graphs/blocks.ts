import type { GraphBuilder, Value } from '../onnx.ts';
import type { LayerWeights, MlpWeights, ModelSpec, NormWeights, Weight } from '../spec.ts';
import { activationOf, gateOf, slopeOf } from './activations.ts';
import { Weights, type Matrix } from './weights.ts';

/** Queries, keys and values of all heads, [B, H, S, dh] each. */
export interface HeadInputs {
  queries: Value;
  keys: Value;
  values: Value;
}

/** Cosines and sines of rotary positions, [S, dims/2] each. */
export interface Turns {
  cos: Value;
  sin: Value;
}

const END = Number.MAX_SAFE_INTEGER;
/** What softmax takes to 0. */
const FORBIDDEN = -1e30;

/**
 * The pieces of a transformer as ONNX nodes, shared by all graphs. Shapes in comments: B a batch, S tokens,
 * d the stream, H heads of dh, M an MLP's hidden width. Centred and scaled without bias: xs = C(x)/σ ⊙ γ [M6].
 */
export class Blocks {
  readonly weights: Weights;
  readonly #constants = new Map<number, [Value | null, Value | null, Value | null]>();

  constructor(
    readonly g: GraphBuilder,
    readonly spec: ModelSpec,
  ) {
    this.weights = new Weights(g, spec);
  }

  layer(index: number): LayerWeights {
    return this.spec.weights.layers[index]!;
  }

  mlp(index: number): MlpWeights {
    return this.layer(index).mlp!;
  }

  matrix(weight: Weight): Matrix {
    return this.weights.matrix(weight);
  }

  /** x·W, [.., outer]. */
  times(x: Value, weight: Weight): Value {
    return this.weights.times(x, this.matrix(weight));
  }

  /** x·Wᵀ, [.., inner]. */
  timesTransposed(x: Value, weight: Weight): Value {
    return this.weights.timesTransposed(x, this.matrix(weight));
  }

  /** x + b, or x where there is no bias. */
  plus(x: Value, bias: Weight | null): Value {
    return bias ? this.g.op('Add', [x, this.weights.vector(bias)]) : x;
  }

  /**
   * Projections of `x` [.., d] by the stored weights, without bias, [.., H·dh] each (keys and values kvHeads·dh); one
   * product where the file holds the three together.
   */
  projections(x: Value, layer: number): [Value, Value, Value] {
    const { q, k, v } = this.layer(layer);
    const fused = q.name === k.name && k.name === v.name;
    if (fused && q.layout.kind === 'columns') {
      const all = this.g.op('MatMul', [x, this.weights.stored(q)]);
      return this.g.ops('Split', [all], 3, { axis: -1, num_outputs: 3 }) as [Value, Value, Value];
    }
    if (fused && q.layout.kind === 'thirds') return this.#interleaved(x, q);
    return [this.times(x, q), this.times(x, k), this.times(x, v)];
  }

  /** Each head's query, key and value rows lie together in the file. */
  #interleaved(x: Value, weight: Weight): [Value, Value, Value] {
    const { heads, dHead, dModel } = this.spec;
    const outer = weight.stored.shape[0]!;
    const all = this.weights.times(x, { value: this.weights.stored(weight), flipped: true, inner: dModel, outer });
    const leading = this.g.op('Shape', [x], { end: -1 });
    const shaped = (dims: readonly number[]) => this.g.op('Concat', [leading, this.g.ints(dims)], { axis: 0 });
    const apart = this.g.op('Reshape', [all, shaped([heads, 3, dHead])]);
    const parts = this.g.ops('Split', [apart], 3, { axis: -2, num_outputs: 3 });
    return parts.map((part) => this.g.op('Reshape', [part, shaped([heads * dHead])])) as [Value, Value, Value];
  }

  /**
   * What heads make of their three inputs [B, S, d], already scaled (the same three times, or one a slot): biases of
   * norm and projection are in queries and keys, not in values [M7].
   */
  headInputs(slots: readonly [Value, Value, Value], layer: number): HeadInputs {
    const weights = this.layer(layer);
    const [xq, xk, xv] = slots;
    const [q, k, v] =
      xq === xk && xk === xv
        ? this.projections(xq, layer)
        : [this.times(xq, weights.q), this.times(xk, weights.k), this.times(xv, weights.v)];
    const [qConstant, kConstant] = this.headConstants(layer);
    const add = (projected: Value, constant: Value | null) => (constant === null ? projected : this.g.op('Add', [projected, constant]));
    return this.turned({
      queries: this.splitHeads(add(q, qConstant)),
      keys: this.splitShared(add(k, kConstant)),
      values: this.splitShared(v),
    });
  }

  /** β·W + b of queries, keys and values of all heads, [n·dh] each; null = nothing. */
  headConstants(layer: number): [Value | null, Value | null, Value | null] {
    const known = this.#constants.get(layer);
    if (known) return known;
    const { norm1, qBias, kBias, vBias } = this.layer(layer);
    const own = [qBias, kBias, vBias].map((bias) => bias && this.weights.vector(bias));
    const shifts = norm1.beta
      ? this.projections(this.#row(norm1.beta), layer).map((shift) => this.g.op('Reshape', [shift, this.g.ints([-1])]))
      : [null, null, null];
    const constants = shifts.map((shift, slot) => (shift && own[slot] ? this.g.op('Add', [shift, own[slot]]) : (shift ?? own[slot]!)));
    this.#constants.set(layer, constants as [Value | null, Value | null, Value | null]);
    return this.headConstants(layer);
  }

  /** Queries and keys [B, H, S, dh] turned by their positions, where the model does so. */
  turned({ queries, keys, values }: HeadInputs): HeadInputs {
    const turns = this.turns(queries);
    return { queries: this.turn(queries, turns), keys: this.turn(keys, turns), values };
  }

  /**
   * Turns for the positions of `like` [.., S, dh]; null without rotary positions. No operator computes a cosine: devices
   * may be wrong by 1e-3 there, and a float32 angle of thousands is. Position p = far·step + near is turned by
   * cos(a + b) = cos a·cos b − sin a·sin b and its like, from two short tables in float64.
   */
  turns(like: Value): Turns | null {
    const { rotary, context } = this.spec;
    if (!rotary) return null;
    const { g } = this;
    const half = rotary.dims / 2;
    const step = Math.ceil(Math.sqrt(context));
    const table = (of: (angle: number) => number, rows: number, apart: number) =>
      Array.from({ length: rows * half }, (_, at) => of(Math.floor(at / half) * apart * rotary.base ** (-(at % half) / half)));
    const near = (of: (angle: number) => number) => g.once(`near ${of.name}`, () => g.floats(table(of, step, 1), [1, step, half]));
    const far = (of: (angle: number) => number) => g.once(`far ${of.name}`, () => g.floats(table(of, step, step), [step, 1, half]));

    const length = g.op('Shape', [like], { start: -2, end: -1 });
    const rows = g.op('Div', [g.op('Add', [length, g.ints([step - 1])]), g.ints([step])]);
    const first = (x: Value, count: Value) => g.op('Slice', [x, g.ints([0]), count, g.ints([0])]);
    const [cosFar, sinFar] = [first(far(Math.cos), rows), first(far(Math.sin), rows)];
    const product = (a: Value, b: Value) => g.op('Mul', [a, b]);
    const placed = (x: Value) => first(g.op('Reshape', [x, g.ints([-1, half])]), length);
    return {
      cos: placed(g.op('Sub', [product(cosFar, near(Math.cos)), product(sinFar, near(Math.sin))])),
      sin: placed(g.op('Add', [product(sinFar, near(Math.cos)), product(cosFar, near(Math.sin))])),
    };
  }

  /** Rotates channel i with channel i + dims/2 of [.., S, dh]; the rest stays. */
  turn(x: Value, turns: Turns | null): Value {
    const { rotary, dHead } = this.spec;
    if (!rotary || !turns) return x;
    const { g } = this;
    const { dims } = rotary;
    const cut = (from: number, to: number) => g.op('Slice', [x, g.ints([from]), g.ints([to]), g.ints([-1])]);
    const [first, second] = [cut(0, dims / 2), cut(dims / 2, dims)];
    const { cos, sin } = turns;
    const parts = [
      g.op('Sub', [g.op('Mul', [first, cos]), g.op('Mul', [second, sin])]),
      g.op('Add', [g.op('Mul', [second, cos]), g.op('Mul', [first, sin])]),
    ];
    if (dims < dHead) parts.push(cut(dims, dHead));
    return g.op('Concat', parts, { axis: -1 });
  }

  /** The transpose of {@link turn}: gradients at turned channels to gradients at the channels before. */
  turnBack(x: Value, turns: Turns | null): Value {
    return turns === null ? x : this.turn(x, { cos: turns.cos, sin: this.g.op('Neg', [turns.sin]) });
  }

  /** 1, 2, 3, … as [S, 1]: how many tokens each may look at. Not by Range, which WebGPU may make of any length. */
  #positions(mask: Value): Value {
    const seen = this.g.op('Cast', [this.g.op('Greater', [mask, this.g.scalar(FORBIDDEN / 2)])], { to: 1 });
    return this.g.op('ReduceSum', [seen, this.g.ints([1])], { keepdims: 1 });
  }

  /** The causal mask [S, S] as this layer uses it: narrowed where the layer looks back a limited way. */
  maskOf(layer: number, mask: Value): Value {
    const window = this.spec.windows[layer] ?? null;
    if (window === null) return mask;
    return this.g.once(`window ${window}`, () => {
      const at = this.#positions(mask);
      const back = this.g.op('Sub', [at, this.g.op('Transpose', [at], { perm: [1, 0] })]);
      const far = this.g.op('GreaterOrEqual', [back, this.g.scalar(window)]);
      return this.g.op('Add', [mask, this.g.op('Where', [far, this.g.scalar(FORBIDDEN), this.g.scalar(0)])]);
    });
  }

  /** Centres and scales by the live norm: xs, and 1/σ with a last axis of 1. No norm: x and null. */
  scaled(x: Value, norm: NormWeights): { xs: Value; inverse: Value | null } {
    if (this.spec.norm === 'none') return { xs: x, inverse: null };
    if (this.spec.norm === 'layer') {
      const attributes = { axis: -1, epsilon: { float: this.spec.epsilon } };
      const [xs, , inverse] = this.g.ops('LayerNormalization', [x, this.gamma(norm)], 3, attributes);
      return { xs: xs!, inverse: inverse! };
    }
    const inverse = this.inverseRms(x);
    return { xs: this.g.op('Mul', [this.g.op('Mul', [x, inverse]), this.gamma(norm)]), inverse };
  }

  /** The norm as the model computes it, bias included. */
  norm(x: Value, norm: NormWeights): Value {
    if (this.spec.norm === 'layer' && norm.beta) {
      const attributes = { axis: -1, epsilon: { float: this.spec.epsilon } };
      return this.g.op('LayerNormalization', [x, this.gamma(norm), this.weights.vector(norm.beta)], attributes);
    }
    return this.scaled(x, norm).xs;
  }

  /** The frozen norm [M9]: C(x) · inverse ⊙ γ, where `inverse` is the clean run's 1/σ, [S, 1]. */
  frozenScaled(x: Value, norm: NormWeights, inverse: Value): Value {
    if (this.spec.norm === 'none') return x;
    const scale = this.g.op('Mul', [inverse, this.gamma(norm)]);
    return this.g.op('Mul', [this.centre(x), scale]);
  }

  /** The transpose of {@link frozenScaled}: directions at the norm's output to directions at its input. */
  frozenScaledTransposed(u: Value, norm: NormWeights, inverse: Value): Value {
    if (this.spec.norm === 'none') return u;
    return this.centre(this.g.op('Mul', [u, this.g.op('Mul', [inverse, this.gamma(norm)])]));
  }

  centre(x: Value): Value {
    if (this.spec.norm !== 'layer') return x;
    return this.g.op('Sub', [x, this.g.op('ReduceMean', [x, this.g.ints([-1])], { keepdims: 1 })]);
  }

  gamma(norm: NormWeights): Value {
    return norm.gamma ? this.weights.vector(norm.gamma) : this.ones(this.spec.dModel);
  }

  /** β·W + b as a row [outer]: what a linear reader of an MLP adds whatever the stream holds; null = nothing. */
  readerBias(norm: NormWeights, weight: Weight, bias: Weight | null): Value | null {
    const own = bias && this.weights.vector(bias);
    if (!norm.beta) return own;
    const shift = this.g.op('Reshape', [this.times(this.#row(norm.beta), weight), this.g.ints([-1])]);
    return own ? this.g.op('Add', [shift, own]) : shift;
  }

  /** A vector [d] as a row [1, d]. */
  #row(vector: Weight): Value {
    return this.g.op('Reshape', [this.weights.vector(vector), this.g.ints([1, this.spec.dModel])]);
  }

  /** Token ids [.., S] to input + position [.., S, d]. */
  embed(tokens: Value): Value {
    const { embed, position } = this.spec.weights;
    const words = this.g.op('Gather', [this.weights.stored(embed), tokens], { axis: 0 });
    if (!position) return words;
    const length = this.g.op('Shape', [tokens], { start: -1 });
    const rows = this.g.op('Slice', [this.weights.stored(position), this.g.ints([0]), length, this.g.ints([0])]);
    return this.g.op('Add', [words, rows]);
  }

  /** [B, S, H·dh] to [B, H, S, dh]. */
  splitHeads(x: Value): Value {
    return this.g.op('Transpose', [this.g.op('Reshape', [x, this.g.ints([0, 0, -1, this.spec.dHead])])], { perm: [0, 2, 1, 3] });
  }

  /** Keys or values [B, S, kvHeads·dh] to [B, H, S, dh]: heads that share one get a copy each. */
  splitShared(x: Value): Value {
    return this.forEveryHead(this.splitHeads(x), 1);
  }

  /** Something of key or value heads along `axis`, once for each head that reads it. */
  forEveryHead(x: Value, axis: number): Value {
    const { heads, kvHeads } = this.spec;
    if (heads === kvHeads) return x;
    const owners = Array.from({ length: heads }, (_, head) => Math.floor((head * kvHeads) / heads));
    return this.g.op('Gather', [x, this.g.ints(owners)], { axis });
  }

  /** [B, H, S, dh] to [B, S, H·dh]. */
  joinHeads(x: Value): Value {
    return this.g.op('Reshape', [this.g.op('Transpose', [x], { perm: [0, 2, 1, 3] }), this.g.ints([0, 0, -1])]);
  }

  /** Attention patterns from queries [.., Q, dh] and keys [.., S, dh]; `mask` is 0 or −∞, [Q, S]. */
  pattern(queries: Value, keys: Value, keysPerm: readonly number[], mask: Value): Value {
    const scores = this.g.op('MatMul', [queries, this.g.op('Transpose', [keys], { perm: keysPerm })]);
    const scaled = this.g.op('Mul', [scores, this.g.scalar(this.spec.attentionScale)]);
    return this.g.op('Softmax', [this.g.op('Add', [scaled, mask])], { axis: -1 });
  }

  /** The activation as the model computes it. */
  activation(h: Value): Value {
    return activationOf(this.g, this.spec.activation, h);
  }

  /** The gate g with act(h) = g·h, without dividing [M9]. */
  gate(h: Value): Value {
    return gateOf(this.g, this.spec.activation, h);
  }

  /** The activation's derivative. */
  slope(h: Value): Value {
    return slopeOf(this.g, this.spec.activation, h);
  }

  /** W_U[:, token] for a batch of token ids [n], as rows [n, d]. */
  unembedRows(tokens: Value): Value {
    const { unembed, unembedIsTransposed } = this.spec.weights;
    const table = this.weights.stored(unembed);
    if (unembedIsTransposed) return this.g.op('Gather', [table, tokens], { axis: 0 });
    return this.g.op('Transpose', [this.g.op('Gather', [table, tokens], { axis: 1 })], { perm: [1, 0] });
  }

  /** Logits [n, V] of normed rows [n, d]. */
  unembed(rows: Value): Value {
    const { unembed, unembedIsTransposed, unembedBias } = this.spec.weights;
    const table = this.weights.stored(unembed);
    return this.plus(this.g.op('Gemm', [rows, table], unembedIsTransposed ? { transB: 1 } : {}), unembedBias);
  }

  /** What a layer's attention adds whatever the stream holds: b_O + Σ_h (β·W_V + b_V)·W_O, [d]. */
  attentionBias(layer: number): Value {
    const weights = this.layer(layer);
    const { heads, kvHeads, dHead, dModel } = this.spec;
    const [, , value] = this.headConstants(layer);
    if (value === null) return weights.oBias ? this.weights.vector(weights.oBias) : this.zeros(dModel);
    const byHead = this.g.op('Reshape', [value, this.g.ints([kvHeads, 1, dHead])]);
    const shared = this.g.op('Expand', [byHead, this.g.ints([kvHeads, heads / kvHeads, dHead])]);
    const mixed = this.times(this.g.op('Reshape', [shared, this.g.ints([1, -1])]), weights.o);
    return this.plus(this.g.op('Reshape', [mixed, this.g.ints([-1])]), weights.oBias);
  }

  /**
   * An MLP's hidden layer from its scaled input xs [.., d]: what it carries, xs·W_in, the live gate [M9], and the constant
   * β·W_in + b_in that is gated with it; null where there is none, or where it alone is not the bias: see mlpBias.
   */
  hidden(xs: Value, layer: number): { carried: Value; constant: Value | null; gate: Value } {
    const weights = this.mlp(layer);
    const carried = this.times(xs, weights.in);
    const constant = this.readerBias(weights.norm2, weights.in, weights.inBias);
    const add = (x: Value, y: Value | null) => (y === null ? x : this.g.op('Add', [x, y]));
    const alone = weights.hiddenBias ? null : constant;
    if (!weights.gate) return { carried, constant: alone, gate: this.gate(add(carried, constant)) };
    const shift = this.readerBias(weights.norm2, weights.gate, weights.gateBias);
    return { carried, constant: alone, gate: this.activation(add(this.times(xs, weights.gate), shift)) };
  }

  /** The source `m{l}.b`: ((β·W_in + b_in) ⊙ gate + hidden bias)·W_out + b_out for gates [.., M], [.., d]. */
  mlpBias(gate: Value, layer: number): Value {
    const weights = this.mlp(layer);
    const constant = this.readerBias(weights.norm2, weights.in, weights.inBias);
    if (constant !== null) return this.mlpOut(this.g.op('Mul', [gate, constant]), weights);
    const shape = this.g.op('Concat', [this.g.op('Shape', [gate], { end: -1 }), this.g.ints([this.spec.dModel])], { axis: 0 });
    return this.g.op('Expand', [this.#mlpConstant(weights), shape]);
  }

  /** A hidden layer [.., M] behind its gates to the MLP's output, biases included, [.., d]. */
  mlpOut(hidden: Value, weights: MlpWeights): Value {
    return this.plus(this.times(this.plus(hidden, weights.hiddenBias), weights.out), weights.outBias);
  }

  /** (hidden bias)·W_out + b_out, [d]. */
  #mlpConstant({ hiddenBias, out, outBias }: MlpWeights): Value {
    if (!hiddenBias) return outBias ? this.weights.vector(outBias) : this.zeros(this.spec.dModel);
    const row = this.g.op('Reshape', [this.weights.vector(hiddenBias), this.g.ints([1, this.spec.dMlp])]);
    return this.plus(this.g.op('Reshape', [this.times(row, out), this.g.ints([-1])]), outBias);
  }

  /** The MLP as the model computes it, on a stream [.., d], biases included. */
  liveMlp(x: Value, layer: number): Value {
    const weights = this.mlp(layer);
    const normed = this.norm(x, weights.norm2);
    const up = this.plus(this.times(normed, weights.in), weights.inBias);
    if (!weights.gate) return this.mlpOut(this.activation(up), weights);
    const gate = this.activation(this.plus(this.times(normed, weights.gate), weights.gateBias));
    return this.mlpOut(this.g.op('Mul', [gate, up]), weights);
  }

  ones(length: number): Value {
    return this.g.once(`ones ${length}`, () => this.g.floats(new Array<number>(length).fill(1), [length]));
  }

  zeros(length: number): Value {
    return this.g.once(`zeros ${length}`, () => this.g.floats(new Array<number>(length).fill(0), [length]));
  }

  /** Cuts [from, to) along an axis. */
  cut(x: Value, axis: number, from: number, to = END): Value {
    return this.g.op('Slice', [x, this.g.ints([from]), this.g.ints([to]), this.g.ints([axis])]);
  }

  inverseRms(x: Value): Value {
    const mean = this.g.op('ReduceMean', [this.g.op('Mul', [x, x]), this.g.ints([-1])], { keepdims: 1 });
    return this.g.op('Reciprocal', [this.g.op('Sqrt', [this.g.op('Add', [mean, this.g.scalar(this.spec.epsilon)])])]);
  }
}
