import { GraphBuilder, type Graph, type Value } from '../onnx.ts';
import type { ModelSpec, NormWeights, Weight } from '../spec.ts';
import { Blocks, type HeadInputs } from './blocks.ts';
import { metricRow } from './frozen.ts';

/**
 * Where the passes start, and what the changes are. `clean`: embeddings of the run, changes given. `between`: a batch of
 * embeddings whose gradients are averaged, changes given. `pair`: the tokens of two runs, clean and reference; changes
 * are what the second writes minus what the first does, gradients are the first's.
 */
export type AttributionStart = 'clean' | 'between' | 'pair';

/**
 * Edge attribution [M21]: ⟨change_u, ∂metric/∂in_v⟩ for every edge u→v, from one forward and one backward pass through
 * the true gradient of softmax, norms and activations: EAP, or averaged over inputs between clean and reference EAP-IG.
 * Feeds `mask` [S, S], the metric's tokens, and `tokens` int32 [2, S] of a pair, or `embeddings` [B, S, d] (B is 1 for
 * `clean`) with `change` [n, S, d] in the order of ablatableNodes.
 * Gives `heads{l}` [3·H, n] (all queries, then keys, then values), `mlp{l}` [1, n] and `logits` [1, n], n being the
 * writers before that reader; all summed over the batch.
 */
export function attributionGraph(spec: ModelSpec, start: AttributionStart): Graph {
  const g = new GraphBuilder(attributionName(start));
  new Passes(g, new Blocks(g, spec), start).build();
  return g.finish();
}

export function attributionName(start: AttributionStart): string {
  return `attribution-${start}`;
}

/** A norm's input, centred and divided by σ, and 1/σ. */
interface Normed {
  unit: Value;
  inverse: Value;
}

/** What the forward pass keeps of a layer for the way back. */
interface Kept {
  norm1: Normed | null;
  inputs: HeadInputs;
  pattern: Value;
  norm2: Normed | null;
  /** hidden layer before the activation */
  hidden: Value | null;
  /** the other factor of a gated MLP */
  up: Value | null;
}

const GROUPS = 4;

class Passes {
  #groups: { from: number; changes: Value }[] = [];
  readonly #changes: Value[] = [];
  readonly #writers: number;

  constructor(
    readonly g: GraphBuilder,
    readonly blocks: Blocks,
    readonly start: AttributionStart,
  ) {
    const { layers, heads, hasMlp } = blocks.spec;
    this.#writers = 1 + layers * (heads + Number(hasMlp));
  }

  build(): void {
    const { g, blocks } = this;
    const { spec } = blocks;
    const perLayer = spec.heads + Number(spec.hasMlp);
    const mask = g.input('mask', 'float32', ['S', 'S']);
    let x =
      this.start === 'pair'
        ? blocks.embed(g.input('tokens', 'int32', [2, 'S']))
        : g.input('embeddings', 'float32', ['B', 'S', spec.dModel]);
    if (this.start === 'pair') this.#changes.push(this.#difference(x));
    const kept: Kept[] = [];
    for (let layer = 0; layer < spec.layers; layer++) {
      const { after, keep } = this.#forward(x, layer, mask);
      kept.push(keep);
      x = after;
    }
    x = this.#own(x);
    const change =
      this.start === 'pair' ? g.op('Concat', this.#changes, { axis: 0 }) : g.input('change', 'float32', [this.#writers, 'S', spec.dModel]);
    this.#groups = this.#split(change, this.#writers);
    let gradient = this.#atLogits(x);
    this.#score('logits', g.op('Unsqueeze', [gradient, g.ints([1])]), 1 + spec.layers * perLayer);
    for (let layer = spec.layers - 1; layer >= 0; layer--) {
      const before = 1 + layer * perLayer;
      const mlp = spec.hasMlp ? this.#mlpBackward(gradient, kept[layer]!, layer) : null;
      if (mlp) this.#score(`mlp${layer}`, g.op('Unsqueeze', [mlp, g.ints([1])]), spec.parallel ? before : before + spec.heads);
      if (mlp && !spec.parallel) gradient = g.op('Add', [gradient, mlp]);
      const { slots, stream } = this.#headsBackward(gradient, kept[layer]!, layer);
      this.#score(`heads${layer}`, slots, before);
      gradient = g.op('Add', [gradient, stream]);
      if (mlp && spec.parallel) gradient = g.op('Add', [gradient, mlp]);
    }
  }

  #forward(x: Value, layer: number, mask: Value): { after: Value; keep: Kept } {
    const { g, blocks } = this;
    const { norm1, o, mlp } = blocks.layer(layer);
    const first = this.#normed(x, norm1);
    const inputs = blocks.headInputs([first.xs, first.xs, first.xs], layer);
    const pattern = blocks.pattern(inputs.queries, inputs.keys, [0, 1, 3, 2], blocks.maskOf(layer, mask));
    const byHead = g.op('MatMul', [pattern, inputs.values]);
    const mixed = blocks.times(blocks.joinHeads(byHead), o);
    if (this.start === 'pair') this.#changes.push(g.op('MatMul', [this.#difference(byHead, true), blocks.weights.perHead(o, 'out')]));
    const attended = g.op('Add', [x, g.op('Add', [mixed, blocks.attentionBias(layer)])]);
    const own = (value: Value) => this.#own(value);
    const ownInputs = { queries: own(inputs.queries), keys: own(inputs.keys), values: own(inputs.values) };
    const keep: Kept = {
      norm1: this.#ownNorm(first.normed),
      inputs: ownInputs,
      pattern: own(pattern),
      norm2: null,
      hidden: null,
      up: null,
    };
    if (!mlp) return { after: attended, keep };
    const second = this.#normed(blocks.spec.parallel ? x : attended, mlp.norm2);
    const reads = (weight: Weight, bias: Weight | null) => {
      const constant = blocks.readerBias(mlp.norm2, weight, bias);
      const product = blocks.times(second.xs, weight);
      return constant === null ? product : g.op('Add', [product, constant]);
    };
    const up = reads(mlp.in, mlp.inBias);
    const hidden = mlp.gate ? reads(mlp.gate, mlp.gateBias) : up;
    const active = mlp.gate ? g.op('Mul', [blocks.activation(hidden), up]) : blocks.activation(hidden);
    const out = blocks.mlpOut(active, mlp);
    if (this.start === 'pair') this.#changes.push(this.#difference(out));
    const rest = { norm2: this.#ownNorm(second.normed), hidden: own(hidden), up: mlp.gate ? own(up) : null };
    return { after: g.op('Add', [attended, out]), keep: { ...keep, ...rest } };
  }

  /** Of a pair, the clean run's part [1, …]; else all. */
  #own(x: Value): Value {
    return this.start === 'pair' ? this.blocks.cut(x, 0, 0, 1) : x;
  }

  #ownNorm(normed: Normed | null): Normed | null {
    return normed && { unit: this.#own(normed.unit), inverse: this.#own(normed.inverse) };
  }

  /** What the second run of a pair has more than the first, [1, …]; `squeezed` without the first axis. */
  #difference(x: Value, squeezed = false): Value {
    const { g, blocks } = this;
    const difference = g.op('Sub', [blocks.cut(x, 0, 1, 2), blocks.cut(x, 0, 0, 1)]);
    return squeezed ? g.op('Squeeze', [difference, g.ints([0])]) : difference;
  }

  /** xs without bias, and what the way back needs of the norm. */
  #normed(x: Value, norm: NormWeights): { xs: Value; normed: Normed | null } {
    const { g, blocks } = this;
    if (blocks.spec.norm === 'none') return { xs: x, normed: null };
    const centred = blocks.centre(x);
    const inverse = blocks.inverseRms(centred);
    const unit = g.op('Mul', [centred, inverse]);
    return { xs: g.op('Mul', [unit, blocks.gamma(norm)]), normed: { unit, inverse } };
  }

  /** Gradient at a norm's input from that at its output: 1/σ · C(y − unit · mean(y ⊙ unit)), y = u ⊙ γ. */
  #normBackward(u: Value, norm: NormWeights, normed: Normed | null, extraAxis = false): Value {
    const { g, blocks } = this;
    if (!normed) return u;
    const lift = (x: Value) => (extraAxis ? g.op('Unsqueeze', [x, g.ints([1])]) : x);
    const [unit, inverse] = [lift(normed.unit), lift(normed.inverse)];
    const y = g.op('Mul', [u, blocks.gamma(norm)]);
    const along = g.op('ReduceMean', [g.op('Mul', [y, unit]), g.ints([-1])], { keepdims: 1 });
    return g.op('Mul', [blocks.centre(g.op('Sub', [y, g.op('Mul', [unit, along])])), inverse]);
  }

  /** Gradient of the metric at the final stream, [B, S, d]: nothing but at the last token. */
  #atLogits(x: Value): Value {
    const { g, blocks } = this;
    const { finalNorm } = blocks.spec.weights;
    const last = blocks.cut(x, 1, -1);
    const { row } = metricRow(g, blocks);
    const { normed } = this.#normed(last, finalNorm);
    const gradient = normed ? this.#normBackward(row, finalNorm, normed) : g.op('Add', [g.op('Mul', [last, g.scalar(0)]), row]);
    const others = g.op('Mul', [g.op('Slice', [x, g.ints([0]), g.ints([-1]), g.ints([1])]), g.scalar(0)]);
    return g.op('Concat', [others, gradient], { axis: 1 });
  }

  /** Gradient at the input of a layer's MLP, [B, S, d]. */
  #mlpBackward(gradient: Value, { norm2, hidden, up }: Kept, layer: number): Value {
    const { g, blocks } = this;
    const weights = blocks.mlp(layer);
    const atHidden = blocks.timesTransposed(gradient, weights.out);
    const slope = blocks.slope(hidden!);
    if (!weights.gate) {
      const read = blocks.timesTransposed(g.op('Mul', [atHidden, slope]), weights.in);
      return this.#normBackward(read, weights.norm2, norm2);
    }
    const throughUp = blocks.timesTransposed(g.op('Mul', [atHidden, blocks.activation(hidden!)]), weights.in);
    const throughGate = blocks.timesTransposed(g.op('Mul', [g.op('Mul', [atHidden, up!]), slope]), weights.gate);
    return this.#normBackward(g.op('Add', [throughUp, throughGate]), weights.norm2, norm2);
  }

  /**
   * Gradients at the inputs of all heads of a layer, by slot [B, 3·H, S, d] and, of all together, at the stream
   * [B, S, d]; the latter from products with whole matrices, which costs less than adding up the former.
   */
  #headsBackward(gradient: Value, { norm1, inputs, pattern }: Kept, layer: number): { slots: Value; stream: Value } {
    const { g, blocks } = this;
    const weights = blocks.layer(layer);
    const swap = (x: Value) => g.op('Transpose', [x], { perm: [0, 1, 3, 2] });
    const atMixed = blocks.splitHeads(blocks.timesTransposed(gradient, weights.o));
    const values = g.op('MatMul', [swap(pattern), atMixed]);
    const atPattern = g.op('Mul', [pattern, g.op('MatMul', [atMixed, swap(inputs.values)])]);
    const total = g.op('ReduceSum', [atPattern, g.ints([-1])], { keepdims: 1 });
    const scores = g.op('Sub', [atPattern, g.op('Mul', [pattern, total])]);
    const scaled = g.op('Mul', [scores, g.scalar(blocks.spec.attentionScale)]);
    const turns = blocks.turns(inputs.keys);
    const queries = blocks.turnBack(g.op('MatMul', [scaled, inputs.keys]), turns);
    const keys = blocks.turnBack(g.op('MatMul', [swap(scaled), inputs.queries]), turns);
    const { slots, stream } = this.#throughProjections([queries, keys, values], layer);
    return {
      slots: this.#normBackward(slots, weights.norm1, norm1, true),
      stream: this.#normBackward(stream, weights.norm1, norm1),
    };
  }

  /** Gradients [B, H, S, dh] at queries, keys and values to those at their inputs, each apart and all together. */
  #throughProjections(atHeads: readonly [Value, Value, Value], layer: number): { slots: Value; stream: Value } {
    const { g, blocks } = this;
    const { q, k, v } = blocks.layer(layer);
    if (q.name === v.name && q.layout.kind === 'columns') {
      const { heads, dHead, dModel } = blocks.spec;
      const all = g.op('Concat', atHeads, { axis: 1 });
      const stored = blocks.weights.stored(q);
      const byHead = g.op('Reshape', [stored, g.ints([dModel, 3 * heads, dHead])]);
      const fused = { value: stored, flipped: false, inner: dModel, outer: 3 * heads * dHead };
      return {
        slots: g.op('MatMul', [all, g.op('Transpose', [byHead], { perm: [1, 2, 0] })]),
        stream: blocks.weights.timesTransposed(blocks.joinHeads(all), fused),
      };
    }
    const slots = [q, k, v].map((weight, slot) => {
      const matrices = blocks.weights.perHead(weight, 'in', true);
      return g.op('MatMul', [atHeads[slot]!, weight === q ? matrices : blocks.forEveryHead(matrices, 0)]);
    });
    const together = [q, k, v].map((weight, slot) => {
      const owned = weight === q ? atHeads[slot]! : this.#sumOverSharers(atHeads[slot]!);
      return blocks.timesTransposed(blocks.joinHeads(owned), weight);
    });
    return { slots: g.op('Concat', slots, { axis: 1 }), stream: together.reduce((sum, part) => g.op('Add', [sum, part])) };
  }

  /** [B, H, S, dh] to [B, kvHeads, S, dh]: what reaches a key or value head comes from all heads that share it. */
  #sumOverSharers(x: Value): Value {
    const { g } = this;
    const { heads, kvHeads, dHead } = this.blocks.spec;
    if (heads === kvHeads) return x;
    const batch = g.op('Shape', [x], { start: 0, end: 1 });
    const tokens = g.op('Shape', [x], { start: 2, end: 3 });
    const sizes = [batch, g.ints([kvHeads, heads / kvHeads]), tokens, g.ints([dHead])];
    return g.op('ReduceSum', [g.op('Reshape', [x, g.op('Concat', sizes, { axis: 0 })]), g.ints([2])], { keepdims: 0 });
  }

  /** Inner products of gradients [B, R, S, d], summed over the batch, with the changes of the first `writers` nodes. */
  #score(name: string, gradients: Value, writers: number): void {
    const { g, blocks } = this;
    const sum =
      this.start === 'between' ? g.op('ReduceSum', [gradients, g.ints([0])], { keepdims: 0 }) : g.op('Squeeze', [gradients, g.ints([0])]);
    const flat = g.op('Flatten', [sum], { axis: 1 });
    const groups = this.#groups.filter(({ from }) => from < writers);
    const products = groups.map(({ changes }) => g.op('Gemm', [flat, changes], { transB: 1 }));
    const scores = products.length === 1 ? products[0]! : g.op('Concat', products, { axis: 1 });
    g.output(name, blocks.cut(scores, 1, 0, writers), 'float32', ['R', writers]);
  }

  /** The changes as a few matrices [n, S·d], so that a reader early in the model need not meet all later writers. */
  #split(change: Value, writers: number): { from: number; changes: Value }[] {
    const { g } = this;
    const flat = g.op('Flatten', [change], { axis: 1 });
    const size = Math.ceil(writers / GROUPS);
    const starts = Array.from({ length: Math.ceil(writers / size) }, (_, group) => group * size);
    const sizes = starts.map((from) => Math.min(size, writers - from));
    const parts = starts.length === 1 ? [flat] : g.ops('Split', [flat, g.ints(sizes)], starts.length, { axis: 0 });
    return starts.map((from, group) => ({ from, changes: parts[group]! }));
  }
}
