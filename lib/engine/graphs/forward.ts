import { GraphBuilder, type Graph, type Value } from '../onnx.ts';
import type { ModelSpec } from '../spec.ts';
import { Blocks } from './blocks.ts';

/**
 * The ordinary forward pass, as the model's authors define it. It owes nothing to the frozen maps, which are
 * held against it [M11].
 * Feeds `tokens` int32 [B, S], `mask` [S, S]; gives `logits` [B, V] at the last token.
 */
export function forwardGraph(spec: ModelSpec): Graph {
  const g = new GraphBuilder('forward');
  const blocks = new Blocks(g, spec);
  const tokens = g.input('tokens', 'int32', ['B', 'S']);
  const mask = g.input('mask', 'float32', ['S', 'S']);
  let x = blocks.embed(tokens);
  for (let layer = 0; layer < spec.layers; layer++) {
    x = g.op('Add', [x, attention(blocks, x, layer, mask)]);
    if (spec.hasMlp) x = g.op('Add', [x, mlp(blocks, x, layer)]);
  }
  const last = g.op('Gather', [x, g.ints([-1], [])], { axis: 1 });
  g.output('logits', blocks.unembed(blocks.norm(last, spec.weights.finalNorm)), 'float32', ['B', spec.vocabulary]);
  return g.finish();
}

/** Attention of one layer with all biases, [B, S, d]. */
function attention(blocks: Blocks, x: Value, layer: number, mask: Value): Value {
  const { g } = blocks;
  const { norm1, qBias, kBias, vBias, o, oBias } = blocks.layer(layer);
  const [q, k, v] = blocks.projections(blocks.norm(x, norm1), layer);
  const withBias = (projected: Value, bias: typeof qBias) => blocks.splitHeads(g.op('Add', [projected, blocks.weight(bias)]));
  const pattern = blocks.pattern(withBias(q, qBias), withBias(k, kBias), [0, 1, 3, 2], mask);
  const mixed = blocks.joinHeads(g.op('MatMul', [pattern, withBias(v, vBias)]));
  return g.op('Add', [g.op('MatMul', [mixed, blocks.weight(o)]), blocks.weight(oBias)]);
}

/** MLP of one layer with all biases, [B, S, d]. */
function mlp(blocks: Blocks, x: Value, layer: number): Value {
  const { g } = blocks;
  const weights = blocks.mlp(layer);
  const normed = blocks.norm(x, weights.norm2);
  const hidden = g.op('Add', [g.op('MatMul', [normed, blocks.weight(weights.in)]), blocks.weight(weights.inBias)]);
  return g.op('Add', [g.op('MatMul', [blocks.activation(hidden), blocks.weight(weights.out)]), blocks.weight(weights.outBias)]);
}
