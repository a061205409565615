import { GraphBuilder, type Graph, type Value } from '../onnx.ts';
import { slices, tensor, type FloatTensor } from '../runtime.ts';
import { streamSources, type ModelSpec } from '../spec.ts';
import { Blocks } from './blocks.ts';

/**
 * One run, factorized [M7]: every source's output apart, and the constants that the frozen maps hold [M9].
 * Feeds `tokens` int32 [S], `mask` [S, S]. Gives, but for `final` and `inverseFinal` in parts named `sources/0`,
 * `sources/1`, … that runStacks puts together,
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

/**
 * Room for a run's stacks, and the places in them where the graph's parts belong: parts are written where they are
 * wanted, since a run is as large as all its heads' outputs.
 */
export function runStacks(spec: ModelSpec, tokens: number): { stacks: Record<string, FloatTensor>; into: Record<string, FloatTensor> } {
  const stacks: Record<string, FloatTensor> = {};
  const into: Record<string, FloatTensor> = {};
  for (const [name, { rows, item }] of Object.entries(stackShapes(spec))) {
    const dims = item.map((size) => (size === 'S' ? tokens : size));
    const total = rows.reduce((sum, count) => sum + count, 0);
    const size = dims.reduce((product, dim) => product * dim, 1);
    const stack = tensor(new Float32Array(total * size), [total, ...dims]);
    stacks[name] = stack;
    let from = 0;
    rows.forEach((count, part) => {
      into[`${name}/${part}`] = slices(stack, from, count);
      from += count;
    });
  }
  return { stacks, into };
}

/** Puts the parts where they belong that the runtime has not written there itself. */
export function placeParts(outputs: Record<string, FloatTensor>, into: Record<string, FloatTensor>): void {
  for (const [name, { data }] of Object.entries(into)) {
    const part = outputs[name]!;
    if (part.data !== data) data.set(part.data);
  }
}

/** For each stack how many rows its parts have, and the shape of a row. */
function stackShapes(spec: ModelSpec): Record<string, { rows: number[]; item: (number | 'S')[] }> {
  const { layers, heads, dModel, dMlp, hasMlp, norm } = spec;
  const ones = new Array<number>(layers).fill(1);
  const written = ones.flatMap(() => [heads, 1, ...(hasMlp ? [1, 1] : [])]);
  const stream = { rows: ones, item: ['S' as const, dModel] };
  const scale = { rows: ones, item: ['S' as const, 1] };
  return {
    sources: { rows: [1, ...written], item: ['S', dModel] },
    beforeAttention: stream,
    patterns: { rows: ones, item: [heads, 'S', 'S'] },
    ...(norm !== 'none' && { inverse1: scale }),
    ...(hasMlp && { beforeMlp: stream, gates: { rows: ones, item: ['S', dMlp] } }),
    ...(hasMlp && norm !== 'none' && { inverse2: scale }),
  };
}

/** `amount` [N, 1, 1] of `reference` [N, S, d] that takes each source's place. */
interface Replacement {
  amount: Value;
  reference: Value;
}

class CleanRun {
  readonly #stacks = new Map<string, Value[]>();
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
    this.#keep('sources', written, true);
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
    const shapes = stackShapes(this.blocks.spec);
    for (const [name, values] of this.#stacks) {
      const { rows, item } = shapes[name]!;
      values.forEach((value, part) => this.g.output(`${name}/${part}`, value, 'float32', [rows[part]!, ...item]));
    }
  }
}
