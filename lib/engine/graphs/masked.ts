import { GraphBuilder, type Graph, type Value } from '../onnx.ts';
import { sourceRows, type ModelSpec, type Weight } from '../spec.ts';
import { Blocks } from './blocks.ts';

/**
 * The whole model with any set of edges patched at once [M8]: in_v += Σ over its patched edges u→v of
 * (out_u of the reference − out_u of this very run); everything is recomputed.
 * Feeds `tokens` int32 [B, S], `mask` [S, S], `reference` [N, S, d] in the order of streamSources, and 0 or 1 for each edge:
 * `heads{l}` [B, 3·H, n] (all queries, then keys, then values), `mlp{l}` [B, 1, n], `logits` [B, 1, n], n being the
 * writers before that reader in the order of ablatableNodes. Gives `final` [B, d], the stream at the last token.
 */
export function maskedGraph(spec: ModelSpec): Graph {
  const g = new GraphBuilder('masked');
  new MaskedRun(g, new Blocks(g, spec)).build();
  return g.finish();
}

class MaskedRun {
  readonly #rows: ReadonlyMap<string, number>;
  readonly #reference: Value;
  /** reference − own output of the writers so far, [B, n, S, d], and how many they are */
  #differences: Value[] = [];
  #writers = 0;

  constructor(
    readonly g: GraphBuilder,
    readonly blocks: Blocks,
  ) {
    this.#rows = sourceRows(blocks.spec);
    this.#reference = g.input('reference', 'float32', [this.#rows.size, 'S', blocks.spec.dModel]);
  }

  build(): void {
    const { g, blocks } = this;
    const { spec } = blocks;
    const mask = g.input('mask', 'float32', ['S', 'S']);
    const embedded = blocks.embed(g.input('tokens', 'int32', ['B', 'S']));
    this.#write(g.op('Unsqueeze', [embedded, g.ints([1])]), this.#rowsOf('input', 1), 1);
    let x = embedded;
    for (let layer = 0; layer < spec.layers; layer++) {
      const seen = this.#writers;
      const attended = this.#attention(x, layer, mask);
      if (!spec.hasMlp) x = attended;
      else x = g.op('Add', [attended, this.#mlp(spec.parallel ? x : attended, layer, spec.parallel ? seen : this.#writers)]);
    }
    const final = g.op('Squeeze', [this.#read('logits', x, 1, this.#writers), g.ints([1])]);
    g.output('final', g.op('Gather', [final, g.ints([-1], [])], { axis: 1 }), 'float32', ['B', spec.dModel]);
  }

  /** The stream behind a layer's attention, [B, S, d]. */
  #attention(x: Value, layer: number, mask: Value): Value {
    const { g, blocks } = this;
    const { heads, dHead } = blocks.spec;
    const { norm1, q, k, v, o } = blocks.layer(layer);
    const read = blocks.scaled(this.#read(`heads${layer}`, x, 3 * heads, this.#writers), norm1).xs;
    const [xq, xk, xv] = g.ops('Split', [read], 3, { axis: 1, num_outputs: 3 }) as [Value, Value, Value];
    const [qConstant, kConstant] = blocks.headConstants(layer);
    const project = (xs: Value, weight: Weight, constant: Value | null) => {
      const every = (value: Value) => (weight === q ? value : blocks.forEveryHead(value, 0));
      const product = g.op('MatMul', [xs, every(blocks.weights.perHead(weight, 'in'))]);
      return constant === null ? product : g.op('Add', [product, every(g.op('Reshape', [constant, g.ints([-1, 1, dHead])]))]);
    };
    const turned = blocks.turned({ queries: project(xq, q, qConstant), keys: project(xk, k, kConstant), values: project(xv, v, null) });
    const pattern = blocks.pattern(turned.queries, turned.keys, [0, 1, 3, 2], blocks.maskOf(layer, mask));
    const outputs = g.op('MatMul', [g.op('MatMul', [pattern, turned.values]), blocks.weights.perHead(o, 'out')]);
    this.#write(outputs, this.#rowsOf(`a${layer}.h0`, heads), heads);
    const sum = g.op('ReduceSum', [outputs, g.ints([1])], { keepdims: 0 });
    return g.op('Add', [x, g.op('Add', [sum, blocks.attentionBias(layer)])]);
  }

  /** What a layer's MLP writes, [B, S, d]. */
  #mlp(x: Value, layer: number, writers: number): Value {
    const { g, blocks } = this;
    const out = blocks.liveMlp(this.#read(`mlp${layer}`, x, 1, writers), layer);
    const reference = g.op('ReduceSum', [this.#rowsOf(`m${layer}`, 2), g.ints([0])], { keepdims: 1 });
    this.#write(out, reference, 1);
    return g.op('Squeeze', [out, g.ints([1])]);
  }

  /** The inputs [B, readers, S, d] of readers behind the first `writers` writers. */
  #read(name: string, x: Value, readers: number, writers: number): Value {
    const { g } = this;
    const { dModel } = this.blocks.spec;
    const edges = g.input(name, 'float32', ['B', readers, writers]);
    const all = this.#differences.length === 1 ? this.#differences[0]! : g.op('Concat', this.#differences, { axis: 1 });
    this.#differences = [all];
    const used = writers === this.#writers ? all : this.blocks.cut(all, 1, 0, writers);
    const batch = g.op('Shape', [edges], { start: 0, end: 1 });
    const tokens = g.op('Shape', [used], { start: 2, end: 3 });
    const rows = g.op('Reshape', [used, g.ints([0, writers, -1])]);
    const mixed = g.op('MatMul', [edges, rows]);
    const shape = g.op('Concat', [batch, g.ints([readers]), tokens, g.ints([dModel])], { axis: 0 });
    return g.op('Add', [g.op('Unsqueeze', [x, g.ints([1])]), g.op('Reshape', [mixed, shape])]);
  }

  /** Adds writers [B, n, S, d] with their reference [n, S, d]. */
  #write(outputs: Value, reference: Value, count: number): void {
    const difference = this.g.op('Sub', [reference, outputs]);
    this.#differences.push(difference);
    this.#writers += count;
  }

  /** `count` rows of the reference from the named source on, [count, S, d]. */
  #rowsOf(name: string, count: number): Value {
    const from = this.#rows.get(name)!;
    return this.blocks.cut(this.#reference, 0, from, from + count);
  }
}
