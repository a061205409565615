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
  new CleanRun(g, new Blocks(g, spec), null).build();
  return g.finish();
}

/**
 * The run with sources replaced, factorized in the same way: each source ← (1 − m)·source + m·reference, and everything
 * after it is computed from that. Feeds also `replace` [N] with m and `reference` [N, S, d], in the order of streamSources.
 */
export function replacedRunGraph(spec: ModelSpec): Graph {
  const g = new GraphBuilder('replaced-run');
  const count = streamSources(spec).length;
  const replacement = {
    amount: g.op('Reshape', [g.input('replace', 'float32', [count]), g.ints([-1, 1, 1])]),
    reference: g.input('reference', 'float32', [count, 'S', spec.dModel]),
  };
  new CleanRun(g, new Blocks(g, spec), replacement).build();
  return g.finish();
}

/** `amount` [N, 1, 1] of `reference` [N, S, d] that takes each source's place. */
interface Replacement {
  amount: Value;
  reference: Value;
}

class CleanRun {
  readonly #stacks = new Map<string, Value[]>();
  readonly #sources: Value[] = [];
  #written = 0;

  constructor(
    readonly g: GraphBuilder,
    readonly blocks: Blocks,
    readonly replacement: Replacement | null,
  ) {}

  build(): void {
    const { g, blocks } = this;
    const { spec } = blocks;
    const tokens = g.input('tokens', 'int32', ['S']);
    const mask = g.input('mask', 'float32', ['S', 'S']);
    let x = this.#unstacked(this.#write(this.#stacked(blocks.embed(tokens)), 1));
    for (let layer = 0; layer < spec.layers; layer++) {
      this.#keep('beforeAttention', x);
      const attended = g.op('Add', [x, this.#attention(x, layer, mask)]);
      const read = spec.parallel ? x : attended;
      if (spec.hasMlp) this.#keep('beforeMlp', read);
      x = spec.hasMlp ? g.op('Add', [attended, this.#mlp(read, layer)]) : attended;
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
    const { norm1, o } = blocks.layer(layer);
    const { xs, inverse } = blocks.scaled(x, norm1);
    if (inverse) this.#keep('inverse1', inverse);
    const one = this.#stacked(xs);
    const { queries, keys, values } = blocks.headInputs([one, one, one], layer);
    const pattern = blocks.pattern(queries, keys, [0, 1, 3, 2], blocks.maskOf(layer, mask));
    this.#keep('patterns', pattern, true);
    const outputs = this.#unstacked(g.op('MatMul', [g.op('MatMul', [pattern, values]), blocks.weights.perHead(o, 'out')]));
    const written = this.#write(outputs, blocks.spec.heads);
    const bias = this.#write(this.#stacked(this.#onEveryToken(blocks.attentionBias(layer), x)), 1);
    return g.op('Add', [g.op('ReduceSum', [written, g.ints([0])], { keepdims: 0 }), this.#unstacked(bias)]);
  }

  /** Adds `m{l}` and `m{l}.b` to the sources; gives their sum [S, d]. */
  #mlp(x: Value, layer: number): Value {
    const { g, blocks } = this;
    const weights = blocks.mlp(layer);
    const { xs, inverse } = blocks.scaled(x, weights.norm2);
    if (inverse) this.#keep('inverse2', inverse);
    const { carried, gate, constant } = blocks.hidden(xs, layer);
    this.#keep('gates', gate);
    const moved = this.#stacked(g.op('Mul', [carried, gate]));
    if (constant === null) return this.#addMlp(blocks.times(moved, weights.out), this.#stacked(blocks.mlpBias(gate, layer)));
    const both = g.op('Concat', [moved, this.#stacked(g.op('Mul', [gate, constant]))], { axis: 0 });
    const [out, own] = g.ops('Split', [blocks.times(both, weights.out)], 2, { axis: 0, num_outputs: 2 });
    return this.#addMlp(out!, blocks.plus(own!, weights.outBias));
  }

  #addMlp(out: Value, bias: Value): Value {
    return this.#unstacked(this.g.op('Add', [this.#write(out, 1), this.#write(bias, 1)]));
  }

  /** The next `count` sources [count, S, d], as the stream takes them. */
  #write(sources: Value, count: number): Value {
    const [from, to] = [this.#written, this.#written + count];
    this.#written = to;
    const written = this.replacement ? this.#replaced(sources, this.replacement, from, to) : sources;
    this.#sources.push(written);
    return written;
  }

  #replaced(sources: Value, { amount, reference }: Replacement, from: number, to: number): Value {
    const { g, blocks } = this;
    const own = blocks.cut(amount, 0, from, to);
    const kept = g.op('Mul', [sources, g.op('Sub', [g.scalar(1), own])]);
    return g.op('Add', [kept, g.op('Mul', [blocks.cut(reference, 0, from, to), own])]);
  }

  #onEveryToken(row: Value, like: Value): Value {
    return this.g.op('Expand', [row, this.g.op('Shape', [like])]);
  }

  #stacked(x: Value): Value {
    return this.g.op('Unsqueeze', [x, this.g.ints([0])]);
  }

  #unstacked(x: Value): Value {
    return this.g.op('Squeeze', [x, this.g.ints([0])]);
  }

  #keep(name: string, value: Value, stacked = false): void {
    const stack = this.#stacks.get(name) ?? [];
    stack.push(stacked ? value : this.#stacked(value));
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
