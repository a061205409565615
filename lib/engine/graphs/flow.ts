import { GraphBuilder, type Graph, type Value } from '../onnx.ts';
import { streamSources, type ModelSpec } from '../spec.ts';
import { Blocks } from './blocks.ts';
import { frozenInputs } from './frozen.ts';

/**
 * What every node's input direction makes of every source [M26], in one backward pass of the frozen maps: G is the
 * direction pulled back to the stream after a stage, and a reader v of that stage has the row ⟨G·Mᵥᵀ, out_u⟩ over u.
 * Feeds `sources` [N, S, d], `direction` [d] and the frozen constants of cleanGraph; gives `flows` [1 + readers, N]:
 * row 0 is of `logits`, then layer by layer from the last its heads and its MLP. Sources that do not come before
 * the reader have an entry without meaning.
 */
export function flowGraph(spec: ModelSpec): Graph {
  const g = new GraphBuilder('flow');
  const blocks = new Blocks(g, spec);
  const sources = g.input('sources', 'float32', [streamSources(spec).length, 'S', spec.dModel]);
  const direction = g.input('direction', 'float32', [spec.dModel]);
  const at = frozenInputs(blocks);
  const flat = (x: Value) => g.op('Flatten', [x], { axis: 1 });
  const columns = flat(sources);
  const totals = (pulled: Value) => g.op('Gemm', [flat(pulled), columns], { transB: 1 });
  let stream = directionOnStream(g, direction, sources);
  const rows = [totals(g.op('Unsqueeze', [stream, g.ints([0])]))];
  for (let layer = spec.layers - 1; layer >= 0; layer--) {
    const after = stream;
    const add = (pulled: Value) => {
      stream = g.op('Add', [stream, g.op('ReduceSum', [pulled, g.ints([0])], { keepdims: 0 })]);
      return pulled;
    };
    const { pattern, inverse1, gate, inverse2 } = at(layer);
    const mlp = gate && add(pulledMlp(blocks, after, layer, gate, inverse2));
    const heads = add(pulledHeads(blocks, spec.parallel ? after : stream, layer, pattern, inverse1));
    rows.push(totals(mlp ? g.op('Concat', [heads, mlp], { axis: 0 }) : heads));
  }
  g.output('flows', g.op('Concat', rows, { axis: 0 }), 'float32', ['readers', 'N']);
  return g.finish();
}

/** u [d] at the last token of a stream of zeros, [S, d]. */
function directionOnStream(g: GraphBuilder, direction: Value, sources: Value): Value {
  const first = g.op('Gather', [sources, g.ints([0], [])], { axis: 0 });
  const zeros = g.op('Mul', [g.op('Slice', [first, g.ints([0]), g.ints([-1]), g.ints([0])]), g.scalar(0)]);
  return g.op('Concat', [zeros, g.op('Unsqueeze', [direction, g.ints([0])])], { axis: 0 });
}

/** G·Mᵀ of all heads of a layer at once: G [S, d] to [H, S, d]. */
function pulledHeads(blocks: Blocks, direction: Value, layer: number, pattern: Value, inverse: Value): Value {
  const { g, spec } = blocks;
  const { norm1, o, v } = blocks.layer(layer);
  const { heads, kvHeads, dHead, dModel } = spec;
  const outputs = blocks.timesTransposed(g.op('Unsqueeze', [direction, g.ints([0])]), o);
  const backwards = g.op('Transpose', [pattern], { perm: [0, 2, 1] });
  const moved = g.op('MatMul', [backwards, g.op('Squeeze', [blocks.splitHeads(outputs), g.ints([0])])]);
  const sharing = g.op('Reshape', [moved, g.ints([kvHeads, -1, dHead])]);
  const value = g.op('Transpose', [blocks.weights.perHead(v, 'in')], { perm: [0, 2, 1] });
  const pulled = g.op('MatMul', [sharing, value]);
  const shape = g.op('Concat', [g.ints([heads]), g.op('Shape', [direction], { end: 1 }), g.ints([dModel])], { axis: 0 });
  return blocks.frozenScaledTransposed(g.op('Reshape', [pulled, shape]), norm1, inverse);
}

/** G·Mᵀ of an MLP: G [S, d] to [1, S, d]. */
function pulledMlp(blocks: Blocks, direction: Value, layer: number, gate: Value, inverse: Value): Value {
  const { g } = blocks;
  const weights = blocks.mlp(layer);
  const hidden = g.op('Mul', [blocks.timesTransposed(direction, weights.out), gate]);
  const pulled = blocks.frozenScaledTransposed(blocks.timesTransposed(hidden, weights.in), weights.norm2, inverse);
  return g.op('Unsqueeze', [pulled, g.ints([0])]);
}
