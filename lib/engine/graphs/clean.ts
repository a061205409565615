import { GraphBuilder, type Graph, type Value } from '../onnx.ts';
import { streamSources, type ModelSpec } from '../spec.ts';
import { Blocks } from './blocks.ts';

/**
 * One run, factorized [M7]: every source's output apart, and the constants that the frozen maps hold [M9].
 * Feeds `tokens` int32 [S], `mask` [S, S]. Gives
 *   `sources` [N, S, d] in the order of streamSources (an `m{l}` without its own bias),
 *   `beforeAttention`, `beforeMlp` [L, S, d] the stream each stage reads, `final` [S, d],
 *   `patterns` [L, H, S, S], `inverse1`, `inverse2` [L, S, 1] and `inverseFinal` [S, 1] the 1/σ of the norms,
 *   `gates` [L, S, M].
 * What a model lacks (MLPs, norms) is absent from the outputs.
 */
export function cleanGraph(spec: ModelSpec): Graph {
  const g = new GraphBuilder('clean');
  const run = new CleanRun(g, new Blocks(g, spec));
  run.build();
  return g.finish();
}

class CleanRun {
  readonly #stacks = new Map<string, Value[]>();
  readonly #sources: Value[] = [];

  constructor(
    readonly g: GraphBuilder,
    readonly blocks: Blocks,
  ) {}

  build(): void {
    const { g, blocks } = this;
    const { spec } = blocks;
    const tokens = g.input('tokens', 'int32', ['S']);
    const mask = g.input('mask', 'float32', ['S', 'S']);
    let x = blocks.embed(tokens);
    this.#sources.push(this.#stacked(x));
    for (let layer = 0; layer < spec.layers; layer++) {
      this.#keep('beforeAttention', x);
      x = g.op('Add', [x, this.#attention(x, layer, mask)]);
      if (!spec.hasMlp) continue;
      this.#keep('beforeMlp', x);
      x = g.op('Add', [x, this.#mlp(x, layer)]);
    }
    const { inverse } = blocks.scaled(x, spec.weights.finalNorm);
    if (inverse) g.output('inverseFinal', inverse, 'float32', ['S', 1]);
    g.output('final', x, 'float32', ['S', spec.dModel]);
    const sources = g.op('Concat', this.#sources, { axis: 0 });
    g.output('sources', sources, 'float32', [streamSources(spec).length, 'S', spec.dModel]);
    this.#outputStacks();
  }

  /** Adds the heads' outputs and `a{l}.b` to the sources; gives their sum [S, d]. */
  #attention(x: Value, layer: number, mask: Value): Value {
    const { g, blocks } = this;
    const weights = blocks.layer(layer);
    const { xs, inverse } = blocks.scaled(x, weights.norm1);
    if (inverse) this.#keep('inverse1', inverse);
    const [q, k, v] = blocks.projections(xs, layer);
    const withBias = (projected: Value, weight: typeof weights.q, bias: typeof weights.q) =>
      this.#splitHeads(g.op('Add', [projected, blocks.readerBias(weights.norm1, blocks.weight(weight), blocks.weight(bias))]));
    const queries = withBias(q, weights.q, weights.qBias);
    const keys = withBias(k, weights.k, weights.kBias);
    const pattern = blocks.pattern(queries, keys, [0, 2, 1], mask);
    this.#keep('patterns', pattern);
    const mixed = g.op('MatMul', [pattern, this.#splitHeads(v)]);
    const outputs = g.op('MatMul', [mixed, blocks.perHead(weights.o)]);
    const bias = this.#onEveryToken(blocks.attentionBias(layer), x);
    this.#sources.push(outputs, this.#stacked(bias));
    return g.op('Add', [g.op('ReduceSum', [outputs, g.ints([0])], { keepdims: 0 }), bias]);
  }

  /** Adds `m{l}` and `m{l}.b` to the sources; gives their sum [S, d]. */
  #mlp(x: Value, layer: number): Value {
    const { g, blocks } = this;
    const weights = blocks.mlp(layer);
    const { xs, inverse } = blocks.scaled(x, weights.norm2);
    if (inverse) this.#keep('inverse2', inverse);
    const winIn = blocks.weight(weights.in);
    const carried = g.op('MatMul', [xs, winIn]);
    const constant = blocks.readerBias(weights.norm2, winIn, blocks.weight(weights.inBias));
    const gate = blocks.gate(g.op('Add', [carried, constant]));
    this.#keep('gates', gate);
    const both = g.op('Concat', [this.#stacked(g.op('Mul', [carried, gate])), this.#stacked(g.op('Mul', [gate, constant]))], { axis: 0 });
    const [out, own] = g.ops('Split', [g.op('MatMul', [both, blocks.weight(weights.out)])], 2, { axis: 0, num_outputs: 2 });
    const bias = g.op('Add', [own!, blocks.weight(weights.outBias)]);
    this.#sources.push(out!, bias);
    return g.op('Squeeze', [g.op('Add', [out!, bias]), g.ints([0])]);
  }

  /** [S, H·dh] to [H, S, dh]. */
  #splitHeads(x: Value): Value {
    const { heads, dHead } = this.blocks.spec;
    return this.g.op('Transpose', [this.g.op('Reshape', [x, this.g.ints([0, heads, dHead])])], { perm: [1, 0, 2] });
  }

  #onEveryToken(row: Value, like: Value): Value {
    return this.g.op('Expand', [row, this.g.op('Shape', [like])]);
  }

  #stacked(x: Value): Value {
    return this.g.op('Unsqueeze', [x, this.g.ints([0])]);
  }

  #keep(name: string, value: Value): void {
    const stack = this.#stacks.get(name) ?? [];
    stack.push(this.#stacked(value));
    this.#stacks.set(name, stack);
  }

  #outputStacks(): void {
    const { layers, heads, dModel, dMlp } = this.blocks.spec;
    const dims: Record<string, (number | string)[]> = {
      beforeAttention: [layers, 'S', dModel],
      beforeMlp: [layers, 'S', dModel],
      patterns: [layers, heads, 'S', 'S'],
      inverse1: [layers, 'S', 1],
      inverse2: [layers, 'S', 1],
      gates: [layers, 'S', dMlp],
    };
    for (const [name, values] of this.#stacks) {
      this.g.output(name, this.g.op('Concat', values, { axis: 0 }), 'float32', dims[name]!);
    }
  }
}
