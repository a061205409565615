import { GraphBuilder, type Graph, type Value } from '../onnx.ts';
import type { ModelSpec } from '../spec.ts';
import { Blocks } from './blocks.ts';
import { ablatableNodes } from './causal.ts';
import { frozenInputs, frozenMlp } from './frozen.ts';

/**
 * What replaced outputs do to the metric when everything downstream is propagated by the frozen maps [M24].
 * Feeds `replace` [B, nodes] and `change` [nodes, S, d] = reference − output in the order of ablatableNodes, `direction`
 * [d], and the frozen constants of cleanGraph. Gives `effect` [B], new − old frozen metric. A replaced node passes
 * nothing on of what reaches it.
 */
export function frozenEffectsGraph(spec: ModelSpec): Graph {
  const g = new GraphBuilder('frozen-effects');
  new FrozenEffects(g, new Blocks(g, spec)).build();
  return g.finish();
}

class FrozenEffects {
  readonly #replace: Value;
  readonly #change: Value;
  #column = 0;

  constructor(
    readonly g: GraphBuilder,
    readonly blocks: Blocks,
  ) {
    const { spec } = blocks;
    const nodes = ablatableNodes(spec).length;
    this.#replace = g.input('replace', 'float32', ['B', nodes]);
    this.#change = g.input('change', 'float32', [nodes, 'S', spec.dModel]);
  }

  build(): void {
    const { g, blocks } = this;
    const { layers, dModel, parallel } = blocks.spec;
    const direction = g.input('direction', 'float32', [dModel]);
    const at = frozenInputs(blocks);
    let x = this.#next(1).replaced;
    for (let layer = 0; layer < layers; layer++) {
      const { pattern, inverse1, gate, inverse2 } = at(layer);
      const attended = g.op('Add', [x, this.#attention(x, layer, pattern, inverse1)]);
      const read = parallel ? x : attended;
      x = gate ? g.op('Add', [attended, this.#mlp(read, layer, gate, inverse2)]) : attended;
    }
    const last = g.op('Gather', [x, g.ints([-1], [])], { axis: 1 });
    const read = g.op('MatMul', [last, g.op('Reshape', [direction, g.ints([dModel, 1])])]);
    g.output('effect', g.op('Reshape', [read, g.ints([-1])]), 'float32', ['B']);
  }

  #attention(x: Value, layer: number, pattern: Value, inverse: Value): Value {
    const { g, blocks } = this;
    const { norm1, v, o } = blocks.layer(layer);
    const { heads } = blocks.spec;
    const values = blocks.splitShared(blocks.times(blocks.frozenScaled(x, norm1, inverse), v));
    const { kept, replaced } = this.#next(heads);
    const mixed = g.op('Mul', [g.op('MatMul', [pattern, values]), g.op('Reshape', [kept, g.ints([0, heads, 1, 1])])]);
    return g.op('Add', [blocks.times(blocks.joinHeads(mixed), o), replaced]);
  }

  #mlp(x: Value, layer: number, gate: Value, inverse: Value): Value {
    const { g } = this;
    const { kept, replaced } = this.#next(1);
    const { out } = frozenMlp(this.blocks, x, layer, gate, inverse);
    return g.op('Add', [g.op('Mul', [out, g.op('Reshape', [kept, g.ints([-1, 1, 1])])]), replaced]);
  }

  /** The next `count` nodes: how much of each passes on [B, count], and the sum of their changes [B, S, d]. */
  #next(count: number): { kept: Value; replaced: Value } {
    const { g } = this;
    const [from, to] = [this.#column, this.#column + count];
    this.#column = to;
    const amount = this.blocks.cut(this.#replace, 1, from, to);
    const change = this.blocks.cut(this.#change, 0, from, to);
    const sums = g.op('MatMul', [amount, g.op('Flatten', [change], { axis: 1 })]);
    const batch = g.op('Shape', [amount], { start: 0, end: 1 });
    const shape = g.op('Concat', [batch, g.op('Shape', [change], { start: 1 })], { axis: 0 });
    return { kept: g.op('Sub', [g.scalar(1), amount]), replaced: g.op('Reshape', [sums, shape]) };
  }
}
