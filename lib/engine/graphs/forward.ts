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
    const attended = g.op('Add', [x, attention(blocks, x, layer, mask)]);
    x = spec.hasMlp ? g.op('Add', [attended, blocks.liveMlp(spec.parallel ? x : attended, layer)]) : attended;
  }
  const last = g.op('Gather', [x, g.ints([-1], [])], { axis: 1 });
  g.output('logits', blocks.unembed(blocks.norm(last, spec.weights.finalNorm)), 'float32', ['B', spec.vocabulary]);
  return g.finish();
}

/** Attention of one layer with all biases, [B, S, d]. */
export function attention(blocks: Blocks, x: Value, layer: number, mask: Value): Value {
  const { g } = blocks;
  const { norm1, qBias, kBias, vBias, o, oBias } = blocks.layer(layer);
  const [q, k, v] = blocks.projections(blocks.norm(x, norm1), layer);
  const { queries, keys, values } = blocks.turned({
    queries: blocks.splitHeads(blocks.plus(q, qBias)),
    keys: blocks.splitShared(blocks.plus(k, kBias)),
    values: blocks.splitShared(blocks.plus(v, vBias)),
  });
  const pattern = blocks.pattern(queries, keys, [0, 1, 3, 2], blocks.maskOf(layer, mask));
  return blocks.plus(blocks.times(blocks.joinHeads(g.op('MatMul', [pattern, values])), o), oBias);
}
