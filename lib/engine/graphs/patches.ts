import { GraphBuilder, type Graph, type Value } from '../onnx.ts';
import type { ModelSpec } from '../spec.ts';
import { stagesOf } from '../stages.ts';
import { Blocks } from './blocks.ts';

/**
 * One stage of the ordinary model on changed streams. Feeds `stream` [P, S, d], `mask` [S, S] where there is attention,
 * `from` int32 [1] the first token wanted; gives `after` [P, R, d], the stream behind the stage.
 */
export function downstreamGraph(spec: ModelSpec, index: number): Graph {
  const g = new GraphBuilder(downstreamName(index));
  const blocks = new Blocks(g, spec);
  const { layer, attention, mlp } = stagesOf(spec)[index]!;
  const stream = g.input('stream', 'float32', ['P', 'S', spec.dModel]);
  const wanted = fromToken(g);
  const here = wanted(stream, 1);
  let after = here;
  if (attention) after = g.op('Add', [after, liveAttention(blocks, stream, layer, g.input('mask', 'float32', ['S', 'S']), wanted)]);
  if (mlp) after = g.op('Add', [after, blocks.liveMlp(here, layer)]);
  g.output('after', after, 'float32', ['P', 'R', spec.dModel]);
  return g.finish();
}

export function downstreamName(index: number): string {
  return `downstream-${index}`;
}

/** Cuts a value along its axis of tokens, from the token that the input `from` names to the last. */
export function fromToken(g: GraphBuilder): (x: Value, axis: number) => Value {
  const from = g.op('Cast', [g.input('from', 'int32', [1])], { to: 7 });
  const end = g.ints([Number.MAX_SAFE_INTEGER]);
  return (x, axis) => g.op('Slice', [x, from, end, g.ints([axis])]);
}

/** Attention of one layer with all biases for the tokens wanted, [P, R, d]. */
function liveAttention(blocks: Blocks, stream: Value, layer: number, mask: Value, wanted: (x: Value, axis: number) => Value): Value {
  const { g } = blocks;
  const { norm1, q, k, v, qBias, kBias, vBias, o, oBias } = blocks.layer(layer);
  const normed = blocks.norm(stream, norm1);
  const queries = blocks.splitHeads(blocks.plus(blocks.times(wanted(normed, 1), q), qBias));
  const keys = blocks.splitShared(blocks.plus(blocks.times(normed, k), kBias));
  const values = blocks.splitShared(blocks.plus(blocks.times(normed, v), vBias));
  const turns = blocks.turns(keys);
  const turned = blocks.turn(queries, turns && { cos: wanted(turns.cos, 0), sin: wanted(turns.sin, 0) });
  const pattern = blocks.pattern(turned, blocks.turn(keys, turns), [0, 1, 3, 2], wanted(blocks.maskOf(layer, mask), 0));
  return blocks.plus(blocks.times(blocks.joinHeads(g.op('MatMul', [pattern, values])), o), oBias);
}

export type PatchedSlots = 'q' | 'k' | 'v' | 'all';

/**
 * What single edges into the heads of a layer do to those heads' outputs [M8]. Feeds `clean` [S, d] the stream that the
 * layer reads, `change` [U, S, d] of each writer, `edges` int32 [E] as writer · heads + head, `mask` [S, S], `before`
 * [H, S, d] the heads' clean outputs, `from` int32 [1] the first token wanted. Gives `after`, the change of the named
 * head's output for each edge, [E, R, d].
 */
export function headPatchGraph(spec: ModelSpec, layer: number, slots: PatchedSlots): Graph {
  const g = new GraphBuilder(headPatchName(layer, slots));
  const blocks = new Blocks(g, spec);
  const { heads, dHead, dModel } = spec;
  const weights = blocks.layer(layer);
  const clean = g.op('Unsqueeze', [g.input('clean', 'float32', ['S', dModel]), g.ints([0])]);
  const changeIn = g.input('change', 'float32', ['U', 'S', dModel]);
  const edges = g.input('edges', 'int32', ['E']);
  const mask = blocks.maskOf(layer, g.input('mask', 'float32', ['S', 'S']));
  const before = g.input('before', 'float32', [heads, 'S', dModel]);
  const wanted = fromToken(g);
  const unchanged = blocks.scaled(clean, weights.norm1).xs;
  const changed = blocks.scaled(g.op('Add', [clean, changeIn]), weights.norm1).xs;
  const read = (slot: PatchedSlots) => (slots === 'all' || slots === slot ? changed : unchanged);
  const { queries, keys, values } = blocks.headInputs([read('q'), read('k'), read('v')], layer);
  const pattern = blocks.pattern(wanted(queries, 2), keys, [0, 1, 3, 2], wanted(mask, 0));
  const mixed = g.op('MatMul', [pattern, values]);
  const rows = g.op('Shape', [mixed], { start: 2, end: 3 });
  const byEdge = g.op('Reshape', [mixed, g.op('Concat', [g.ints([-1]), rows, g.ints([dHead])], { axis: 0 })]);
  const head = g.op('Mod', [edges, g.op('Cast', [g.ints([heads], [])], { to: 6 })]);
  const matrices = g.op('Gather', [blocks.weights.perHead(weights.o, 'out'), head], { axis: 0 });
  const out = g.op('MatMul', [g.op('Gather', [byEdge, edges], { axis: 0 }), matrices]);
  const own = g.op('Gather', [wanted(before, 1), head], { axis: 0 });
  g.output('after', g.op('Sub', [out, own]), 'float32', ['E', 'R', dModel]);
  return g.finish();
}

export function headPatchName(layer: number, slots: PatchedSlots): string {
  return `head-patch-${layer}-${slots}`;
}
