import { GraphBuilder, type Graph, type Value } from '../onnx.ts';
import { sourceRows, type ModelSpec, type NormWeights } from '../spec.ts';
import { stagesOf, type Stage } from '../stages.ts';
import { Blocks } from './blocks.ts';
import { attention } from './forward.ts';

/**
 * One whole stage with its biases [M2], live, on any streams.
 * Feeds `streams` [P, S, d], `keep` [1] (1 adds the stream that was read, 0 gives the stage's output alone) and, with
 * attention, `mask` [S, S]. Gives `out` [P, S, d].
 */
export function stageGraph(spec: ModelSpec, stage: Stage): Graph {
  const g = new GraphBuilder(stageGraphName(stage));
  const blocks = new Blocks(g, spec);
  const dims = ['P', 'S', spec.dModel];
  const streams = g.input('streams', 'float32', dims);
  const keep = g.input('keep', 'float32', [1]);
  const mask = stage.attention ? g.input('mask', 'float32', ['S', 'S']) : null;
  const out = stageOutput(blocks, streams, stage, mask);
  g.output('out', g.op('Add', [g.op('Mul', [streams, keep]), out]), 'float32', dims);
  return g.finish();
}

export function stageGraphName({ name }: Stage): string {
  return `stage-${name}`;
}

/**
 * The additivity defect [M19] of every stage but the first: with u the stream before the stage before it and v what
 * that one writes, ‖b(u+v) − b(u) − b(v) + b(0)‖ over ‖b(u+v) − b(0)‖, which is 0 for a stage that is constant.
 * Feeds `tokens` int32 [S], `mask` [S, S]; gives `live` and `frozenScale` [stages − 1, 2], numerator and denominator of
 * each, the latter with the norms' scales held at the run's. A model of one stage has none: do not run it there.
 */
export function defectsGraph(spec: ModelSpec): Graph {
  const g = new GraphBuilder('additivity-defects');
  const blocks = new Blocks(g, spec);
  const tokens = g.input('tokens', 'int32', ['S']);
  const mask = g.input('mask', 'float32', ['S', 'S']);
  const [first, ...later] = stagesOf(spec);
  let before = g.op('Unsqueeze', [blocks.embed(tokens), g.ints([0])]);
  let change = stageOutput(blocks, before, first!, mask);
  const defects: Record<'live' | 'frozenScale', Value[]> = { live: [], frozenScale: [] };
  for (const stage of later) {
    const after = g.op('Add', [before, change]);
    const four = g.op('Concat', [after, before, change, g.op('Mul', [after, g.scalar(0)])], { axis: 0 });
    const live = stageOutput(blocks, four, stage, mask);
    defects.live.push(defectOf(g, live));
    defects.frozenScale.push(defectOf(g, stageOutput(new HeldScale(g, spec, after), four, stage, mask)));
    before = after;
    change = blocks.cut(live, 0, 0, 1);
  }
  for (const [name, values] of Object.entries(defects)) {
    g.output(name, g.op('Concat', values, { axis: 0 }), 'float32', [later.length, 2]);
  }
  return g.finish();
}

/** Numerator and denominator of a defect, [1, 2], from what a stage makes of u+v, u, v and 0, [4, S, d]. */
function defectOf(g: GraphBuilder, outputs: Value): Value {
  const flat = g.op('Flatten', [outputs], { axis: 1 });
  const weights = g.floats([1, -1, -1, 1, 1, 0, 0, -1], [2, 4]);
  const norms = g.op('ReduceL2', [g.op('MatMul', [weights, flat]), g.ints([1])], { keepdims: 0 });
  return g.op('Unsqueeze', [norms, g.ints([0])]);
}

/** The stage's output on streams [P, S, d]; `mask` where it attends. */
function stageOutput(blocks: Blocks, streams: Value, { layer, attention: attends, mlp }: Stage, mask: Value | null): Value {
  const parts: Value[] = [];
  if (attends) parts.push(attention(blocks, streams, layer, mask!));
  if (mlp) parts.push(blocks.liveMlp(streams, layer));
  return parts.reduce((sum, part) => blocks.g.op('Add', [sum, part]));
}

/** Blocks whose norms hold the scale σ of one stream [1, S, d], whatever they read: C(x)/σ ⊙ γ + β. */
class HeldScale extends Blocks {
  constructor(
    g: GraphBuilder,
    spec: ModelSpec,
    readonly at: Value,
  ) {
    super(g, spec);
  }

  override norm(x: Value, norm: NormWeights): Value {
    const { inverse } = this.scaled(this.at, norm);
    if (inverse === null) return x;
    const scaled = this.frozenScaled(x, norm, inverse);
    return norm.beta ? this.g.op('Add', [scaled, this.weights.vector(norm.beta)]) : scaled;
  }
}

/** The final stream of a run. Feeds `sources` [N, S, d]; gives `stream` [S, d], their sum [M7]. */
export function finalStreamGraph(spec: ModelSpec): Graph {
  const g = new GraphBuilder('final-stream');
  const sources = g.input('sources', 'float32', [sourceRows(spec).size, 'S', spec.dModel]);
  g.output('stream', g.op('ReduceSum', [sources, g.ints([0])], { keepdims: 0 }), 'float32', ['S', spec.dModel]);
  return g.finish();
}

/**
 * How far sums of parts are from a whole [M15]. Feeds `parts` [K, S, d], `whole` [S, d]; gives `norms` [K] of the
 * parts and `errors` [K], ‖parts up to k − whole‖ / ‖whole‖, norms over all positions.
 */
export function expansionErrorsGraph(spec: ModelSpec): Graph {
  const g = new GraphBuilder('expansion-errors');
  const parts = g.op('Flatten', [g.input('parts', 'float32', ['K', 'S', spec.dModel])], { axis: 1 });
  const whole = g.op('Reshape', [g.input('whole', 'float32', ['S', spec.dModel]), g.ints([1, -1])]);
  const norm = (x: Value) => g.op('ReduceL2', [x, g.ints([1])], { keepdims: 0 });
  const away = g.op('Sub', [g.op('CumSum', [parts, g.ints([0], [])]), whole]);
  g.output('norms', norm(parts), 'float32', ['K']);
  g.output('errors', g.op('Div', [norm(away), norm(whole)]), 'float32', ['K']);
  return g.finish();
}
