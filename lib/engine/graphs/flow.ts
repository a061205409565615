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
  const flat = (x: Value) => g.op('Flatten', [x], { axis: 1 });
  const columns = flat(sources);
  const totals = (pulled: Value) => g.op('Gemm', [flat(pulled), columns], { transB: 1 });
  const rows: Value[] = [];
  const { start } = pullBack(blocks, sources, ({ heads, mlp }) => {
    rows.push(totals(mlp ? g.op('Concat', [heads, mlp], { axis: 0 }) : heads));
  });
  const flows = g.op('Concat', [totals(g.op('Unsqueeze', [start, g.ints([0])])), ...rows], { axis: 0 });
  g.output('flows', flows, 'float32', ['readers', 'N']);
  return g.finish();
}

/** One layer of the backward pass: G [S, d] behind its stages, and what its nodes pull G back to. */
export interface PulledLayer {
  layer: number;
  /** G behind the MLP's stage; with parallel blocks, or without MLPs, behind the layer */
  behindMlp: Value;
  /** G behind the heads' stage */
  behindHeads: Value;
  /** G·Mᵀ of each head, [H, S, d] */
  heads: Value;
  /** G·Mᵀ of the MLP, [1, S, d] */
  mlp: Value | null;
}

/**
 * Pulls u back through all frozen maps, layer by layer from the last. Declares `direction` [d] and the frozen constants
 * as inputs; gives u on the stream, `start`, and what it has become before the first stage, `end`, [S, d] both.
 */
export function pullBack(blocks: Blocks, sources: Value, visit: (pulled: PulledLayer) => void): { start: Value; end: Value } {
  const { g, spec } = blocks;
  const direction = g.input('direction', 'float32', [spec.dModel]);
  const at = frozenInputs(blocks);
  const start = directionOnStream(g, direction, sources);
  let stream = start;
  const add = (pulled: Value) => {
    stream = g.op('Add', [stream, g.op('ReduceSum', [pulled, g.ints([0])], { keepdims: 0 })]);
    return pulled;
  };
  for (let layer = spec.layers - 1; layer >= 0; layer--) {
    const behindMlp = stream;
    const { pattern, inverse1, gate, inverse2 } = at(layer);
    const mlp = gate && add(pulledMlp(blocks, behindMlp, layer, gate, inverse2));
    const behindHeads = spec.parallel ? behindMlp : stream;
    const heads = add(pulledHeads(blocks, behindHeads, layer, pattern, inverse1));
    visit({ layer, behindMlp, behindHeads, heads, mlp });
  }
  return { start, end: stream };
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
