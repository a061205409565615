import type { GraphBuilder, Value } from '../onnx.ts';
import type { LayerWeights, MlpWeights, ModelSpec, NormWeights, Weight } from '../spec.ts';

/**
 * The pieces of a transformer as ONNX nodes, shared by all graphs. Shapes in comments: B a batch, S tokens,
 * d the stream, H heads of dh, M an MLP's hidden width. Centred and scaled without bias: xs = C(x)/σ ⊙ γ [M6].
 */
export class Blocks {
  constructor(
    readonly g: GraphBuilder,
    readonly spec: ModelSpec,
  ) {}

  layer(index: number): LayerWeights {
    return this.spec.weights.layers[index]!;
  }

  mlp(index: number): MlpWeights {
    return this.layer(index).mlp!;
  }

  /** The weight in the layout that the graphs want, as float32. */
  weight(weight: Weight): Value {
    return this.g.once(`weight ${weight.name} ${JSON.stringify(weight.layout)}`, () => {
      const raw = this.stored(weight);
      const { layout, stored } = weight;
      switch (layout.kind) {
        case 'as-is':
          return raw;
        case 'transpose':
          return this.g.op('Transpose', [raw], { perm: [1, 0] });
        case 'columns':
          return this.g.op('Slice', [raw, this.g.ints([layout.from]), this.g.ints([layout.to]), this.g.ints([-1])]);
        case 'flatten':
          return this.g.op('Reshape', [raw, this.g.ints(stored.shape.length === 2 ? [-1] : [-1, stored.shape.at(-1)!])]);
        case 'fuse-heads': {
          const byRow = this.g.op('Transpose', [raw], { perm: [1, 0, 2] });
          return this.g.op('Reshape', [byRow, this.g.ints([stored.shape[1]!, -1])]);
        }
      }
    });
  }

  /** The tensor as it lies in the file, cast to float32. */
  stored({ name, stored }: Weight): Value {
    const raw = this.g.external(name, stored.dtype, stored.shape, stored);
    return stored.dtype === 'float32' ? raw : this.g.once(`cast ${name}`, () => this.g.op('Cast', [raw], { to: 1 }));
  }

  /** An output weight as [H, dh, d]. */
  perHead(weight: Weight): Value {
    const { heads, dHead, dModel } = this.spec;
    if (weight.stored.shape.length === 3) return this.stored(weight);
    return this.g.once(`per head ${weight.name}`, () => this.g.op('Reshape', [this.weight(weight), this.g.ints([heads, dHead, dModel])]));
  }

  /**
   * One head's part of a weight, cut out at run time so that no second copy of the weights is kept:
   * [d, dh] of an input weight, [dh, d] of an output weight. `head` is int32 [].
   */
  headWeight(weight: Weight, head: Value, side: 'in' | 'out'): Value {
    if (weight.stored.shape.length === 3) return this.g.op('Gather', [this.stored(weight), head], { axis: 0 });
    const { layout } = weight;
    const offset = layout.kind === 'columns' ? layout.from : 0;
    const { dHead } = this.spec;
    const index = this.g.op('Cast', [this.g.op('Reshape', [head, this.g.ints([1])])], { to: 7 });
    const from = this.g.op('Add', [this.g.op('Mul', [index, this.g.ints([dHead])]), this.g.ints([offset])]);
    const to = this.g.op('Add', [from, this.g.ints([dHead])]);
    return this.g.op('Slice', [this.stored(weight), from, to, this.g.ints([side === 'in' ? 1 : 0])]);
  }

  /**
   * Projections of `x` by the stored weights, without bias, [.., H·dh] each; one product where the file holds
   * the three side by side.
   */
  projections(x: Value, layer: number): [Value, Value, Value] {
    const { q, k, v } = this.layer(layer);
    if (q.layout.kind === 'columns' && q.name === k.name && k.name === v.name) {
      const all = this.g.op('MatMul', [x, this.stored(q)]);
      return this.g.ops('Split', [all], 3, { axis: -1, num_outputs: 3 }) as [Value, Value, Value];
    }
    return [q, k, v].map((weight) => this.g.op('MatMul', [x, this.weight(weight)])) as [Value, Value, Value];
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
      return this.g.op('LayerNormalization', [x, this.gamma(norm), this.weight(norm.beta)], attributes);
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
    return norm.gamma ? this.weight(norm.gamma) : this.ones(this.spec.dModel);
  }

  /** β·W + b as a row: what a linear reader adds whatever the stream holds. */
  readerBias(norm: NormWeights, weight: Value, bias: Value): Value {
    if (!norm.beta) return bias;
    const beta = this.g.op('Reshape', [this.weight(norm.beta), this.g.ints([1, this.spec.dModel])]);
    const shift = this.g.op('Reshape', [this.g.op('MatMul', [beta, weight]), this.g.ints([-1])]);
    return this.g.op('Add', [shift, bias]);
  }

  /** Token ids [.., S] to input + position [.., S, d]. */
  embed(tokens: Value): Value {
    const { embed, position } = this.spec.weights;
    const words = this.g.op('Gather', [this.weight(embed), tokens], { axis: 0 });
    const length = this.g.op('Shape', [tokens], { start: -1 });
    const rows = this.g.op('Slice', [this.weight(position), this.g.ints([0]), length, this.g.ints([0])]);
    return this.g.op('Add', [words, rows]);
  }

  /** [B, S, H·dh] to [B, H, S, dh]. */
  splitHeads(x: Value): Value {
    const { heads, dHead } = this.spec;
    return this.g.op('Transpose', [this.g.op('Reshape', [x, this.g.ints([0, 0, heads, dHead])])], { perm: [0, 2, 1, 3] });
  }

  /** [B, H, S, dh] to [B, S, H·dh]. */
  joinHeads(x: Value): Value {
    const { heads, dHead } = this.spec;
    return this.g.op('Reshape', [this.g.op('Transpose', [x], { perm: [0, 2, 1, 3] }), this.g.ints([0, 0, heads * dHead])]);
  }

  /** Attention patterns from queries [.., Q, dh] and keys [.., S, dh]; `mask` is 0 or −∞, [Q, S]. */
  pattern(queries: Value, keys: Value, keysPerm: readonly number[], mask: Value): Value {
    const scores = this.g.op('MatMul', [queries, this.g.op('Transpose', [keys], { perm: keysPerm })]);
    const scaled = this.g.op('Mul', [scores, this.g.scalar(this.spec.attentionScale)]);
    return this.g.op('Softmax', [this.g.op('Add', [scaled, mask])], { axis: -1 });
  }

  /** The activation as the model computes it. */
  activation(h: Value): Value {
    switch (this.spec.activation) {
      case 'relu':
        return this.g.op('Relu', [h]);
      case 'gelu':
        return this.g.op('Gelu', [h]);
      case 'gelu_new':
        return this.g.op('Gelu', [h], { approximate: 'tanh' });
      case 'silu':
        return this.g.op('Mul', [h, this.g.op('Sigmoid', [h])]);
      case null:
        throw new Error('an attention-only model has no activation');
    }
  }

  /** The gate g with act(h) = g·h, without dividing [M9]. */
  gate(h: Value): Value {
    const half = (inner: Value) => this.g.op('Mul', [this.g.op('Add', [inner, this.g.scalar(1)]), this.g.scalar(0.5)]);
    switch (this.spec.activation) {
      case 'relu':
        return this.g.op('Cast', [this.g.op('Greater', [h, this.g.scalar(0)])], { to: 1 });
      case 'gelu':
        return half(this.g.op('Erf', [this.g.op('Mul', [h, this.g.scalar(Math.SQRT1_2)])]));
      case 'gelu_new': {
        const square = this.g.op('Mul', [h, h]);
        const factor = this.g.op('Add', [this.g.op('Mul', [square, this.g.scalar(0.044715)]), this.g.scalar(1)]);
        const inner = this.g.op('Mul', [this.g.op('Mul', [h, factor]), this.g.scalar(Math.sqrt(2 / Math.PI))]);
        return half(this.g.op('Tanh', [inner]));
      }
      case 'silu':
        return this.g.op('Sigmoid', [h]);
      case null:
        throw new Error('an attention-only model has no gate');
    }
  }

  /** W_U[:, token] for a batch of token ids [n], as rows [n, d]. */
  unembedRows(tokens: Value): Value {
    const { unembed, unembedIsTransposed } = this.spec.weights;
    const table = this.weight(unembed);
    if (unembedIsTransposed) return this.g.op('Gather', [table, tokens], { axis: 0 });
    return this.g.op('Transpose', [this.g.op('Gather', [table, tokens], { axis: 1 })], { perm: [1, 0] });
  }

  /** Logits [n, V] of normed rows [n, d]. */
  unembed(rows: Value): Value {
    const { unembed, unembedIsTransposed, unembedBias } = this.spec.weights;
    const table = this.weight(unembed);
    const logits = this.g.op('Gemm', [rows, table], unembedIsTransposed ? { transB: 1 } : {});
    return unembedBias ? this.g.op('Add', [logits, this.weight(unembedBias)]) : logits;
  }

  /** What a layer's attention adds whatever the stream holds: b_O + Σ_h (β·W_V + b_V)·W_O, [d]. */
  attentionBias(layer: number): Value {
    const weights = this.layer(layer);
    const value = this.readerBias(weights.norm1, this.weight(weights.v), this.weight(weights.vBias));
    const row = this.g.op('Reshape', [value, this.g.ints([1, -1])]);
    const mixed = this.g.op('Reshape', [this.g.op('MatMul', [row, this.weight(weights.o)]), this.g.ints([-1])]);
    return this.g.op('Add', [mixed, this.weight(weights.oBias)]);
  }

  ones(length: number): Value {
    return this.g.once(`ones ${length}`, () => this.g.floats(new Array<number>(length).fill(1), [length]));
  }

  private inverseRms(x: Value): Value {
    const mean = this.g.op('ReduceMean', [this.g.op('Mul', [x, x]), this.g.ints([-1])], { keepdims: 1 });
    return this.g.op('Reciprocal', [this.g.op('Sqrt', [this.g.op('Add', [mean, this.g.scalar(this.spec.epsilon)])])]);
  }
}
