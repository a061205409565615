import { GraphBuilder, type Graph, type Value } from '../onnx.ts';
import { streamSources, type ModelSpec } from '../spec.ts';
import { Blocks } from './blocks.ts';
import { pullBack } from './flow.ts';

/**
 * Flow between token positions [M26]. A head v takes from what u wrote at k, for its query q,
 * A[q, k]·⟨G[q]·W_Oᵀ·W_Vᵀ pulled through γ, 1/σ of k and the centring, out_u[k]⟩; the rest is read where it was written.
 */

/** Rows of `directions` in placedTotalsGraph. */
export interface DirectionRows {
  logits: number;
  input: number;
  /** G behind the stage of the heads, by layer */
  behindHeads: number[];
  /** G behind the stage of the MLP, and what the MLP pulls it back to; empty without MLPs */
  behindMlp: number[];
  mlp: number[];
}

export function directionRows({ layers, hasMlp }: ModelSpec): DirectionRows {
  const step = hasMlp ? 3 : 1;
  const rows = (offset: number) => Array.from({ length: layers }, (_, layer) => 2 + layer * step + offset);
  return { logits: 0, input: 1, behindHeads: rows(0), behindMlp: hasMlp ? rows(1) : [], mlp: hasMlp ? rows(2) : [] };
}

/**
 * Everything that is read where it was written. Feeds as flowGraph; gives `totals` [S, rows, N], ⟨direction, out_u⟩ at
 * each token for the directions of directionRows and the sources of streamSources, and `behindHeads` [L, S, d].
 * A source has a meaning with the directions behind its own stage and with those of later readers.
 */
export function placedTotalsGraph(spec: ModelSpec): Graph {
  const g = new GraphBuilder('placed-totals');
  const blocks = new Blocks(g, spec);
  const count = streamSources(spec).length;
  const sources = g.input('sources', 'float32', [count, 'S', spec.dModel]);
  const alone = (x: Value) => g.op('Unsqueeze', [x, g.ints([0])]);
  const rows: Value[] = [];
  const behind: Value[] = [];
  const { start, end } = pullBack(blocks, sources, ({ behindMlp, behindHeads, mlp }) => {
    behind.unshift(alone(behindHeads));
    rows.unshift(alone(behindHeads), ...(mlp ? [alone(behindMlp), mlp] : []));
  });
  const directions = g.op('Concat', [alone(start), alone(end), ...rows], { axis: 0 });
  const byToken = g.op('Transpose', [directions], { perm: [1, 0, 2] });
  const columns = g.op('Transpose', [sources], { perm: [1, 2, 0] });
  g.output('totals', g.op('MatMul', [byToken, columns]), 'float32', ['S', 'rows', count]);
  g.output('behindHeads', g.op('Concat', behind, { axis: 0 }), 'float32', [spec.layers, 'S', spec.dModel]);
  return g.finish();
}

/**
 * The largest flows into the heads of a layer, out of all (writer, head, query, key). Feeds `sources` [N, S, d] that
 * come before the layer, `main`, `extra` int32 [W] and `hasExtra` [W] (a writer is source `main`, and source `extra` as
 * well where `hasExtra` is 1), `direction` [Q, d] behind the heads at some queries, `pattern` [H, Q, S] of those,
 * `inverse` [S, 1] with norms, `limit` int32 [1].
 * Gives of the `limit` largest |value|, or of all where there are fewer, in no order: `values`, and `writers`, `heads`,
 * `queries`, `keys` as indices into the feeds; `extent` [2]: how many of all flows are not 0, and Σ|value| of those that are
 * not given. W·H·Q·S must stay below 2^24, up to which float32 counts.
 */
export function placedHeadsGraph(spec: ModelSpec, layer: number): Graph {
  const g = new GraphBuilder(`placed-heads-${layer}`);
  const flows = headFlows(new Blocks(g, spec), layer);
  const flat = g.op('Reshape', [flows, g.ints([-1])]);
  const sizes = g.op('Abs', [flat]);
  const limit = g.op('Cast', [g.input('limit', 'int32', [1])], { to: 7 });
  const most = g.op('Min', [limit, g.op('Shape', [flat])]);
  const [found, places] = g.ops('TopK', [sizes, most], 2, { sorted: 0 }) as [Value, Value];
  const others = g.op('ScatterElements', [sizes, places, g.op('Mul', [found, g.scalar(0)])]);
  const sumOf = (x: Value) => g.op('ReduceSum', [x, g.ints([0])], { keepdims: 1 });
  const isFlow = g.op('Cast', [g.op('Greater', [sizes, g.scalar(0)])], { to: 1 });
  g.output('extent', g.op('Concat', [sumOf(isFlow), sumOf(others)], { axis: 0 }), 'float32', [2]);
  g.output('values', g.op('Gather', [flat, places]), 'float32', ['K']);
  const dims = g.op('Shape', [flows]);
  let rest = places;
  for (const [axis, name] of [
    [3, 'keys'],
    [2, 'queries'],
    [1, 'heads'],
  ] as const) {
    const size = g.op('Gather', [dims, g.ints([axis])]);
    g.output(name, g.op('Cast', [g.op('Mod', [rest, size])], { to: 1 }), 'float32', ['K']);
    rest = g.op('Div', [rest, size]);
  }
  g.output('writers', g.op('Cast', [rest], { to: 1 }), 'float32', ['K']);
  return g.finish();
}

/** [W, H, Q, S] */
function headFlows(blocks: Blocks, layer: number): Value {
  const { g, spec } = blocks;
  const { heads, dModel } = spec;
  const { norm1, o, v } = blocks.layer(layer);
  const sources = g.input('sources', 'float32', ['N', 'S', dModel]);
  const inverse = spec.norm === 'none' ? g.scalar(1) : g.input('inverse', 'float32', ['S', 1]);
  const carried = blocks.times(blocks.frozenScaled(sources, norm1, inverse), v);
  const values = blocks.splitShared(writersOf(g, carried));
  const direction = g.op('Unsqueeze', [g.input('direction', 'float32', ['Q', dModel]), g.ints([0])]);
  const wanted = blocks.splitHeads(blocks.timesTransposed(direction, o));
  const agreement = g.op('MatMul', [wanted, g.op('Transpose', [values], { perm: [0, 1, 3, 2] })]);
  return g.op('Mul', [g.input('pattern', 'float32', [heads, 'Q', 'S']), agreement]);
}

/** Sources [N, ..] as writers [W, ..]: an MLP has its own bias with it. */
function writersOf(g: GraphBuilder, carried: Value): Value {
  const row = (name: string) => g.op('Gather', [carried, g.input(name, 'int32', ['W'])], { axis: 0 });
  const main = row('main');
  const hasExtra = g.op('Reshape', [g.input('hasExtra', 'float32', ['W']), g.ints([-1, 1, 1])]);
  return g.op('Add', [main, g.op('Mul', [row('extra'), hasExtra])]);
}
