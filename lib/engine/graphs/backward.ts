import { GraphBuilder, type Graph, type Value } from '../onnx.ts';
import type { ModelSpec, NormWeights, Weight } from '../spec.ts';
import { Blocks, type HeadInputs } from './blocks.ts';
import { metricRow } from './frozen.ts';

/**
 * Edge attribution [M21]: ⟨change_u, ∂metric/∂in_v⟩ for every edge u→v, from one forward and one backward pass through
 * the true gradient of softmax, norms and activations. The passes start from embeddings given as a batch, whose
 * gradients are averaged: one batch of the clean embeddings is EAP, those between clean and reference are EAP-IG.
 * Feeds `embeddings` [B, S, d], `mask` [S, S], `change` [n, S, d] in the order of ablatableNodes, and the metric's tokens.
 * Gives `heads{l}` [3·H, n] (all queries, then keys, then values), `mlp{l}` [1, n] and `logits` [1, n], n being the
 * writers before that reader; all summed over the batch.
 */
export function attributionGraph(spec: ModelSpec): Graph {
  const g = new GraphBuilder('attribution');
  new Passes(g, new Blocks(g, spec)).build();
  return g.finish();
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

class Passes {
  readonly #change: Value;

  constructor(
    readonly g: GraphBuilder,
    readonly blocks: Blocks,
  ) {
    const { layers, heads, hasMlp, dModel } = blocks.spec;
    this.#change = g.input('change', 'float32', [1 + layers * (heads + Number(hasMlp)), 'S', dModel]);
  }

  build(): void {
    const { g, blocks } = this;
    const { spec } = blocks;
    const perLayer = spec.heads + Number(spec.hasMlp);
    const mask = g.input('mask', 'float32', ['S', 'S']);
    let x = g.input('embeddings', 'float32', ['B', 'S', spec.dModel]);
    const kept: Kept[] = [];
    for (let layer = 0; layer < spec.layers; layer++) {
      const { after, keep } = this.#forward(x, layer, mask);
      kept.push(keep);
      x = after;
    }
    let gradient = this.#atLogits(x);
    this.#score('logits', g.op('Unsqueeze', [gradient, g.ints([1])]), 1 + spec.layers * perLayer);
    for (let layer = spec.layers - 1; layer >= 0; layer--) {
      const before = 1 + layer * perLayer;
      const mlp = spec.hasMlp ? this.#mlpBackward(gradient, kept[layer]!, layer) : null;
      if (mlp) this.#score(`mlp${layer}`, g.op('Unsqueeze', [mlp, g.ints([1])]), spec.parallel ? before : before + spec.heads);
      if (mlp && !spec.parallel) gradient = g.op('Add', [gradient, mlp]);
      const slots = this.#headsBackward(gradient, kept[layer]!, layer);
      this.#score(`heads${layer}`, slots, before);
      gradient = g.op('Add', [gradient, g.op('ReduceSum', [slots, g.ints([1])], { keepdims: 0 })]);
      if (mlp && spec.parallel) gradient = g.op('Add', [gradient, mlp]);
    }
  }

  #forward(x: Value, layer: number, mask: Value): { after: Value; keep: Kept } {
    const { g, blocks } = this;
    const { norm1, o, mlp } = blocks.layer(layer);
    const first = this.#normed(x, norm1);
    const inputs = blocks.headInputs([first.xs, first.xs, first.xs], layer);
    const pattern = blocks.pattern(inputs.queries, inputs.keys, [0, 1, 3, 2], blocks.maskOf(layer, mask));
    const mixed = blocks.times(blocks.joinHeads(g.op('MatMul', [pattern, inputs.values])), o);
    const attended = g.op('Add', [x, g.op('Add', [mixed, blocks.attentionBias(layer)])]);
    const keep: Kept = { norm1: first.normed, inputs, pattern, norm2: null, hidden: null, up: null };
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
    const out = blocks.plus(blocks.times(active, mlp.out), mlp.outBias);
    return { after: g.op('Add', [attended, out]), keep: { ...keep, norm2: second.normed, hidden, up: mlp.gate ? up : null } };
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

  /** Gradients at the inputs of all heads of a layer by slot, [B, 3·H, S, d]. */
  #headsBackward(gradient: Value, { norm1, inputs, pattern }: Kept, layer: number): Value {
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
    const read = (atHeads: Value, weight: Weight) => {
      const matrices = blocks.weights.perHead(weight, 'in', true);
      return g.op('MatMul', [atHeads, weight === weights.q ? matrices : blocks.forEveryHead(matrices, 0)]);
    };
    const slots = g.op('Concat', [read(queries, weights.q), read(keys, weights.k), read(values, weights.v)], { axis: 1 });
    return this.#normBackward(slots, weights.norm1, norm1, true);
  }

  /** Inner products of gradients [B, R, S, d], summed over the batch, with the changes of the first `writers` nodes. */
  #score(name: string, gradients: Value, writers: number): void {
    const { g, blocks } = this;
    const sum = g.op('ReduceSum', [gradients, g.ints([0])], { keepdims: 0 });
    const changes = g.op('Flatten', [blocks.cut(this.#change, 0, 0, writers)], { axis: 1 });
    const scores = g.op('Gemm', [g.op('Flatten', [sum], { axis: 1 }), changes], { transB: 1 });
    g.output(name, scores, 'float32', ['R', writers]);
  }
}
